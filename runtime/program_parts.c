// program_parts.c: makes the parameter table, the data sources and the tree of pipelines of a
// program.
#include "runtime/program_parts.h"

#include <string.h>

#include "latent/contract.h"
#include "runtime/spv_reflect.h"

#define MAKE(a, ...)                                                                               \
    value_object((a), (struct value_field[]){__VA_ARGS__},                                         \
                 sizeof((struct value_field[]){__VA_ARGS__}) / sizeof(struct value_field), NULL)

static const struct value *number(struct arena *a, uint64_t n)
{
    return value_int(a, (int64_t)n);
}

static const struct value *reference(struct arena *a, const struct value *v)
{
    struct handle h = handle_of(v);
    return handle_value(a, &h);
}

static const struct value *shape(struct arena *a, const struct ir_type *t)
{
    const struct value *dim[IR_MAX_RANK];
    for (unsigned i = 0; i < t->rank; i++)
        dim[i] = value_int(a, t->dim[i]);
    return value_array(a, dim, t->rank);
}

const struct value *program_params(struct arena *a, const struct ir_module *m)
{
    const struct value **row = arena_array(a, m->vars.n, sizeof *row);
    for (size_t i = 0; i < m->vars.n; i++) {
        const struct ir_var *v = &m->vars.at[i];
        const struct ir_type *t = ir_type_get(m, v->type);
        row[i] = MAKE(a, {"path", 4, value_str(a, v->path)},
                      {"kind", 4, value_str(a, v->kind == IR_PARAM ? "param" : "state")},
                      {"dtype", 5, value_str(a, dtype_name(t->dtype))}, {"shape", 5, shape(a, t)});
    }
    return value_array(a, row, m->vars.n);
}

// -- data ----------------------------------------------------------------------------------------

static const struct value *data_fields(struct arena *a, const struct ir_module *m,
                                       const struct ir_data *d)
{
    const struct value **row = arena_array(a, d->fields.n, sizeof *row);
    for (size_t i = 0; i < d->fields.n; i++) {
        const struct ir_type *t = ir_type_get(m, d->fields.at[i].type);
        row[i] = MAKE(a, {"name", 4, value_str(a, d->fields.at[i].name)},
                      {"dtype", 5, value_str(a, dtype_name(t->dtype))}, {"shape", 5, shape(a, t)});
    }
    return value_array(a, row, d->fields.n);
}

// Tokens are named by a text, or are an object or handle of their own.
static const struct value *tokenizer_of(struct arena *a, const struct ir_data *d)
{
    const struct value *tokens = value_get(d->source, "tokens");
    if (!tokens)
        return NULL;
    if (tokens->kind == VALUE_TEXT)
        return value_contract(a, CONTRACT_TOKENIZER, MAKE(a, {"kind", 4, tokens}));
    return value_contract(a, CONTRACT_TOKENIZER,
                          MAKE(a, {"kind", 4, value_str(a, "table")}, {"table", 5, tokens}));
}

const struct value *program_source(struct arena *a, const struct ir_module *m,
                                   const struct ir_data *d, bool carried, const char *hint,
                                   const struct value **tokenizer)
{
    const struct value *content = value_get(d->source, "content");
    const struct value *where = hint ? value_text(a, hint, strlen(hint), NULL) : NULL;
    *tokenizer = tokenizer_of(a, d);
    struct value_field field[] = {
        {"name", 4, value_str(a, d->name)},
        {"source", 6, d->source},
        {"fields", 6, data_fields(a, m, d)},
        {"content", 7, content && content->kind == VALUE_HANDLE ? content : value_null()},
        {"carried", 7, value_bool(carried)},
        {"tokenizer", 9, *tokenizer ? reference(a, *tokenizer) : value_null()},
        {"hint", 4, where},
    };
    size_t n = sizeof field / sizeof *field - (where == NULL); // a name that is not UTF-8 is lost
    return value_contract(a, CONTRACT_DATA, value_object(a, field, n, NULL));
}

// -- the tree ------------------------------------------------------------------------------------

static const struct value *triple(struct arena *a, const uint32_t x[3])
{
    const struct value *v[3];
    for (int i = 0; i < 3; i++)
        v[i] = number(a, x[i]);
    return value_array(a, v, 3);
}

// A shader that cannot be read has no workgroups; spv_check refuses it before it runs.
static const struct value *kernel(struct arena *a, const struct dispatch_kernel *k)
{
    struct spv_reflection r;
    if (spv_reflect(a, k->words, k->nwords, &r))
        r = (struct spv_reflection){.name = ""};
    struct value_field field[] = {
        {"kernel_name", 11, value_str(a, k->name)},
        {"shader_handle", 13, handle_value(a, &k->handle)},
        {"workgroup_size", 14, triple(a, r.local)},
        {"shared_memory_bytes", 19, number(a, r.shared)},
        {"push_constants_layout", 21, value_str(a, arena_printf(a, "push: u32[%u]", k->push))},
    };
    size_t n = sizeof field / sizeof *field - (k->push == 0);
    return value_contract(a, CONTRACT_KERNEL, value_object(a, field, n, NULL));
}

// The kernels of an entry, each once, in order of their first use.
static const struct value *entry_stages(struct arena *a, const struct dispatch_program *d,
                                        const struct dispatch_entry *e,
                                        const struct value *const *kernels)
{
    bool *seen = arena_array(a, d->nkernels, sizeof *seen);
    const struct value **stage = arena_array(a, d->nkernels, sizeof *stage);
    size_t n = 0;
    for (size_t s = 0; s < e->nsteps; s++)
        for (size_t v = 0; v < e->step[s].nvariants; v++)
            for (size_t c = 0; c < e->step[s].variant[v].ncalls; c++) {
                uint32_t k = e->step[s].variant[v].call[c].kernel;
                if (!seen[k])
                    stage[n++] = reference(a, kernels[k]);
                seen[k] = true;
            }
    return value_array(a, stage, n);
}

static const struct value *pipeline(struct arena *a, const char *name, const struct value *stages,
                                    const struct handle *program)
{
    struct value_field field[] = {
        {"pipeline_id", 11, value_str(a, name)},
        {"stages", 6, stages},
        {"program", 7, program ? handle_value(a, program) : NULL},
    };
    size_t n = sizeof field / sizeof *field - (program == NULL);
    return value_contract(a, CONTRACT_PIPELINE, value_object(a, field, n, NULL));
}

void program_tree(struct arena *a, const struct dispatch_program *d, const struct handle *program,
                  program_values *out)
{
    size_t nkernels = d ? d->nkernels : 0, nentries = d ? d->nentries : 0;
    const struct value **kernels = arena_array(a, nkernels, sizeof *kernels);
    const struct value **entries = arena_array(a, nentries, sizeof *entries);
    for (size_t i = 0; i < nkernels; i++) {
        kernels[i] = kernel(a, &d->kernel[i]);
        vec_push(a, out, kernels[i]);
    }
    for (size_t i = 0; i < nentries; i++) {
        const struct dispatch_entry *e = &d->entry[i];
        const struct value *v = pipeline(a, e->name, entry_stages(a, d, e, kernels), NULL);
        vec_push(a, out, v);
        entries[i] = reference(a, v);
    }
    vec_push(a, out, pipeline(a, "program", value_array(a, entries, nentries), program));
}
