// contract.h: the registry of contracts (latent/contracts.def) and the check of values against it,
// which is contract 805. See spec/contracts.md.
#ifndef HLX_LATENT_CONTRACT_H
#define HLX_LATENT_CONTRACT_H

#include "base/vec.h"
#include "latent/value.h"

// Numbers that the code itself uses; the registry has them all.
enum {
    CONTRACT_EXECUTION = 806,
    CONTRACT_SHADER = 900,
    CONTRACT_KERNEL = 901,
    CONTRACT_PIPELINE = 902,
    CONTRACT_DISPATCH = 903,
    CONTRACT_PROGRAM = 904,
    CONTRACT_TENSOR = 905,
    CONTRACT_CHECKPOINT = 906,
    CONTRACT_RECEIPT = 907,
    CONTRACT_TOKENIZER = 908,
    CONTRACT_DATA = 909,
    CONTRACT_USER = 1000 // from here on numbers are the users' own
};

#define CONTRACT_KIND(kind) (1u << (kind))
#define CONTRACT_ANY ((1u << (VALUE_HANDLE + 1)) - 1)
#define CONTRACT_NO_FIELD SIZE_MAX

// What a field may hold. One handle also stands for an array of one, where handles may be items.
struct contract_type {
    unsigned kinds; // CONTRACT_KIND of each kind that is allowed
    unsigned items; // the same for the items of an array; 0: any
    size_t count;   // of items an array must have; 0: any number
};

struct contract_field {
    const char *name;
    struct contract_type type;
    bool required;
    const char *meaning;
};

struct contract {
    int64_t number;
    const char *name, *meaning;
    const struct contract_field *field; // `@n` names field n
    size_t nfields;
};

// Schemas beside the registry's: the users' own.
struct contract_set {
    const struct contract *const *at;
    size_t n;
};

// One thing that is wrong with a value.
struct contract_fault {
    const char *code;            // "E_CONTRACT_MISSING" ..., or "E_DEPTH_EXCEEDED"
    const char *where;           // path from the top: "902.stages[1].900.entry_point"
    const char *field;           // its key as it stands in the value; the name of a missing one;
                                 // NULL: the contract itself
    const char *expected;        // "handle[]"; NULL where nothing was
    const char *found;           // "int", "nothing"
    const char *message;         // all of it, as a sentence
    const struct contract *what; // the contract it breaks; NULL for an unknown number
};
typedef VEC(struct contract_fault) contract_faults;

// The registry, by index in order of number: NULL behind the last one.
const struct contract *contract_at(size_t i);
// The schema of a number; `own` (may be NULL) is asked for numbers that the registry has not.
const struct contract *contract_find(const struct contract_set *own, int64_t number);

// The field that a key means, by name or as `@n`; CONTRACT_NO_FIELD when there is none.
size_t contract_field_index(const struct contract *c, const char *key, size_t len);
// A field of a contract's fields under its name or its `@n`; NULL when it is left out.
const struct value *contract_get(const struct contract *c, const struct value *fields,
                                 const char *name);
// A field where an array is wanted: one handle becomes an array of one. Anything else is itself.
const struct value *contract_list(struct arena *a, const struct value *v);

// Checks the fields of one contract: every one is known and of its type, none is given twice, none
// that is required is left out. Appends what is wrong to `out`; true when nothing is.
bool contract_check(struct arena *a, const struct contract *c, const struct value *fields,
                    contract_faults *out);
// Checks every contract in a value, however deep. Numbers from 1000 without a schema pass; others
// without one are E_CONTRACT_UNKNOWN.
bool contract_validate(struct arena *a, const struct value *v, const struct contract_set *own,
                       contract_faults *out);

// The order in which fields are written in a text must be that of the schema: the first of the
// keys (in the order of writing) that stands too late, or CONTRACT_NO_FIELD. Unknown keys are
// passed over.
size_t contract_out_of_order(const struct contract *c, const char *const *keys, size_t n);

// Writes a type: "text", "handle[]", "int[3]", "object or handle".
void contract_type_print(const struct contract_type *t, struct buf *out);
// Whether a value is of a type.
bool contract_type_has(const struct contract_type *t, const struct value *v);

// Appends the registry as Markdown, as it stands in spec/contracts.md.
void contract_markdown(struct buf *out);

#endif
