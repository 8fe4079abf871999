// program_fuzz.c: feeds bytes to the program reader, behind handles that fit.
//
// No fuzzer guesses a SHA-256, so the input is taken apart and packed as a program should be: what
// is fuzzed is the tree, the fields, the IR text, the debug tables and the data. The first byte
// says what the rest replaces; the other parts are those of a good program.
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "latent/lcb.h"
#include "runtime/inspect.h"
#include "tests/unit/program_kit.h"

enum part {
    PART_PROGRAM,
    PART_IR,
    PART_DEBUG,
    PART_TABLE,
    PART_CONTENT,
    PART_RAW,
    PART_TREE,
    PART_DATA,
    PART_COUNT
};

// What a program is made of.
struct parts {
    const struct value *tree, *program, *data, *ir, *debug, *content; // fields of 902, 904 and 909
};

// A value decoded from the input, or NULL where it is not LC-B.
static const struct value *decoded(struct arena *a, const uint8_t *bytes, size_t n)
{
    return lcb_decode(a, bytes, n, NULL);
}

static const struct value *replace(struct arena *a, const struct value *object, const char *key,
                                   const struct value *value)
{
    struct value_field *f = arena_array(a, object->as.object.n, sizeof *f);
    for (size_t i = 0; i < object->as.object.n; i++) {
        f[i] = object->as.object.at[i];
        if (!strcmp(f[i].key, key))
            f[i].value = value;
    }
    return value_object(a, f, object->as.object.n, NULL);
}

static const struct value *child(struct arena *a, const struct pack *p, const struct value *root,
                                 const char *key)
{
    return pack_resolve(a, p, value_get(root, key), NULL);
}

// The tables of the debug part are bytes: one of them becomes the input.
static const struct value *fuzz_table(struct arena *a, const struct value *debug,
                                      const uint8_t *bytes, size_t n)
{
    static const char *const tables[] = {"places", "shapes", "vars", "data", "graphs", "entries"};
    if (n == 0)
        return debug;
    const char *key = tables[bytes[0] % 6];
    const struct value *old = value_get(debug, key), *table = value_bytes(a, bytes + 1, n - 1);
    if (old->kind == VALUE_BYTES)
        return replace(a, debug, key, table);
    const struct value **items = arena_array(a, old->as.array.n, sizeof *items);
    for (size_t i = 0; i < old->as.array.n; i++)
        items[i] = i + 1 == old->as.array.n ? table : old->as.array.at[i];
    return replace(a, debug, key, value_array(a, items, old->as.array.n));
}

static void open_and_look(const void *bytes, size_t n)
{
    struct program p;
    struct hlx_error e = {0};
    struct buf out = {0};
    if (!program_open_bytes(&p, bytes, n, &e)) {
        if (e.code != EXIT_DATA || !e.text[0])
            abort();
        return;
    }
    inspect_text(&p, &out);
    if (!inspect_json(&p, &out))
        abort();
    buf_free(&out);
    program_close(&p);
}

static const struct value *fields(struct arena *a, const struct pack *p, const struct value *v)
{
    int64_t number;
    const struct value *found;
    if (!value_is_contract(pack_resolve(a, p, v, NULL), &number, &found))
        abort();
    return found;
}

static const struct value *add(struct pack_writer *w, const struct value *v)
{
    struct handle h = pack_add(w, v);
    return handle_value(w->arena, &h);
}

// Packs the parts with handles that fit.
static void pack_parts(struct arena *a, const struct parts *t, struct buf *out)
{
    struct pack_writer w;
    pack_writer_init(&w, a);
    struct handle h = pack_add(&w, t->ir), id = program_identity(a, &h, "exact-1", "exact");
    const struct value *data = add(&w, value_contract(a, CONTRACT_DATA, t->data));
    const struct value *root = replace(a, t->program, "ir", handle_value(a, &h));
    root = replace(a, root, "identity", handle_value(a, &id));
    root = replace(a, root, "debug", add(&w, t->debug));
    root = replace(a, root, "data", value_array(a, &data, 1));
    pack_add(&w, t->content);
    root = add(&w, value_contract(a, CONTRACT_PROGRAM, root));
    h = pack_add(&w, value_contract(a, CONTRACT_PIPELINE, replace(a, t->tree, "program", root)));
    pack_write(&w, &h, out);
}

static void take_apart(struct kit *k, struct parts *t)
{
    struct pack p;
    struct latent_error e;
    struct arena *a = &k->arena;
    if (!pack_read(a, k->bytes.at, k->bytes.n, &p, &e))
        abort();
    t->tree = fields(a, &p, handle_value(a, &p.root));
    t->program = fields(a, &p, value_get(t->tree, "program"));
    t->data = fields(a, &p, value_get(t->program, "data")->as.array.at[0]);
    t->ir = child(a, &p, t->program, "ir");
    t->debug = child(a, &p, t->program, "debug");
    t->content = child(a, &p, t->data, "content");
}

// Replaces the part by what the input holds, where that can be such a part.
static void put_in(struct arena *a, struct parts *t, enum part part, const uint8_t *data, size_t n)
{
    const struct value **objects[PART_COUNT] = {
        [PART_PROGRAM] = &t->program, [PART_TREE] = &t->tree, [PART_DATA] = &t->data};
    const struct value **any[PART_COUNT] = {[PART_DEBUG] = &t->debug, [PART_CONTENT] = &t->content};
    const struct value *given = decoded(a, data, n);
    const struct value *text = value_text(a, (const char *)data, n, NULL);
    if (objects[part] && given && given->kind == VALUE_OBJECT &&
        value_depth(given) < VALUE_MAX_DEPTH)
        *objects[part] = given;
    if (any[part] && given)
        *any[part] = given;
    if (part == PART_IR && text)
        t->ir = text;
    if (part == PART_TABLE)
        t->debug = fuzz_table(a, t->debug, data, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct kit k;
    struct parts t;
    if (n == 0)
        return 0;
    enum part part = data[0] % PART_COUNT;
    data++, n--;
    if (part == PART_RAW) {
        open_and_look(data, n);
        return 0;
    }
    kit_open(&k, ".", 4, 3, false);
    take_apart(&k, &t);
    put_in(&k.arena, &t, part, data, n);
    struct buf out = {0};
    pack_parts(&k.arena, &t, &out);
    open_and_look(out.at, out.n);
    buf_free(&out);
    kit_close(&k);
    return 0;
}
