// swap.c: writes programs whose kernels are not those of their IR, one for each way of cheating.
//
//   swap PROGRAM.hbin OTHER.hbin FOLDER [WHAT...]
//
// Each, or each of those asked for, is FOLDER/WHAT.hbin: a program that the reader takes, with
// PROGRAM's handle, whose dispatch table was changed as WHAT says. OTHER has the same graphs but
// for their constants.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "codegen/hbin.h"
#include "runtime/program.h"

struct swap {
    struct arena arena;
    struct program program, other;
    struct dispatch_program *device; // of the program, to be changed; only readers see it constant
};

#define LOOSE(type, pointer) ((type *)(pointer))

static struct dispatch_entry *entry_at(struct swap *s, size_t i)
{
    return &LOOSE(struct dispatch_entry, s->device->entry)[i];
}

static struct dispatch_step *step_at(struct swap *s, size_t i)
{
    return &LOOSE(struct dispatch_step, entry_at(s, 0)->step)[i];
}

static struct dispatch_variant *variant_at(struct swap *s, size_t step)
{
    return LOOSE(struct dispatch_variant, step_at(s, step)->variant);
}

static struct dispatch_call *call_at(struct swap *s, size_t step)
{
    return LOOSE(struct dispatch_call, variant_at(s, step)->call);
}

static uint32_t bindings_of(const struct swap *s, const struct dispatch_call *c)
{
    return s->device->kernel[c->kernel].bindings;
}

static void exchange(struct dispatch_range *a, struct dispatch_range *b)
{
    struct dispatch_range t = *a;
    *a = *b;
    *b = t;
}

// Exchanges the first range of a list with one of the same size.
static bool exchange_first(const struct dispatch_range *list, size_t n)
{
    struct dispatch_range *r = LOOSE(struct dispatch_range, list);
    for (size_t i = 1; i < n; i++)
        if (r[i].size == r[0].size) {
            exchange(&r[0], &r[i]);
            return true;
        }
    return false;
}

// -- ways of cheating: each changes the table, or returns false where there is nothing to change --

static bool kernels(struct swap *s)
{
    s->device = LOOSE(struct dispatch_program, s->other.dispatch);
    return true;
}

static bool groups(struct swap *s)
{
    call_at(s, 0)->groups[0]++;
    return true;
}

static bool set_barrier(struct swap *s, bool barrier)
{
    for (size_t i = 1; i < entry_at(s, 0)->nsteps; i++)
        if (call_at(s, i)->barrier != barrier) {
            call_at(s, i)->barrier = barrier;
            return true;
        }
    return false;
}

static bool no_barrier(struct swap *s)
{
    return set_barrier(s, false);
}

static bool more_barriers(struct swap *s)
{
    return set_barrier(s, true);
}

// a - b becomes b - a.
static bool buffers(struct swap *s)
{
    for (size_t i = 0; i < entry_at(s, 0)->nsteps; i++) {
        struct dispatch_call *c = call_at(s, i);
        struct dispatch_binding *b = LOOSE(struct dispatch_binding, c->binding);
        if (bindings_of(s, c) < 3 || b[0].writes || b[1].writes ||
            b[0].range.size != b[1].range.size)
            continue;
        exchange(&b[0].range, &b[1].range);
        return true;
    }
    return false;
}

static bool push(struct swap *s)
{
    for (size_t i = 0; i < entry_at(s, 0)->nsteps; i++)
        if (s->device->kernel[call_at(s, i)->kernel].push > 0) {
            LOOSE(uint32_t, call_at(s, i)->push)[0]++;
            return true;
        }
    return false;
}

static bool label(struct swap *s)
{
    step_at(s, 0)->label = "\x1b[2Jnothing";
    return true;
}

static bool variant_name(struct swap *s)
{
    variant_at(s, 0)->name = "renamed";
    return true;
}

static bool fewer_variants(struct swap *s)
{
    for (size_t i = 0; i < entry_at(s, 0)->nsteps; i++)
        if (step_at(s, i)->nvariants > 1) {
            step_at(s, i)->nvariants--;
            return true;
        }
    return false;
}

static bool more_calls(struct swap *s)
{
    struct dispatch_variant *v = variant_at(s, 0);
    struct dispatch_call *more = arena_array(&s->arena, v->ncalls + 1, sizeof *more);
    memcpy(more, v->call, v->ncalls * sizeof *more);
    more[v->ncalls] = v->call[0];
    v->call = more;
    v->ncalls++;
    return true;
}

static bool fewer_steps(struct swap *s)
{
    entry_at(s, 0)->nsteps--;
    return true;
}

static bool more_memory(struct swap *s)
{
    if (entry_at(s, 0)->nsegments[ARENA_WORK] == 0)
        return false;
    LOOSE(uint64_t, entry_at(s, 0)->segment[ARENA_WORK])[0] += DISPATCH_ALIGN;
    return true;
}

static bool constants(struct swap *s)
{
    if (entry_at(s, 0)->nsegments[ARENA_CONSTS] == 0)
        return false;
    LOOSE(unsigned char, entry_at(s, 0)->consts[0])[0] ^= 1;
    return true;
}

static bool inputs(struct swap *s)
{
    return exchange_first(entry_at(s, 0)->input, entry_at(s, 0)->ninputs);
}

static bool outputs(struct swap *s)
{
    return exchange_first(entry_at(s, 0)->output, entry_at(s, 0)->noutputs);
}

static bool vars(struct swap *s)
{
    return exchange_first(s->device->var, s->device->nvars);
}

static bool var_memory(struct swap *s)
{
    LOOSE(uint64_t, s->device->var_segment)[0] += DISPATCH_ALIGN;
    return true;
}

static bool fewer_entries(struct swap *s)
{
    s->device->nentries--;
    return true;
}

static bool entry_order(struct swap *s)
{
    struct dispatch_entry t = *entry_at(s, 0);
    *entry_at(s, 0) = *entry_at(s, 1);
    *entry_at(s, 1) = t;
    return true;
}

// A step is said to make less than it does.
static bool made(struct swap *s)
{
    for (size_t i = 0; i < entry_at(s, 0)->nsteps; i++)
        if (step_at(s, i)->nmade > 0) {
            step_at(s, i)->nmade--;
            return true;
        }
    return false;
}

static bool missing(const struct swap *s, const struct dispatch_kernel *k)
{
    for (size_t i = 0; i < s->device->nkernels; i++)
        if (handle_equal(&s->device->kernel[i].handle, &k->handle))
            return false;
    return true;
}

// Puts a kernel where it belongs by its handle, and numbers those that calls refer to.
static void insert(struct swap *s, const struct dispatch_kernel *k)
{
    struct dispatch_program *d = s->device;
    struct dispatch_kernel *all = arena_array(&s->arena, d->nkernels + 1, sizeof *all);
    uint32_t at = 0;
    while (at < d->nkernels && memcmp(d->kernel[at].handle.sha, k->handle.sha, HANDLE_BYTES) < 0)
        at++;
    memcpy(all, d->kernel, at * sizeof *all);
    all[at] = *k;
    memcpy(all + at + 1, d->kernel + at, (d->nkernels - at) * sizeof *all);
    d->kernel = all;
    d->nkernels++;
    for (size_t e = 0; e < d->nentries; e++)
        for (size_t i = 0; i < d->entry[e].nsteps; i++)
            for (size_t v = 0; v < d->entry[e].step[i].nvariants; v++) {
                const struct dispatch_variant *variant = &d->entry[e].step[i].variant[v];
                struct dispatch_call *call = LOOSE(struct dispatch_call, variant->call);
                for (size_t c = 0; c < variant->ncalls; c++)
                    call[c].kernel += call[c].kernel >= at;
            }
}

static bool idle_kernel(struct swap *s)
{
    for (size_t i = 0; i < s->other.dispatch->nkernels; i++)
        if (missing(s, &s->other.dispatch->kernel[i])) {
            insert(s, &s->other.dispatch->kernel[i]);
            return true;
        }
    return false;
}

static const struct {
    const char *name;
    bool (*change)(struct swap *s);
} ways[] = {
    {"kernels", kernels},
    {"groups", groups},
    {"no-barrier", no_barrier},
    {"more-barriers", more_barriers},
    {"buffers", buffers},
    {"push", push},
    {"label", label},
    {"variant-name", variant_name},
    {"more-calls", more_calls},
    {"fewer-variants", fewer_variants},
    {"more-memory", more_memory},
    {"fewer-steps", fewer_steps},
    {"constants", constants},
    {"inputs", inputs},
    {"outputs", outputs},
    {"vars", vars},
    {"var-memory", var_memory},
    {"fewer-entries", fewer_entries},
    {"made", made},
    {"entry-order", entry_order},
    {"idle-kernel", idle_kernel},
};

// -- files ---------------------------------------------------------------------------------------

static bool say(const char *name, const char *what)
{
    fprintf(stderr, "swap: %s: %s\n", name, what);
    return false;
}

// The reader takes it: what --check says is about kernels, and no other fault.
static bool write_program(struct swap *s, const char *name, const char *folder)
{
    struct buf out = {0};
    struct hlx_error error;
    struct program again;
    const char *why = NULL;
    hbin_rewrite(&s->arena, &s->program, s->device, &out);
    const char *path = arena_printf(&s->arena, "%s/%s.hbin", folder, name);
    bool ok = program_open_bytes(&again, out.at, out.n, &error);
    if (!ok)
        say(name, error.text);
    else if (!file_write(&s->arena, path, out.at, out.n, &why))
        ok = say(name, why);
    program_close(&again);
    buf_free(&out);
    return ok;
}

static bool one_way(char **argv, size_t i)
{
    struct swap s = {0};
    struct hlx_error error;
    bool ok =
        (program_open(&s.program, argv[1], &error) && program_open(&s.other, argv[2], &error)) ||
        say(ways[i].name, error.text);
    if (ok) {
        s.device = LOOSE(struct dispatch_program, s.program.dispatch);
        ok = (ways[i].change(&s) || say(ways[i].name, "there is nothing to change")) &&
             write_program(&s, ways[i].name, argv[3]);
    }
    program_close(&s.program);
    program_close(&s.other);
    arena_free(&s.arena);
    return ok;
}

static bool wanted(int argc, char **argv, const char *name)
{
    for (int i = 4; i < argc; i++)
        if (!strcmp(argv[i], name))
            return true;
    return argc == 4;
}

int main(int argc, char **argv)
{
    bool ok = argc >= 4;
    if (!ok)
        fprintf(stderr, "usage: swap PROGRAM.hbin OTHER.hbin FOLDER [WHAT...]\n");
    for (size_t i = 0; ok && i < sizeof ways / sizeof *ways; i++)
        ok = !wanted(argc, argv, ways[i].name) || one_way(argv, i);
    return ok ? 0 : 1;
}
