// arena.c: a bump allocator over calloc'ed blocks.
#include "base/arena.h"

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/version.h"

enum { FIRST_BLOCK = 16 << 10, LAST_BLOCK = 1 << 20 };

struct arena_block {
    struct arena_block *next;
    size_t size; // of the bytes after this header
};

// The header is padded so that the bytes after it keep calloc's alignment.
static const size_t header_size =
    (sizeof(struct arena_block) + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;

struct arena_trap {
    jmp_buf back;
};

void arena_exhausted(void)
{
    fputs("out of memory\n", stderr);
    exit(EXIT_DEVICE);
}

_Noreturn void arena_spent(const struct arena *a)
{
    if (a->trap)
        longjmp(a->trap->back, 1);
    arena_exhausted();
}

bool arena_try(struct arena *a, void (*work)(void *context), void *context)
{
    struct arena_trap trap, *before = a->trap;
    if (setjmp(trap.back) != 0) {
        a->trap = before;
        return false;
    }
    a->trap = &trap;
    work(context);
    a->trap = before;
    return true;
}

void arena_join(struct arena *a, const struct arena *to)
{
    a->trap = to->trap;
}

void arena_init(struct arena *a)
{
    *a = (struct arena){0};
}

static void free_blocks(struct arena_block *block)
{
    while (block) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
}

void arena_free(struct arena *a)
{
    free_blocks(a->head);
    arena_init(a);
}

// Rounds up to the alignment; never 0, so that every allocation has its own address.
static size_t padded(const struct arena *a, size_t size)
{
    if (size > SIZE_MAX / 2)
        arena_spent(a);
    return size == 0 ? ARENA_ALIGN : (size + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
}

static struct arena_block *new_block(const struct arena *a, size_t size)
{
    struct arena_block *block = calloc(1, header_size + size);
    if (!block)
        arena_spent(a);
    block->size = size;
    return block;
}

static char *block_bytes(struct arena_block *block)
{
    return (char *)block + header_size;
}

void arena_reset(struct arena *a)
{
    if (!a->head)
        return;
    char *bytes = block_bytes(a->head);
    free_blocks(a->head->next);
    a->head->next = NULL;
    memset(bytes, 0, (size_t)(a->at - bytes));
    a->at = bytes;
    a->used = 0;
}

static size_t next_block_size(const struct arena *a)
{
    if (!a->head || a->head->size < FIRST_BLOCK)
        return FIRST_BLOCK;
    return a->head->size < LAST_BLOCK ? a->head->size * 2 : LAST_BLOCK;
}

static void *alloc_slow(struct arena *a, size_t size)
{
    size_t usual = next_block_size(a);
    if (a->head && size > usual / 4) {
        // A large piece gets a block of its own behind the newest, whose free space stays in use.
        struct arena_block *own = new_block(a, size);
        own->next = a->head->next;
        a->head->next = own;
        return block_bytes(own);
    }
    struct arena_block *block = new_block(a, size > usual ? size : usual);
    block->next = a->head;
    a->head = block;
    a->at = block_bytes(block) + size;
    a->end = block_bytes(block) + block->size;
    return block_bytes(block);
}

void *arena_alloc_(struct arena *a, size_t size)
{
    size = padded(a, size);
    a->used += size;
    if ((size_t)(a->end - a->at) < size)
        return alloc_slow(a, size);
    void *p = a->at;
    a->at += size;
    return p;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
    if (size != 0 && n > SIZE_MAX / size)
        arena_spent(a);
    return arena_alloc(a, n * size);
}

char *arena_copy(struct arena *a, const void *bytes, size_t n)
{
    if (n == SIZE_MAX)
        arena_spent(a);
    char *p = arena_alloc(a, n + 1);
    if (n != 0)
        memcpy(p, bytes, n);
    return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
    return arena_copy(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *s = arena_vprintf(a, format, args);
    va_end(args);
    return s;
}

char *arena_vprintf(struct arena *a, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (n < 0)
        return arena_strdup(a, format); // a text above 2 GiB: the format still says something
    char *s = arena_alloc(a, (size_t)n + 1);
    vsnprintf(s, (size_t)n + 1, format, args);
    return s;
}

void *arena_grow(struct arena *a, void *old, size_t old_size, size_t new_size)
{
    if (!old)
        return arena_alloc(a, new_size);
    size_t had = padded(a, old_size), want = padded(a, new_size);
    if (want <= had)
        return old;
    if ((char *)old + had == a->at && (size_t)(a->end - a->at) >= want - had) {
        a->at += want - had;
        a->used += want - had;
        return old;
    }
    void *p = arena_alloc(a, new_size);
    memcpy(p, old, old_size);
    return p;
}
