// stage_diag.c: reports what is wrong in a program, with the calls that led there, and keeps
// limits.
#include "frontend/stage.h"

#include <string.h>

enum { CALLS_SHOWN = 8 };

// The calls under way, innermost first.
static void note_calls(const struct stage *s, struct diag *g)
{
    unsigned shown = 0, more = 0;
    for (const struct stage_frame *f = s->frame; f; f = f->up) {
        if (shown < CALLS_SHOWN)
            diag_note(g, f->at, "in `%s`, called from here", f->callee), shown++;
        else
            more++;
    }
    if (more)
        diag_note(g, (struct span){0}, "and %u call%s around", more, more == 1 ? "" : "s");
    if (s->unit && s->unit->kind == STAGE_INIT)
        diag_note(g, (struct span){0}, "in the initialiser of `%s`", s->unit->name);
    else if (s->unit && strchr(s->unit->name, '['))
        diag_note(g, (struct span){0}, "in the entry `%s`", s->unit->name);
}

// Whether an error of this code was made at this place before.
static bool seen_before(struct stage *s, struct span at, const char *code)
{
    struct {
        struct span at;
        char code[24];
    } key;
    memset(&key, 0, sizeof key);
    key.at = at;
    strncpy(key.code, code, sizeof key.code - 1);
    bool fresh;
    map_put(&s->reported, &key, sizeof key, &fresh);
    return !fresh;
}

static struct diag *report(struct stage *s, struct span at, const char *code, const char *format,
                           va_list args)
{
    if (s->stop || (at.file && seen_before(s, at, code))) {
        struct diag *sink = arena_new(s->a, struct diag);
        sink->text = "";
        return sink; // without an arena it keeps nothing
    }
    const char *text = arena_vprintf(s->a, format, args);
    struct diag *g = diag_error(s->d, at, code, "%s", text);
    note_calls(s, g);
    if (diags_full(s->d))
        s->stop = true;
    return g;
}

struct diag *stage_error(struct stage *s, struct span at, const char *code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct diag *g = report(s, at, code, format, args);
    va_end(args);
    return g;
}

struct stage_value stage_fail(struct stage *s, struct span at, const char *code, const char *format,
                              ...)
{
    va_list args;
    va_start(args, format);
    report(s, at, code, format, args);
    va_end(args);
    return stage_poison();
}

struct stage_value stage_halt(struct stage *s, struct span at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report(s, at, "HLX0706", format, args);
    va_end(args);
    s->stop = true;
    return stage_poison();
}

void stage_charge(struct stage *s, uint64_t weight)
{
    s->work += weight / 16;
}

bool stage_work(struct stage *s, struct span at)
{
    if (s->stop || s->unwind)
        return false;
    if (++s->work > STAGE_MAX_WORK)
        stage_halt(s, at, "the program computes too much while it is compiled");
    else if (s->a->used - s->files > STAGE_MAX_MEMORY)
        stage_halt(s, at, "the program needs more than 2 GiB while it is compiled");
    return !s->stop;
}

void stage_suggest(struct diag *g, const char *word, const char *const *names, size_t n)
{
    enum { SHORTEST = 3 }; // any name is near to a letter or two
    const char *near = strlen(word) < SHORTEST ? NULL : text_nearest(word, names, n);
    if (near)
        diag_help(g, "did you mean `%s`?", near);
}

void stage_order_parts(struct diags *d)
{
    for (size_t i = 0; i < d->list.n; i++) {
        struct diag *g = d->list.at[i];
        struct diag_part *sorted = arena_array(d->arena, g->parts.n, sizeof *sorted);
        size_t n = 0;
        for (enum diag_part_kind kind = DIAG_LABEL; kind <= DIAG_HELP; kind++)
            for (size_t k = 0; k < g->parts.n; k++)
                if (g->parts.at[k].kind == kind)
                    sorted[n++] = g->parts.at[k];
        g->parts.at = sorted;
    }
}
