// runic_fuzz.c: feeds bytes to the scanner of HLX, the parser and the formatter; what parses keeps
// its tree and comments in either spelling.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/gen/round.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *why;
    if (round_check((const char *)data, size, true, &why) == ROUND_FAILS) {
        fprintf(stderr, "%s\n", why);
        abort();
    }
    return 0;
}
