// data_jsonl.c: lines of JSON as sequences of tokens, by a template over their fields.
#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/data.h"

// A part of the template: text as it is, or the name of a field.
struct part {
    const char *at;
    size_t n;
    bool field;
};

struct jsonl {
    struct data_tokens tokens;
    VEC(struct part) parts; // in the arena
    struct arena arena;
    unsigned char *sample; // seq + 1 tokens each
    size_t cap;
};

// The line being read, for messages.
struct line {
    const char *shown;
    const char *at;
    size_t n, number, offset; // offset: of its first byte in the file
};

static void jsonl_close(struct data_set *s)
{
    struct jsonl *j = s->state;
    arena_free(&j->arena);
    free(j->sample);
    free(j);
}

// -- the template --------------------------------------------------------------------------------

// "{name}" is a field; "{{" and "}}" are braces.
static bool read_template(struct jsonl *j, const char *text)
{
    for (const char *p = text; *p;) {
        size_t plain = strcspn(p, "{}");
        if (plain > 0) {
            vec_push(&j->arena, &j->parts, (struct part){p, plain, false});
            p += plain;
        } else if (p[0] == p[1]) {
            vec_push(&j->arena, &j->parts, (struct part){p, 1, false});
            p += 2;
        } else {
            size_t n = strcspn(p + 1, "{}");
            if (p[0] != '{' || p[n + 1] != '}' || n == 0)
                return false;
            vec_push(&j->arena, &j->parts, (struct part){arena_copy(&j->arena, p + 1, n), n, true});
            p += n + 2;
        }
    }
    return true;
}

static bool put_field(const struct part *part, const json_t *object, const struct line *l,
                      struct buf *out, struct hlx_error *error)
{
    const json_t *v = json_object_get(object, part->at);
    if (!v)
        return hlx_fail(error, EXIT_DATA, "%s:%zu: the object has no field `%s` (at offset %zu)",
                        l->shown, l->number, part->at, l->offset);
    if (!json_is_string(v))
        return hlx_fail(error, EXIT_DATA, "%s:%zu: field `%s` is not text (at offset %zu)",
                        l->shown, l->number, part->at, l->offset);
    buf_put(out, json_string_value(v), json_string_length(v));
    return true;
}

static bool fill_template(const struct jsonl *j, const json_t *object, const struct line *l,
                          struct buf *out, struct hlx_error *error)
{
    for (size_t i = 0; i < j->parts.n; i++) {
        const struct part *part = &j->parts.at[i];
        if (!part->field)
            buf_put(out, part->at, part->n);
        else if (!put_field(part, object, l, out, error))
            return false;
    }
    return true;
}

// -- lines ---------------------------------------------------------------------------------------

static bool check_ascii(const struct buf *text, const struct line *l, struct hlx_error *error)
{
    for (size_t i = 0; i < text->n; i++)
        if ((unsigned char)text->at[i] > 127)
            return hlx_fail(error, EXIT_DATA,
                            "%s:%zu: the text has the byte 0x%02x, which is not ASCII as `tokens: "
                            "ascii` wants (`tokens: bytes` takes any); the line is at offset %zu",
                            l->shown, l->number, (unsigned char)text->at[i], l->offset);
    return true;
}

static bool add_sample(struct data_set *s, const struct buf *text, struct hlx_error *error)
{
    struct jsonl *j = s->state;
    size_t size = j->tokens.seq + 1, n = text->n < size ? text->n : size;
    assert(size > 0); // extents are far below SIZE_MAX
    if (s->n == j->cap) {
        size_t cap = j->cap ? j->cap * 2 : 64;
        unsigned char *more = cap <= SIZE_MAX / size ? realloc(j->sample, cap * size) : NULL;
        if (!more)
            return hlx_no_memory(error, "the data");
        j->sample = more;
        j->cap = cap;
    }
    unsigned char *to = j->sample + s->n++ * size;
    memset(to, 0, size);
    if (n > 0)
        memcpy(to, text->at, n);
    return true;
}

static bool read_object(struct data_set *s, const json_t *object, const struct line *l,
                        struct hlx_error *error)
{
    const struct jsonl *j = s->state;
    struct buf text = {0};
    bool ok = fill_template(j, object, l, &text, error);
    ok = ok && (!j->tokens.ascii || check_ascii(&text, l, error));
    ok = ok && add_sample(s, &text, error);
    buf_free(&text);
    return ok;
}

static bool read_line(struct data_set *s, const struct line *l, struct hlx_error *error)
{
    json_error_t why;
    json_t *object = json_loadb(l->at, l->n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
    if (!object && json_error_code(&why) == json_error_out_of_memory)
        return hlx_no_memory(error, "the data");
    if (!object)
        return hlx_fail(error, EXIT_DATA, "%s:%zu:%d: %s (at offset %zu)", l->shown, l->number,
                        why.position > 0 ? why.position : 1, why.text,
                        l->offset + (why.position > 0 ? (size_t)why.position - 1 : 0));
    bool ok = json_is_object(object)
                  ? read_object(s, object, l, error)
                  : hlx_fail(error, EXIT_DATA, "%s:%zu: the line is not an object (at offset %zu)",
                             l->shown, l->number, l->offset);
    json_decref(object);
    return ok;
}

static bool is_blank(const struct line *l)
{
    for (size_t i = 0; i < l->n; i++)
        if (!strchr(" \t\r", l->at[i]) || !l->at[i])
            return false;
    return true;
}

static bool read_lines(struct data_set *s, const char *shown, const char *text, size_t n,
                       struct hlx_error *error)
{
    struct line l = {.shown = shown, .number = 1};
    while (l.offset < n) {
        const char *end = memchr(text + l.offset, '\n', n - l.offset);
        l.at = text + l.offset;
        l.n = end ? (size_t)(end - l.at) : n - l.offset;
        if (!is_blank(&l) && !read_line(s, &l, error))
            return false;
        l.offset += l.n + 1;
        l.number++;
    }
    return true;
}

static bool jsonl_open(struct data_set *s, const struct data_input *in, struct hlx_error *error)
{
    struct jsonl *j = s->state = calloc(1, sizeof *j);
    const char *template;
    if (!j)
        return hlx_no_memory(error, "the data");
    if (!data_tokens_open(s, in, &j->tokens, error))
        return false;
    if (!value_get_text(in->source, "text", &template) || !read_template(j, template))
        return hlx_fail(error, EXIT_DATA, "data `%s` has no template in `text`, or a wrong one",
                        s->data->name);
    size_t n;
    unsigned char *bytes = data_bytes(in, &n, error);
    bool ok = bytes && read_lines(s, in->shown, (const char *)bytes, n, error);
    free(bytes);
    return ok;
}

static void jsonl_read(const struct data_set *s, size_t sample, size_t field, void *to)
{
    const struct jsonl *j = s->state;
    size_t size = j->tokens.seq + 1;
    data_tokens_read(&j->tokens, j->sample + sample * size, size, field, to);
}

const struct data_kind data_jsonl = {"jsonl", jsonl_open, jsonl_read, jsonl_close};
