// literal.h: what literals and names mean, and what to say about pieces that are no tokens.
#ifndef HLX_FRONTEND_LITERAL_H
#define HLX_FRONTEND_LITERAL_H

#include "frontend/scan.h"

// The leaf node of a name, keyword or literal token; NULL for other tokens. A repaired token's
// text is not looked at: its leaf is an ERROR node.
struct ast *literal_leaf(struct scan *s, int token, struct span at, bool repaired);

// Reports a piece (enum scan_piece) that is no token. Returns the token it may stand for, so that
// the grammar does not complain as well, or -1 to skip it.
int literal_repair(struct scan *s, int piece);

// Report control characters; in a text, characters that would show it in another order than it
// has; in a comment, all that show nothing, but for those that prose needs.
void literal_check_text(struct scan *s, struct span at);
void literal_check_comment(struct scan *s, struct span at);

#endif
