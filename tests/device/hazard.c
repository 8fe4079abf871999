// hazard.c: checks that the steps of compiled programs have every barrier they need, whichever
// variants run.
//
//   hazard FILE.hbin...    "ok - FILE ENTRY" or "not ok - ...: why", ends with "N passed, N failed"
#include <stdio.h>

#include "runtime/program.h"

// Each variant of every step at once, and every mixture of them.
static const char *check_entry(struct program *p, const struct dispatch_entry *e)
{
    const char *why = dispatch_hazard(&p->arena, p->dispatch, e, DISPATCH_ANY);
    size_t most = 1;
    for (size_t i = 0; i < e->nsteps; i++)
        if (e->step[i].nvariants > most)
            most = e->step[i].nvariants;
    for (size_t v = 0; !why && v < most; v++)
        why = dispatch_hazard(&p->arena, p->dispatch, e, v);
    return why;
}

int main(int argc, char **argv)
{
    int passed = 0, failed = 0;
    for (int i = 1; i < argc; i++) {
        struct program p;
        struct hlx_error error = {0};
        if (!program_open(&p, argv[i], &error) || !p.dispatch) {
            printf("not ok - %s: %s\n", argv[i], error.text);
            return 1;
        }
        for (size_t k = 0; k < p.dispatch->nentries; k++) {
            const struct dispatch_entry *e = &p.dispatch->entry[k];
            const char *why = check_entry(&p, e);
            passed += !why;
            failed += why != NULL;
            if (why)
                printf("not ok - %s, entry %s: %s\n", argv[i], e->name, why);
            else
                printf("ok - %s, entry %s\n", argv[i], e->name);
        }
        program_close(&p);
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed > 0 || passed == 0;
}
