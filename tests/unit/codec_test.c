// codec_test.c: tests of all codecs together: every value comes back from every one of them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "latent/codec.h"
#include "latent/handle.h"
#include "latent/lcb.h"
#include "tests/unit/value_kit.h"

// Through one codec and back. The text must be the same when the value that came back is written.
static void there_and_back(const struct codec *c, unsigned level, const struct value *v)
{
    struct arena a = {0};
    struct sink text = {0}, again = {0};
    struct latent_error e = {0};
    c->encode(v, level, &text);
    const struct value *back = c->decode(&a, text.buf.at, text.buf.n, &e);
    if (back == NULL)
        fail_msg("%s %u: %s at %zu: %s\n%s", c->name, level, e.code, e.offset, e.message,
                 text.buf.at);
    if (!value_equal(v, back) || !value_validate(&a, back, &e))
        fail_msg("%s %u: another value came back from\n%s", c->name, level, text.buf.at);
    c->encode(back, level, &again);
    assert_int_equal(text.buf.n, again.buf.n);
    assert_memory_equal(text.buf.at, again.buf.at, text.buf.n);
    if (text.buf.n > 1 || !c->text)
        assert_string_equal(codec_guess(text.buf.at, text.buf.n)->name, c->name);
    buf_free(&text.buf);
    buf_free(&again.buf);
    arena_free(&a);
}

static void every_codec(const struct value *v)
{
    for (const struct codec *c = codecs; c->name != NULL; c++)
        for (unsigned level = 0; level <= c->max_level; level++)
            there_and_back(c, level, v);
}

static void generated_values_come_back(void **state)
{
    (void)state;
    struct chance s = {.state = 20261121};
    for (long round = chance_rounds(3000); round > 0; round--) {
        struct arena a = {0};
        s.arena = &a;
        every_codec(any_value(&s, 1));
        arena_free(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generated_values_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
