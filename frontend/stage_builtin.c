// stage_builtin.c: the builtins as data: finding them, matching their arguments, their reference.
#include "frontend/stage_builtin.h"

#include <string.h>

const struct stage_builtin stage_builtins[] = {
#define BUILTIN(name, signature, run, op, doc) {#name, signature, run, op, doc},
#include "frontend/builtins.def"
#undef BUILTIN
    {NULL, NULL, NULL, 0, NULL},
};

const struct stage_builtin stage_ls_builtins[] = {
#define BUILTIN(name, signature, run, op, doc) {#name, signature, run, op, doc},
#include "frontend/builtins_ls.def"
#undef BUILTIN
    {NULL, NULL, NULL, 0, NULL},
};

// -- names ---------------------------------------------------------------------------------------

static void add(struct stage *s, const char *name, struct stage_value v)
{
    struct stage_value *kept = arena_new(s->a, struct stage_value);
    *kept = v;
    map_put_str(&s->builtins, name, NULL)->value.p = kept;
}

static struct stage_value builtin_value(const struct stage_builtin *b)
{
    return (struct stage_value){.kind = STAGE_BUILTIN, .as.builtin = b};
}

void stage_builtins_init(struct stage *s)
{
    map_init(&s->builtins, s->a);
    for (const struct stage_builtin *b = stage_builtins; b->name; b++)
        add(s, b->name, builtin_value(b));
    add(s, "ascii", stage_text(s->a, "ascii"));
    add(s, "bytes", stage_text(s->a, "bytes"));
    struct stage_module *ls = arena_new(s->a, struct stage_module);
    ls->name = ls->shown = "ls";
    map_init(&ls->names, s->a);
    struct stage_env env = {ls, NULL, true};
    for (const struct stage_builtin *b = stage_ls_builtins; b->name; b++)
        stage_bind(s, &env, b->name, builtin_value(b), false, (struct span){0});
    add(s, "ls", (struct stage_value){.kind = STAGE_MODULE, .as.module = ls});
}

// -- signatures ----------------------------------------------------------------------------------

// One name of a signature.
struct slot {
    const char *name;
    size_t n;
    bool optional, rest;
};

// Reads the slots of "x, axis = null, args..."; returns how many.
static unsigned read_signature(const char *text, struct slot out[STAGE_MAX_ARGS])
{
    unsigned n = 0;
    for (const char *p = text; *p && n < STAGE_MAX_ARGS; n++) {
        size_t word = strcspn(p, " ,."), all = strcspn(p, ",");
        out[n] = (struct slot){p, word, memchr(p, '=', all) != NULL, p[word] == '.'};
        p += all;
        p += strspn(p, ", ");
    }
    return n;
}

static int find_slot(const struct slot *slots, unsigned n, const char *name)
{
    for (unsigned i = 0; i < n; i++)
        if (!slots[i].rest && strlen(name) == slots[i].n &&
            !memcmp(name, slots[i].name, slots[i].n))
            return (int)i;
    return -1;
}

static bool misuse(struct stage *s, struct span at, const struct stage_builtin *b,
                   const char *message)
{
    struct diag *g = stage_error(s, at, "HLX0406", "%s", message);
    diag_help(g, "%s(%s): %s", b->name, b->signature, b->doc);
    return false;
}

static bool place_arg(struct stage *s, struct stage_call *c, const struct slot *slots, unsigned n,
                      const struct stage_arg *arg, unsigned *next)
{
    int i = *arg->name ? find_slot(slots, n, arg->name) : (int)(*next)++;
    if (i < 0)
        return misuse(
            s, arg->span, c->builtin,
            arena_printf(s->a, "`%s` takes no argument `%s`", c->builtin->name, arg->name));
    if ((unsigned)i >= n)
        return misuse(
            s, arg->span, c->builtin,
            arena_printf(s->a, "`%s` takes %u argument%s", c->builtin->name, n, n == 1 ? "" : "s"));
    if (c->arg[i].kind != STAGE_NONE)
        return misuse(s, arg->span, c->builtin,
                      arena_printf(s->a, "the argument `%.*s` is given twice", (int)slots[i].n,
                                   slots[i].name));
    c->arg[i] = arg->value;
    c->arg_at[i] = arg->span;
    return true;
}

// Puts arguments into c->arg; those from `...` on into c->rest.
static bool match(struct stage *s, struct stage_call *c, const struct stage_arg *args, size_t n)
{
    struct slot slots[STAGE_MAX_ARGS];
    unsigned count = read_signature(c->builtin->signature, slots), next = 0;
    bool rest = count && slots[count - 1].rest;
    if (rest)
        count--;
    for (size_t i = 0; i < n; i++) {
        bool fits = *args[i].name ? find_slot(slots, count, args[i].name) >= 0 : next < count;
        if (rest && !fits) {
            c->rest = args + i;
            c->nrest = n - i;
            break;
        }
        if (!place_arg(s, c, slots, count, &args[i], &next))
            return false;
    }
    for (unsigned i = 0; i < count; i++)
        if (c->arg[i].kind == STAGE_NONE && !slots[i].optional)
            return misuse(s, c->at, c->builtin,
                          arena_printf(s->a, "`%s` needs the argument `%.*s`", c->builtin->name,
                                       (int)slots[i].n, slots[i].name));
    return true;
}

struct stage_value stage_apply_builtin(struct stage *s, struct span at,
                                       const struct stage_builtin *b, const struct stage_arg *args,
                                       size_t n)
{
    struct stage_call c = {.builtin = b, .at = at};
    for (unsigned i = 0; i < STAGE_MAX_ARGS; i++)
        c.arg_at[i] = at;
    for (size_t i = 0; i < n; i++)
        if (args[i].value.kind == STAGE_POISON)
            return stage_poison();
    return match(s, &c, args, n) ? b->run(s, &c) : stage_poison();
}

// -- arguments -----------------------------------------------------------------------------------

bool stage_given(const struct stage_call *c, unsigned i)
{
    return c->arg[i].kind != STAGE_NONE && c->arg[i].kind != STAGE_NULL;
}

struct stage_value stage_arg_error(struct stage *s, struct stage_call *c, unsigned i,
                                   const char *wanted)
{
    struct slot slots[STAGE_MAX_ARGS];
    read_signature(c->builtin->signature, slots);
    struct diag *g = stage_error(s, c->arg_at[i], "HLX0405", "argument `%.*s` of `%s` must be %s",
                                 (int)slots[i].n, slots[i].name, c->builtin->name, wanted);
    bool scalar = stage_is_number(c->arg[i]) || c->arg[i].kind == STAGE_TEXT;
    if (stage_is_tensor(c->arg[i]))
        diag_caret(g, "%s", stage_type_text(s->m, c->arg[i]));
    else
        diag_caret(g, "%s%s%s", stage_kind_text(s->m, c->arg[i]), scalar ? " " : "",
                   scalar ? stage_shown(s->m, c->arg[i]) : "");
    return stage_poison();
}

bool stage_want_int(struct stage *s, struct stage_call *c, unsigned i, int64_t low, int64_t high,
                    int64_t *out)
{
    bool fits =
        c->arg[i].kind == STAGE_INT && c->arg[i].as.integer >= low && c->arg[i].as.integer <= high;
    if (fits)
        *out = c->arg[i].as.integer;
    else if (low == 0 || low == 1)
        stage_arg_error(s, c, i, low ? "an int from 1" : "an int from 0");
    else
        stage_arg_error(s, c, i, "an int");
    return fits;
}

bool stage_want_bool(struct stage *s, struct stage_call *c, unsigned i, bool *out)
{
    *out = false;
    if (!stage_given(c, i))
        return true;
    if (c->arg[i].kind != STAGE_BOOL) {
        stage_arg_error(s, c, i, "true or false");
        return false;
    }
    *out = c->arg[i].as.boolean;
    return true;
}

bool stage_want_text(struct stage *s, struct stage_call *c, unsigned i, const char *missing,
                     const char **out)
{
    *out = missing;
    if (missing && !stage_given(c, i))
        return true;
    if (c->arg[i].kind != STAGE_TEXT) {
        stage_arg_error(s, c, i, "a text");
        return false;
    }
    *out = c->arg[i].as.text.at;
    return true;
}

bool stage_want_tensor(struct stage *s, struct stage_call *c, unsigned i, ir_ref *out)
{
    if (!stage_is_tensor(c->arg[i]) && !stage_is_number(c->arg[i]) &&
        c->arg[i].kind != STAGE_BOOL) {
        stage_arg_error(s, c, i, "a tensor");
        return false;
    }
    *out = stage_lift(s, c->arg_at[i], c->arg[i], DT_COUNT);
    return *out != 0;
}

bool stage_want_axis(struct stage *s, struct stage_call *c, unsigned i, ir_ref r, int64_t *out)
{
    ir_typeid type = ir_get(s->unit->graph, r)->type;
    int64_t n = ir_type_get(s->m, type)->rank;
    if (c->arg[i].kind != STAGE_INT) {
        stage_arg_error(s, c, i, "an axis: an int");
        return false;
    }
    *out = c->arg[i].as.integer < 0 ? c->arg[i].as.integer + n : c->arg[i].as.integer;
    if (*out >= 0 && *out < n)
        return true;
    stage_fail(s, c->arg_at[i], "HLX0409", "there is no axis %lld in %s",
               (long long)c->arg[i].as.integer, ir_type_text(s->m, type));
    return false;
}

bool stage_want_shape(struct stage *s, struct stage_call *c, unsigned i, bool wild, unsigned *n,
                      int64_t dims[IR_MAX_RANK])
{
    struct stage_value v = c->arg[i], one = v;
    size_t count = v.kind == STAGE_INT ? 1 : stage_count(v);
    if ((v.kind != STAGE_INT && !stage_is_list(v)) || count > IR_MAX_RANK) {
        stage_arg_error(s, c, i, "a shape: an int or an array of at most 8 ints");
        return false;
    }
    for (size_t k = 0; k < count; k++) {
        if (v.kind != STAGE_INT)
            one = stage_item(v, k);
        bool fits = one.kind == STAGE_INT && one.as.integer <= IR_MAX_ELEMENTS &&
                    (one.as.integer >= 1 || (wild && one.as.integer == -1));
        if (!fits) {
            if (one.kind != STAGE_POISON)
                stage_fail(s, c->arg_at[i], "HLX0410", "an extent is an int from 1, not %s",
                           stage_shown(s->m, one));
            return false;
        }
        dims[k] = one.as.integer;
    }
    *n = (unsigned)count;
    return true;
}

// -- the reference -------------------------------------------------------------------------------

static void markdown(const struct stage_builtin *b, const char *prefix, struct buf *out)
{
    for (; b->name; b++) {
        buf_printf(out, "| `%s%s(%s)` | ", prefix, b->name, b->signature);
        for (const char *p = b->doc; *p; p++) {
            if (*p == '|')
                buf_putc(out, '\\');
            buf_putc(out, *p);
        }
        buf_puts(out, " |\n");
    }
}

void stage_builtins_markdown(struct buf *out)
{
    buf_puts(out, "| function | result |\n| --- | --- |\n");
    markdown(stage_builtins, "", out);
    markdown(stage_ls_builtins, "ls.", out);
}
