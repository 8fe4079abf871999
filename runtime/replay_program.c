// replay_program.c: finds the program that a receipt is about, and checks that it is that.
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/version.h"
#include "ir/shard.h"
#include "runtime/replay.h"

// -- whether it is the one -----------------------------------------------------------------------

static bool foreign(const struct replay *r, struct hlx_error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool foreign(const struct replay *r, struct hlx_error *error, const char *format, ...)
{
    struct buf text = {0}, seen = {0};
    va_list args;
    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    buf_visible(&seen, text.at, text.n); // names from the receipt may hold anything
    hlx_fail(error, EXIT_DATA, "`%s`: E_RECEIPT_PROGRAM: %s", r->session.path, seen.at);
    buf_free(&seen);
    buf_free(&text);
    return false;
}

static bool check_handle(const struct replay *r, struct hlx_error *error)
{
    char want[HANDLE_TEXT + 1], have[HANDLE_TEXT + 1];
    if (handle_equal(&r->receipt.program, &r->session.program.identity))
        return true;
    handle_text(&r->receipt.program, want);
    handle_text(&r->session.program.identity, have);
    return foreign(r, error, "this is another program: the receipt is about %s, this is %s", want,
                   have);
}

static bool check_entry(struct replay *r, struct hlx_error *error)
{
    const struct ir_module *m = &r->session.program.module;
    struct buf list = {0};
    r->entry = ir_find_entry(m, r->receipt.entry);
    if (r->entry)
        return true;
    for (size_t i = 0; i < m->entries.n; i++)
        buf_printf(&list, "%s%s", i ? ", " : "; it has ", m->entries.at[i].name);
    foreign(r, error, "this program has no entry `%s`%s", r->receipt.entry, list.at ? list.at : "");
    buf_free(&list);
    return false;
}

static bool check_numerics(const struct replay *r, struct hlx_error *error)
{
    const struct receipt *c = &r->receipt;
    const struct ir_module *m = &r->session.program.module;
    if (strcmp(c->numerics, m->numerics) != 0)
        return foreign(r, error, "the receipt's numeric contract is `%s`, this program's `%s`",
                       c->numerics, m->numerics);
    return strcmp(c->profile, m->profile) == 0 ||
           foreign(r, error, "the receipt's profile is `%s`, this program's `%s`", c->profile,
                   m->profile);
}

// "`w` f32[2, 3]" of a row of `tensors`.
static void put_tensor(const struct value *row, struct buf *out)
{
    const struct value *extents = row->as.array.at[2];
    buf_printf(out, "`%s` %s[", row->as.array.at[0]->as.bytes.at, row->as.array.at[1]->as.bytes.at);
    for (size_t i = 0; i < extents->as.array.n; i++)
        buf_printf(out, "%s%" PRId64, i ? ", " : "", extents->as.array.at[i]->as.integer);
    buf_puts(out, "]");
}

static void put_tensor_at(const struct value *tensors, size_t i, struct buf *out)
{
    if (i < tensors->as.array.n)
        put_tensor(tensors->as.array.at[i], out);
    else
        buf_puts(out, "no more");
}

static bool check_tensors(struct replay *r, struct hlx_error *error)
{
    struct state_layout layout;
    state_layout_make(&r->arena, &r->session.program.module, &layout);
    const struct value *want = r->receipt.tensors, *have = state_tensors(&r->arena, &layout);
    if (value_equal(want, have))
        return true;
    struct buf x = {0}, y = {0};
    size_t i = 0;
    while (i < want->as.array.n && i < have->as.array.n &&
           value_equal(want->as.array.at[i], have->as.array.at[i]))
        i++;
    put_tensor_at(want, i, &x);
    put_tensor_at(have, i, &y);
    foreign(r, error,
            "this program has other tensors: the receipt's number %zu is %s, here it is %s", i + 1,
            x.at, y.at);
    buf_free(&x);
    buf_free(&y);
    return false;
}

static bool check_shards(const struct replay *r, struct hlx_error *error)
{
    uint32_t shards = ir_entry_shards(r->entry);
    return shards == r->receipt.shards ||
           foreign(r, error, "the receipt's entry has %" PRIu32 " shards, this one's %" PRIu32,
                   r->receipt.shards, shards);
}

static bool check(struct replay *r, struct hlx_error *error)
{
    return check_handle(r, error) && check_numerics(r, error) && check_entry(r, error) &&
           check_shards(r, error) && check_tensors(r, error);
}

// -- where it is ---------------------------------------------------------------------------------

enum { PLACES = 2 };

// The name of the program's file that the receipt states; NULL when it states none that may be
// looked for: a path could lead anywhere.
static const char *stated_name(const struct replay *r)
{
    const char *name;
    bool ok = value_get_text(r->receipt.run, "file", &name) && *name && !strchr(name, '/');
    return ok ? name : NULL;
}

// Where the program may be: where the user says, else beside the receipt, else in this folder.
static size_t list_places(struct replay *r, const struct replay_options *o, const char *name,
                          const char *place[PLACES])
{
    size_t n = 0;
    if (o->program || !name) {
        place[0] = o->program;
        return o->program ? 1 : 0;
    }
    place[n++] = path_join(&r->arena, path_dir(&r->arena, o->receipt), name);
    if (strchr(o->receipt, '/'))
        place[n++] = name;
    return n;
}

static bool not_found(const struct replay_options *o, const char *name, struct hlx_error *error)
{
    struct buf seen = {0};
    if (!name)
        return hlx_fail(error, EXIT_DATA,
                        "`%s` does not name the file of its program; give it with --program FILE",
                        o->receipt);
    buf_visible(&seen, name, strlen(name));
    hlx_fail(error, EXIT_DATA,
             "the program of `%s`, `%s`, is neither beside it nor in this folder; give its file "
             "with --program FILE",
             o->receipt, seen.at);
    buf_free(&seen);
    return false;
}

// A pack that can be read and is no program has no reason of its own (D3.1).
static void give_reason(struct replay *r, struct hlx_error *error)
{
    static const char told[] = " is not a program that can be run: ";
    const char *text = arena_strdup(&r->arena, error->text), *at = strstr(text, told);
    if (error->code == EXIT_DATA && at && !strstr(at, ": E_")) // of a pack, or of a handle
        hlx_fail(error, EXIT_DATA, "%.*s: E_RECEIPT_PROGRAM: this is not a program: %s",
                 (int)(at - text), text, at + sizeof told - 1);
}

static bool open_at(struct replay *r, const struct replay_options *o, const char *path,
                    struct hlx_error *error)
{
    if (!session_open(&r->session, path, o->data.at, o->data.n, error)) {
        give_reason(r, error);
        return false;
    }
    if (check(r, error))
        return true;
    session_close(&r->session);
    return false;
}

// Of two files of that name the right one is taken; where none is, the first is told about.
bool replay_open_program(struct replay *r, const struct replay_options *o, struct hlx_error *error)
{
    const char *place[PLACES], *name = stated_name(r);
    size_t n = list_places(r, o, name, place), tried = 0;
    for (size_t i = 0; i < n; i++) {
        struct hlx_error later;
        if (!o->program && access(place[i], R_OK) != 0)
            continue;
        if (open_at(r, o, place[i], tried++ == 0 ? error : &later))
            return true;
    }
    if (tried == 0)
        return not_found(o, name, error);
    if (!o->program) {
        const char *text = arena_strdup(&r->arena, error->text);
        hlx_fail(error, error->code, "%s; --program FILE gives another file", text);
    }
    return false;
}
