// scan_start.c: chooses the spelling of a source, and starts and ends scanning it.
#include <string.h>

#include "frontend/grammar.h"
#include "frontend/runic.h"
#include "frontend/scan.h"

enum { SCAN_MAX_TEXT = 1 << 30 }; // flex counts in int

// Skips ASCII, eight bytes at a time.
static size_t skip_ascii(const char *text, size_t len, size_t at)
{
    uint64_t bytes;
    for (; at + sizeof bytes <= len; at += sizeof bytes) {
        memcpy(&bytes, text + at, sizeof bytes);
        if (bytes & 0x8080808080808080u)
            break;
    }
    while (at < len && (unsigned char)text[at] < 0x80)
        at++;
    return at;
}

static size_t first_bad_byte(const char *text, size_t len)
{
    size_t at = 0;
    uint32_t rune;
    while ((at = skip_ascii(text, len, at)) < len) {
        size_t n = utf8_decode(text + at, len - at, &rune);
        if (n == 0)
            break;
        at += n;
    }
    return at;
}

static bool check_text(struct scan *s)
{
    size_t len = s->source->len;
    struct span at = {s->file->file, 0, 0};
    if (len > SCAN_MAX_TEXT) {
        diag_error(s->diags, at, "HLX0112", "the source is longer than 1 GiB");
        return false;
    }
    size_t bad = first_bad_byte(s->source->text, len);
    if (bad == len)
        return true;
    at.start = (uint32_t)bad;
    at.end = (uint32_t)bad + 1;
    struct diag *g = diag_error(s->diags, at, "HLX0101", "byte 0x%02x is not UTF-8",
                                (unsigned char)s->source->text[bad]);
    diag_help(g, "sources are UTF-8 text; convert the file, e.g. with iconv -t UTF-8");
    return false;
}

static bool named(const struct source *source, const char *extension)
{
    size_t n = strlen(source->name), len = strlen(extension);
    return n > len && !strcmp(source->name + n - len, extension);
}

const struct scan_spelling *scan_spelling_for(const struct source *source)
{
    bool runic = named(source, ".hlx") ||
                 (!named(source, ".hlxl") && runic_detect(source->text, source->len));
    return runic ? &scan_hlx : &scan_hlxl;
}

bool scan_start(struct scan *s, struct arena *a, struct arena *nodes, const struct sources *sources,
                struct diags *d, struct ast_file *file, const struct scan_spelling *spelling)
{
    memset(s, 0, sizeof *s);
    s->arena = a;
    s->nodes = nodes;
    s->source = sources_get(sources, file->file);
    s->diags = d;
    s->file = file;
    s->spelling = spelling;
    s->held = -1;
    s->first_on_line = true;
    s->last = TOK_SEMI;
    scan_list_keywords(s);
    if (!check_text(s))
        return false;
    uint32_t bom = s->source->len >= 3 && memcmp(s->source->text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    s->at = (struct span){file->file, bom, bom};
    s->state = spelling->open(s->source->text + bom, s->source->len - bom);
    if (spelling == &scan_hlx)
        runic_start(s);
    return true;
}

void scan_finish(struct scan *s)
{
    if (s->state)
        s->spelling->close(s->state);
    s->state = NULL;
}

void scan_stop(struct scan *s)
{
    s->stopped = true;
}
