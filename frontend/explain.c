// explain.c: explains the code of a diagnostic: what it means, a program that has it, and one that
// does not. The texts are those of docs/errors.md.
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/embedded.h"
#include "frontend/frontend.h"

static const struct code_row {
    const char *code, *meaning;
} codes[] = {
#define CODE(code, meaning) {#code, meaning},
#include "frontend/codes.def"
#undef CODE
};

enum { NCODES = sizeof codes / sizeof *codes, INDENT = 4, CODE_MAX = 32 };

// "hlx0401", "0401" and "401" are HLX0401, "e_lc_parse" is E_LC_PARSE.
static void complete_code(const char *typed, char out[CODE_MAX])
{
    size_t n = strspn(typed, "0123456789"), at = 0;
    if (n > 0 && n <= 4 && !typed[n]) {
        snprintf(out, CODE_MAX, "HLX%04d", atoi(typed));
        return;
    }
    for (; typed[at] && at + 1 < CODE_MAX; at++)
        out[at] = (char)toupper((unsigned char)typed[at]);
    out[at] = '\0';
}

static const struct code_row *find_row(const char *code)
{
    for (size_t i = 0; i < NCODES; i++)
        if (!strcmp(codes[i].code, code))
            return &codes[i];
    return NULL;
}

static const char *nearest(const char *code)
{
    const char *names[NCODES];
    for (size_t i = 0; i < NCODES; i++)
        names[i] = codes[i].code;
    return text_nearest(code, names, NCODES);
}

static const char *line_end(const char *line)
{
    return line + strcspn(line, "\n");
}

static const char *next_line(const char *line)
{
    const char *end = line_end(line);
    return *end ? end + 1 : end;
}

static bool is_heading(const char *line)
{
    return !strncmp(line, "## ", 3);
}

// The line behind the heading of a code; an empty text where there is none.
static const char *find_section(const char *page, const char *code)
{
    size_t n = strlen(code);
    for (; *page; page = next_line(page))
        if (is_heading(page) && !strncmp(page + 3, code, n) && line_end(page) == page + 3 + n)
            return next_line(page);
    return page;
}

// A fence opens a block of code, which may have the name of a file: "```hlxl wrong.hlxl".
static void put_file_name(const char *fence, struct buf *out)
{
    const char *end = line_end(fence), *space = memchr(fence, ' ', (size_t)(end - fence));
    if (space)
        buf_printf(out, "%.*s:\n", (int)(end - space - 1), space + 1);
}

// Blocks of code are indented instead of fenced, under the name of their file.
static void put_section(const char *line, struct buf *out)
{
    bool code = false;
    for (; *line && !is_heading(line); line = next_line(line)) {
        if (!strncmp(line, "```", 3)) {
            code = !code;
            if (code)
                put_file_name(line, out);
            continue;
        }
        size_t n = (size_t)(line_end(line) - line);
        buf_fill(out, ' ', code && n ? INDENT : 0);
        buf_put(out, line, n);
        buf_putc(out, '\n');
    }
}

static void put_list(struct buf *out)
{
    for (size_t i = 0; i < NCODES; i++)
        buf_printf(out, "%-20s %s\n", codes[i].code, codes[i].meaning);
}

bool frontend_explain(const char *code, struct buf *out, const char **near)
{
    char full[CODE_MAX];
    *near = NULL;
    if (!strcmp(code, "list")) {
        put_list(out);
        return true;
    }
    complete_code(code, full);
    const struct code_row *row = find_row(full);
    if (!row) {
        *near = nearest(full);
        return false;
    }
    buf_printf(out, "%s: %s\n", row->code, row->meaning);
    put_section(find_section(error_pages[0].text, row->code), out);
    while (out->n > 1 && out->at[out->n - 2] == '\n')
        out->at[--out->n] = '\0';
    return true;
}
