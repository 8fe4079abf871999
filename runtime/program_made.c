// program_made.c: tells each step of a dispatch table which values of the IR it makes, and where.
//
// Nothing that runs depends on it: who looks for the first wrong value of a step does
// (spec/hbin.md, H4). All of it is untrusted.
#include "runtime/program.h"

#include "ir/shard.h"
#include "runtime/leb.h"

struct reader {
    struct program *p;
    const struct ir_graph *graph;
    const struct dispatch_entry *entry;
    struct leb c;
};

static bool range_fits(const struct reader *r, const struct dispatch_range *at)
{
    const struct dispatch_program *t = r->p->dispatch;
    bool vars = at->arena == ARENA_VARS;
    size_t n = vars ? t->nvar_segments : r->entry->nsegments[at->arena];
    const uint64_t *size = vars ? t->var_segment : r->entry->segment[at->arena];
    return at->segment < n && at->offset <= size[at->segment] &&
           at->size <= size[at->segment] - at->offset;
}

static bool read_one(struct reader *r, struct dispatch_made *out)
{
    uint64_t node = leb_take(&r->c), arena = leb_take(&r->c), segment = leb_take(&r->c),
             offset = leb_take(&r->c);
    if (r->c.bad || node < 1 || node >= r->graph->nodes.n || arena >= ARENA_COUNT ||
        segment > UINT32_MAX || offset > UINT64_MAX / DISPATCH_ALIGN)
        return false;
    out->node = (uint32_t)node;
    out->range = (struct dispatch_range){
        .arena = (enum dispatch_arena)arena,
        .segment = (uint32_t)segment,
        .offset = offset * DISPATCH_ALIGN,
        .size = (ir_type_bytes(ir_typeof(r->graph, (ir_ref)node)) + 3) / 4 * 4};
    return range_fits(r, &out->range);
}

static bool read_step(struct reader *r, struct dispatch_step *step)
{
    uint64_t n = leb_take(&r->c);
    if (r->c.bad || n > (uint64_t)(r->c.end - r->c.at)) // each takes four bytes or more
        return false;
    struct dispatch_made *made = arena_array(&r->p->arena, n + 1, sizeof *made);
    for (size_t i = 0; i < n; i++)
        if (!read_one(r, &made[i]))
            return false;
    step->made = made;
    step->nmade = n;
    return true;
}

// The table's structs are this program's own; only their readers see them as constant.
static bool read_entry(struct reader *r)
{
    for (size_t i = 0; r->entry && i < r->entry->nsteps; i++)
        if (!read_step(r, (struct dispatch_step *)&r->entry->step[i]))
            return false;
    return !r->c.bad && r->c.at == r->c.end;
}

static const char *attach_part(struct program *p, const struct ir_entry *part,
                               const struct value *bytes)
{
    struct reader r = {.p = p, .graph = part->graph};
    if (bytes->kind != VALUE_BYTES)
        return "its source map holds what is no list of what steps make";
    r.c = leb_start(bytes->as.bytes.at, bytes->as.bytes.n);
    r.entry = p->dispatch ? dispatch_find(p->dispatch, part->name) : NULL;
    if (read_entry(&r))
        return NULL;
    return arena_printf(
        &p->arena, "what its source map says of the steps of `%s` does not fit them", part->name);
}

const char *program_attach_made(struct program *p, const struct value *debug)
{
    const struct value *list = value_get(debug, "made");
    ir_entries parts = {0};
    ir_parts(&p->module, &p->arena, &parts);
    if (!list || list->kind != VALUE_ARRAY || list->as.array.n != parts.n)
        return "its source map does not say of each entry what its steps make";
    for (size_t i = 0; i < parts.n; i++) {
        const char *why = attach_part(p, parts.at[i], list->as.array.at[i]);
        if (why)
            return why;
    }
    return NULL;
}
