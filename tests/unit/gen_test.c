// gen_test.c: programs made by the grammar keep their tree, their comments and, when they come back
// from the other spelling, their bytes. HLX_PROGRAMS says how many (500), HLX_SEED the first seed.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/gen/program.h"
#include "tests/gen/round.h"

static unsigned long setting(const char *name, unsigned long usual)
{
    const char *value = getenv(name);
    return value ? strtoul(value, NULL, 10) : usual;
}

// What failed is shown with the program, so that it can become a case.
static bool holds(unsigned long seed, bool runic)
{
    struct buf text = {0};
    const char *why = NULL;
    program_generate(seed, runic, &text);
    enum round_result result = round_check(text.at, text.n, runic, &why);
    if (result == ROUND_NO_PROGRAM)
        why = "the generated program does not parse";
    if (result != ROUND_HOLDS) {
        fprintf(stderr, "seed %lu, %s: %s\n", seed, runic ? "HLX" : "HLXL", why);
        if (getenv("HLX_SHOW"))
            fprintf(stderr, "%s\n", text.at);
    }
    buf_free(&text);
    return result == ROUND_HOLDS;
}

static void check_programs(bool runic)
{
    unsigned long first = setting("HLX_SEED", 0), n = setting("HLX_PROGRAMS", 500);
    unsigned failed = 0;
    for (unsigned long i = 0; i < n && failed < 10; i++)
        failed += !holds(first + i, runic);
    assert_int_equal(failed, 0);
}

static void test_ascii(void **state)
{
    (void)state;
    check_programs(false);
}

static void test_runic(void **state)
{
    (void)state;
    check_programs(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ascii), cmocka_unit_test(test_runic)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
