// parse_kit.h: what the parts of the IR parser share; private to parse*.c.
//
// Functions that return bool read something, or fill the error and return false. The first error
// stays.
#ifndef HLX_IR_PARSE_KIT_H
#define HLX_IR_PARSE_KIT_H

#include "ir/build.h"
#include "ir/lex.h"
#include "ir/parse.h"

struct parser {
    struct ir_module *m;
    struct arena *arena;
    struct lex lex;
    struct lex_token t; // not consumed yet
    struct ir_parse_error *error;
    struct map vars, seen; // path -> index; names that must be unique
    ir_refs args;          // of the node being read
    VEC(int64_t) attrs;
};

bool parse_fail(struct parser *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
// Fails for want of something, or with what the scanner refused.
bool parse_expected(struct parser *p, const char *what);
void parse_advance(struct parser *p);

bool parse_is_word(const struct parser *p, const char *word);
bool parse_is_punct(const struct parser *p, char c);
bool parse_accept_punct(struct parser *p, char c); // false without an error
bool parse_punct(struct parser *p, char c);
bool parse_word(struct parser *p, const char *w);
bool parse_name(struct parser *p, const char **out);
bool parse_number(struct parser *p, int64_t *out);

// A reference to a node of g that was read before.
bool parse_ref(struct parser *p, const struct ir_graph *g, ir_ref *out);
// Fails when `key` came before for the same kind and owner.
bool parse_unique(struct parser *p, const char *what, const char *owner, const char *key);

bool parse_type(struct parser *p, ir_typeid *out);
bool parse_value(struct parser *p, const struct value **out);  // an object
bool parse_place(struct parser *p, struct span *out);          // after the word `at`
bool parse_optional_place(struct parser *p, struct span *out); // ! at=...

#endif
