// stage_value.c: makes, compares and shows the values of compile time.
#include "frontend/stage_value.h"

#include <stdlib.h>
#include <string.h>

#include "frontend/stage.h"

struct stage_value stage_bytes(struct arena *a, enum stage_kind kind, const char *at, size_t n)
{
    struct stage_value v = {.kind = kind};
    v.as.text.at = arena_copy(a, at, n);
    v.as.text.n = n;
    return v;
}

struct stage_value stage_text(struct arena *a, const char *s)
{
    return stage_bytes(a, STAGE_TEXT, s, strlen(s));
}

// A value that holds another is deeper than it and as heavy as all that it holds.
static void add_size(struct stage_size *to, struct stage_value v)
{
    struct stage_size size = stage_size(v);
    to->weight += size.weight;
    if (to->depth < size.depth + 1)
        to->depth = size.depth + 1;
}

struct stage_value stage_array(struct arena *a, const struct stage_value *items, size_t n)
{
    struct stage_array *array = arena_new(a, struct stage_array);
    *array = (struct stage_array){n, arena_array(a, n, sizeof *items), NULL, {1, 1}};
    for (size_t i = 0; i < n; i++) {
        array->at[i] = items[i];
        add_size(&array->size, items[i]);
    }
    return (struct stage_value){.kind = STAGE_ARRAY, .as.array = array};
}

static int compare_keys(const char *a, size_t na, const char *b, size_t nb)
{
    size_t n = na < nb ? na : nb;
    int order = n ? memcmp(a, b, n) : 0;
    return order ? order : (na > nb) - (na < nb);
}

static int compare_fields(const void *a, const void *b)
{
    const struct stage_field *x = a, *y = b;
    return compare_keys(x->key, x->len, y->key, y->len);
}

struct stage_value stage_object(struct arena *a, const struct stage_field *fields, size_t n)
{
    struct stage_field *sorted = arena_array(a, n, sizeof *sorted);
    struct stage_object *object = arena_new(a, struct stage_object);
    *object = (struct stage_object){n, sorted, -1, {1, 1}};
    for (size_t i = 0; i < n; i++) {
        sorted[i] = fields[i];
        add_size(&object->size, fields[i].value);
    }
    qsort(sorted, n, sizeof *sorted, compare_fields);
    return (struct stage_value){.kind = STAGE_OBJECT, .as.object = object};
}

struct stage_size stage_size(struct stage_value v)
{
    struct stage_size size = {1, 1};
    if (v.kind == STAGE_ARRAY)
        size = v.as.array->size;
    else if (v.kind == STAGE_RANGE)
        size = (struct stage_size){1 + stage_count(v), 2};
    else if (v.kind == STAGE_OBJECT || v.kind == STAGE_CONTRACT)
        size = v.as.object->size;
    else if (v.kind == STAGE_TEXT || v.kind == STAGE_BYTES)
        size.weight += v.as.text.n / 8;
    size.depth += v.kind == STAGE_CONTRACT; // it is an object in an object
    return size;
}

bool stage_is_number(struct stage_value v)
{
    return v.kind == STAGE_INT || v.kind == STAGE_FLOAT;
}

double stage_number(struct stage_value v)
{
    return v.kind == STAGE_INT ? (double)v.as.integer : v.as.number;
}

bool stage_is_tensor(struct stage_value v)
{
    return v.kind == STAGE_TENSOR || v.kind == STAGE_VAR;
}

const struct stage_value *stage_get(struct stage_value v, const char *key, size_t len)
{
    if (v.kind != STAGE_OBJECT && v.kind != STAGE_CONTRACT)
        return NULL;
    size_t low = 0, high = v.as.object->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const struct stage_field *f = &v.as.object->at[mid];
        int order = compare_keys(key, len, f->key, f->len);
        if (order == 0)
            return &f->value;
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

bool stage_is_list(struct stage_value v)
{
    return v.kind == STAGE_ARRAY || v.kind == STAGE_RANGE;
}

size_t stage_count(struct stage_value v)
{
    if (v.kind == STAGE_RANGE)
        return (size_t)(v.as.range.high - v.as.range.low);
    return v.kind == STAGE_ARRAY ? v.as.array->n : 0;
}

struct stage_value stage_item(struct stage_value v, size_t i)
{
    if (v.kind == STAGE_RANGE)
        return stage_int(v.as.range.low + (int64_t)i);
    return v.as.array->at[i];
}

// Room for n items and half as many to come.
static struct stage_room *new_room(struct arena *a, size_t n)
{
    struct stage_room *room = arena_new(a, struct stage_room);
    *room = (struct stage_room){n, n + n / 2};
    return room;
}

struct stage_value stage_join_lists(struct arena *a, struct stage_value x, struct stage_value y)
{
    size_t nx = stage_count(x), ny = stage_count(y);
    struct stage_array *out = arena_new(a, struct stage_array);
    *out = (struct stage_array){nx + ny, NULL, NULL, stage_size(x)};
    struct stage_room *room = x.kind == STAGE_ARRAY ? x.as.array->room : NULL;
    if (room && room->used == nx && ny <= room->cap - nx) {
        out->at = x.as.array->at;
        out->room = room;
        room->used += ny;
    } else {
        out->room = new_room(a, nx + ny);
        out->at = arena_array(a, out->room->cap, sizeof *out->at);
        for (size_t i = 0; i < nx; i++)
            out->at[i] = stage_item(x, i);
    }
    for (size_t i = 0; i < ny; i++) {
        out->at[nx + i] = stage_item(y, i);
        add_size(&out->size, out->at[nx + i]);
    }
    return (struct stage_value){.kind = STAGE_ARRAY, .as.array = out};
}

// -- equality ------------------------------------------------------------------------------------

static bool equal_lists(struct stage_value a, struct stage_value b)
{
    size_t n = stage_count(a);
    if (n != stage_count(b))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!stage_equal(stage_item(a, i), stage_item(b, i)))
            return false;
    return true;
}

static bool equal_objects(const struct stage_object *a, const struct stage_object *b)
{
    if (a->n != b->n || a->contract != b->contract)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (compare_fields(&a->at[i], &b->at[i]) || !stage_equal(a->at[i].value, b->at[i].value))
            return false;
    return true;
}

static bool equal_numbers(struct stage_value a, struct stage_value b)
{
    if (a.kind == STAGE_INT && b.kind == STAGE_INT)
        return a.as.integer == b.as.integer;
    return stage_number(a) == stage_number(b);
}

static bool equal_same_kind(struct stage_value a, struct stage_value b)
{
    switch (a.kind) {
    case STAGE_NULL: return true;
    case STAGE_BOOL: return a.as.boolean == b.as.boolean;
    case STAGE_TEXT:
    case STAGE_BYTES:
    case STAGE_HANDLE: return !compare_keys(a.as.text.at, a.as.text.n, b.as.text.at, b.as.text.n);
    case STAGE_OBJECT:
    case STAGE_CONTRACT: return equal_objects(a.as.object, b.as.object);
    case STAGE_TYPE: return a.as.type == b.as.type;
    case STAGE_FUNCTION: return a.as.function == b.as.function;
    case STAGE_BUILTIN: return a.as.builtin == b.as.builtin;
    case STAGE_MODULE: return a.as.module == b.as.module;
    case STAGE_DATA: return a.as.data == b.as.data;
    case STAGE_VAR: return a.as.var == b.as.var;
    case STAGE_TENSOR:
        return a.as.tensor.unit == b.as.tensor.unit && a.as.tensor.ref == b.as.tensor.ref;
    default: return false;
    }
}

bool stage_equal(struct stage_value a, struct stage_value b)
{
    if (stage_is_number(a) && stage_is_number(b))
        return equal_numbers(a, b);
    if (stage_is_list(a) && stage_is_list(b))
        return equal_lists(a, b);
    return a.kind == b.kind && equal_same_kind(a, b);
}

// -- text ----------------------------------------------------------------------------------------

size_t stage_text_offset(struct stage_value v, size_t i)
{
    size_t at = 0;
    for (uint32_t rune; i > 0 && at < v.as.text.n; i--) {
        size_t n = utf8_decode(v.as.text.at + at, v.as.text.n - at, &rune);
        at += n ? n : 1;
    }
    return at;
}

size_t stage_text_length(struct stage_value v)
{
    size_t count = 0;
    uint32_t rune;
    for (size_t at = 0; at < v.as.text.n; count++) {
        size_t n = utf8_decode(v.as.text.at + at, v.as.text.n - at, &rune);
        at += n ? n : 1;
    }
    return count;
}

// -- showing -------------------------------------------------------------------------------------

const char *stage_kind_text(const struct ir_module *m, struct stage_value v)
{
    static const char *const name[STAGE_KIND_COUNT] = {
        [STAGE_NONE] = "nothing",     [STAGE_POISON] = "error",  [STAGE_NULL] = "null",
        [STAGE_BOOL] = "bool",        [STAGE_INT] = "int",       [STAGE_FLOAT] = "float",
        [STAGE_TEXT] = "text",        [STAGE_BYTES] = "bytes",   [STAGE_HANDLE] = "handle",
        [STAGE_ARRAY] = "array",      [STAGE_OBJECT] = "object", [STAGE_CONTRACT] = "contract",
        [STAGE_RANGE] = "range",      [STAGE_TYPE] = "type",     [STAGE_FUNCTION] = "function",
        [STAGE_BUILTIN] = "function", [STAGE_MODULE] = "module", [STAGE_DATA] = "data",
        [STAGE_TENSOR] = "tensor",
    };
    if (v.kind == STAGE_VAR)
        return m->vars.at[v.as.var].kind == IR_PARAM ? "param" : "state";
    return name[v.kind];
}

static void show_text(struct stage_value v, bool quote, struct buf *out)
{
    if (!quote) {
        buf_put(out, v.as.text.at, v.as.text.n);
        return;
    }
    buf_putc(out, '"');
    for (size_t i = 0; i < v.as.text.n; i++) {
        unsigned char c = (unsigned char)v.as.text.at[i];
        if (c == '"' || c == '\\')
            buf_printf(out, "\\%c", c);
        else if (c == '\n')
            buf_puts(out, "\\n");
        else if (c == '\t')
            buf_puts(out, "\\t");
        else if (c < 0x20 || c == 0x7f)
            buf_printf(out, "\\u{%x}", c);
        else
            buf_putc(out, (char)c);
    }
    buf_putc(out, '"');
}

static void show_bytes(struct stage_value v, struct buf *out)
{
    buf_puts(out, "x\"");
    for (size_t i = 0; i < v.as.text.n; i++)
        buf_printf(out, "%02x", (unsigned char)v.as.text.at[i]);
    buf_putc(out, '"');
}

static void show_list(struct ir_module *m, struct stage_value v, struct buf *out)
{
    buf_putc(out, '[');
    for (size_t i = 0; i < stage_count(v); i++) {
        if (i)
            buf_puts(out, ", ");
        stage_show(m, stage_item(v, i), true, out);
    }
    buf_putc(out, ']');
}

static bool is_identifier(const char *s, size_t n)
{
    if (n && s[0] == '@')
        s++, n--;
    else if (n && s[0] >= '0' && s[0] <= '9')
        return false;
    for (size_t i = 0; i < n; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789", s[i]))
            return false;
    return n > 0;
}

static void show_object(struct ir_module *m, struct stage_value v, struct buf *out)
{
    const struct stage_object *o = v.as.object;
    if (v.kind == STAGE_CONTRACT)
        buf_printf(out, "contract %lld ", (long long)o->contract);
    buf_putc(out, '{');
    for (size_t i = 0; i < o->n; i++) {
        const struct stage_field *f = &o->at[i];
        struct stage_value key = {.kind = STAGE_TEXT};
        key.as.text.at = f->key;
        key.as.text.n = f->len;
        buf_puts(out, i ? ", " : " ");
        show_text(key, !is_identifier(f->key, f->len), out);
        buf_puts(out, ": ");
        stage_show(m, f->value, true, out);
    }
    buf_puts(out, o->n ? " }" : "}");
}

void stage_show(struct ir_module *m, struct stage_value v, bool quote, struct buf *out)
{
    switch (v.kind) {
    case STAGE_NONE:
    case STAGE_POISON:
    case STAGE_KIND_COUNT: buf_puts(out, "(error)"); break;
    case STAGE_NULL: buf_puts(out, "null"); break;
    case STAGE_BOOL: buf_puts(out, v.as.boolean ? "true" : "false"); break;
    case STAGE_INT: buf_printf(out, "%lld", (long long)v.as.integer); break;
    case STAGE_FLOAT: buf_double(out, v.as.number); break;
    case STAGE_TEXT: show_text(v, quote, out); break;
    case STAGE_BYTES: show_bytes(v, out); break;
    case STAGE_HANDLE: show_text(v, false, out); break;
    case STAGE_ARRAY: show_list(m, v, out); break;
    case STAGE_RANGE:
        buf_printf(out, "range(%lld, %lld)", (long long)v.as.range.low, (long long)v.as.range.high);
        break;
    case STAGE_OBJECT:
    case STAGE_CONTRACT: show_object(m, v, out); break;
    case STAGE_TYPE: buf_puts(out, dtype_name(v.as.type)); break;
    case STAGE_FUNCTION: buf_printf(out, "fn %s", v.as.function->name); break;
    case STAGE_BUILTIN: buf_printf(out, "fn %s", v.as.builtin->name); break;
    case STAGE_MODULE: buf_printf(out, "module %s", v.as.module->name); break;
    case STAGE_DATA: buf_printf(out, "data %s", v.as.data->kind); break;
    case STAGE_TENSOR: buf_puts(out, stage_type_text(m, v)); break;
    case STAGE_VAR:
        buf_printf(out, "%s %s: %s", stage_kind_text(m, v), m->vars.at[v.as.var].path,
                   stage_type_text(m, v));
        break;
    }
}

const char *stage_shown(struct ir_module *m, struct stage_value v)
{
    enum { LONGEST = 60 };
    struct buf b = {0};
    stage_show(m, v, true, &b);
    size_t n = b.n;
    if (n > LONGEST) { // cut between code points
        n = LONGEST;
        while (n > 0 && ((unsigned char)b.at[n] & 0xc0) == 0x80)
            n--;
    }
    const char *text =
        arena_printf(m->arena, "%.*s%s", (int)n, b.n ? b.at : "", n < b.n ? "..." : "");
    buf_free(&b);
    return text;
}
