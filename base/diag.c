// diag.c: collects diagnostics. Their rendering is in diag_render.c.
#include "base/diag.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEPT = 20 };

void diags_init(struct diags *d, struct arena *a, const struct sources *sources)
{
    *d = (struct diags){.arena = a, .sources = sources, .limit = KEPT};
}

// The sink has no arena: what is added to it is dropped.
static struct diag *start(struct diags *d, enum diag_level level, struct span at, const char *code,
                          const char *format, va_list args)
{
    unsigned *count = level == DIAG_ERROR ? &d->errors : &d->warnings;
    if ((*count)++ >= d->limit) {
        d->sink = (struct diag){.level = level, .code = code, .span = at, .text = ""};
        return &d->sink;
    }
    struct diag *g = arena_new(d->arena, struct diag);
    *g = (struct diag){.level = level, .code = code, .span = at, .arena = d->arena};
    g->text = arena_vprintf(d->arena, format, args);
    vec_push(d->arena, &d->list, g);
    return g;
}

struct diag *diag_error(struct diags *d, struct span at, const char *code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct diag *g = start(d, DIAG_ERROR, at, code, format, args);
    va_end(args);
    return g;
}

struct diag *diag_warning(struct diags *d, struct span at, const char *code, const char *format,
                          ...)
{
    va_list args;
    va_start(args, format);
    struct diag *g = start(d, DIAG_WARNING, at, code, format, args);
    va_end(args);
    return g;
}

static void add_part(struct diag *g, enum diag_part_kind kind, struct span at, const char *format,
                     va_list args)
{
    if (!g->arena)
        return;
    struct diag_part part = {kind, at, arena_vprintf(g->arena, format, args)};
    vec_push(g->arena, &g->parts, part);
}

void diag_caret(struct diag *g, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (g->arena)
        g->label = arena_vprintf(g->arena, format, args);
    va_end(args);
}

void diag_label(struct diag *g, struct span at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_part(g, DIAG_LABEL, at, format, args);
    va_end(args);
}

void diag_note(struct diag *g, struct span at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_part(g, DIAG_NOTE, at, format, args);
    va_end(args);
}

void diag_help(struct diag *g, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_part(g, DIAG_HELP, (struct span){0}, format, args);
    va_end(args);
}

bool diags_full(const struct diags *d)
{
    return d->errors >= d->limit;
}

void diags_print(const struct diags *d, enum diag_format format, enum diag_color color, FILE *to)
{
    struct buf out = {0};
    diags_render(d, format, format != DIAG_JSON && diag_use_color(color, to), &out);
    if (out.n != 0)
        fwrite(out.at, 1, out.n, to);
    fflush(to);
    buf_free(&out);
}

// The value of an environment variable; "" where it is not set.
static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value ? value : "";
}

bool diag_use_color(enum diag_color color, FILE *to)
{
    const char *force = variable("CLICOLOR_FORCE"), *term = variable("TERM");
    if (color != DIAG_COLOR_AUTO)
        return color == DIAG_COLOR_ALWAYS;
    if (*variable("NO_COLOR"))
        return false;
    if (*force && strcmp(force, "0") != 0)
        return true;
    return isatty(fileno(to)) && *term && strcmp(term, "dumb") != 0;
}
