// program.c: opens a compiled program (.hbin) and checks everything in it before it is used.
#include "runtime/program.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "ir/parse.h"
#include "ir/print.h"
#include "ir/verify.h"

static const struct {
    const char *name;
    enum value_kind kind;
} fields[] = {
    {"data", VALUE_ARRAY},    {"debug", VALUE_HANDLE},    {"hbin", VALUE_INT},
    {"hints", VALUE_OBJECT},  {"identity", VALUE_HANDLE}, {"ir", VALUE_HANDLE},
    {"numerics", VALUE_TEXT}, {"profile", VALUE_TEXT},
};
enum { NFIELDS = sizeof fields / sizeof *fields };

// Every failure below is a sentence in the program's arena, NULL when all is well.
typedef const char *fault;

static fault check_root(struct program *p)
{
    struct latent_error why = {0};
    const struct value *v = pack_get(&p->arena, &p->pack, &p->pack.root, &why);
    int64_t number;
    if (!v)
        return why.message;
    if (!value_is_contract(v, &number, &p->root) || number != PROGRAM_CONTRACT)
        return "its root is not a program (contract 904)";
    for (size_t i = 0; i < NFIELDS; i++) {
        const struct value *f = value_get(p->root, fields[i].name);
        if (!f || f->kind != fields[i].kind)
            return arena_printf(&p->arena, "the program has no field `%s` of kind %s",
                                fields[i].name, value_kind_name(fields[i].kind));
    }
    const struct value *dispatch = value_get(p->root, "dispatch"); // null where there is none
    if (!dispatch || (dispatch->kind != VALUE_NULL && dispatch->kind != VALUE_HANDLE))
        return "the program's field `dispatch` is neither a handle nor null";
    if (p->root->as.object.n != NFIELDS + 1)
        return "the program has fields that this version does not know";
    return NULL;
}

static fault check_version(struct program *p)
{
    int64_t version = 0;
    const char *numerics = NULL, *profile = NULL;
    value_get_int(p->root, "hbin", &version);
    if (version != HLX_HBIN_VERSION)
        return arena_printf(&p->arena, "it has format version %lld, and this hlxrun reads %d",
                            (long long)version, HLX_HBIN_VERSION);
    if (!value_get_text(p->root, "numerics", &numerics) || strcmp(numerics, HLX_NUMERICS) != 0)
        return arena_printf(&p->arena, "it has the numeric contract `%s`, and this hlxrun has %s",
                            numerics ? numerics : "", HLX_NUMERICS);
    if (!value_get_text(p->root, "profile", &profile) ||
        (strcmp(profile, "exact") != 0 && strcmp(profile, "native") != 0))
        return "its profile is neither `exact` nor `native`";
    return NULL;
}

static bool field_handle(const struct program *p, const char *name, struct handle *out)
{
    const struct value *v = value_get(p->root, name);
    return handle_parse(v->as.bytes.at, v->as.bytes.n, out);
}

struct handle program_identity(struct arena *a, const struct handle *ir, const char *numerics,
                               const char *profile)
{
    const struct value_field part[] = {
        {"ir", 2, handle_value(a, ir)},
        {"numerics", 8, value_str(a, numerics)},
        {"profile", 7, value_str(a, profile)},
    };
    return handle_of(value_object(a, part, sizeof part / sizeof *part, NULL));
}

static fault check_identity(struct program *p, const struct handle *ir)
{
    const char *numerics, *profile;
    struct handle stated;
    if (!field_handle(p, "identity", &stated))
        return "its identity is no full handle";
    if (!value_get_text(p->root, "numerics", &numerics) ||
        !value_get_text(p->root, "profile", &profile))
        return "its numerics and profile are not plain text";
    p->identity = program_identity(&p->arena, ir, numerics, profile);
    if (!handle_equal(&stated, &p->identity))
        return "its identity is not that of its IR, numerics and profile";
    return NULL;
}

// One program has one text, and so one handle.
static bool is_canonical(const struct program *p, const struct value *text)
{
    struct buf again = {0};
    ir_print(&p->module, IR_PRINT_CANONICAL, &again);
    bool same = again.n == text->as.bytes.n && memcmp(again.at, text->as.bytes.at, again.n) == 0;
    buf_free(&again);
    return same;
}

static fault parse_ir(struct program *p)
{
    struct handle ir;
    struct latent_error why = {0};
    struct ir_parse_error bad = {0};
    if (!field_handle(p, "ir", &ir))
        return "its IR is no full handle";
    const struct value *text = pack_get(&p->arena, &p->pack, &ir, &why);
    if (!text || text->kind != VALUE_TEXT)
        return text ? "its IR is not text" : why.message;
    ir_module_init(&p->module, &p->arena);
    if (!ir_parse(&p->module, text->as.bytes.at, text->as.bytes.n, &bad))
        return arena_printf(&p->arena, "line %zu of its IR: %s", bad.line, bad.message);
    const char *profile;
    if (!value_get_text(p->root, "profile", &profile) || strcmp(profile, p->module.profile) != 0 ||
        strcmp(p->module.numerics, HLX_NUMERICS) != 0)
        return "its IR is of another profile or numeric contract than the program states";
    if (!is_canonical(p, text))
        return "its IR is not in canonical form";
    fault f = ir_verify(&p->module, false);
    return f ? f : check_identity(p, &ir);
}

bool program_name_ok(const char *name)
{
    struct buf shown = {0};
    size_t n = strlen(name);
    buf_visible(&shown, name, n);
    bool same = n > 0 && shown.n == n && memcmp(shown.at, name, n) == 0;
    buf_free(&shown);
    return same;
}

static bool fields_ok(const struct ir_field *f, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!program_name_ok(f[i].name))
            return false;
    return true;
}

static bool entry_ok(const struct ir_entry *e)
{
    for (size_t i = 0; i < e->outputs.n; i++)
        if (!program_name_ok(e->outputs.at[i].name))
            return false;
    return program_name_ok(e->name) && fields_ok(e->inputs.at, e->inputs.n);
}

static bool data_ok(const struct ir_data *d)
{
    const char *kind;
    return program_name_ok(d->name) && fields_ok(d->fields.at, d->fields.n) &&
           value_get_text(d->source, "kind", &kind) && program_name_ok(kind);
}

// Names reach terminals and files: none may be empty or hold what cannot be seen.
static fault check_names(struct program *p)
{
    const struct ir_module *m = &p->module;
    bool ok = true;
    for (size_t i = 0; i < m->vars.n; i++)
        ok = ok && program_name_ok(m->vars.at[i].path);
    for (size_t i = 0; i < m->data.n; i++)
        ok = ok && data_ok(&m->data.at[i]);
    for (size_t i = 0; i < m->entries.n; i++)
        ok = ok && entry_ok(&m->entries.at[i]);
    return ok ? NULL : "a name in its IR is empty or cannot be shown";
}

static bool handle_is(const struct value *v, const struct handle *h)
{
    struct handle own;
    return v && v->kind == VALUE_HANDLE && handle_parse(v->as.bytes.at, v->as.bytes.n, &own) &&
           handle_equal(&own, h);
}

// Whether a data source is made of the object: its `content`.
static bool data_uses(const struct ir_module *m, const struct handle *h)
{
    for (size_t i = 0; i < m->data.n; i++)
        if (handle_is(value_get(m->data.at[i].source, "content"), h))
            return true;
    return false;
}

static fault check_data(struct program *p)
{
    const struct value *list = value_get(p->root, "data");
    for (size_t i = 0; i < list->as.array.n; i++) {
        const struct value *v = list->as.array.at[i];
        struct handle h;
        if (v->kind != VALUE_HANDLE || !handle_parse(v->as.bytes.at, v->as.bytes.n, &h))
            return "its list of data holds something else than full handles";
        if (!data_uses(&p->module, &h))
            return "it carries data that no data source of the program is made of";
        if (!pack_get(&p->arena, &p->pack, &h, NULL))
            return "data that it lists is not in the pack";
        if (i > 0 && strcmp(list->as.array.at[i - 1]->as.bytes.at, v->as.bytes.at) >= 0)
            return "its list of data is not sorted";
    }
    return NULL;
}

static fault check_hints(struct program *p)
{
    const struct value *hints = value_get(p->root, "hints");
    for (size_t i = 0; i < hints->as.object.n; i++)
        if (hints->as.object.at[i].value->kind != VALUE_TEXT)
            return "its data hints are not texts";
    return NULL;
}

static fault attach_debug(struct program *p)
{
    struct latent_error why = {0};
    const struct value *debug =
        pack_resolve(&p->arena, &p->pack, value_get(p->root, "debug"), &why);
    return debug ? program_attach_debug(p, debug) : why.message;
}

static fault read_dispatch(struct program *p)
{
    const struct value *v = value_get(p->root, "dispatch");
    struct handle h;
    struct latent_error why = {0};
    if (v->kind == VALUE_NULL)
        return NULL;
    if (!field_handle(p, "dispatch", &h))
        return "its dispatch table is no full handle";
    p->dispatch = dispatch_read(&p->arena, &p->pack, &h, &why);
    if (!p->dispatch)
        return why.message;
    fault f = dispatch_match(&p->arena, p->dispatch, &p->module);
    return f ? arena_printf(&p->arena, "its dispatch table does not fit it: %s", f) : NULL;
}

// The root, `ir` and `debug`; the data; the dispatch table, its kernels and constants (equal ones
// are one object).
static fault check_objects(struct program *p)
{
    size_t most = 3 + value_get(p->root, "data")->as.array.n;
    const struct dispatch_program *d = p->dispatch;
    if (d)
        most += 1 + d->nkernels;
    for (size_t i = 0; d && i < d->nentries; i++)
        most += d->entry[i].nsegments[ARENA_CONSTS];
    return p->pack.n <= most ? NULL : "it carries objects that nothing refers to";
}

static fault check_all(struct program *p)
{
    static fault (*const checks[])(struct program *) = {check_root,   check_version, parse_ir,
                                                        check_names,  check_data,    check_hints,
                                                        attach_debug, read_dispatch, check_objects};
    struct latent_error why = {0};
    if (!pack_read(&p->arena, p->bytes, p->n, &p->pack, &why))
        return why.message;
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        fault f = checks[i](p);
        if (f)
            return f;
    }
    return NULL;
}

// Takes over `bytes` (malloc).
static bool open_owned(struct program *p, const char *name, unsigned char *bytes, size_t n,
                       struct hlx_error *error)
{
    p->bytes = bytes;
    p->n = n;
    fault f = check_all(p);
    if (!f)
        return true;
    hlx_fail(error, EXIT_DATA, "%s is not a program that can be run: %s", name, f);
    program_close(p);
    return false;
}

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);
    return n >= m && !strcmp(s + n - m, end);
}

bool program_open(struct program *p, const char *path, struct hlx_error *error)
{
    *p = (struct program){0};
    const char *why;
    size_t n;
    char *bytes = file_read(&p->arena, path, 0, &n, &why);
    if (!bytes) {
        hlx_fail(error, EXIT_DATA, "%s", why);
        program_close(p);
        return false;
    }
    if (ends_with(path, ".hlxl") || ends_with(path, ".hlx")) {
        hlx_fail(error, EXIT_DATA, "`%s` is source text; compile it first: hlxc %s", path, path);
        free(bytes);
        program_close(p);
        return false;
    }
    const char *name = arena_printf(&p->arena, "`%s`", path);
    return open_owned(p, name, (unsigned char *)bytes, n, error);
}

bool program_open_bytes(struct program *p, const void *bytes, size_t n, struct hlx_error *error)
{
    *p = (struct program){0};
    unsigned char *copy = malloc(n ? n : 1);
    if (!copy)
        return hlx_no_memory(error, "the program");
    if (n > 0)
        memcpy(copy, bytes, n);
    return open_owned(p, "this", copy, n, error);
}

void program_close(struct program *p)
{
    free(p->bytes);
    arena_free(&p->arena);
    *p = (struct program){0};
}

const struct value *program_data(struct program *p, const struct ir_data *data)
{
    const struct value *content = value_get(data->source, "content");
    struct handle h;
    if (!content || content->kind != VALUE_HANDLE ||
        !handle_parse(content->as.bytes.at, content->as.bytes.n, &h))
        return NULL;
    return pack_get(&p->arena, &p->pack, &h, NULL);
}

const char *program_hint(const struct program *p, const struct ir_data *data)
{
    const char *hint;
    return value_get_text(value_get(p->root, "hints"), data->name, &hint) ? hint : NULL;
}

bool program_place(const struct program *p, struct span at, struct program_place *out)
{
    if (at.file < 1 || at.file > p->nfiles)
        return false;
    const struct program_file *f = &p->file[at.file - 1];
    size_t low = 0, high = f->nlines; // the line sought is in [low, high)
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (f->line[middle] <= at.start)
            low = middle;
        else
            high = middle;
    }
    *out = (struct program_place){f->name, (unsigned)low + 1, at.start - f->line[low] + 1};
    return true;
}
