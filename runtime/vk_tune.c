// vk_tune.c: chooses a variant for every step of an entry: as told, as remembered, or as measured.
//
// All variants give the same bits in the exact profile, so the choice is about time only, and may
// be remembered in a file that anyone can change.
#include "runtime/exec_vk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "latent/lcb.h"
#include "runtime/vk_cache.h"

#define KIND "variants"
enum { MAX_REMEMBERED = 65536, UNDECIDED = UINT32_MAX >> 1 };

struct tune {
    struct vk_plan *p;
    struct arena arena;
    const char *names; // that were asked for, or NULL
    char *path;        // of the file, or NULL
    struct map memory; // key -> name of a variant
    bool learnt;       // something that is not in the file
};

// -- names ---------------------------------------------------------------------------------------

typedef VEC(const char *) variant_names;

static bool holds(const variant_names *names, const char *text, size_t n)
{
    for (size_t i = 0; i < names->n; i++)
        if (strlen(names->at[i]) == n && !memcmp(names->at[i], text, n))
            return true;
    return false;
}

// All that the program's steps have, each once.
static void list_variants(struct arena *a, const struct dispatch_program *t, variant_names *out)
{
    for (size_t i = 0; i < t->nentries; i++)
        for (size_t s = 0; s < t->entry[i].nsteps; s++)
            for (size_t v = 0; v < t->entry[i].step[s].nvariants; v++) {
                const char *name = t->entry[i].step[s].variant[v].name;
                if (!holds(out, name, strlen(name)))
                    vec_push(a, out, name);
            }
}

static bool no_such(const variant_names *known, const char *text, size_t n, struct hlx_error *e)
{
    struct buf list = {0};
    for (size_t i = 0; i < known->n; i++)
        buf_printf(&list, "%s%s", i ? ", " : "", known->at[i]);
    hlx_fail(e, EXIT_USAGE, "no step of the program has a variant `%.*s`; there are: %s", (int)n,
             text, list.n ? list.at : "none");
    buf_free(&list);
    return false;
}

bool vk_known_variants(const struct dispatch_program *t, const char *names, struct hlx_error *e)
{
    struct arena a = {0};
    variant_names known = {0};
    bool ok = true;
    size_t n;
    list_variants(&a, t, &known);
    for (const char *at = names; ok && at; at = at[n] ? at + n + 1 : NULL) {
        n = strcspn(at, ",");
        ok = holds(&known, at, n) || no_such(&known, at, n, e);
    }
    arena_free(&a);
    return ok;
}

// -- keys ----------------------------------------------------------------------------------------

static void hash_u32(struct sha256 *h, uint32_t x)
{
    const unsigned char b[] = {(unsigned char)x, (unsigned char)(x >> 8), (unsigned char)(x >> 16),
                               (unsigned char)(x >> 24)};
    sha256_update(h, b, sizeof b);
}

static void hash_call(struct sha256 *h, const struct dispatch_program *t,
                      const struct dispatch_call *c)
{
    const struct dispatch_kernel *k = &t->kernel[c->kernel];
    sha256_update(h, k->handle.sha, HANDLE_BYTES);
    for (int i = 0; i < 3; i++)
        hash_u32(h, c->groups[i]);
    for (uint32_t i = 0; i < k->push; i++)
        hash_u32(h, c->push[i]);
}

// What decides how long the variants take: equal layers of a model have equal keys.
static const char *key_of(struct tune *t, const struct dispatch_step *s)
{
    struct sha256 *h = sha256_new();
    unsigned char sha[HANDLE_BYTES];
    for (size_t v = 0; v < s->nvariants; v++) {
        sha256_update(h, s->variant[v].name, strlen(s->variant[v].name) + 1);
        for (size_t i = 0; i < s->variant[v].ncalls; i++)
            hash_call(h, t->p->x->table, &s->variant[v].call[i]);
    }
    sha256_final(h, sha);
    char *key = arena_alloc(&t->arena, 33);
    for (size_t i = 0; i < 16; i++)
        snprintf(key + 2 * i, 3, "%02x", sha[i]);
    return key;
}

// -- what earlier runs found ---------------------------------------------------------------------

static void remember(struct tune *t, const char *key, const char *name)
{
    map_put_str(&t->memory, key, NULL)->value.p = arena_strdup(&t->arena, name);
}

static void load(struct tune *t)
{
    size_t n = 0;
    t->path = vk_cache_path(t->p->x->d.physical, KIND);
    unsigned char *bytes = vk_cache_read(t->path, KIND, &n);
    const struct value *v = bytes ? lcb_decode(&t->arena, bytes, n, NULL) : NULL;
    free(bytes);
    if (!v || v->kind != VALUE_OBJECT || v->as.object.n > MAX_REMEMBERED)
        return;
    for (size_t i = 0; i < v->as.object.n; i++) {
        const char *key = v->as.object.at[i].key, *name;
        if (value_get_text(v, key, &name))
            remember(t, key, name);
    }
}

static void store(struct tune *t)
{
    struct buf out = {0};
    struct value_field *f = arena_array(&t->arena, t->memory.n, sizeof *f);
    for (size_t i = 0; i < t->memory.n; i++) {
        const struct map_entry *m = &t->memory.entry[i];
        f[i] = (struct value_field){m->key, m->len, value_str(&t->arena, m->value.p)};
    }
    const struct value *v = value_object(&t->arena, f, t->memory.n, NULL);
    if (v) {
        lcb_encode(v, &out);
        vk_cache_write(t->path, KIND, out.at, out.n);
    }
    buf_free(&out);
}

// -- choices -------------------------------------------------------------------------------------

bool vk_listed(const char *list, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = list; at; at = strchr(at, ',')) {
        at += *at == ',';
        if (!strncmp(at, name, n) && (at[n] == ',' || at[n] == '\0'))
            return true;
    }
    return false;
}

static uint32_t named(const struct dispatch_step *s, const char *list)
{
    for (uint32_t v = 0; v < s->nvariants; v++)
        if (vk_listed(list, s->variant[v].name))
            return v;
    return UNDECIDED;
}

static uint32_t remembered(struct tune *t, const struct dispatch_step *s)
{
    const struct map_entry *m = map_find_str(&t->memory, key_of(t, s));
    for (uint32_t v = 0; m && v < s->nvariants; v++)
        if (!strcmp(s->variant[v].name, m->value.p))
            return v;
    return UNDECIDED;
}

// What is known without running anything.
static uint32_t decide(struct tune *t, const struct dispatch_step *s)
{
    if (s->nvariants == 1)
        return 0;
    uint32_t v = named(s, t->names);
    return v != UNDECIDED ? v : remembered(t, s);
}

// Why the device cannot run a variant whose pipelines were made, or NULL.
static const char *unfit(const struct vk_plan *p, const struct dispatch_variant *v)
{
    for (size_t i = 0; i < v->ncalls; i++) {
        const char *why = p->x->pipes.kernel[v->call[i].kernel].unfit;
        if (why)
            return why;
    }
    return NULL;
}

static bool shares_memory(const struct dispatch_variant *v)
{
    return strncmp(v->name, "tile", 4) == 0 || strcmp(v->name, "joined") == 0;
}

static bool for_cpu(const struct dispatch_variant *v)
{
    return strncmp(v->name, DISPATCH_FOR_CPU, strlen(DISPATCH_FOR_CPU)) == 0;
}

// A CPU device runs the invocations of a workgroup one after another: variants that share memory
// are slow there and take seconds to compile. Others are made for such a device alone. Those that
// are not for a device run when there is nothing else, or when asked for by name.
bool vk_suits(const struct dispatch_step *s, size_t v, bool cpu)
{
    bool (*misfit)(const struct dispatch_variant *) = cpu ? shares_memory : for_cpu;
    if (!misfit(&s->variant[v]))
        return true;
    for (size_t i = 0; i < s->nvariants; i++)
        if (!misfit(&s->variant[i]))
            return false;
    return true;
}

static bool worthwhile(const struct vk_plan *p, const struct dispatch_step *s, size_t v)
{
    return vk_suits(s, v, vk_is_cpu(p->x->d.physical));
}

static void want_variant(const struct dispatch_variant *v, bool *want)
{
    for (size_t i = 0; i < v->ncalls; i++)
        want[v->call[i].kernel] = true;
}

// Makes the pipelines of what was chosen, and of all variants where nothing is.
static bool make(const struct vk_plan *p, struct hlx_error *e)
{
    bool *want = calloc(p->x->table->nkernels + 1, sizeof *want);
    if (!want)
        return hlx_no_memory(e, "the kernels");
    for (size_t i = 0; i < p->entry->nsteps; i++) {
        const struct dispatch_step *s = &p->entry->step[i];
        if (p->choice[i] != UNDECIDED)
            want_variant(&s->variant[p->choice[i]], want);
        for (size_t v = 0; p->choice[i] == UNDECIDED && v < s->nvariants; v++)
            if (worthwhile(p, s, v))
                want_variant(&s->variant[v], want);
    }
    bool ok = vk_pipelines_make(&p->x->pipes, want, e);
    free(want);
    return ok;
}

// Measures an undecided step, unless only one variant is left or an equal step was measured.
static bool settle_step(struct tune *t, size_t i, struct hlx_error *e)
{
    const struct dispatch_step *s = &t->p->entry->step[i];
    uint32_t *choice = &t->p->choice[i];
    bool fit[DISPATCH_MAX_VARIANTS];
    size_t fits = 0;
    const char *why = NULL, *key = key_of(t, s);
    for (uint32_t v = 0; v < s->nvariants; v++) {
        const char *fault = unfit(t->p, &s->variant[v]);
        why = why ? why : fault;
        fit[v] = !fault && worthwhile(t->p, s, v);
        fits += fit[v];
        if (fit[v])
            *choice = v;
    }
    if (fits == 0)
        return hlx_fail(e, EXIT_DEVICE, "the step `%s` cannot run on %s: %s", s->label,
                        t->p->x->d.physical->properties.deviceName, why);
    if (fits > 1 && !vk_measure(t->p, s, fit, choice, e))
        return false;
    remember(t, key, s->variant[*choice].name);
    t->learnt = true;
    return true;
}

// A choice that the device cannot run: an error where it was asked for, else it is made anew.
static bool check_choice(struct tune *t, size_t i, bool *again, struct hlx_error *e)
{
    const struct dispatch_step *s = &t->p->entry->step[i];
    uint32_t v = t->p->choice[i];
    const char *why = v == UNDECIDED ? NULL : unfit(t->p, &s->variant[v]);
    if (!why)
        return true;
    if (s->nvariants == 1 || v == named(s, t->names))
        return hlx_fail(e, EXIT_DEVICE, "the variant `%s` of `%s` cannot run on %s: %s",
                        s->variant[v].name, s->label, t->p->x->d.physical->properties.deviceName,
                        why);
    remember(t, key_of(t, s), "");
    t->p->choice[i] = UNDECIDED;
    *again = true;
    return true;
}

static bool settle(struct tune *t, struct hlx_error *e)
{
    struct vk_plan *p = t->p;
    bool ok = true, again = false;
    for (size_t i = 0; i < p->entry->nsteps; i++)
        p->choice[i] = decide(t, &p->entry->step[i]);
    ok = make(p, e);
    for (size_t i = 0; ok && i < p->entry->nsteps; i++)
        ok = check_choice(t, i, &again, e);
    if (ok && again)
        ok = make(p, e);
    for (size_t i = 0; ok && i < p->entry->nsteps; i++) {
        if (p->choice[i] == UNDECIDED) // an equal step may have been measured by now
            p->choice[i] = remembered(t, &p->entry->step[i]);
        if (p->choice[i] == UNDECIDED)
            ok = settle_step(t, i, e);
    }
    return ok;
}

bool vk_tune(struct vk_plan *p, const char *names, struct hlx_error *e)
{
    struct tune t = {.p = p, .names = names};
    map_init(&t.memory, &t.arena);
    load(&t);
    bool ok = settle(&t, e);
    if (t.learnt)
        store(&t);
    free(t.path);
    arena_free(&t.arena);
    return ok;
}
