// hlxls_stats.c: measures values in every form: characters, bytes and, where they can be counted,
// tokens of a language model.
#include <stdlib.h>
#include <string.h>

#include "base/version.h"
#include "latent/hlxls_commands.h"

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

static void measure(const struct value *v, struct form *f)
{
    struct sink sink = {0};
    f->codec->encode(v, f->level, &sink);
    f->bytes = sink.buf.n;
    f->chars = f->codec->text ? count_chars(sink.buf.at, sink.buf.n) : 0;
    buf_free(&sink.buf);
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

// -- printing ------------------------------------------------------------------------------------

// The saving against LC-T, in percent.
static void print_saving(size_t n, size_t of)
{
    if (of > 0)
        printf(" %8.1f", 100.0 - 100.0 * (double)n / (double)of);
}

static size_t lct_chars(const form_list *forms)
{
    for (size_t i = 0; i < forms->n; i++)
        if (strcmp(forms->at[i].codec->name, "lct") == 0)
            return forms->at[i].chars;
    return 0;
}

static void print_table(struct hlxls *t, const char *name, const form_list *forms)
{
    size_t base = lct_chars(forms);
    printf("%s\n  %-8s %12s %12s %8s\n", name, "form", "characters", "bytes", "saved %");
    for (size_t i = 0; i < forms->n; i++) {
        const struct form *f = &forms->at[i];
        printf("  %-8s", form_name(&t->arena, f));
        if (f->codec->text)
            printf(" %12zu %12zu", f->chars, f->bytes);
        else
            printf(" %12s %12zu", "", f->bytes);
        if (f->codec->text)
            print_saving(f->chars, base);
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
        all_forms(&t->arena, &forms);
        for (size_t k = 0; k < forms.n; k++)
            measure(in.value, &forms.at[k]);
        if (t->options.json)
            print_json(t, in.name, &forms);
        else
            print_table(t, in.name, &forms);
    }
}
