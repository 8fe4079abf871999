// hlxls_commands.h: the commands of hlxls. Each prints its results, says what went wrong and leaves
// the exit code in its context.
#ifndef HLX_LATENT_HLXLS_COMMANDS_H
#define HLX_LATENT_HLXLS_COMMANDS_H

#include "latent/hlxls_io.h"

void hlxls_collapse(struct hlxls *t);
void hlxls_resolve(struct hlxls *t);
void hlxls_names(struct hlxls *t);
void hlxls_snapshot(struct hlxls *t);

void hlxls_fsck(struct hlxls *t);
void hlxls_gc(struct hlxls *t);
void hlxls_pack(struct hlxls *t);
void hlxls_unpack(struct hlxls *t);

void hlxls_convert(struct hlxls *t);
void hlxls_validate(struct hlxls *t);
void hlxls_show(struct hlxls *t);
void hlxls_stats(struct hlxls *t);

#endif
