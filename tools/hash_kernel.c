// hash_kernel.c: prints the kernel that hashes states as C source, for the runtime to carry.
#include <stdio.h>
#include <string.h>

#include "codegen/emit_hash.h"

int main(void)
{
    struct buf module = {0};
    emit_hash(&module);
    printf("// Made by tools/hash_kernel.c.\n#include \"runtime/vk_hash.h\"\n\n"
           "const uint32_t vk_hash_group = %d;\nconst size_t vk_hash_nwords = %zu;\n"
           "const uint32_t vk_hash_words[] = {",
           EMIT_HASH_GROUP, module.n / 4);
    for (size_t i = 0; i < module.n / 4; i++) {
        uint32_t word;
        memcpy(&word, module.at + 4 * i, sizeof word);
        printf("%s0x%08lx,", i % 8 ? " " : "\n    ", (unsigned long)word);
    }
    printf("\n};\n");
    buf_free(&module);
    return 0;
}
