// progress.c: shows a run on the terminal: one line an epoch, and a live line between them.
#include "runtime/progress.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void progress_init(struct progress *p, FILE *out, bool quiet)
{
    const char *term = getenv("TERM");
    bool terminal = isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
    *p = (struct progress){.out = quiet ? NULL : out, .live = !quiet && terminal ? stderr : NULL};
}

static size_t terminal_width(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1)
        return size.ws_col - 1; // the last column would wrap on some terminals
    return 79;
}

// -- one scalar ----------------------------------------------------------------------------------

void progress_scalar(const struct train_scalar *s, double x, struct buf *out)
{
    double size = fabs(x);
    buf_printf(out, " %s=", s->name);
    if (s->integer)
        buf_printf(out, "%.0f", x);
    else if (!strcmp(s->name, "lr"))
        buf_printf(out, "%.2e", x);
    else if (!isfinite(x))
        buf_double(out, x);
    else if (x != 0 && (size < 1e-3 || size >= 1e6))
        buf_printf(out, "%.3e", x);
    else
        buf_printf(out, "%.*f", size >= 10 ? 3 : s->loss ? 4 : 6, x);
}

static void put_scalars(const struct train_run *r, const double *value, struct buf *out)
{
    for (size_t i = 0; i < r->nscalars; i++)
        progress_scalar(&r->scalar[i], value[i], out);
}

static void put_time(double seconds, struct buf *out)
{
    if (seconds < 9.995e-4)
        buf_printf(out, "%4.0fus", seconds * 1e6);
    else if (seconds < 9.95e-3)
        buf_printf(out, "%.2fms", seconds * 1e3);
    else if (seconds < 10)
        buf_printf(out, "%4.0fms", seconds * 1e3);
    else if (seconds < 600)
        buf_printf(out, "%.1fs", seconds);
    else
        buf_printf(out, "%.0fm%02.0fs", floor(seconds / 60), floor(fmod(seconds, 60)));
}

// Tokens where the entry reads sequences of them, else samples.
static void put_rate(const struct train_epoch *e, struct buf *out)
{
    double seconds = e->seconds > 1e-9 ? e->seconds : 1e-9;
    if (e->tokens)
        buf_printf(out, " tok/s=%.0f", (double)e->tokens / seconds);
    else if (e->samples)
        buf_printf(out, " ex/s=%.0f", (double)e->samples / seconds);
}

static int digits(uint64_t n)
{
    int d = 1;
    while (n /= 10)
        d++;
    return d;
}

// What is run once and does not learn has no number.
static void put_epoch(const char *word, uint64_t epoch, uint64_t epochs, struct buf *out)
{
    if (epochs == 1 && strcmp(word, "Epoch") != 0)
        buf_printf(out, "%s:", word);
    else
        buf_printf(out, "%s %*llu/%llu:", word, digits(epochs), (unsigned long long)epoch,
                   (unsigned long long)epochs);
}

void progress_line(const char *word, const struct train_run *r, const struct train_epoch *e,
                   struct buf *out)
{
    put_epoch(word, e->epoch, e->epochs, out);
    put_scalars(r, e->shown, out);
    buf_puts(out, " time=");
    put_time(e->seconds, out);
    put_rate(e, out);
}

// -- the terminal --------------------------------------------------------------------------------

void progress_clear(struct progress *p)
{
    if (!p->drawn)
        return;
    fputs("\r\033[K", p->live);
    fflush(p->live);
    p->drawn = false;
}

// How many bytes of a line fit into some columns.
static size_t fitting(const char *line, size_t n, size_t columns)
{
    while (n > 0 && text_width(line, n, 0, 8) > columns)
        do
            n--;
        while (n > 0 && ((unsigned char)line[n] & 0xc0) == 0x80);
    return n;
}

void progress_step(struct progress *p, const struct train_run *r, const struct train_step *s)
{
    const double pause = 0.1;
    if (!p->live || s->of_epoch < 2 || now() < p->next)
        return;
    double each = s->seconds / (double)s->in_epoch;
    struct buf line = {0};
    put_epoch("Epoch", s->epoch, r->epochs, &line);
    buf_printf(&line, " step %zu/%zu", s->in_epoch, s->of_epoch);
    put_scalars(r, s->value, &line);
    buf_puts(&line, " left=");
    put_time(each * (double)(s->of_epoch - s->in_epoch), &line);
    fprintf(p->live, "\r%.*s\033[K", (int)fitting(line.at, line.n, terminal_width()), line.at);
    fflush(p->live);
    buf_free(&line);
    p->drawn = true;
    p->next = now() + pause;
}

void progress_epoch(struct progress *p, const char *word, const struct train_run *r,
                    const struct train_epoch *e)
{
    if (!p->out)
        return;
    struct buf line = {0};
    progress_line(word, r, e, &line);
    progress_clear(p);
    fprintf(p->out, "%s\n", line.at);
    fflush(p->out);
    buf_free(&line);
}
