// hlxls_stats.c: measures values in every form: characters, bytes and, where they can be counted,
// tokens of a language model.
#include <stdlib.h>
#include <string.h>

#include "base/version.h"
#include "latent/hlxls_commands.h"
#include "latent/hlxls_tokens.h"

struct form {
    const struct codec *codec;
    unsigned level;
    size_t chars, bytes;
    long tokens;
};

typedef VEC(struct form) form_list;

static size_t count_chars(const char *text, size_t n)
{
    size_t chars = 0;
    for (size_t i = 0; i < n; i++)
        chars += ((unsigned char)text[i] & 0xC0) != 0x80;
    return chars;
}

// Encodes a value in one form; the text is kept where its tokens are to be counted.
static void measure(const struct value *v, struct form *f, struct buf *text)
{
    struct sink sink = {0};
    f->codec->encode(v, f->level, &sink);
    f->bytes = sink.buf.n;
    f->chars = f->codec->text ? count_chars(sink.buf.at, sink.buf.n) : 0;
    *text = sink.buf;
}

static void all_forms(struct arena *a, form_list *out)
{
    for (const struct codec *c = codecs; c->name; c++)
        for (unsigned level = 0; level <= c->max_level; level++)
            vec_push(a, out, (struct form){.codec = c, .level = level, .tokens = -1});
}

static const char *form_name(struct arena *a, const struct form *f)
{
    return f->codec->max_level > 0 ? arena_printf(a, "%s %u", f->codec->name, f->level)
                                   : f->codec->name;
}

// Counts the tokens of the forms that are texts; they come after those that are not.
static bool count_tokens(struct hlxls *t, form_list *forms, const struct buf *texts)
{
    size_t first = 0;
    while (first < forms->n && !forms->at[first].codec->text)
        first++;
    size_t n = forms->n - first;
    long *tokens = arena_array(&t->arena, n, sizeof *tokens);
    if (!hlxls_tokens(t, t->options.tokens, texts + first, n, tokens))
        return false;
    for (size_t i = 0; i < n; i++)
        forms->at[first + i].tokens = tokens[i];
    return true;
}

static bool measure_all(struct hlxls *t, const struct value *v, form_list *forms)
{
    all_forms(&t->arena, forms);
    struct buf *texts = arena_array(&t->arena, forms->n, sizeof *texts);
    for (size_t i = 0; i < forms->n; i++)
        measure(v, &forms->at[i], &texts[i]);
    bool ok = !t->options.tokens || count_tokens(t, forms, texts);
    for (size_t i = 0; i < forms->n; i++)
        buf_free(&texts[i]);
    return ok;
}

// -- printing ------------------------------------------------------------------------------------

// LC-T, which the others are compared with.
static struct form find_lct(const form_list *forms)
{
    struct form lct = {0};
    for (size_t i = 0; i < forms->n; i++)
        if (strcmp(forms->at[i].codec->name, "lct") == 0)
            lct = forms->at[i];
    return lct;
}

// A number, and how much smaller than another it is, in percent.
static void print_saving(size_t n, size_t of)
{
    printf(" %12zu %7.1f", n, 100.0 - 100.0 * (double)n / (double)(of > 0 ? of : 1));
}

static void print_table(struct hlxls *t, const char *name, const form_list *forms)
{
    const struct form lct = find_lct(forms);
    printf("%s\n  %-8s %12s %12s %7s", name, "form", "bytes", "characters", "saved %");
    printf(t->options.tokens ? " %12s %7s\n" : "\n", "tokens", "saved %");
    for (size_t i = 0; i < forms->n; i++) {
        const struct form *f = &forms->at[i];
        printf("  %-8s %12zu", form_name(&t->arena, f), f->bytes);
        if (f->codec->text)
            print_saving(f->chars, lct.chars);
        if (f->tokens >= 0)
            print_saving((size_t)f->tokens, (size_t)lct.tokens);
        putchar('\n');
    }
}

static void print_json(struct hlxls *t, const char *name, const form_list *forms)
{
    struct buf out = {0};
    buf_puts(&out, "{\"name\": ");
    buf_json(&out, name, strlen(name));
    buf_puts(&out, ", \"forms\": {");
    for (size_t i = 0; i < forms->n; i++) {
        const struct form *f = &forms->at[i];
        buf_printf(&out, "%s\"%s\": {\"bytes\": %zu", i ? ", " : "", form_name(&t->arena, f),
                   f->bytes);
        if (f->codec->text)
            buf_printf(&out, ", \"characters\": %zu", f->chars);
        if (f->tokens >= 0)
            buf_printf(&out, ", \"tokens\": %ld", f->tokens);
        buf_puts(&out, "}");
    }
    buf_puts(&out, "}}");
    puts(out.at);
    buf_free(&out);
}

void hlxls_stats(struct hlxls *t)
{
    for (int i = 0; i < t->options.noperands; i++) {
        struct hlxls_input in;
        form_list forms = {0};
        if (!hlxls_read(t, t->options.operand[i], &in))
            continue;
        if (!measure_all(t, in.value, &forms))
            return;
        if (t->options.json)
            print_json(t, in.name, &forms);
        else
            print_table(t, in.name, &forms);
    }
}
