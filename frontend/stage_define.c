// stage_define.c: values given on the command line as -D name=value.
#include "frontend/stage.h"

#include <string.h>

#include "frontend/parse.h"

// Literals only: a value on the command line computes nothing.
static bool is_literal(const struct ast *e)
{
    static const bool leaf[AST_KIND_COUNT] = {
        [AST_NULL_] = true, [AST_BOOL] = true,  [AST_INT] = true,    [AST_FLOAT] = true,
        [AST_TEXT] = true,  [AST_BYTES] = true, [AST_HANDLE] = true,
    };
    if (!e || leaf[e->kind])
        return e;
    bool group = e->kind == AST_ARRAY || e->kind == AST_OBJECT || e->kind == AST_FIELD ||
                 (e->kind == AST_UNARY && e->op == AST_NEG);
    for (uint32_t i = 0; group && i < e->nkids; i++)
        group = is_literal(e->kid[i]);
    return group;
}

// A literal of the language, or else the text as it stands.
static struct stage_value define_value(struct stage *s, const struct frontend_define *define)
{
    struct diags quiet;
    uint32_t file = sources_add(s->sources, arena_printf(s->a, "-D %s", define->name),
                                define->value, strlen(define->value));
    diags_init(&quiet, s->a, s->sources);
    const struct ast_file *tree = parse_file(s->a, s->sources, &quiet, file);
    const struct ast *program = tree ? tree->program : NULL;
    bool one = program && !quiet.errors && program->nkids == 1 &&
               program->kid[0]->kind == AST_EXPR && is_literal(program->kid[0]->kid[0]);
    struct stage_env env = {s->main, NULL, true};
    return one ? stage_expr(s, &env, program->kid[0]->kid[0]) : stage_text(s->a, define->value);
}

void stage_defines_init(struct stage *s)
{
    map_init(&s->defines, s->a);
    for (size_t i = 0; i < s->options->ndefines; i++) {
        const struct frontend_define *define = &s->options->defines[i];
        struct stage_value *v = arena_new(s->a, struct stage_value);
        *v = define_value(s, define);
        map_put_str(&s->defines, define->name, NULL)->value.p = v;
    }
}

static bool mentions(const struct ast *e, const char *name)
{
    if (!e)
        return false;
    if ((e->kind == AST_NAME || e->kind == AST_LET || e->kind == AST_VAR) && !strcmp(e->text, name))
        return true;
    for (uint32_t i = 0; i < e->nkids; i++)
        if (mentions(e->kid[i], name))
            return true;
    return false;
}

void stage_defines_bind(struct stage *s, struct stage_env *env, const struct ast *program)
{
    for (size_t i = 0; i < s->defines.n; i++) {
        const struct map_entry *e = &s->defines.entry[i];
        stage_bind(s, env, e->key, *(const struct stage_value *)e->value.p, true, (struct span){0});
        if (!mentions(program, e->key))
            diag_warning(s->d, (struct span){0}, "HLX0306", "-D %s: the program has no such name",
                         e->key);
    }
}
