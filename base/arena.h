// arena.h: a bump allocator. Everything a compilation makes lives in one arena and dies with it.
//
// Memory comes zeroed and 16-byte aligned. Running out of memory prints a sentence and ends the
// process (exit 3): no caller of an arena ever sees NULL. The runtime library, which must report
// allocation failures as values, uses malloc for what it keeps and an arena only for what the
// compiler's own modules need; where the size of a file decides how much that is, under arena_try.
#ifndef HLX_BASE_ARENA_H
#define HLX_BASE_ARENA_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

enum { ARENA_ALIGN = 16 };

struct arena_block;
struct arena_trap;

struct arena {
    struct arena_block *head; // newest block; NULL in a fresh arena
    char *at, *end;           // free space in the newest block
    size_t used;              // bytes handed out, for --time-passes and tests
    struct arena_trap *trap;  // of arena_try, or NULL
};

// An arena may start as {0}; arena_init does the same.
void arena_init(struct arena *a);

// Frees every block. The arena can be used again.
void arena_free(struct arena *a);

// Takes back all that was handed out, and keeps the newest block for what comes next.
void arena_reset(struct arena *a);

// Private to arena_alloc: for what does not fit into the newest block.
void *arena_alloc_(struct arena *a, size_t size);

// Returns `size` zeroed bytes (never NULL; size 0 gives a unique valid pointer).
static inline void *arena_alloc(struct arena *a, size_t size)
{
    size_t room = (size_t)(a->end - a->at),
           padded = (size + ARENA_ALIGN - 1) & -(size_t)ARENA_ALIGN;
    if (size == 0 || size > room || padded > room)
        return arena_alloc_(a, size);
    void *p = a->at;
    a->at += padded;
    a->used += padded;
    return p;
}

// Returns n * size zeroed bytes; ends the process if the product overflows.
void *arena_array(struct arena *a, size_t n, size_t size);

// Copies `n` bytes and adds a NUL that is not counted.
char *arena_copy(struct arena *a, const void *bytes, size_t n);
char *arena_strdup(struct arena *a, const char *s);

// printf into the arena.
char *arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *a, const char *format, va_list args);

// A growing step for vectors: returns a block of new_size bytes that starts with old's old_size
// bytes. Extends in place when `old` is the newest allocation.
void *arena_grow(struct arena *a, void *old, size_t old_size, size_t new_size);

// Runs work(context). Returns false when the arena ran out of memory in it: work was left where it
// stood. What it took from the arena stays the arena's; what it took elsewhere (malloc, files,
// other arenas) and had not given back is lost.
bool arena_try(struct arena *a, void (*work)(void *context), void *context);
// Memory that runs out in `a` ends the work that is tried on `to`, too. `a` lives no longer than
// it.
void arena_join(struct arena *a, const struct arena *to);

// Says that memory has run out: for what allocates beside arenas. The one fails as `a` would.
_Noreturn void arena_spent(const struct arena *a);
// Ends the process with exit 3; for what allocates beside arenas.
_Noreturn void arena_exhausted(void);

#define arena_new(a, type) ((type *)arena_alloc((a), sizeof(type)))

#endif
