// stage_pipeline.c: pipelines of a program's own kernels: assembles SPIR-V, and says which stored
// pipeline the compiled file is.
#include "frontend/stage_builtin.h"

#include "frontend/stage_store.h"
#include "latent/contract.h"

// spirv_of(path): the front end knows no SPIR-V; whoever compiles gives it an assembler.
struct stage_value stage_files_spirv(struct stage *s, struct stage_call *c)
{
    const char *path, *why = "this compiler has no assembler";
    const struct value *text = stage_read_file(s, c, 0, &path);
    if (!text)
        return stage_poison();
    struct buf words = {0};
    bool ok = s->options->assemble &&
              s->options->assemble(s->a, text->as.bytes.at, text->as.bytes.n, &words, &why);
    struct stage_value v = ok ? stage_bytes(s->a, STAGE_BYTES, words.at, words.n) : stage_poison();
    if (!ok)
        stage_fail(s, c->arg_at[0], "HLX0708", "`%s` cannot be assembled: %s", path, why);
    stage_charge(s, words.n / 8);
    buf_free(&words);
    return v;
}

// ls.root(handle)
struct stage_value stage_ls_root(struct stage *s, struct stage_call *c)
{
    int64_t number;
    const struct value *fields, *v;
    struct stage_value found = stage_ls_resolve(s, c);
    if (found.kind == STAGE_POISON)
        return found;
    v = stage_to_latent(s, c->arg_at[0], found);
    if (!value_is_contract(v, &number, &fields) || number != CONTRACT_PIPELINE)
        return stage_arg_error(s, c, 0, "the handle of a pipeline (contract 902)");
    if (s->root) {
        struct diag *g = stage_error(s, c->at, "HLX0302", "a compiled file has one root");
        diag_label(g, s->root_at, "first here");
        return stage_poison();
    }
    s->root = v;
    s->root_at = c->at;
    return c->arg[0];
}

// -- what it leads to ----------------------------------------------------------------------------

struct walk {
    struct stage *s;
    struct map seen; // full handles
    VEC(const struct value *) found;
};

static void walk_handle(struct walk *w, const struct value *v)
{
    bool fresh;
    const struct map_entry *e = map_find_str(&w->s->store, v->as.bytes.at);
    if (!e || !e->value.p) // a name, or nothing that is stored here
        return;
    struct stage_stored *kept = e->value.p;
    map_put_str(&w->seen, v->as.bytes.at, &fresh);
    if (fresh && (kept->value = stage_stored_value(w->s, kept)) != NULL)
        vec_push(w->s->a, &w->found, kept->value);
}

static void walk_value(struct walk *w, const struct value *v)
{
    if (v->kind == VALUE_HANDLE)
        walk_handle(w, v);
    for (size_t i = 0; v->kind == VALUE_ARRAY && i < v->as.array.n; i++)
        walk_value(w, v->as.array.at[i]);
    for (size_t i = 0; v->kind == VALUE_OBJECT && i < v->as.object.n; i++)
        walk_value(w, v->as.object.at[i].value);
}

void stage_pipeline_close(struct stage *s)
{
    struct frontend_root *out = s->options->root;
    struct walk w = {.s = s};
    if (!s->root || !out)
        return;
    if (s->m->entries.n > 0) {
        struct diag *g = stage_error(s, s->root_at, "HLX0307",
                                     "a file with entries has the program as its root");
        diag_label(g, s->m->entries.at[0].span, "an entry");
        return;
    }
    map_init(&w.seen, s->a);
    walk_value(&w, s->root);
    for (size_t i = 0; i < w.found.n; i++) // which grows: chains of handles may be long
        walk_value(&w, w.found.at[i]);
    *out = (struct frontend_root){s->root, w.found.at, w.found.n};
}
