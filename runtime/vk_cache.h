// vk_cache.h: small files that save time on the next run: compiled pipelines, choices of variants.
//
// They live in $XDG_CACHE_HOME/hlx or ~/.cache/hlx. Nothing depends on them: a folder that cannot
// be made, a file that is damaged or another program's, a disk that is full all mean that there is
// no cache.
#ifndef HLX_RUNTIME_VK_CACHE_H
#define HLX_RUNTIME_VK_CACHE_H

#include "runtime/vk.h"

// The path of a device's cache file: `kind` ("pipelines"), then the device's UUID and a hash of
// what else tells its driver. Makes the folder. Returns NULL when there is none; else free it.
char *vk_cache_path(const struct vk_physical *p, const char *kind);

// Reads what vk_cache_write wrote, for the same kind; NULL when there is nothing good. Free it.
// `path` may be NULL.
unsigned char *vk_cache_read(const char *path, const char *kind, size_t *n);
// Replaces the file in one step.
void vk_cache_write(const char *path, const char *kind, const void *bytes, size_t n);

#endif
