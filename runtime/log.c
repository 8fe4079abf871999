// log.c: writes the record of a run as JSON lines.
#include "runtime/log.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

static bool cannot_write(const struct log *l, struct hlx_error *error)
{
    return hlx_fail(error, EXIT_DATA, "cannot write the log `%s`: %s", l->path,
                    errno ? strerror(errno) : "unknown error");
}

bool log_open(struct log *l, const char *path, struct hlx_error *error)
{
    *l = (struct log){.path = path};
    if (!path)
        return true;
    l->file = !strcmp(path, "-") ? stdout : fopen(path, "w");
    return l->file || cannot_write(l, error);
}

bool log_close(struct log *l, struct hlx_error *error)
{
    FILE *f = l->file;
    l->file = NULL;
    bool ok = !f || f == stdout || fclose(f) == 0 || cannot_write(l, error);
    if (l->broken)
        return hlx_fail(error, EXIT_DATA, "the log `%s` ends before the run does", l->path);
    return ok;
}

// Writes an object as a line and lets go of it. An object that could not be made is NULL. After a
// line that failed there is none: a log has no gaps.
static bool put(struct log *l, json_t *line, struct hlx_error *error)
{
    errno = 0;
    char *text = line ? json_dumps(line, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;
    json_decref(line);
    l->broken = true;
    if (!text)
        return hlx_no_memory(error, "the log");
    l->broken = fprintf(l->file, "%s\n", text) < 0 || fflush(l->file) != 0;
    free(text);
    return !l->broken || cannot_write(l, error);
}

// JSON has no NaN and no infinity.
static json_t *number(double x, bool integer)
{
    if (isfinite(x))
        return integer ? json_integer((json_int_t)x) : json_real(x);
    return json_string(isnan(x) ? "nan" : x < 0 ? "-inf" : "inf");
}

static json_t *scalars(const struct train_run *r, const double *value)
{
    json_t *o = json_object();
    for (size_t i = 0; i < r->nscalars; i++)
        json_object_set_new(o, r->scalar[i].name, number(value[i], r->scalar[i].integer));
    return o;
}

static json_t *data_of(const struct batches *b)
{
    if (!b->data)
        return json_null();
    return json_pack("{s:s, s:I, s:I, s:b}", "name", b->data->data->name, "samples",
                     (json_int_t)b->samples, "batch", (json_int_t)b->size, "shuffled",
                     (int)b->shuffled);
}

bool log_run(struct log *l, const struct train_run *r, struct hlx_error *error)
{
    if (!l->file || l->broken)
        return true;
    const struct program *p = r->exec->program;
    char handle[HANDLE_TEXT + 1];
    handle_text(&p->identity, handle);
    return put(l,
               json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:o}", "event", "run",
                         "program", handle, "numerics", p->module.numerics, "profile",
                         p->module.profile, "entry", r->batches->entry->name, "device",
                         exec_title(r->exec), "seed", (json_int_t)r->exec->seed, "epochs",
                         (json_int_t)r->epochs, "steps_per_epoch", (json_int_t)r->batches->steps,
                         "data", data_of(r->batches)),
               error);
}

bool log_step(struct log *l, const struct train_run *r, const struct train_step *s,
              struct hlx_error *error)
{
    if (!l->file || l->broken)
        return true;
    return put(l,
               json_pack("{s:s, s:I, s:I, s:o}", "event", "step", "epoch", (json_int_t)s->epoch,
                         "step", (json_int_t)s->step, "values", scalars(r, s->value)),
               error);
}

bool log_epoch(struct log *l, const struct train_run *r, const struct train_epoch *e,
               struct hlx_error *error)
{
    if (!l->file || l->broken)
        return true;
    return put(l,
               json_pack("{s:s, s:I, s:I, s:o, s:o, s:I, s:I, s:f}", "event", "epoch", "epoch",
                         (json_int_t)e->epoch, "step", (json_int_t)e->step, "values",
                         scalars(r, e->shown), "last", scalars(r, e->last), "samples",
                         (json_int_t)e->samples, "tokens", (json_int_t)e->tokens, "seconds",
                         e->seconds),
               error);
}

bool log_end(struct log *l, const struct train_run *r, const char *status, struct hlx_error *error)
{
    if (!l->file || l->broken)
        return true;
    return put(
        l,
        json_pack("{s:s, s:I, s:s}", "event", "end", "step", (json_int_t)r->step, "status", status),
        error);
}
