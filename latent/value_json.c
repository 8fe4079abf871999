// value_json.c: writes a value as JSON, for people.
#include <string.h>

#include "latent/canon.h"
#include "latent/value.h"

struct json {
    struct buf *out;
    unsigned indent; // spaces a level; 0: one line
    unsigned depth;  // of the value being written
};

static void write_value(struct json *j, const struct value *v);

static void write_null(struct json *j, const struct value *v)
{
    (void)v;
    buf_puts(j->out, "null");
}

static void write_bool(struct json *j, const struct value *v)
{
    buf_puts(j->out, v->as.boolean ? "true" : "false");
}

static void write_int(struct json *j, const struct value *v)
{
    buf_printf(j->out, "%lld", (long long)v->as.integer);
}

static void write_float(struct json *j, const struct value *v)
{
    buf_double(j->out, v->as.number);
}

static void write_handle(struct json *j, const struct value *v)
{
    buf_json(j->out, v->as.bytes.at, v->as.bytes.n);
}

// A string that begins like a handle is one, so such a text is told apart.
static void write_text(struct json *j, const struct value *v)
{
    bool handle = v->as.bytes.n >= 3 && memcmp(v->as.bytes.at, "&h_", 3) == 0;
    if (handle)
        buf_puts(j->out, "{\"$text\": ");
    buf_json(j->out, v->as.bytes.at, v->as.bytes.n);
    if (handle)
        buf_putc(j->out, '}');
}

static void write_bytes(struct json *j, const struct value *v)
{
    static const char digits[] = "0123456789abcdef";
    buf_puts(j->out, "{\"$bytes\": \"");
    for (size_t i = 0; i < v->as.bytes.n; i++) {
        unsigned char c = (unsigned char)v->as.bytes.at[i];
        buf_putc(j->out, digits[c >> 4]);
        buf_putc(j->out, digits[c & 15]);
    }
    buf_puts(j->out, "\"}");
}

// Starts a new line at the present depth, or separates with a space.
static void line(struct json *j, bool space)
{
    if (j->indent > 0) {
        buf_putc(j->out, '\n');
        buf_fill(j->out, ' ', (size_t)j->indent * (j->depth - 1));
    } else if (space) {
        buf_putc(j->out, ' ');
    }
}

// What stands before item i of a container.
static void next_item(struct json *j, size_t i)
{
    if (i > 0)
        buf_putc(j->out, ',');
    line(j, i > 0);
}

static void close_items(struct json *j, size_t n, char bracket)
{
    j->depth--;
    if (n > 0)
        line(j, false);
    buf_putc(j->out, bracket);
}

static void write_array(struct json *j, const struct value *v)
{
    buf_putc(j->out, '[');
    j->depth++;
    for (size_t i = 0; i < v->as.array.n; i++) {
        next_item(j, i);
        write_value(j, v->as.array.at[i]);
    }
    close_items(j, v->as.array.n, ']');
}

bool value_json_reserved(const char *key, size_t n)
{
    static const char *const names[] = {"$bytes", "$text", "$object"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (n == strlen(names[i]) && memcmp(key, names[i], n) == 0)
            return true;
    return false;
}

static bool has_reserved_key(const struct value *v)
{
    for (size_t i = 0; i < v->as.object.n; i++)
        if (value_json_reserved(v->as.object.at[i].key, v->as.object.at[i].len))
            return true;
    return false;
}

static void write_members(struct json *j, const struct value *v)
{
    buf_putc(j->out, '{');
    j->depth++;
    for (size_t i = 0; i < v->as.object.n; i++) {
        const struct value_field *f = &v->as.object.at[i];
        next_item(j, i);
        buf_json(j->out, f->key, f->len);
        buf_puts(j->out, ": ");
        write_value(j, f->value);
    }
    close_items(j, v->as.object.n, '}');
}

static void write_object(struct json *j, const struct value *v)
{
    bool reserved = has_reserved_key(v);
    if (reserved)
        buf_puts(j->out, "{\"$object\": ");
    write_members(j, v);
    if (reserved)
        buf_putc(j->out, '}');
}

static void write_value(struct json *j, const struct value *v)
{
    static void (*const writer[])(struct json *, const struct value *) = {
        [VALUE_NULL] = write_null,   [VALUE_BOOL] = write_bool,     [VALUE_INT] = write_int,
        [VALUE_FLOAT] = write_float, [VALUE_TEXT] = write_text,     [VALUE_BYTES] = write_bytes,
        [VALUE_ARRAY] = write_array, [VALUE_OBJECT] = write_object, [VALUE_HANDLE] = write_handle,
    };
    if (j->depth > VALUE_MAX_DEPTH)
        buf_puts(j->out, "\"...\"");
    else
        writer[v->kind](j, v);
}

void value_json(const struct value *v, unsigned indent, struct buf *out)
{
    struct json j = {out, indent, 1};
    write_value(&j, v);
}
