// hlxls_io.c: reads values from files, packs and the store for hlxls, and writes them.
#include "latent/hlxls_io.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/version.h"

// -- messages ------------------------------------------------------------------------------------

static void raise_code(struct hlxls *t, int code)
{
    if (code > t->code)
        t->code = code;
}

bool hlxls_complain(struct hlxls *t, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *sentence = arena_vprintf(&t->arena, format, args);
    va_end(args);
    fflush(stdout);
    fprintf(stderr, "hlxls: %s\n", sentence);
    raise_code(t, code);
    return false;
}

bool hlxls_fail(struct hlxls *t, const struct latent_error *error)
{
    return hlxls_complain(t, EXIT_DATA, "error[%s]: %s", error->code, error->message);
}

static const char *shown(struct hlxls *t, const char *name)
{
    struct buf b = {0};
    buf_visible(&b, name, strlen(name));
    const char *text = b.n ? arena_copy(&t->arena, b.at, b.n) : "";
    buf_free(&b);
    return text;
}

struct store *hlxls_store(struct hlxls *t, bool create)
{
    struct latent_error error = {0};
    if (!t->store)
        t->store = store_open(&t->arena, t->options.store, create, &error);
    if (t->store)
        return t->store;
    hlxls_fail(t, &error);
    if (strcmp(error.code, "E_STORE_MISSING") == 0)
        fputs("  = help: `hlxls collapse` makes a store; --store and $HLX_STORE say where\n",
              stderr);
    return NULL;
}

// -- in ------------------------------------------------------------------------------------------

const char *hlxls_form_of(const char *path)
{
    const char *dot = strrchr(path, '.');
    const struct codec *c = dot ? codec_find(dot + 1) : NULL;
    return c ? c->name : NULL;
}

// What a text's decoder refused is shown with its line.
static void report_text(struct hlxls *t, const struct codec *c, const char *name, const char *bytes,
                        size_t n, const struct latent_error *error)
{
    struct sources sources;
    struct diags diags;
    sources_init(&sources, &t->arena);
    diags_init(&diags, &t->arena, &sources);
    uint32_t file = sources_add(&sources, name, bytes, n);
    codec_report(c, file, error, &diags);
    fflush(stdout);
    diags_print(&diags, t->options.diagnostics, t->options.color, stderr);
    raise_code(t, EXIT_DATA);
}

static bool decode(struct hlxls *t, const struct codec *c, const char *bytes, size_t n,
                   struct hlxls_input *in)
{
    struct latent_error error = {0};
    in->value = c->decode(&t->arena, bytes, n, &error);
    if (in->value)
        return true;
    if (c->text)
        report_text(t, c, in->name, bytes, n, &error);
    else
        hlxls_complain(t, EXIT_DATA, "`%s`: error[%s]: %s", in->name, error.code, error.message);
    return false;
}

static bool read_pack(struct hlxls *t, const char *bytes, size_t n, struct hlxls_input *in)
{
    struct pack *pack = arena_new(&t->arena, struct pack);
    struct latent_error error = {0};
    if (pack_read(&t->arena, bytes, n, pack, &error))
        in->value = pack_get(&t->arena, pack, &pack->root, &error);
    in->pack = pack;
    in->handle = pack->root;
    return in->value ||
           hlxls_complain(t, EXIT_DATA, "`%s`: error[%s]: %s", in->name, error.code, error.message);
}

static bool read_text(struct hlxls *t, const char *bytes, size_t n, struct hlxls_input *in)
{
    struct latent_error error = {0};
    in->value = value_text(&t->arena, bytes, n, &error);
    return in->value ||
           hlxls_complain(t, EXIT_DATA, "`%s`: error[%s]: %s", in->name, error.code, error.message);
}

bool hlxls_read_file(struct hlxls *t, const char *path, const char *otherwise,
                     struct hlxls_input *in)
{
    size_t n;
    const char *why, *form = t->options.from ? t->options.from : otherwise;
    bool standard = strcmp(path, "-") == 0;
    *in = (struct hlxls_input){.name = standard ? "<stdin>" : shown(t, path)};
    char *bytes = file_read(&t->arena, path, 0, &n, &why);
    if (!bytes)
        return hlxls_complain(t, EXIT_DATA, "%s", why);
    vec_push(&t->arena, &t->inputs, bytes);
    if (!form && n >= PACK_MAGIC_BYTES && memcmp(bytes, PACK_MAGIC, PACK_MAGIC_BYTES) == 0)
        return read_pack(t, bytes, n, in);
    if (form && strcmp(form, "bytes") == 0) {
        in->value = value_bytes(&t->arena, bytes, n);
        return true;
    }
    if (form && strcmp(form, "text") == 0)
        return read_text(t, bytes, n, in);
    return decode(t, form ? codec_find(form) : codec_guess(bytes, n), bytes, n, in);
}

static bool read_stored(struct hlxls *t, const char *operand, struct hlxls_input *in)
{
    struct latent_error error = {0};
    struct store *s = hlxls_store(t, false);
    *in = (struct hlxls_input){.name = shown(t, operand), .stored = true};
    if (!s)
        return false;
    in->value = store_resolve(s, &t->arena, operand, &in->handle, &error);
    return in->value || hlxls_fail(t, &error);
}

bool hlxls_read(struct hlxls *t, const char *operand, struct hlxls_input *in)
{
    bool file = operand[0] != '&' &&
                (strcmp(operand, "-") == 0 || strchr(operand, '/') || access(operand, F_OK) == 0);
    if (file)
        return hlxls_read_file(t, operand, hlxls_form_of(operand), in);
    if (hlxls_form_of(operand) || strstr(operand, ".hbin"))
        return hlxls_complain(t, EXIT_DATA, "there is no file `%s`", shown(t, operand));
    return read_stored(t, operand, in);
}

// -- out -----------------------------------------------------------------------------------------

bool hlxls_put(struct hlxls *t, const struct value *v, const char *otherwise, struct buf *out)
{
    const char *to = t->options.to ? t->options.to : otherwise;
    const struct codec *c = codec_find(to);
    if (c) {
        struct sink sink = {.buf = *out};
        c->encode(v, t->options.level, &sink);
        *out = sink.buf;
        if (c->text)
            buf_putc(out, '\n');
        return true;
    }
    if (v->kind != VALUE_BYTES && v->kind != VALUE_TEXT)
        return hlxls_complain(t, EXIT_DATA,
                              "the value is of kind %s and has no bytes of its own to write; "
                              "--to json shows it",
                              value_kind_name(v->kind));
    buf_put(out, v->as.bytes.at, v->as.bytes.n);
    return true;
}

bool hlxls_write(struct hlxls *t, const struct buf *bytes)
{
    const char *why, *to = t->options.output ? t->options.output : "-";
    return file_write(&t->arena, to, bytes->at, bytes->n, &why) ||
           hlxls_complain(t, EXIT_DATA, "%s", why);
}
