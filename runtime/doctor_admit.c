// doctor_admit.c: decides whether a device may run exact programs, and remembers the verdict.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "latent/handle.h"
#include "runtime/doctor.h"
#include "runtime/doctor_run.h"
#include "runtime/vk_cache.h"

#define KIND "doctor"

// -- verdicts ------------------------------------------------------------------------------------

// What a verdict was made with: the program and the digests of its tests.
static void basis(unsigned char out[HANDLE_BYTES])
{
    struct sha256 *h = sha256_new();
    sha256_update(h, doctor_pack.sha, strlen(doctor_pack.sha));
    for (size_t i = 0; i < doctor_ntests; i++) {
        const struct doctor_test *t = &doctor_tests[i];
        char line[128];
        int n = snprintf(line, sizeof line, "%s.%s %016llx\n", t->group, t->name,
                         (unsigned long long)t->digest);
        sha256_update(h, line, (size_t)n);
    }
    sha256_final(h, out);
}

// A verdict file: the basis, then the name of the test that failed, or nothing.
void doctor_remember(const struct vk_physical *p, const char *failed)
{
    struct buf b = {0};
    unsigned char sha[HANDLE_BYTES];
    char *path = vk_cache_path(p, KIND);
    basis(sha);
    buf_put(&b, sha, sizeof sha);
    buf_printf(&b, "%.*s", DOCTOR_NAME, failed);
    vk_cache_write(path, KIND, b.at, b.n);
    buf_free(&b);
    free(path);
}

bool doctor_recall(const struct vk_physical *p, char failed[DOCTOR_NAME + 1])
{
    unsigned char want[HANDLE_BYTES];
    size_t n = 0;
    char *path = vk_cache_path(p, KIND);
    unsigned char *bytes = vk_cache_read(path, KIND, &n);
    basis(want);
    bool ok = bytes && n >= HANDLE_BYTES && n <= HANDLE_BYTES + DOCTOR_NAME &&
              !memcmp(bytes, want, HANDLE_BYTES);
    if (ok) {
        memcpy(failed, bytes + HANDLE_BYTES, n - HANDLE_BYTES);
        failed[n - HANDLE_BYTES] = '\0';
    }
    free(bytes);
    free(path);
    return ok;
}

// -- the check -----------------------------------------------------------------------------------

// The groups that tell the quick check's primitives apart.
static const char *const suspects[] = {"floats", "ints",   "words",   "conversions",
                                       "sums",   "chains", "barriers"};

static const struct doctor_group *group_of(const char *name)
{
    size_t i = 0;
    while (strcmp(doctor_groups[i].name, name) != 0)
        i++;
    return &doctor_groups[i];
}

// The first test of the suspects that fails, else what failed in the quick check.
static bool name_fault(struct doctor *d, struct arena *a, const char *variants, const char **failed,
                       struct hlx_error *e)
{
    struct doctor_result r;
    for (size_t i = 0; i < sizeof suspects / sizeof *suspects; i++) {
        if (!doctor_run_with(d, a, group_of(suspects[i]), variants, &r, e))
            return false;
        if (r.faults.n > 0) {
            *failed = arena_printf(a, "%s.%s", suspects[i], r.faults.at[0].test);
            return true;
        }
    }
    return true;
}

static bool check(struct doctor *d, struct arena *a, const char **failed, struct hlx_error *e)
{
    // Variants that compile fast; what a device likes best is not asked here.
    const char *variants = doctor_on_cpu(d) ? "map,cpu_alone" : "map,group";
    struct doctor_result r;
    *failed = "";
    if (!doctor_run_with(d, a, group_of(DOCTOR_QUICK), variants, &r, e))
        return false;
    if (r.faults.n == 0)
        return true;
    *failed = arena_printf(a, DOCTOR_QUICK ".%s", r.faults.at[0].test);
    return name_fault(d, a, variants, failed, e);
}

static bool refuse(const struct vk_physical *p, const char *device, const char *failed,
                   struct hlx_error *e)
{
    return hlx_fail(e, EXIT_DEVICE,
                    "%s cannot run exact programs: the primitive `%s` does not give the bits of "
                    "the contract; `hlxrun doctor --device %s` shows what it gives and tests it "
                    "again; --device cpu runs the program",
                    p->properties.deviceName, failed, device);
}

bool doctor_admit(const struct vk *vk, const struct vk_physical *p, struct hlx_error *e)
{
    struct arena a = {0};
    struct doctor d;
    char kept[DOCTOR_NAME + 1];
    const char *failed = kept;
    const char *device = arena_printf(&a, "vulkan:%u", (unsigned)(p - vk->physical));
    bool ok = true;
    if (!doctor_recall(p, kept)) {
        ok = doctor_open(&d, device, e);
        if (ok) {
            ok = check(&d, &a, &failed, e);
            doctor_close(&d);
        }
        if (ok)
            doctor_remember(p, failed);
    }
    ok = ok && (!*failed || refuse(p, device, failed, e));
    arena_free(&a);
    return ok;
}
