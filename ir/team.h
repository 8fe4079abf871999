// team.h: a few threads that share the parts of a piece of work.
#ifndef HLX_IR_TEAM_H
#define HLX_IR_TEAM_H

#include <stddef.h>

struct team;

// Does part `part` of `job` as worker number `worker`.
typedef void team_fn(void *job, size_t part, unsigned worker);

// A team of at most `workers` (the caller's thread is worker 0); 0: HLX_THREADS from the
// environment, else one per processor. Threads start with the first work that has parts for them;
// where the system refuses one the team stays smaller. NULL when memory runs out.
struct team *team_new(unsigned workers);
void team_free(struct team *t);
unsigned team_size(const struct team *t);

// Does all parts, each once, in any order, in the arithmetic mode of ir/flush.h; returns when all
// are done. Parts must not depend on each other.
void team_run(struct team *t, size_t parts, team_fn *fn, void *job);

#endif
