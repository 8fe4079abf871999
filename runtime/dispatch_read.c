// dispatch_read.c: decodes a dispatch table and checks every number in it.
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/dispatch_kit.h"

static const char *const arena_names[] = {"vars",    "work",   "inputs",
                                          "outputs", "consts", "counters"};

// -- messages and numbers ------------------------------------------------------------------------

bool dispatch_bad(struct dispatch_reader *r, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *what = arena_vprintf(r->arena, format, args);
    va_end(args);
    const char *entry = r->entry ? arena_printf(r->arena, ", entry `%s`", r->entry->name) : "";
    const char *step = r->label ? arena_printf(r->arena, ", step `%s`", r->label) : "";
    r->error->code = "E_DISPATCH";
    r->error->offset = 0;
    r->error->message = arena_printf(r->arena, "its dispatch table%s%s: %s", entry, step, what);
    return false;
}

const struct value *dispatch_field(struct dispatch_reader *r, const struct value *object,
                                   const char *name, enum value_kind kind)
{
    const struct value *v = value_get(object, name);
    if (v && v->kind == kind)
        return v;
    dispatch_bad(r, "the field `%s` of kind %s is missing", name, value_kind_name(kind));
    return NULL;
}

bool dispatch_take(struct dispatch_reader *r, struct dispatch_cursor *c, const char *what,
                   uint64_t max, uint64_t *out)
{
    if (c->at >= c->list->as.array.n)
        return dispatch_bad(r, "the %s is missing", what);
    const struct value *v = c->list->as.array.at[c->at++];
    if (v->kind != VALUE_INT || v->as.integer < 0 || (uint64_t)v->as.integer > max)
        return dispatch_bad(r, "the %s is not a number from 0 to %llu", what,
                            (unsigned long long)max);
    *out = (uint64_t)v->as.integer;
    return true;
}

static bool take_u32(struct dispatch_reader *r, struct dispatch_cursor *c, const char *what,
                     uint32_t max, uint32_t *out)
{
    uint64_t n = 0;
    bool ok = dispatch_take(r, c, what, max, &n);
    *out = (uint32_t)n;
    return ok;
}

// -- segments and ranges -------------------------------------------------------------------------

const uint64_t *dispatch_segments(const struct dispatch_program *p, const struct dispatch_entry *e,
                                  enum dispatch_arena arena, size_t *n)
{
    if (arena == ARENA_VARS) {
        *n = p->nvar_segments;
        return p->var_segment;
    }
    *n = e ? e->nsegments[arena] : 0;
    return e ? e->segment[arena] : NULL;
}

static bool read_segments(struct dispatch_reader *r, const struct value *list, const uint64_t **out,
                          size_t *n)
{
    struct dispatch_cursor c = {list, 0};
    *n = list->as.array.n;
    uint64_t *size = arena_array(r->arena, *n, sizeof *size);
    *out = size;
    for (size_t i = 0; i < *n; i++) {
        if (!dispatch_take(r, &c, "size of a segment", DISPATCH_SEGMENT, &size[i]))
            return false;
        if (size[i] == 0 || size[i] % 4)
            return dispatch_bad(r, "a segment has %llu bytes", (unsigned long long)size[i]);
    }
    return true;
}

// What follows a range's arena: segment, offset, size.
static bool take_place(struct dispatch_reader *r, struct dispatch_cursor *c,
                       struct dispatch_range *range)
{
    size_t n;
    uint64_t offset = 0, size = 0;
    const uint64_t *segment = dispatch_segments(r->program, r->entry, range->arena, &n);
    if (n == 0)
        return dispatch_bad(r, "a range lies in %s, which has no segment",
                            arena_names[range->arena]);
    if (!take_u32(r, c, "segment of a range", (uint32_t)(n - 1), &range->segment) ||
        !dispatch_take(r, c, "offset of a range", DISPATCH_SEGMENT / DISPATCH_ALIGN, &offset) ||
        !dispatch_take(r, c, "size of a range", DISPATCH_SEGMENT / 4, &size))
        return false;
    range->offset = offset * DISPATCH_ALIGN;
    range->size = size * 4;
    // Both are at most 128 MiB: the sum cannot wrap.
    if (size == 0 || range->offset + range->size > segment[range->segment])
        return dispatch_bad(r, "a range (%llu bytes at %llu) leaves segment %lu of %s",
                            (unsigned long long)range->size, (unsigned long long)range->offset,
                            (unsigned long)range->segment, arena_names[range->arena]);
    return true;
}

// Whether the four numbers at v say that there is no range: an arena and three zeros.
static bool is_hole(const struct value *const *v)
{
    for (int i = 1; i < 4; i++)
        if (v[i]->kind != VALUE_INT || v[i]->as.integer != 0)
            return false;
    return true;
}

static bool read_range(struct dispatch_reader *r, struct dispatch_cursor *c,
                       enum dispatch_arena arena, bool holes, struct dispatch_range *range)
{
    const struct value *const *v = c->list->as.array.at + c->at;
    uint64_t in = 0;
    if (!dispatch_take(r, c, "arena of a range", ARENA_COUNT - 1, &in))
        return false;
    range->arena = (enum dispatch_arena)in;
    if (range->arena != arena)
        return dispatch_bad(r, "a range lies in %s, not in %s", arena_names[in],
                            arena_names[arena]);
    if (!holes || !is_hole(v))
        return take_place(r, c, range);
    c->at += 3;
    return true;
}

// A list of ranges in one arena. With `holes` a range may be empty: there is none.
static bool read_ranges(struct dispatch_reader *r, const struct value *list,
                        enum dispatch_arena arena, bool holes, const struct dispatch_range **out,
                        size_t *n)
{
    struct dispatch_cursor c = {list, 0};
    if (list->as.array.n % 4)
        return dispatch_bad(r, "a list of ranges is cut short");
    *n = list->as.array.n / 4;
    struct dispatch_range *range = arena_array(r->arena, *n, sizeof *range);
    *out = range;
    for (size_t i = 0; i < *n; i++)
        if (!read_range(r, &c, arena, holes, &range[i]))
            return false;
    return true;
}

static int by_place(const void *a, const void *b)
{
    const struct dispatch_range *x = a, *y = b;
    if (x->segment != y->segment)
        return x->segment < y->segment ? -1 : 1;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

// Two variables in one place would make the order of updates matter.
static bool check_disjoint(struct dispatch_reader *r, const struct dispatch_range *range, size_t n)
{
    struct dispatch_range *sorted = arena_array(r->arena, n, sizeof *sorted);
    for (size_t i = 0; i < n; i++)
        sorted[i] = range[i];
    qsort(sorted, n, sizeof *sorted, by_place);
    for (size_t i = 1; i < n; i++)
        if (sorted[i - 1].segment == sorted[i].segment &&
            sorted[i - 1].offset + sorted[i - 1].size > sorted[i].offset)
            return dispatch_bad(r, "two variables overlap");
    return true;
}

// -- steps ---------------------------------------------------------------------------------------

static bool read_binding(struct dispatch_reader *r, struct dispatch_cursor *c,
                         struct dispatch_binding *b)
{
    uint64_t first = 0;
    if (!dispatch_take(r, c, "arena of a binding", 2 * ARENA_COUNT - 1, &first))
        return false;
    b->range.arena = (enum dispatch_arena)(first / 2);
    b->writes = first % 2;
    if (b->writes && b->range.arena != ARENA_VARS && b->range.arena != ARENA_WORK &&
        b->range.arena != ARENA_OUTPUTS)
        return dispatch_bad(r, "a call writes to %s", arena_names[b->range.arena]);
    return take_place(r, c, &b->range);
}

static bool read_operands(struct dispatch_reader *r, struct dispatch_cursor *c,
                          struct dispatch_call *call)
{
    const struct dispatch_kernel *k = &r->program->kernel[call->kernel];
    struct dispatch_binding *b = arena_array(r->arena, k->bindings, sizeof *b);
    uint32_t *push = arena_array(r->arena, k->push, sizeof *push);
    call->binding = b;
    call->push = push;
    r->accesses += k->bindings;
    if (r->accesses > DISPATCH_MAX_ACCESSES)
        return dispatch_bad(r, "there are too many calls");
    for (size_t i = 0; i < k->bindings; i++)
        if (!read_binding(r, c, &b[i]))
            return false;
    for (size_t i = 0; i < k->push; i++)
        if (!take_u32(r, c, "push constant", UINT32_MAX, &push[i]))
            return false;
    return c->at == c->list->as.array.n || dispatch_bad(r, "a call has too many numbers");
}

static bool read_call(struct dispatch_reader *r, const struct value *list,
                      struct dispatch_call *call)
{
    struct dispatch_cursor c = {list, 0};
    uint64_t barrier = 0;
    if (list->kind != VALUE_ARRAY || r->program->nkernels == 0)
        return dispatch_bad(r, "a call is no list of numbers");
    if (!take_u32(r, &c, "kernel of a call", (uint32_t)(r->program->nkernels - 1), &call->kernel))
        return false;
    for (int i = 0; i < 3; i++) {
        if (!take_u32(r, &c, "number of workgroups", DISPATCH_MAX_GROUPS, &call->groups[i]))
            return false;
        if (call->groups[i] == 0)
            return dispatch_bad(r, "a call has no workgroup");
    }
    if (!dispatch_take(r, &c, "barrier of a call", 1, &barrier))
        return false;
    call->barrier = barrier;
    return read_operands(r, &c, call);
}

static bool read_name(struct dispatch_reader *r, const struct value *v, const char **out)
{
    if (v->kind != VALUE_TEXT || memchr(v->as.bytes.at, '\0', v->as.bytes.n))
        return dispatch_bad(r, "a name is no text");
    *out = v->as.bytes.at;
    return true;
}

static bool read_variant(struct dispatch_reader *r, const struct value *list,
                         struct dispatch_variant *v)
{
    if (list->kind != VALUE_ARRAY || list->as.array.n < 2)
        return dispatch_bad(r, "a variant is not a name and its calls");
    v->ncalls = list->as.array.n - 1;
    struct dispatch_call *call = arena_array(r->arena, v->ncalls, sizeof *call);
    v->call = call;
    if (!read_name(r, list->as.array.at[0], &v->name))
        return false;
    for (size_t i = 0; i < v->ncalls; i++)
        if (!read_call(r, list->as.array.at[i + 1], &call[i]))
            return false;
    return true;
}

static bool read_step(struct dispatch_reader *r, const struct value *list, struct dispatch_step *s)
{
    if (list->kind != VALUE_ARRAY || list->as.array.n < 2)
        return dispatch_bad(r, "a step is not a label and its variants");
    s->nvariants = list->as.array.n - 1;
    struct dispatch_variant *v = arena_array(r->arena, s->nvariants, sizeof *v);
    s->variant = v;
    if (!read_name(r, list->as.array.at[0], &s->label))
        return false;
    r->label = s->label;
    for (size_t i = 0; i < s->nvariants; i++) {
        if (!read_variant(r, list->as.array.at[i + 1], &v[i]))
            return false;
        for (size_t j = 0; j < i; j++)
            if (!strcmp(v[j].name, v[i].name))
                return dispatch_bad(r, "two variants are called `%s`", v[i].name);
        if (i >= DISPATCH_MAX_VARIANTS)
            return dispatch_bad(r, "there are too many variants");
    }
    r->label = NULL;
    return true;
}

static bool read_steps(struct dispatch_reader *r, const struct value *list,
                       struct dispatch_entry *e)
{
    e->nsteps = list->as.array.n;
    struct dispatch_step *step = arena_array(r->arena, e->nsteps, sizeof *step);
    e->step = step;
    for (size_t i = 0; i < e->nsteps; i++)
        if (!read_step(r, list->as.array.at[i], &step[i]))
            return false;
    return true;
}

// -- entries -------------------------------------------------------------------------------------

static bool read_arenas(struct dispatch_reader *r, const struct value *list,
                        struct dispatch_entry *e)
{
    if (list->as.array.n != ARENA_COUNT)
        return dispatch_bad(r, "it has not one list of segments for each arena");
    for (int i = 0; i < ARENA_COUNT; i++) {
        const struct value *v = list->as.array.at[i];
        if (v->kind != VALUE_ARRAY)
            return dispatch_bad(r, "the segments of %s are no list", arena_names[i]);
        if (!read_segments(r, v, &e->segment[i], &e->nsegments[i]))
            return false;
    }
    size_t counters = e->nsegments[ARENA_COUNTERS];
    if (counters > 1 || (counters == 1 && e->segment[ARENA_COUNTERS][0] < DISPATCH_COUNTERS_SIZE))
        return dispatch_bad(r, "the counters are not one segment of 12 bytes or more");
    return e->nsegments[ARENA_VARS] == 0 || dispatch_bad(r, "it has variables of its own");
}

static bool read_const(struct dispatch_reader *r, const struct value *v, uint64_t size,
                       const unsigned char **out)
{
    struct handle h;
    if (v->kind != VALUE_HANDLE || !handle_parse(v->as.bytes.at, v->as.bytes.n, &h))
        return dispatch_bad(r, "constants are given by no full handle");
    const struct value *bytes = pack_get(r->arena, r->pack, &h, r->error);
    if (!bytes)
        return false;
    if (bytes->kind != VALUE_BYTES || bytes->as.bytes.n != size)
        return dispatch_bad(r, "constants are not the %llu bytes of their segment",
                            (unsigned long long)size);
    *out = (const unsigned char *)bytes->as.bytes.at;
    return true;
}

static bool read_consts(struct dispatch_reader *r, const struct value *list,
                        struct dispatch_entry *e)
{
    size_t n = e->nsegments[ARENA_CONSTS];
    const unsigned char **consts = arena_array(r->arena, n, sizeof *consts);
    if (list->as.array.n != n)
        return dispatch_bad(r, "it has %zu constants for %zu segments", list->as.array.n, n);
    for (size_t i = 0; i < n; i++)
        if (!read_const(r, list->as.array.at[i], e->segment[ARENA_CONSTS][i], &consts[i]))
            return false;
    e->consts = consts;
    return true;
}

static bool read_entry(struct dispatch_reader *r, const struct value *v, struct dispatch_entry *e)
{
    static const char *const lists[] = {"consts", "inputs", "outputs", "segments", "steps"};
    enum { CONSTS, INPUTS, OUTPUTS, SEGMENTS, STEPS, LISTS };
    const struct value *list[LISTS];
    if (v->kind != VALUE_OBJECT || v->as.object.n != LISTS + 1 ||
        !value_get_text(v, "name", &e->name))
        return dispatch_bad(r, "an entry has other fields than it should");
    r->entry = e;
    for (int i = 0; i < LISTS; i++)
        if (!(list[i] = dispatch_field(r, v, lists[i], VALUE_ARRAY)))
            return false;
    bool ok = read_arenas(r, list[SEGMENTS], e) && read_consts(r, list[CONSTS], e) &&
              read_ranges(r, list[INPUTS], ARENA_INPUTS, true, &e->input, &e->ninputs) &&
              read_ranges(r, list[OUTPUTS], ARENA_OUTPUTS, false, &e->output, &e->noutputs) &&
              read_steps(r, list[STEPS], e);
    r->entry = NULL;
    return ok;
}

static bool read_entries(struct dispatch_reader *r, const struct value *list)
{
    struct dispatch_entry *e = arena_array(r->arena, list->as.array.n, sizeof *e);
    for (size_t i = 0; i < list->as.array.n; i++) {
        if (!read_entry(r, list->as.array.at[i], &e[i]))
            return false;
        for (size_t j = 0; j < i; j++)
            if (!strcmp(e[j].name, e[i].name))
                return dispatch_bad(r, "two entries are called `%s`", e[i].name);
        if (i >= DISPATCH_MAX_ENTRIES)
            return dispatch_bad(r, "there are too many entries");
    }
    r->program->entry = e;
    r->program->nentries = list->as.array.n;
    return true;
}

static bool read_table(struct dispatch_reader *r, const struct value *fields)
{
    struct dispatch_program *p = r->program;
    const struct value *entries = dispatch_field(r, fields, "entries", VALUE_ARRAY);
    const struct value *kernels = dispatch_field(r, fields, "kernels", VALUE_ARRAY);
    const struct value *segments = dispatch_field(r, fields, "segments", VALUE_ARRAY);
    const struct value *vars = dispatch_field(r, fields, "vars", VALUE_ARRAY);
    if (!entries || !kernels || !segments || !vars)
        return false;
    if (fields->as.object.n != 4)
        return dispatch_bad(r, "it has fields that this version does not know");
    return read_segments(r, segments, &p->var_segment, &p->nvar_segments) &&
           read_ranges(r, vars, ARENA_VARS, false, &p->var, &p->nvars) &&
           check_disjoint(r, p->var, p->nvars) && dispatch_read_kernels(r, kernels) &&
           read_entries(r, entries);
}

const struct dispatch_program *dispatch_read(struct arena *a, const struct pack *pack,
                                             const struct handle *h, struct latent_error *error)
{
    struct dispatch_reader r = {
        .arena = a, .pack = pack, .error = error, .program = arena_new(a, struct dispatch_program)};
    const struct value *v = pack_get(a, pack, h, error), *fields;
    int64_t number;
    if (!v)
        return NULL;
    if (!value_is_contract(v, &number, &fields) || number != DISPATCH_CONTRACT)
        dispatch_bad(&r, "it is no object of contract 903");
    else if (read_table(&r, fields))
        return r.program;
    return NULL;
}
