// number.c: doubles as the shortest text that reads back, and back again, in no locale but C.
#include "base/text.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The thread's locale is C between enter and leave, whatever the program chose.
struct c_locale {
    locale_t c, before;
};

static struct c_locale enter_c_locale(void)
{
    struct c_locale l = {.c = newlocale(LC_ALL_MASK, "C", (locale_t)0)};
    l.before = uselocale(l.c); // where newlocale failed this changes nothing
    return l;
}

static void leave_c_locale(struct c_locale l)
{
    uselocale(l.before);
    if (l.c)
        freelocale(l.c);
}

// A positive finite double in decimal: 0.d1d2d3... times 10 to the power `point`.
struct decimal {
    char digit[24];
    int n, point;
};

static struct decimal to_decimal(double x, int precision)
{
    char text[40];
    struct decimal d = {.n = 0};
    snprintf(text, sizeof(text), "%.*e", precision - 1, x);
    char *e = strchr(text, 'e');
    for (const char *p = text; p < e; p++)
        if (*p != '.')
            d.digit[d.n++] = *p;
    while (d.n > 1 && d.digit[d.n - 1] == '0')
        d.n--;
    d.point = (int)strtol(e + 1, NULL, 10) + 1;
    return d;
}

static double from_decimal(const struct decimal *d)
{
    char text[48];
    snprintf(text, sizeof(text), "0.%.*se%d", d->n, d->digit, d->point);
    return strtod(text, NULL);
}

// Adds one unit in the last of `precision` places; false where a nine would carry.
static bool step_up(struct decimal *d, int precision)
{
    while (d->n < precision)
        d->digit[d->n++] = '0';
    return d->digit[d->n - 1]++ != '9';
}

// A normal double holds every decimal of 15 digits, so 15 is tried first; subnormals hold fewer.
// Below a power of two doubles lie twice as dense as above, so there the nearest decimal of 16
// digits may read back as the neighbour while the next decimal up reads back right.
static struct decimal shortest(double x)
{
    int exponent;
    bool power_of_two = frexp(x, &exponent) == 0.5;
    for (int precision = isnormal(x) ? 15 : 1;; precision++) {
        struct decimal d = to_decimal(x, precision);
        if (precision >= 17 || from_decimal(&d) == x)
            return d;
        if (power_of_two && step_up(&d, precision) && from_decimal(&d) == x)
            return d;
    }
}

static void put_scientific(struct buf *b, const struct decimal *d)
{
    buf_putc(b, d->digit[0]);
    if (d->n > 1) {
        buf_putc(b, '.');
        buf_put(b, d->digit + 1, (size_t)d->n - 1);
    }
    buf_printf(b, "e%c%02d", d->point < 1 ? '-' : '+', abs(d->point - 1));
}

static void put_plain(struct buf *b, const struct decimal *d)
{
    int whole = d->point < 0 ? 0 : d->point < d->n ? d->point : d->n;
    if (whole == 0)
        buf_putc(b, '0');
    buf_put(b, d->digit, (size_t)whole);
    buf_fill(b, '0', d->point > d->n ? (size_t)(d->point - d->n) : 0);
    buf_putc(b, '.');
    buf_fill(b, '0', d->point < 0 ? (size_t)-d->point : 0);
    buf_put(b, d->digit + whole, (size_t)(d->n - whole));
    if (whole == d->n)
        buf_putc(b, '0');
}

void buf_double(struct buf *b, double x)
{
    if (isnan(x)) {
        buf_puts(b, "nan");
        return;
    }
    if (signbit(x))
        buf_putc(b, '-');
    if (isinf(x) || x == 0) {
        buf_puts(b, x == 0 ? "0.0" : "inf");
        return;
    }
    struct c_locale l = enter_c_locale();
    struct decimal d = shortest(fabs(x));
    leave_c_locale(l);
    if (d.point > -4 && d.point <= 16)
        put_plain(b, &d);
    else
        put_scientific(b, &d);
}

// "inf" and "nan", which buf_double writes; strtod would take more spellings.
static bool named_double(const char *s, size_t n, double *out)
{
    bool minus = n > 0 && s[0] == '-';
    if (n - minus != 3)
        return false;
    if (memcmp(s + minus, "inf", 3) == 0)
        *out = minus ? -(double)INFINITY : (double)INFINITY;
    else if (!minus && memcmp(s, "nan", 3) == 0)
        *out = (double)NAN;
    else
        return false;
    return true;
}

bool text_double(const char *s, size_t n, double *out)
{
    if (named_double(s, n, out))
        return true;
    size_t sign = n > 0 && (s[0] == '-' || s[0] == '+');
    if (n <= sign || !strchr("0123456789.", s[sign]) || s[sign] == '\0')
        return false;
    char small[64], *copy = n < sizeof(small) ? small : malloc(n + 1), *end;
    if (!copy)
        arena_exhausted();
    memcpy(copy, s, n);
    copy[n] = '\0';
    struct c_locale l = enter_c_locale();
    double x = strtod(copy, &end);
    leave_c_locale(l);
    bool whole = end == copy + n;
    if (copy != small)
        free(copy);
    if (whole)
        *out = x;
    return whole;
}
