// program.c: walks the grammar of HLXL at random and writes what it passes.
#include "tests/gen/program.h"

#include <string.h>

#include "tests/gen/layout.h"

struct program {
    struct layout l;
    unsigned fuel; // how many more inner expressions and statements there may be
};

#define PICK(p, list) ((list)[layout_chance(&(p)->l, sizeof(list) / sizeof *(list))])

static void expr(struct program *p);
static void block(struct program *p);
static void statements(struct program *p, bool top);

static bool one_in(struct program *p, unsigned n)
{
    return layout_one_in(&p->l, n);
}

static void token(struct program *p, const char *text)
{
    layout_token(&p->l, text);
}

static void ending(struct program *p, const char *text)
{
    layout_ending(&p->l, text);
}

static bool spend(struct program *p)
{
    if (p->fuel == 0)
        return false;
    p->fuel--;
    return true;
}

// What a list holds: an element, and more while there is fuel.
static void list(struct program *p, void (*element)(struct program *), unsigned more)
{
    element(p);
    while (!one_in(p, more) && spend(p)) {
        token(p, ",");
        element(p);
    }
}

// -- names and literals --------------------------------------------------------------------------

static void name(struct program *p)
{
    static const char *const names[] = {
        "x",          "y",
        "w",          "B",
        "T",          "_",
        "_0",         "x1",
        "nn",         "loss",
        "tokens",     "attention",
        "relu",       "f32",
        "i32",        "bool",
        "int",        "mean",
        "layer_norm", "true_",
        "letter",     "normal",
        "e1",         "h_a",
        "data",       "entry",
        "state",      "share",

        "backward",   "a_name_that_is_long_enough_to_make_a_line_break_where_it_stands"};
    ending(p, PICK(p, names));
}

// A name where keywords are names too: after `.` and `as`, and before `:`.
static const char *word(struct program *p)
{
    static const char *const words[] = {"x",   "let",    "if",    "for",  "in",       "import",
                                        "and", "not",    "or",    "as",   "contract", "true",
                                        "fn",  "return", "param", "else", "var",      "null",
                                        "lr",  "keep",   "data",  "init", "false",    "w1"};
    return PICK(p, words);
}

static void label(struct program *p)
{
    token(p, word(p));
    layout_glued(&p->l, ":");
}

static void integer(struct program *p)
{
    static const char *const integers[] = {
        "0", "1", "7", "42", "1_000_000", "0x1F", "0Xdead_BEEF", "9223372036854775807"};
    ending(p, PICK(p, integers));
}

static void floating(struct program *p)
{
    static const char *const floats[] = {"0.0",      "1.5",      "0.5",     "3e-4",
                                         "1E5",      "2.50",     "1_0.0_1", "1e+30",
                                         "6.02E+23", "0.000001", "0e0",     "123456.75"};
    ending(p, PICK(p, floats));
}

static void text(struct program *p)
{
    static const char *const texts[] = {
        "\"\"",
        "\"a\"",
        "\"two words\"",
        "\"\\\"\\\\\\n\\t\\r\"",
        "\"\\u{1F701}\\u{e9}\"",
        "\"\xc3\xa9\xf0\x9f\x9c\x81\"",
        "\"// no comment\"",
        "\"{input} -> {output}\"",
        "\"a text that is so long that beside it on a line there is room for next to nothing\""};
    ending(p, PICK(p, texts));
}

static void bytes(struct program *p)
{
    static const char *const all[] = {"x\"\"", "x\"00ff\"", "x\"DEADbeef\"", "x\"0a0B0c\""};
    ending(p, PICK(p, all));
}

static void handle(struct program *p)
{
    static const char *const handles[] = {"&a", "&h_shader", "&h_358f64701c216382", "&let"};
    ending(p, PICK(p, handles));
}

static void constant(struct program *p)
{
    static const char *const constants[] = {"true", "false", "null"};
    ending(p, PICK(p, constants));
}

static void leaf(struct program *p)
{
    static void (*const leaves[])(struct program *) = {name,     name, name,  integer, integer,
                                                       floating, text, bytes, handle,  constant};
    PICK(p, leaves)(p);
}

// -- brackets ------------------------------------------------------------------------------------

static void object_key(struct program *p)
{
    if (one_in(p, 6)) {
        text(p);
        token(p, ":");
    } else if (one_in(p, 6)) {
        token(p, "@");
        layout_glued(&p->l, "3");
        p->l.ends = true;
        token(p, ":");
    } else {
        label(p);
    }
}

static void field(struct program *p)
{
    object_key(p);
    expr(p);
}

static void object(struct program *p)
{
    token(p, "{");
    if (!one_in(p, 4))
        list(p, field, 2);
    ending(p, "}");
}

static void signed_number(struct program *p)
{
    if (one_in(p, 5))
        token(p, "-");
    if (one_in(p, 2))
        integer(p);
    else
        floating(p);
}

static void array(struct program *p)
{
    token(p, "[");
    if (one_in(p, 3))
        for (unsigned n = layout_chance(&p->l, 40); n > 0; n--) {
            signed_number(p);
            if (n > 1)
                token(p, ",");
        }
    else if (!one_in(p, 5))
        list(p, expr, 2);
    ending(p, "]");
}

static void contract(struct program *p)
{
    if (one_in(p, 2)) {
        token(p, "contract");
        integer(p);
    } else {
        token(p, "@");
        layout_glued(&p->l, one_in(p, 2) ? "14" : "0x0E");
        p->l.ends = true;
    }
    object(p);
}

static void parentheses(struct program *p)
{
    token(p, "(");
    expr(p);
    ending(p, ")");
}

// -- signatures ----------------------------------------------------------------------------------

static void type(struct program *p)
{
    if (one_in(p, 5))
        ending(p, "fn");
    else
        name(p);
    if (one_in(p, 2))
        return;
    token(p, "[");
    if (!one_in(p, 4))
        list(p, expr, 2);
    ending(p, "]");
}

static void formal(struct program *p)
{
    name(p);
    if (one_in(p, 2))
        token(p, ":"), type(p);
    if (one_in(p, 3))
        token(p, "="), expr(p);
}

static void formals(struct program *p)
{
    token(p, "(");
    if (!one_in(p, 4))
        list(p, formal, 2);
    ending(p, ")");
}

static void result(struct program *p)
{
    if (one_in(p, 2))
        token(p, "->"), type(p);
}

static void closure(struct program *p)
{
    ending(p, "fn");
    formals(p);
    result(p);
    block(p);
}

// -- expressions ---------------------------------------------------------------------------------

static void conditional(struct program *p)
{
    token(p, "if");
    expr(p);
    block(p);
    if (one_in(p, 2))
        return;
    token(p, "else");
    if (one_in(p, 3))
        conditional(p);
    else
        block(p);
}

static void primary(struct program *p)
{
    static void (*const inner[])(struct program *) = {object,  array,       contract,   parentheses,
                                                      closure, parentheses, conditional};
    if (one_in(p, 2) || !spend(p))
        leaf(p);
    else
        PICK(p, inner)(p);
}

static void argument(struct program *p)
{
    if (one_in(p, 3))
        label(p);
    expr(p);
}

static void arguments(struct program *p)
{
    token(p, "(");
    if (!one_in(p, 5))
        list(p, argument, 2);
    ending(p, ")");
}

static void part(struct program *p)
{
    bool range = one_in(p, 2), low = !one_in(p, 3), high = !one_in(p, 3);
    if (low || !range)
        expr(p);
    if (range)
        ending(p, "..");
    p->l.ends = !range;
    if (range && high)
        expr(p);
}

static void subscript(struct program *p)
{
    token(p, "[");
    list(p, part, 3);
    ending(p, "]");
}

static void member(struct program *p)
{
    token(p, ".");
    ending(p, word(p));
}

static void postfix(struct program *p)
{
    static void (*const behind[])(struct program *) = {arguments, arguments, subscript, member};
    primary(p);
    while (one_in(p, 3) && spend(p))
        PICK(p, behind)(p);
}

static void segment(struct program *p)
{
    ending(p, word(p));
    while (one_in(p, 4)) {
        token(p, "[");
        expr(p);
        ending(p, "]");
    }
}

static void scoped(struct program *p)
{
    postfix(p);
    arguments(p);
    do {
        token(p, "as");
        segment(p);
        while (one_in(p, 4)) {
            token(p, ".");
            segment(p);
        }
    } while (one_in(p, 6));
}

static void operand(struct program *p)
{
    if (one_in(p, 10))
        token(p, "-");
    if (one_in(p, 16))
        token(p, "not");
    if (one_in(p, 10) && spend(p))
        scoped(p);
    else
        postfix(p);
}

// One operation or a chain of them; comparisons do not chain.
static void expr(struct program *p)
{
    static const char *const operators[] = {"or", "and", "+", "-", "*", "/", "%", "@", "**", "+"};
    static const char *const comparisons[] = {"==", "!=", "<", "<=", ">", ">="};
    if (one_in(p, 8) && spend(p))
        token(p, "not");
    operand(p);
    bool compared = false;
    while (one_in(p, 3) && spend(p)) {
        bool compare = !compared && one_in(p, 5);
        compared = compared || compare;
        token(p, compare ? PICK(p, comparisons) : PICK(p, operators));
        operand(p);
    }
}

// -- statements ----------------------------------------------------------------------------------

static void import(struct program *p)
{
    token(p, "import");
    bool path = one_in(p, 3);
    if (path)
        text(p);
    else
        name(p);
    if (path || one_in(p, 3))
        token(p, "as"), name(p);
}

static void data(struct program *p)
{
    ending(p, "data");
    name(p);
    token(p, "=");
    expr(p);
}

// Between a name and its body line ends do not count; inner headers have their own.
static void header(struct program *p, const char *keyword, unsigned *outer)
{
    ending(p, keyword);
    name(p);
    *outer = p->l.header;
    p->l.header = p->l.depth + 1;
    formals(p);
    result(p);
}

static void function(struct program *p)
{
    unsigned outer;
    header(p, "fn", &outer);
    p->l.header = outer;
    block(p);
    if (one_in(p, 5)) {
        ending(p, "backward");
        formals(p);
        block(p);
    }
}

static void entry(struct program *p)
{
    unsigned outer;
    header(p, "entry", &outer);
    if (one_in(p, 3)) {
        token(p, "for");
        name(p);
        token(p, "in");
        p->l.header = outer; // a brace in the expression ends the header
        expr(p);
    }
    if (one_in(p, 3)) {
        ending(p, "using");
        object(p);
    }
    p->l.header = outer;
    block(p);
}

static void schema(struct program *p)
{
    token(p, "contract");
    integer(p);
    name(p);
    formals(p);
}

static void binding(struct program *p)
{
    token(p, one_in(p, 2) ? "let" : "var");
    if (one_in(p, 10))
        ending(p, "using"); // elsewhere a brace behind it would belong to it
    else
        name(p);
    if (one_in(p, 4))
        token(p, ":"), type(p);
    token(p, "=");
    expr(p);
}

static void assignment(struct program *p)
{
    name(p);
    token(p, "=");
    expr(p);
}

static void update(struct program *p)
{
    name(p);
    while (one_in(p, 3) && spend(p)) {
        if (one_in(p, 2))
            member(p);
        else
            subscript(p);
    }
    token(p, ":=");
    expr(p);
}

static void variables(struct program *p)
{
    if (one_in(p, 4))
        ending(p, "share");
    if (one_in(p, 2))
        token(p, "param");
    else
        ending(p, "state");
    list(p, name, 2);
    token(p, ":");
    type(p);
    if (one_in(p, 2))
        token(p, "="), expr(p);
}

static void loop(struct program *p)
{
    token(p, "for");
    name(p);
    if (one_in(p, 4))
        token(p, ","), name(p);
    token(p, "in");
    expr(p);
    if (one_in(p, 2))
        token(p, ".."), expr(p);
    block(p);
}

static void give_back(struct program *p)
{
    ending(p, "return");
    if (one_in(p, 4))
        return;
    expr(p);
}

static void statement(struct program *p, bool top)
{
    static void (*const items[])(struct program *) = {import, data, entry, entry, function, schema};
    static void (*const inner[])(struct program *) = {
        binding,   binding, binding, assignment, update, variables, loop,
        give_back, expr,    expr,    expr,       loop,   function,  variables};
    if (top && one_in(p, 2))
        PICK(p, items)(p);
    else
        PICK(p, inner)(p);
}

// Statements between lines that keep hlxfmt away.
static void region(struct program *p)
{
    layout_line(&p->l, one_in(p, 2) ? "// hlxfmt: off" : "  // hlxfmt: off  ");
    while (!one_in(p, 3)) {
        statement(p, false);
        layout_statement_end(&p->l);
    }
    if (!one_in(p, 4))
        layout_line(&p->l, "// hlxfmt: on");
}

static void statements(struct program *p, bool top)
{
    while (spend(p) && (top || !one_in(p, 3))) {
        if (one_in(p, 12))
            region(p);
        statement(p, top);
        layout_statement_end(&p->l);
    }
    if (!one_in(p, 3))
        statement(p, top);
}

static void block(struct program *p)
{
    unsigned outer = p->l.header;
    token(p, "{");
    p->l.header = 0;
    statements(p, false);
    ending(p, "}");
    p->l.header = outer;
}

void program_generate(uint64_t seed, bool runic, struct buf *out)
{
    struct program p = {.l = {.out = out, .random = seed, .runic = runic}};
    buf_puts(out, one_in(&p, 20) ? "\xef\xbb\xbf" : "");
    p.l.line_end = one_in(&p, 10) ? "\r\n" : "\n";
    p.l.untidy = one_in(&p, 2) ? 0 : layout_chance(&p.l, 12);
    p.fuel = 4 + layout_chance(&p.l, 200);
    if (one_in(&p, 4))
        layout_lines(&p.l);
    statements(&p, true);
    if (!one_in(&p, 4))
        layout_lines(&p.l);
}
