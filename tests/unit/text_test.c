// text_test.c: tests of the builder, UTF-8, display width, NFC, doubles as text, edit distance.
#include <float.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
// A literal and its length, which may count NULs.
#define LIT(s) (s), sizeof(s) - 1

static void builder_appends(void **state)
{
    (void)state;
    struct buf b = {0};
    buf_putc(&b, 'a');
    buf_puts(&b, "bc");
    buf_put(&b, "d\0e", 3);
    buf_put(&b, NULL, 0);
    buf_fill(&b, '-', 3);
    buf_printf(&b, "%05d", 42);
    assert_int_equal(b.n, 14);
    assert_memory_equal(b.at, "abcd\0e---00042", 15);
    buf_clear(&b);
    assert_int_equal(b.n, 0);
    assert_string_equal(b.at, "");
    for (int i = 0; i < 10000; i++)
        buf_printf(&b, "%d,", i);
    assert_int_equal(b.n, 48890);
    assert_int_equal(strlen(b.at), b.n);
    buf_free(&b);
    assert_null(b.at);
}

static void runes_round_trip(void **state)
{
    (void)state;
    struct buf b = {0};
    for (uint32_t c = 0; c <= 0x10FFFF; c += c < 0x11000 ? 1 : 37) {
        if (c >= 0xD800 && c <= 0xDFFF)
            continue;
        uint32_t back = 0;
        buf_clear(&b);
        buf_rune(&b, c);
        assert_int_equal(utf8_decode(b.at, b.n, &back), b.n);
        assert_int_equal(back, c);
        assert_int_equal(utf8_decode(b.at, b.n - 1, &back), 0);
    }
    buf_free(&b);
}

static void malformed_utf8_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\x80",             // a continuation without a lead
        "\xC0\x80",         // over-long NUL
        "\xC1\xBF",         // over-long
        "\xE0\x9F\xBF",     // over-long
        "\xF0\x8F\xBF\xBF", // over-long
        "\xED\xA0\x80",     // a surrogate
        "\xED\xBF\xBF",     // a surrogate
        "\xF4\x90\x80\x80", // above U+10FFFF
        "\xF5\x80\x80\x80", // never a lead
        "\xFE",             //
        "\xFF",             //
        "\xE2\x82",         // cut
        "\xE2\x28\xA1",     // a letter where a continuation belongs
        "\xF0\x9F\x92",     // cut
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        uint32_t c;
        assert_int_equal(utf8_decode(bad[i], strlen(bad[i]), &c), 0);
        assert_false(utf8_valid(bad[i], strlen(bad[i])));
    }
    assert_true(utf8_valid(LIT("")));
    assert_true(utf8_valid(LIT("a\0b")));
    assert_true(utf8_valid(LIT("\xED\x9F\xBF\xEE\x80\x80\xF4\x8F\xBF\xBF")));
}

static void widths(void **state)
{
    (void)state;
    assert_int_equal(text_width(LIT("abc"), 0, 8), 3);
    assert_int_equal(text_width(LIT("ᚠᚢᚦ"), 0, 8), 3);        // runes
    assert_int_equal(text_width(LIT("日本"), 0, 8), 4);       // wide
    assert_int_equal(text_width(LIT("🜂"), 0, 8), 1);          // alchemical fire
    assert_int_equal(text_width(LIT("😀"), 0, 8), 2);          // emoji
    assert_int_equal(text_width(LIT("e\xCC\x81x"), 0, 8), 2); // a combining acute
    assert_int_equal(text_width(LIT("\t"), 0, 8), 8);
    assert_int_equal(text_width(LIT("\t"), 7, 8), 1);
    assert_int_equal(text_width(LIT("\t"), 8, 8), 8);
    assert_int_equal(text_width(LIT("ab\tc"), 0, 4), 5);
    assert_int_equal(text_width(LIT("\xFF\xFEz"), 0, 8), 3); // invalid bytes
    assert_int_equal(text_width(LIT("\x1B[0m"), 0, 8), 4);   // a control character
    assert_int_equal(text_width(LIT("\xE2\x80\xAE"
                                    "a"),
                                0, 8),
                     2); // right-to-left override
}

static void visible_text_holds_no_controls(void **state)
{
    (void)state;
    struct buf b = {0};
    buf_visible(&b, LIT("a\x1B[31m\r\n\0\xC2\x9B\x7F\xE2\x80\xAE\xFFᚠ\xE2\x80\x8D"));
#define R "\xEF\xBF\xBD"
    assert_string_equal(b.at, "a" R "[31m" R R R R R R R "ᚠ\xE2\x80\x8D");
#undef R
    buf_free(&b);
}

static void quoting(void **state)
{
    (void)state;
    struct buf b = {0};
    buf_quote(&b, LIT("a\"b\\\n\t\r\x01\x7F\0é🜂\xFF"));
    assert_string_equal(
        b.at, "\"a\\\"b\\\\\\n\\t\\r\\u{0001}\\u{007F}\\u{0000}\\u{00E9}\\u{1F702}\\xFF\"");
    buf_clear(&b);
    buf_json(&b, LIT("a\"b\\\n\t\r\x01\x7F\0é🜂\xFF\xC2\x9B"));
    assert_string_equal(b.at, "\"a\\\"b\\\\\\n\\t\\r\\u0001\\u007f\\u0000é🜂\xEF\xBF\xBD\\u009b\"");
    buf_free(&b);
}

static void nfc(void **state)
{
    (void)state;
    struct arena a = {0};
    size_t n = 0;
    const char *ascii = "plain";
    assert_ptr_equal(text_nfc(&a, ascii, 5, &n), ascii);
    assert_int_equal(n, 5);
    assert_string_equal(text_nfc(&a, LIT("e\xCC\x81"), &n), "é");
    assert_int_equal(n, 2);
    assert_string_equal(text_nfc(&a, LIT("é"), &n), "é");
    assert_string_equal(text_nfc(&a, LIT("\xE1\x84\x80\xE1\x85\xA1"), &n), "가"); // Hangul jamo
    assert_string_equal(text_nfc(&a, LIT("\xE2\x84\xAB"), &n), "Å");              // angstrom sign
    assert_memory_equal(text_nfc(&a, LIT("\xC3\xA9\0z"), &n), "é\0z", 4);
    assert_int_equal(n, 4);
    assert_null(text_nfc(&a, LIT("\xC3"), &n));
    arena_free(&a);
}

static uint64_t next_random(uint64_t *s)
{
    *s += 0x9E3779B97F4A7C15u;
    uint64_t z = (*s ^ *s >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static void check_round_trip(struct buf *b, double x)
{
    double back = 0;
    buf_clear(b);
    buf_double(b, x);
    assert_true(text_double(b->at, b->n, &back));
    assert_memory_equal(&x, &back, sizeof(x));
    assert_non_null(strpbrk(b->at, ".e"));
}

static void doubles_round_trip(void **state)
{
    (void)state;
    struct buf b = {0};
    uint64_t seed = 1;
    for (int i = 0; i < 100000; i++) {
        uint64_t bits = next_random(&seed);
        double x;
        memcpy(&x, &bits, sizeof(x));
        if (isfinite(x))
            check_round_trip(&b, x);
    }
    for (int e = -1074; e < 1024; e++) {
        double x = ldexp(1, e);
        check_round_trip(&b, x);
        check_round_trip(&b, -nextafter(x, 0));
        check_round_trip(&b, nextafter(x, DBL_MAX));
    }
    buf_free(&b);
}

// The shortest forms; among those of one length the nearest.
static const struct {
    double x;
    const char *text;
} forms[] = {
    {0.0, "0.0"},
    {-0.0, "-0.0"},
    {1, "1.0"},
    {-1.5, "-1.5"},
    {0.1, "0.1"},
    {3e-4, "0.0003"},
    {1e-4, "0.0001"},
    {1e-5, "1e-05"},
    {1.25e-7, "1.25e-07"},
    {123456789, "123456789.0"},
    {1e15, "1000000000000000.0"},
    {9007199254740993e0, "9007199254740992.0"},
    {1e16, "1e+16"},
    {1e30, "1e+30"},
    {1e100, "1e+100"},
    {0.1 + 0.2, "0.30000000000000004"},
    {1.0 / 3, "0.3333333333333333"},
    {5e-324, "5e-324"},
    {1.5e-323, "1.5e-323"},
    {DBL_MAX, "1.7976931348623157e+308"},
    {DBL_MIN, "2.2250738585072014e-308"},
    {0x1p-44, "5.684341886080802e-14"}, // the nearest decimal of 16 digits would not read back
    {0x1p-1022 - 0x1p-1074, "2.225073858507201e-308"},
    {(double)INFINITY, "inf"},
    {-(double)INFINITY, "-inf"},
    {(double)NAN, "nan"},
};

static void double_forms(void **state)
{
    (void)state;
    struct buf b = {0};
    for (size_t i = 0; i < COUNT(forms); i++) {
        buf_clear(&b);
        buf_double(&b, forms[i].x);
        assert_string_equal(b.at, forms[i].text);
    }
    buf_free(&b);
}

static void doubles_are_read(void **state)
{
    (void)state;
    double x = 0;
    assert_true(text_double(LIT("1"), &x) && x == 1);
    assert_true(text_double("12.5e1xyz", 6, &x) && x == 125);
    assert_true(text_double(LIT("+.5"), &x) && x == 0.5);
    assert_true(text_double(LIT("5."), &x) && x == 5);
    assert_true(text_double(LIT("0x1.8p1"), &x) && x == 3);
    assert_true(text_double(LIT("1e999"), &x) && isinf(x) && x > 0);
    assert_true(text_double(LIT("-1e-999"), &x) && x == 0 && signbit(x));
    assert_true(text_double(LIT("nan"), &x) && isnan(x));
    assert_true(text_double(LIT("-inf"), &x) && isinf(x) && x < 0);
    char many[2001];
    memset(many, '1', 2000);
    assert_true(text_double(many, 200, &x) && fabs(x / (1e200 / 9) - 1) < 1e-9);
    static const char *const bad[] = {"",    " 1",  "1 ",       "-",   ".",     "e5",  "1e",
                                      "1e+", "1,5", "infinity", "INF", "-nan",  "++1", "0x",
                                      "1f",  "--1", "nan(1)",   "\n1", "1.2.3", "+inf"};
    x = 7;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(text_double(bad[i], strlen(bad[i]), &x));
    assert_false(text_double(LIT("1\0"), &x));
    assert_false(text_double(LIT("\0001"), &x));
    assert_true(x == 7);
}

// Needs a locale with a decimal comma; says so where none is installed.
static void doubles_ignore_the_locale(void **state)
{
    (void)state;
    static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "es_ES.UTF-8", "it_IT.UTF-8"};
    size_t i = 0;
    while (i < COUNT(names) && !setlocale(LC_ALL, names[i]))
        i++;
    if (i == COUNT(names))
        skip();
    char comma[8];
    snprintf(comma, sizeof(comma), "%.1f", 0.5);
    assert_string_equal(comma, "0,5");
    struct buf b = {0};
    double x = 0;
    buf_double(&b, 1234.5);
    assert_string_equal(b.at, "1234.5");
    assert_true(text_double(LIT("2.5"), &x) && x == 2.5);
    assert_string_equal(setlocale(LC_ALL, NULL), names[i]);
    setlocale(LC_ALL, "C");
    buf_free(&b);
}

static void distances(void **state)
{
    (void)state;
    assert_int_equal(text_distance("relu", "relu", 3), 0);
    assert_int_equal(text_distance("rleu", "relu", 3), 1); // a transposition
    assert_int_equal(text_distance("relu", "gelu", 3), 1);
    assert_int_equal(text_distance("softmax", "sftmaxx", 3), 2);
    assert_int_equal(text_distance("kitten", "sitting", 5), 3);
    assert_int_equal(text_distance("", "abc", 5), 3);
    assert_int_equal(text_distance("abc", "xyz", 1), 2);
    assert_int_equal(text_distance("a", "abcdefgh", 3), 4);
    char a[100], b[100];
    memset(a, 'a', 99);
    memset(b, 'a', 99);
    a[99] = b[99] = '\0';
    assert_int_equal(text_distance(a, b, 2), 0);
    b[0] = 'b';
    assert_int_equal(text_distance(a, b, 2), 3);
    a[63] = b[63] = '\0';
    assert_int_equal(text_distance(a, b, 2), 1);
}

static void nearest_words(void **state)
{
    (void)state;
    static const char *const words[] = {"relu", "gelu", "silu", "softmax", "layer_norm"};
    assert_string_equal(text_nearest("rleu", words, COUNT(words)), "relu");
    assert_string_equal(text_nearest("geul", words, COUNT(words)), "gelu");
    assert_string_equal(text_nearest("layernorm", words, COUNT(words)), "layer_norm");
    assert_string_equal(text_nearest("softmaks", words, COUNT(words)), "softmax");
    assert_string_equal(text_nearest("elu", words, COUNT(words)), "relu"); // the first of equals
    assert_null(text_nearest("matmul", words, COUNT(words)));
    assert_null(text_nearest("", words, COUNT(words)));
    assert_null(text_nearest("relu", words, 0));
}

static void expect_twin(const char *word, const char *twin)
{
    struct arena a = {0};
    const char *found = text_ascii_twin(&a, word, strlen(word));
    if (twin)
        assert_string_equal(found, twin);
    else
        assert_null(found);
    arena_free(&a);
}

static void ascii_twins(void **state)
{
    (void)state;
    expect_twin("na\xc3\xafve", "naive");
    expect_twin("nai\xcc\x88ve", "naive"); // decomposed
    expect_twin("b\xd0\xb0tch", "batch");  // a Cyrillic letter among Latin ones
    expect_twin("\xce\xbb", "lambda");
    expect_twin("\xce\xb1x", "ax"); // mixed: what it looks like
    expect_twin("\xce\xb1", "alpha");
    expect_twin("x\xe2\x82\x82", "x2");  // a subscript
    expect_twin("\xef\xac\x81t", "fit"); // a ligature
    expect_twin("stra\xc3\x9f\x65", "strasse");
    expect_twin("plain_1", "plain_1");
    expect_twin("\xe5\x90\x8d", NULL);
    expect_twin("a\xe5\x90\x8d", NULL);
    expect_twin("\xe2\x82\x82x", NULL); // 2x is no name
    expect_twin("a-b", NULL);
    expect_twin("", NULL);
    expect_twin("\xcc\x81", NULL); // a mark alone
    expect_twin("a\xff", NULL);
    assert_string_equal(text_lookalike(0x0430), "a");
    assert_null(text_lookalike('a'));
    assert_null(text_lookalike(0x00e9));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builder_appends),
        cmocka_unit_test(runes_round_trip),
        cmocka_unit_test(malformed_utf8_is_refused),
        cmocka_unit_test(widths),
        cmocka_unit_test(visible_text_holds_no_controls),
        cmocka_unit_test(quoting),
        cmocka_unit_test(nfc),
        cmocka_unit_test(doubles_round_trip),
        cmocka_unit_test(double_forms),
        cmocka_unit_test(doubles_are_read),
        cmocka_unit_test(doubles_ignore_the_locale),
        cmocka_unit_test(distances),
        cmocka_unit_test(nearest_words),
        cmocka_unit_test(ascii_twins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
