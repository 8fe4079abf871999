// rebuild_diff.c: finds the first place where two dispatch tables differ, and says what is there.
#include "codegen/rebuild_diff.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

// Both tables, and where the comparison has come to.
struct pair {
    struct arena *arena;
    const struct dispatch_program *has, *made;
    const struct dispatch_entry *entry; // of the file, from here on
    const struct dispatch_step *step;
    const struct dispatch_variant *variant;
    struct rebuild_difference *out;
};

// Notes a difference at the current place, in what can be shown: the file chose the names. Returns
// false.
static bool differ(struct pair *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool differ(struct pair *p, const char *format, ...)
{
    struct buf b = {0}, shown = {0};
    char what[512];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    if (p->entry)
        buf_printf(&b, "entry `%s`, ", p->entry->name);
    if (p->step)
        buf_printf(&b, "step %zu (%s), ", p->out->step, p->step->label);
    if (p->variant)
        buf_printf(&b, "variant `%s`, ", p->variant->name);
    if (b.n > 1)
        b.n -= 2;
    buf_printf(&b, "%s%s", b.n ? ": " : "", what);
    buf_visible(&shown, b.at, b.n);
    p->out->text = arena_copy(p->arena, shown.at, shown.n);
    buf_free(&shown);
    buf_free(&b);
    return false;
}

static bool counts(struct pair *p, const char *what, size_t has, size_t made)
{
    return has == made ||
           differ(p, "the number of its %s is %zu, and this hlxc makes %zu", what, has, made);
}

static bool names(struct pair *p, const char *what, const char *has, const char *made)
{
    return !strcmp(has, made) ||
           differ(p, "its %s is `%.100s`, and this hlxc makes `%.100s`", what, has, made);
}

// -- ranges --------------------------------------------------------------------------------------

static bool same_place(const struct dispatch_range *a, const struct dispatch_range *b)
{
    return a->arena == b->arena && a->segment == b->segment && a->offset == b->offset;
}

static bool same_range(const struct dispatch_range *a, const struct dispatch_range *b)
{
    return same_place(a, b) && a->size == b->size;
}

static bool ranges(struct pair *p, const char *what, const struct dispatch_range *has,
                   const struct dispatch_range *made, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!same_range(&has[i], &made[i]))
            return differ(p, "%s %zu lies elsewhere than this hlxc puts it", what, i);
    return true;
}

static bool segments(struct pair *p, const char *what, const uint64_t *has, size_t nhas,
                     const uint64_t *made, size_t nmade)
{
    bool same = nhas == nmade && (nhas == 0 || !memcmp(has, made, nhas * sizeof *has));
    return same || differ(p, "its memory (%s) is not what this hlxc lays out", what);
}

// -- steps ---------------------------------------------------------------------------------------

static bool kernels(struct pair *p, const struct dispatch_kernel *has,
                    const struct dispatch_kernel *made)
{
    char x[HANDLE_TEXT + 1], y[HANDLE_TEXT + 1];
    if (handle_equal(&has->handle, &made->handle))
        return (has->bindings == made->bindings && has->push == made->push) ||
               differ(p, "its kernel is declared with other buffers or constants");
    handle_text(&has->handle, x);
    handle_text(&made->handle, y);
    return differ(p, "it runs the kernel %s, and this hlxc makes %s", x, y);
}

static bool calls(struct pair *p, const struct dispatch_call *has, const struct dispatch_call *made)
{
    const struct dispatch_kernel *k = &p->has->kernel[has->kernel];
    if (!kernels(p, k, &p->made->kernel[made->kernel]))
        return false;
    if (memcmp(has->groups, made->groups, sizeof has->groups) != 0)
        return differ(p, "it runs another number of workgroups than this hlxc does");
    if (has->barrier != made->barrier)
        return differ(p, has->barrier ? "it waits for what ran before, and this hlxc does not"
                                      : "it does not wait for what ran before, and this hlxc does");
    for (uint32_t i = 0; i < k->bindings; i++)
        if (!same_range(&has->binding[i].range, &made->binding[i].range) ||
            has->binding[i].writes != made->binding[i].writes)
            return differ(p, "its buffer %u is not the one that this hlxc binds", i);
    bool same = k->push == 0 || !memcmp(has->push, made->push, k->push * sizeof *has->push);
    return same || differ(p, "its push constants are not those of this hlxc");
}

static bool variants(struct pair *p, const struct dispatch_variant *has,
                     const struct dispatch_variant *made)
{
    if (!names(p, "name", has->name, made->name) || !counts(p, "calls", has->ncalls, made->ncalls))
        return false;
    for (size_t i = 0; i < has->ncalls; i++)
        if (!calls(p, &has->call[i], &made->call[i]))
            return false;
    return true;
}

static bool made_values(struct pair *p, const struct dispatch_step *has,
                        const struct dispatch_step *made)
{
    bool same = has->nmade == made->nmade;
    for (size_t i = 0; same && i < has->nmade; i++)
        same = has->made[i].node == made->made[i].node &&
               same_place(&has->made[i].range, &made->made[i].range);
    return same || differ(p, "its source map says that it makes other values");
}

static bool steps(struct pair *p, const struct dispatch_step *has, const struct dispatch_step *made)
{
    p->step = has;
    if (!names(p, "label", has->label, made->label) ||
        !counts(p, "variants", has->nvariants, made->nvariants))
        return false;
    for (size_t i = 0; i < has->nvariants; i++) {
        p->variant = &has->variant[i];
        if (!variants(p, p->variant, &made->variant[i]))
            return false;
    }
    p->variant = NULL;
    if (!made_values(p, has, made))
        return false;
    p->step = NULL;
    return true;
}

// -- entries -------------------------------------------------------------------------------------

static bool consts(struct pair *p, const struct dispatch_entry *has,
                   const struct dispatch_entry *made)
{
    for (size_t i = 0; i < has->nsegments[ARENA_CONSTS]; i++)
        if (memcmp(has->consts[i], made->consts[i], has->segment[ARENA_CONSTS][i]) != 0)
            return differ(p, "its constants are not those of its IR");
    return true;
}

static bool memory(struct pair *p, const struct dispatch_entry *has,
                   const struct dispatch_entry *made)
{
    static const char *const name[ARENA_COUNT] = {"variables", "intermediate values", "inputs",
                                                  "outputs",   "constants",           "counters"};
    for (int i = 0; i < ARENA_COUNT; i++)
        if (!segments(p, name[i], has->segment[i], has->nsegments[i], made->segment[i],
                      made->nsegments[i]))
            return false;
    return ranges(p, "input", has->input, made->input, has->ninputs) &&
           ranges(p, "output", has->output, made->output, has->noutputs) && consts(p, has, made);
}

// Steps first: what is named then is what is run. Inputs and outputs are as many as the IR has.
static bool entries(struct pair *p, const struct dispatch_entry *has,
                    const struct dispatch_entry *made)
{
    p->entry = has;
    if (!names(p, "name", has->name, made->name))
        return false;
    for (size_t i = 0; i < has->nsteps && i < made->nsteps; i++) {
        p->out->step = i;
        if (!steps(p, &has->step[i], &made->step[i]))
            return false;
    }
    p->out->step = has->nsteps;
    bool same = counts(p, "steps", has->nsteps, made->nsteps) && memory(p, has, made);
    p->entry = NULL;
    return same;
}

static bool tables(struct pair *p)
{
    const struct dispatch_program *x = p->has, *y = p->made;
    for (size_t i = 0; i < x->nentries && i < y->nentries; i++) {
        p->out->entry = i;
        if (!entries(p, &x->entry[i], &y->entry[i]))
            return false;
    }
    p->out->entry = x->nentries;
    if (!counts(p, "entries for devices", x->nentries, y->nentries) ||
        !segments(p, "variables", x->var_segment, x->nvar_segments, y->var_segment,
                  y->nvar_segments) ||
        !ranges(p, "variable", x->var, y->var, x->nvars) ||
        !counts(p, "kernels", x->nkernels, y->nkernels))
        return false;
    for (size_t i = 0; i < x->nkernels; i++) // those that no step calls, too
        if (!kernels(p, &x->kernel[i], &y->kernel[i]))
            return false;
    return true;
}

bool rebuild_diff(struct arena *a, const struct dispatch_program *has,
                  const struct dispatch_program *made, struct rebuild_difference *out)
{
    struct pair p = {.arena = a, .has = has, .made = made, .out = out};
    *out = (struct rebuild_difference){0};
    return made ? tables(&p) : differ(&p, "it carries kernels, and this hlxc makes none of its IR");
}
