// emit_hash.c: SHA-256 as SPIR-V: a leaf of the state an invocation.
//
// Rounds are written out, so that every message word has a register; blocks are a loop. Names
// (big and small sigma, ch, maj, the schedule w) are those of FIPS 180-4.
#include "codegen/emit_hash.h"

#include "codegen/spv.h"

enum { STATE = 8, SCHEDULE = 16, ROUNDS = 64 };

static const uint32_t first_hash[STATE] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                           0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
static const uint32_t round_constant[ROUNDS] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

#define LEAF_TAG 0x484c5800u // "HLX\0", in front of a leaf's bytes

struct hash {
    struct spv b;
    spv_id u32, boolean;
    spv_id data, table, out, push; // variables
    spv_id sum[STATE];             // locals: the hash so far
    spv_id first, words;           // of this leaf
    spv_id end, mask;              // its last word, and which bits of that are the leaf's
};

static spv_id two(struct hash *h, SpvOp op, spv_id x, spv_id y)
{
    return spv_value(&h->b, op, h->u32, SPV(x, y));
}

static spv_id add(struct hash *h, spv_id x, spv_id y)
{
    return two(h, SpvOpIAdd, x, y);
}

static spv_id xor (struct hash * h, spv_id x, spv_id y) { return two(h, SpvOpBitwiseXor, x, y); }

        static spv_id
    and (struct hash * h, spv_id x, spv_id y)
{
    return two(h, SpvOpBitwiseAnd, x, y);
}

static spv_id constant(struct hash *h, uint32_t x)
{
    return spv_c32(&h->b, x);
}

static spv_id shift(struct hash *h, SpvOp op, spv_id x, unsigned n)
{
    return two(h, op, x, constant(h, n));
}

static spv_id rotate(struct hash *h, spv_id x, unsigned n)
{
    spv_id low = shift(h, SpvOpShiftRightLogical, x, n);
    spv_id high = shift(h, SpvOpShiftLeftLogical, x, 32 - n);
    return two(h, SpvOpBitwiseOr, low, high);
}

static spv_id big_sigma(struct hash *h, spv_id x, unsigned p, unsigned q, unsigned r)
{
    spv_id a = rotate(h, x, p), b = rotate(h, x, q), c = rotate(h, x, r);
    return xor(h, xor(h, a, b), c);
}

static spv_id small_sigma(struct hash *h, spv_id x, unsigned p, unsigned q, unsigned r)
{
    spv_id a = rotate(h, x, p), b = rotate(h, x, q), c = shift(h, SpvOpShiftRightLogical, x, r);
    return xor(h, xor(h, a, b), c);
}

// -- the message ---------------------------------------------------------------------------------

static spv_id element(struct hash *h, spv_id buffer, spv_id index)
{
    spv_id pointer = spv_pointer(&h->b, SpvStorageClassStorageBuffer, h->u32);
    return spv_access(&h->b, pointer, buffer, SPV(constant(h, 0), index));
}

static spv_id load(struct hash *h, spv_id buffer, spv_id index)
{
    spv_id at = element(h, buffer, index);
    return spv_load(&h->b, h->u32, at);
}

// Memory is little-endian, the message big-endian.
static spv_id swap_bytes(struct hash *h, spv_id x)
{
    spv_id outer = rotate(h, x, 8), inner = rotate(h, x, 24);
    spv_id high = and(h, outer, constant(h, 0xff00ff00)),
           low = and(h, inner, constant(h, 0xff00ff));
    return two(h, SpvOpBitwiseOr, high, low);
}

static spv_id choose(struct hash *h, SpvOp test, spv_id x, spv_id y, spv_id yes, spv_id no)
{
    spv_id when = spv_value(&h->b, test, h->boolean, SPV(x, y));
    return spv_value(&h->b, SpvOpSelect, h->u32, SPV(when, yes, no));
}

// Word j of the padded message: the tag, the leaf's words, a one bit, zeros, the length in bits. A
// word of no leaf is never read: its index is that of the first. What lies behind the last element
// of a narrow type may be anything, and counts as zero.
static spv_id message_word(struct hash *h, spv_id j, spv_id last)
{
    spv_id zero = constant(h, 0), one = constant(h, 1), length = add(h, h->words, one);
    spv_id behind = two(h, SpvOpISub, j, one), bits = shift(h, SpvOpShiftLeftLogical, length, 5);
    spv_id from = choose(h, SpvOpULessThan, behind, h->words, behind, zero);
    spv_id all = constant(h, UINT32_MAX), mask;
    mask = choose(h, SpvOpIEqual, behind, h->end, h->mask, all);
    spv_id word = swap_bytes(h, and(h, load(h, h->data, add(h, h->first, from)), mask));
    spv_id end = choose(h, SpvOpIEqual, j, last, bits, zero);
    end = choose(h, SpvOpIEqual, j, length, constant(h, 0x80000000), end);
    word = choose(h, SpvOpULessThan, behind, h->words, word, end);
    return choose(h, SpvOpIEqual, j, zero, constant(h, LEAF_TAG), word);
}

// -- a block -------------------------------------------------------------------------------------

// The schedule's word t >= 16 takes the place of word t - 16.
static void extend(struct hash *h, spv_id w[SCHEDULE], unsigned t)
{
    spv_id s0 = small_sigma(h, w[(t + 1) % SCHEDULE], 7, 18, 3);
    spv_id s1 = small_sigma(h, w[(t + 14) % SCHEDULE], 17, 19, 10);
    spv_id sum = add(h, w[t % SCHEDULE], s0);
    sum = add(h, sum, w[(t + 9) % SCHEDULE]);
    w[t % SCHEDULE] = add(h, sum, s1);
}

static void run_round(struct hash *h, spv_id v[STATE], spv_id word, uint32_t k)
{
    spv_id sum = add(h, v[7], big_sigma(h, v[4], 6, 11, 25));
    spv_id ch = xor(h, v[6], and(h, v[4], xor(h, v[5], v[6])));
    sum = add(h, sum, ch);
    sum = add(h, sum, add(h, word, constant(h, k)));
    spv_id either = xor(h, v[0], v[1]);
    spv_id maj = xor(h, v[1], and(h, either, xor(h, v[1], v[2])));
    spv_id other = add(h, big_sigma(h, v[0], 2, 13, 22), maj);
    for (unsigned i = STATE - 1; i > 0; i--)
        v[i] = v[i - 1];
    v[4] = add(h, v[4], sum);
    v[0] = add(h, sum, other);
}

static void run_block(struct hash *h, spv_id block, spv_id last)
{
    spv_id w[SCHEDULE], v[STATE], start = shift(h, SpvOpShiftLeftLogical, block, 4);
    for (unsigned t = 0; t < SCHEDULE; t++)
        w[t] = message_word(h, add(h, start, constant(h, t)), last);
    for (unsigned i = 0; i < STATE; i++)
        v[i] = spv_load(&h->b, h->u32, h->sum[i]);
    for (unsigned t = 0; t < ROUNDS; t++) {
        if (t >= SCHEDULE)
            extend(h, w, t);
        run_round(h, v, w[t % SCHEDULE], round_constant[t]);
    }
    for (unsigned i = 0; i < STATE; i++) {
        spv_id before = spv_load(&h->b, h->u32, h->sum[i]);
        spv_store(&h->b, h->sum[i], add(h, before, v[i]));
    }
}

// -- the kernel ----------------------------------------------------------------------------------

// Takes the row of a leaf: where it begins, in words, and its bytes.
static void read_row(struct hash *h, spv_id row)
{
    spv_id bytes = load(h, h->table, add(h, row, constant(h, 1)));
    spv_id more = and(h, bytes, constant(h, 3)), bits = shift(h, SpvOpShiftLeftLogical, more, 3);
    spv_id below = two(h, SpvOpShiftLeftLogical, constant(h, 1), bits);
    spv_id part = two(h, SpvOpISub, below, constant(h, 1));
    h->first = load(h, h->table, row);
    h->words = shift(h, SpvOpShiftRightLogical, add(h, bytes, constant(h, 3)), 2);
    h->end = two(h, SpvOpISub, h->words, constant(h, 1));
    spv_id zero = constant(h, 0), all = constant(h, UINT32_MAX);
    h->mask = choose(h, SpvOpIEqual, more, zero, all, part);
}

static void hash_leaf(struct hash *h, spv_id leaf)
{
    struct spv_loop blocks;
    spv_id one = constant(h, 1);
    read_row(h, shift(h, SpvOpShiftLeftLogical, leaf, 1));
    // The tag, the words, the one bit and the length, in whole blocks of 16 words.
    spv_id n = shift(h, SpvOpShiftRightLogical, add(h, h->words, constant(h, 19)), 4);
    spv_id last = two(h, SpvOpISub, shift(h, SpvOpShiftLeftLogical, n, 4), one);
    for (unsigned i = 0; i < STATE; i++)
        spv_store(&h->b, h->sum[i], constant(h, first_hash[i]));
    spv_loop_begin(&h->b, &blocks, constant(h, 0), n, one);
    run_block(h, blocks.i, last);
    spv_loop_end(&h->b, &blocks);
    spv_id at = shift(h, SpvOpShiftLeftLogical, leaf, 3);
    for (unsigned i = 0; i < STATE; i++) {
        spv_id word = swap_bytes(h, spv_load(&h->b, h->u32, h->sum[i]));
        spv_id to = element(h, h->out, add(h, at, constant(h, i)));
        spv_store(&h->b, to, word);
    }
}

static spv_id push_word(struct hash *h, unsigned i)
{
    spv_id pointer = spv_pointer(&h->b, SpvStorageClassPushConstant, h->u32);
    spv_id at = spv_access(&h->b, pointer, h->push, SPV(constant(h, i)));
    return spv_load(&h->b, h->u32, at);
}

// The number of this invocation in the whole dispatch.
static spv_id invocation(struct hash *h)
{
    spv_id vector = spv_vector(&h->b, h->u32, 3);
    spv_id input = spv_builtin(&h->b, SpvBuiltInGlobalInvocationId);
    spv_id all = spv_load(&h->b, vector, input);
    return spv_value(&h->b, SpvOpCompositeExtract, h->u32, SPV(all, 0));
}

void emit_hash(struct buf *out)
{
    struct arena a = {0};
    struct hash h;
    struct spv_if inside;
    spv_init(&h.b, &a, true);
    h.u32 = spv_u32(&h.b);
    h.boolean = spv_bool(&h.b);
    h.data = spv_buffer(&h.b, 0, h.u32, 4, "tensors");
    h.table = spv_buffer(&h.b, 1, h.u32, 4, "leaves");
    h.out = spv_buffer(&h.b, 2, h.u32, 4, "hashes");
    h.push = spv_new(&h.b);
    spv_push_block(&h.b, h.push, 2);
    spv_begin_main(&h.b, "hash_leaves", EMIT_HASH_GROUP, 1, 1);
    for (unsigned i = 0; i < STATE; i++)
        h.sum[i] = spv_local(&h.b, h.u32);
    spv_id me = invocation(&h), first = push_word(&h, 0), count = push_word(&h, 1);
    spv_if_begin(&h.b, &inside, spv_value(&h.b, SpvOpULessThan, h.boolean, SPV(me, count)));
    hash_leaf(&h, add(&h, first, me));
    spv_if_end(&h.b, &inside);
    spv_end_main(&h.b);
    spv_finish(&h.b, out);
    arena_free(&a);
}
