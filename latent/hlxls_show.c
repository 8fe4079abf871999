// hlxls_show.c: prints values for people: one line a part, contracts by name, handles followed.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/version.h"
#include "latent/contract.h"
#include "latent/hlxls_commands.h"
#include "latent/lcb.h"

enum {
    INDENT = 2,
    PACK_DEPTH = 64, // of handles; a pack is shown whole
    WIDTH = 72,      // bytes of a text or a row of scalars, unless all is asked for
    BYTES_MOST = 16,
    ITEMS_MOST = 32,
    HANDLE_SHOWN = 19, // "&h_" and 16 digits
    LINK = 32          // bytes of a receipt's link
};

struct show {
    struct hlxls *tool;
    const struct pack *pack; // where handles lead to, or NULL: the store
    bool follow;             // there is somewhere to look
    struct map seen;         // handles that were shown
    struct buf *out;
    unsigned indent, depth; // columns; handles that may still be followed
    bool receipt, outputs;  // within a receipt; within its outputs, which are bits of scalars
};

static void show_value(struct show *s, const struct value *v);

// -- scalars -------------------------------------------------------------------------------------

static size_t cut(const struct show *s, const char *text, size_t n, size_t most)
{
    if (s->tool->options.full || n <= most)
        return n;
    while (most > 0 && ((unsigned char)text[most] & 0xC0) == 0x80) // not within a character
        most--;
    return most;
}

static void show_text(struct show *s, const struct value *v)
{
    size_t n = v->as.bytes.n, part = cut(s, v->as.bytes.at, n, WIDTH);
    struct buf quoted = {0};
    buf_json(&quoted, v->as.bytes.at, part);
    buf_visible(s->out, quoted.at, quoted.n);
    buf_free(&quoted);
    if (part < n)
        buf_printf(s->out, "... (%zu bytes)", n);
}

static void show_bytes(struct show *s, const struct value *v)
{
    size_t n = v->as.bytes.n, part = s->tool->options.full || n < BYTES_MOST ? n : BYTES_MOST;
    buf_printf(s->out, "%zu byte%s", n, n == 1 ? "" : "s");
    for (size_t i = 0; i < part; i++)
        buf_printf(s->out, "%s%02x", i % 4 ? "" : " ", (unsigned char)v->as.bytes.at[i]);
    if (part < n)
        buf_puts(s->out, " ...");
}

// Whether the bits are a float's or an int's only the program can tell.
static void show_bits(struct show *s, const struct value *v)
{
    uint32_t bits = (uint32_t)v->as.integer;
    float x;
    memcpy(&x, &bits, sizeof x);
    buf_printf(s->out, "%" PRIu32 " (%08" PRIx32 ", as f32 %.9g)", bits, bits, (double)x);
}

static void show_scalar(struct show *s, const struct value *v)
{
    if (s->outputs && v->kind == VALUE_INT && v->as.integer >= 0 && v->as.integer <= UINT32_MAX)
        show_bits(s, v);
    else if (v->kind == VALUE_TEXT)
        show_text(s, v);
    else if (v->kind == VALUE_BYTES)
        show_bytes(s, v);
    else if (v->kind == VALUE_HANDLE)
        buf_printf(s->out, "%.*s", HANDLE_SHOWN, v->as.bytes.at);
    else
        value_json(v, 0, s->out);
}

static bool is_scalar(const struct value *v)
{
    return (v->kind != VALUE_ARRAY || v->as.array.n == 0) &&
           (v->kind != VALUE_OBJECT || v->as.object.n == 0);
}

// -- handles -------------------------------------------------------------------------------------

static const struct value *find(struct show *s, struct arena *a, const struct handle *h,
                                struct latent_error *error)
{
    return s->pack ? pack_get(a, s->pack, h, error) : store_get(s->tool->store, a, h, error);
}

// A value stands below the first handle that leads to it.
static void show_handle(struct show *s, const struct value *v)
{
    struct handle h;
    bool fresh = false;
    struct arena scratch = {0};
    struct latent_error error = {0};
    show_scalar(s, v);
    if (!s->follow || s->depth == 0 || !handle_parse(v->as.bytes.at, v->as.bytes.n, &h))
        return;
    map_put(&s->seen, h.sha, HANDLE_BYTES, &fresh);
    const struct value *target = fresh ? find(s, &scratch, &h, &error) : NULL;
    if (target) {
        s->depth--;
        buf_printf(s->out, " (%zu bytes) = ", lcb_size(target));
        show_value(s, target);
        s->depth++;
    } else if (!fresh) {
        buf_puts(s->out, " (above)");
    } else if (strcmp(error.code, "E_HANDLE_NOT_FOUND") == 0) {
        buf_puts(s->out, " (not here)");
    } else {
        hlxls_fail(s->tool, &error);
    }
    arena_free(&scratch);
}

// -- lists and objects ---------------------------------------------------------------------------

static void new_line(struct show *s)
{
    buf_putc(s->out, '\n');
    buf_fill(s->out, ' ', s->indent);
}

static bool leads(const struct show *s, const struct value *v)
{
    return v->kind == VALUE_HANDLE && s->follow && s->depth > 0;
}

static bool all_plain(const struct show *s, const struct value *v)
{
    for (size_t i = 0; i < v->as.array.n; i++)
        if (!is_scalar(v->as.array.at[i]) || leads(s, v->as.array.at[i]))
            return false;
    return true;
}

// What nothing hangs on stands in a row.
static void show_row(struct show *s, const struct value *v)
{
    size_t line = s->out->n, n = v->as.array.n;
    buf_putc(s->out, '[');
    for (size_t i = 0; i < n; i++) {
        bool whole = s->tool->options.full || s->out->n - line <= WIDTH;
        buf_puts(s->out, i ? ", " : "");
        if (!whole) {
            buf_puts(s->out, "...");
            break;
        }
        show_scalar(s, v->as.array.at[i]);
    }
    buf_putc(s->out, ']');
    if (s->out->n - line > WIDTH)
        buf_printf(s->out, " (%zu)", n);
}

static void show_array(struct show *s, const struct value *v)
{
    size_t n = v->as.array.n;
    if (all_plain(s, v)) {
        show_row(s, v);
        return;
    }
    buf_printf(s->out, "%zu item%s", n, n == 1 ? "" : "s");
    s->indent += INDENT;
    for (size_t i = 0; i < n; i++) {
        new_line(s);
        if (i == ITEMS_MOST && n > ITEMS_MOST + 1 && !s->tool->options.full) {
            buf_printf(s->out, "... (%zu more)", n - i);
            break;
        }
        buf_printf(s->out, "[%zu] ", i);
        show_value(s, v->as.array.at[i]);
    }
    s->indent -= INDENT;
}

// `c` is the contract that the object holds the fields of, or NULL.
static void show_fields(struct show *s, const struct contract *c, const struct value *v)
{
    s->indent += INDENT;
    for (size_t i = 0; i < v->as.object.n; i++) {
        const struct value_field *f = &v->as.object.at[i];
        size_t index = c ? contract_field_index(c, f->key, f->len) : CONTRACT_NO_FIELD;
        new_line(s);
        if (f->len == 0)
            buf_puts(s->out, "\"\"");
        buf_visible(s->out, f->key, f->len);
        if (index != CONTRACT_NO_FIELD && f->key[0] == '@')
            buf_printf(s->out, " (%s)", c->field[index].name);
        else if (c && index == CONTRACT_NO_FIELD)
            buf_puts(s->out, " (not in the contract)");
        buf_puts(s->out, ": ");
        bool outputs = s->outputs;
        s->outputs = outputs || (s->receipt && strcmp(f->key, "outputs") == 0);
        show_value(s, f->value);
        s->outputs = outputs;
    }
    s->indent -= INDENT;
}

static void show_object(struct show *s, const struct value *v)
{
    int64_t number;
    const struct value *fields;
    if (!value_is_contract(v, &number, &fields)) {
        buf_printf(s->out, "%zu field%s", v->as.object.n, v->as.object.n == 1 ? "" : "s");
        show_fields(s, NULL, v);
        return;
    }
    const struct contract *c = contract_find(NULL, number);
    buf_printf(s->out, "contract %lld%s%s", (long long)number, c ? " " : "", c ? c->name : "");
    s->receipt = number == CONTRACT_RECEIPT;
    show_fields(s, c, fields);
    s->receipt = false;
}

static void show_value(struct show *s, const struct value *v)
{
    if (v->kind == VALUE_HANDLE)
        show_handle(s, v);
    else if (is_scalar(v))
        show_scalar(s, v);
    else if (v->kind == VALUE_ARRAY)
        show_array(s, v);
    else
        show_object(s, v);
}

// -- what is shown -------------------------------------------------------------------------------

static void show_heading(const struct hlxls_input *in, struct buf *out)
{
    char text[HANDLE_TEXT + 1];
    size_t bytes = 0;
    handle_text(&in->handle, text);
    if (in->stored)
        buf_printf(out, "%s (%zu bytes) = ", text, lcb_size(in->value));
    if (!in->pack)
        return;
    for (size_t i = 0; i < in->pack->n; i++)
        bytes += in->pack->object[i].n;
    buf_printf(out, "pack of %zu object%s, %zu bytes\nroot %s = ", in->pack->n,
               in->pack->n == 1 ? "" : "s", bytes, text);
}

static void show_json(const struct hlxls_input *in, struct arena *a, struct buf *out)
{
    char text[HANDLE_TEXT + 1];
    if (!in->pack) {
        value_json(in->value, INDENT, out);
        return;
    }
    handle_text(&in->handle, text);
    buf_printf(out, "{\n\"root\": \"%s\",\n\"objects\": {", text);
    for (size_t i = 0; i < in->pack->n; i++) {
        const struct value *v = pack_get(a, in->pack, &in->pack->object[i].handle, NULL);
        handle_text(&in->pack->object[i].handle, text);
        buf_printf(out, "%s\n\"%s\": ", i ? "," : "", text);
        value_json(v ? v : value_null(), INDENT, out);
    }
    buf_puts(out, "\n}\n}");
}

// The seal of a receipt: its last link. Whether the chain leads there is not known here.
static void show_seal(const struct value *v, struct buf *out)
{
    int64_t number;
    const struct value *fields, *records, *link;
    if (!value_is_contract(v, &number, &fields) || number != CONTRACT_RECEIPT ||
        !(records = value_get(fields, "records")) || records->kind != VALUE_ARRAY ||
        records->as.array.n == 0)
        return;
    link = value_get(records->as.array.at[records->as.array.n - 1], "link");
    if (!link || link->kind != VALUE_BYTES || link->as.bytes.n != LINK)
        return;
    buf_puts(out, "\nseal: ");
    for (size_t i = 0; i < LINK; i++)
        buf_printf(out, "%02x", (unsigned char)link->as.bytes.at[i]);
    buf_puts(out, " (as stated; `hlxrun verify` checks it)");
}

static void show_input(struct hlxls *t, const struct hlxls_input *in, struct buf *out)
{
    const struct hlxls_options *o = &t->options;
    struct arena scratch = {0};
    struct show s = {.tool = t, .pack = in->pack, .out = out};
    s.depth = o->depth_given ? o->depth : in->pack ? PACK_DEPTH : 0;
    s.follow = in->pack || (s.depth > 0 && hlxls_store(t, false));
    map_init(&s.seen, &scratch);
    if (in->pack)
        map_put(&s.seen, in->handle.sha, HANDLE_BYTES, NULL);
    if (o->json) {
        show_json(in, &scratch, out);
    } else {
        show_heading(in, out);
        show_value(&s, in->value);
        show_seal(in->value, out);
    }
    buf_putc(out, '\n');
    arena_free(&scratch);
}

void hlxls_show(struct hlxls *t)
{
    for (int i = 0; i < t->options.noperands; i++) {
        struct hlxls_input in;
        struct buf out = {0};
        if (!hlxls_read(t, t->options.operand[i], &in))
            continue;
        show_input(t, &in, &out);
        fwrite(out.at, 1, out.n, stdout);
        buf_free(&out);
    }
}
