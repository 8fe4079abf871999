// program_fuzz.c: feeds bytes to the program reader, behind handles that fit.
//
// No fuzzer guesses a SHA-256, so the input is taken apart and packed as a program should be: what
// is fuzzed is the root's fields, the IR text, the debug tables and the data. The first byte says
// what the rest replaces; the other parts are those of a good program.
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "latent/lcb.h"
#include "runtime/inspect.h"
#include "tests/unit/program_kit.h"

enum part { PART_ROOT, PART_IR, PART_DEBUG, PART_TABLE, PART_CONTENT, PART_RAW, PART_COUNT };

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

// Packs root, IR and debug with handles that fit, and the content.
static void pack_parts(struct arena *a, const struct value *root, const struct value *ir,
                       const struct value *debug, const struct value *content, struct buf *out)
{
    struct pack_writer w;
    pack_writer_init(&w, a);
    struct handle h = pack_add(&w, ir), id = program_identity(a, &h, "exact-1", "exact");
    root = replace(a, root, "ir", handle_value(a, &h));
    root = replace(a, root, "identity", handle_value(a, &id));
    h = pack_add(&w, debug);
    root = replace(a, root, "debug", handle_value(a, &h));
    pack_add(&w, content);
    h = pack_add(&w, value_contract(a, PROGRAM_CONTRACT, root));
    pack_write(&w, &h, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct kit k;
    struct pack p;
    struct latent_error e;
    int64_t number;
    const struct value *root;
    if (n == 0)
        return 0;
    enum part part = data[0] % PART_COUNT;
    data++, n--;
    if (part == PART_RAW) {
        open_and_look(data, n);
        return 0;
    }
    kit_open(&k, ".", 4, 3, false);
    struct arena *a = &k.arena;
    if (!pack_read(a, k.bytes.at, k.bytes.n, &p, &e) ||
        !value_is_contract(pack_get(a, &p, &p.root, &e), &number, &root))
        abort();
    const struct value *ir = child(a, &p, root, "ir"), *debug = child(a, &p, root, "debug");
    const struct value *content = value_get(root, "data")->as.array.at[0];
    content = pack_resolve(a, &p, content, NULL);
    const struct value *given = decoded(a, data, n);
    const struct value *text = value_text(a, (const char *)data, n, NULL);
    if (part == PART_ROOT && given && given->kind == VALUE_OBJECT)
        root = given;
    if (part == PART_IR && text)
        ir = text;
    if (part == PART_DEBUG && given)
        debug = given;
    if (part == PART_CONTENT && given)
        content = given;
    if (part == PART_TABLE)
        debug = fuzz_table(a, debug, data, n);
    struct buf out = {0};
    pack_parts(a, root, ir, debug, content, &out);
    open_and_look(out.at, out.n);
    buf_free(&out);
    kit_close(&k);
    return 0;
}
