// state.c: a hash tree over every param and state, and the digest of a step.
#include "runtime/state.h"

#include <stdlib.h>
#include <string.h>

#include "latent/lcb.h"

// What a hash is of: so that no leaf can pass for a node, nor a node for a tensor.
static const unsigned char leaf_tag[] = {'H', 'L', 'X', 0}, node_tag[] = {'H', 'L', 'X', 1},
                           tensor_tag[] = {'H', 'L', 'X', 2};

// -- tensors -------------------------------------------------------------------------------------

static int by_path(const void *x, const void *y)
{
    const struct state_tensor *a = x, *b = y;
    return strcmp(a->path, b->path);
}

void state_layout_make(struct arena *a, const struct ir_module *m, struct state_layout *out)
{
    *out = (struct state_layout){.n = m->vars.n};
    out->tensor = arena_array(a, m->vars.n + 1, sizeof *out->tensor);
    for (size_t i = 0; i < m->vars.n; i++) {
        const struct ir_var *v = &m->vars.at[i];
        out->tensor[i] = (struct state_tensor){
            .var = (uint32_t)i, .path = v->path, .type = ir_type_get(m, v->type)};
    }
    qsort(out->tensor, out->n, sizeof *out->tensor, by_path);
    for (size_t i = 0; i < out->n; i++) {
        out->tensor[i].leaf = out->leaves;
        out->tensor[i].leaves = state_leaves(ir_type_bytes(out->tensor[i].type));
        out->leaves += out->tensor[i].leaves;
    }
}

const struct value *state_tensors(struct arena *a, const struct state_layout *l)
{
    const struct value **rows = arena_array(a, l->n + 1, sizeof *rows);
    for (size_t i = 0; i < l->n; i++) {
        const struct ir_type *t = l->tensor[i].type;
        const struct value *extent[IR_MAX_RANK], *row[3];
        for (unsigned d = 0; d < t->rank; d++)
            extent[d] = value_int(a, t->dim[d]);
        row[0] = value_text(a, l->tensor[i].path, strlen(l->tensor[i].path), NULL);
        row[1] = value_str(a, dtype_name(t->dtype));
        row[2] = value_array(a, extent, t->rank);
        rows[i] = value_array(a, row, 3);
    }
    return value_array(a, rows, l->n);
}

// -- leaves and nodes ----------------------------------------------------------------------------

size_t state_leaves(size_t bytes)
{
    return bytes == 0 ? 1 : (bytes - 1) / STATE_LEAF + 1;
}

void state_hash_leaves(const void *bytes, size_t n, unsigned char *out)
{
    static const unsigned char zeros[4] = {0};
    size_t leaves = state_leaves(n);
    for (size_t i = 0; i < leaves; i++) {
        size_t size = i + 1 < leaves ? STATE_LEAF : n - i * STATE_LEAF;
        struct sha256 *h = sha256_new();
        sha256_update(h, leaf_tag, sizeof leaf_tag);
        sha256_update(h, (const char *)bytes + i * STATE_LEAF, size);
        sha256_update(h, zeros, (4 - size % 4) % 4);
        sha256_final(h, out + i * HANDLE_BYTES);
    }
}

void state_join(unsigned char *hashes, size_t n)
{
    unsigned char both[sizeof node_tag + 2 * HANDLE_BYTES];
    memcpy(both, node_tag, sizeof node_tag);
    for (; n > 1; n = n / 2 + n % 2) {
        for (size_t i = 0; i < n / 2; i++) {
            memcpy(both + sizeof node_tag, hashes + 2 * i * HANDLE_BYTES, 2 * HANDLE_BYTES);
            sha256_of(both, sizeof both, hashes + i * HANDLE_BYTES);
        }
        if (n % 2)
            memmove(hashes + n / 2 * HANDLE_BYTES, hashes + (n - 1) * HANDLE_BYTES, HANDLE_BYTES);
    }
}

void state_roots(const struct state_layout *l, unsigned char *leaves, unsigned char *roots)
{
    for (size_t i = 0; i < l->n; i++) {
        unsigned char *first = leaves + l->tensor[i].leaf * HANDLE_BYTES;
        state_join(first, l->tensor[i].leaves);
        memcpy(roots + i * HANDLE_BYTES, first, HANDLE_BYTES);
    }
}

// -- the state -----------------------------------------------------------------------------------

// SHA-256(tag || LC-B of `[path, dtype, extents, root]`).
static void hash_tensor(struct arena *a, const struct value *row, const unsigned char *root,
                        unsigned char *out)
{
    struct buf bytes = {0};
    const struct value *with_root[4];
    for (size_t i = 0; i < 3; i++)
        with_root[i] = row->as.array.at[i];
    with_root[3] = value_bytes(a, root, HANDLE_BYTES);
    buf_put(&bytes, tensor_tag, sizeof tensor_tag);
    lcb_encode(value_array(a, with_root, 4), &bytes);
    sha256_of(bytes.at, bytes.n, out);
    buf_free(&bytes);
}

void state_root(struct arena *a, const struct value *tensors, const unsigned char *roots,
                unsigned char out[HANDLE_BYTES])
{
    size_t n = tensors->as.array.n;
    unsigned char *hash = arena_array(a, n + 1, HANDLE_BYTES);
    if (n == 0) {
        sha256_of(tensor_tag, sizeof tensor_tag, out);
        return;
    }
    for (size_t i = 0; i < n; i++)
        hash_tensor(a, tensors->as.array.at[i], roots + i * HANDLE_BYTES, hash + i * HANDLE_BYTES);
    state_join(hash, n);
    memcpy(out, hash, HANDLE_BYTES);
}

void state_digest(struct arena *a, const struct state_step *s,
                  const unsigned char root[HANDLE_BYTES], unsigned char out[HANDLE_BYTES])
{
    const struct value_field fields[] = {
        {"epoch", 5, value_int(a, (int64_t)s->epoch)},
        {"outputs", 7, s->outputs},
        {"seed", 4, value_int(a, (int64_t)s->seed)},
        {"state", 5, value_bytes(a, root, HANDLE_BYTES)},
        {"step", 4, value_int(a, s->step)},
    };
    struct handle h = handle_of(value_object_sorted(a, fields, sizeof fields / sizeof *fields));
    memcpy(out, h.sha, HANDLE_BYTES);
}
