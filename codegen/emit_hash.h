// emit_hash.h: the kernel that hashes a state's leaves where they lie.
#ifndef HLX_CODEGEN_EMIT_HASH_H
#define HLX_CODEGEN_EMIT_HASH_H

#include "base/text.h"

// Appends a SPIR-V module (words in host order, entry point `hash_leaves`). Each invocation of its
// workgroups of EMIT_HASH_GROUP makes one leaf's hash (spec/receipts.md, D1.3) by SHA-256 (FIPS
// 180-4).
//   binding 0  the tensors, as words
//   binding 1  per leaf two words: its first word in binding 0, and how many bytes it has, at least
//              one; what fills its last word does not count
//   binding 2  per leaf eight words: its hash, in the order of its bytes (written)
//   push 0, 1  the first leaf, and how many leaves
#define EMIT_HASH_GROUP 32
void emit_hash(struct buf *out);

#endif
