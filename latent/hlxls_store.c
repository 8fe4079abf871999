// hlxls_store.c: the commands of hlxls that store, find and name values.
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/version.h"
#include "latent/hlxls_commands.h"

static const char *text_of(struct hlxls *t, const struct handle *h)
{
    char text[HANDLE_TEXT + 1];
    handle_text(h, text);
    return arena_strdup(&t->arena, text);
}

static struct store_tx *begin(struct hlxls *t, bool create)
{
    struct latent_error error = {0};
    struct store *s = hlxls_store(t, create);
    struct store_tx *tx = s ? store_begin(s, &error) : NULL;
    if (s && !tx)
        hlxls_fail(t, &error);
    return tx;
}

// Ends a transaction, for good or not.
static bool end(struct hlxls *t, struct store_tx *tx, bool good)
{
    struct latent_error error = {0};
    if (!good)
        store_abort(tx);
    else if (!store_commit(tx, &error))
        return hlxls_fail(t, &error);
    return good;
}

// -- collapse ------------------------------------------------------------------------------------

// A file without a known end is its bytes; standard input is looked at.
static bool collapse_file(struct hlxls *t, struct store_tx *tx, int i, struct handle *out)
{
    struct hlxls_input in;
    struct latent_error error = {0};
    const char *path = t->options.operand[i], *form = hlxls_form_of(path);
    if (!form && strcmp(path, "-") != 0)
        form = "bytes";
    if (!hlxls_read_file(t, path, form, &in))
        return false;
    if (!store_put(tx, in.value, out, &error))
        return hlxls_fail(t, &error);
    if ((size_t)i < t->options.names.n && !store_bind(tx, t->options.names.at[i], out, &error))
        return hlxls_fail(t, &error);
    return true;
}

// Handles are printed when everything is on the disk, and not before.
void hlxls_collapse(struct hlxls *t)
{
    int n = t->options.noperands;
    struct handle *h = arena_array(&t->arena, (size_t)n, sizeof *h);
    struct store_tx *tx = begin(t, true);
    bool ok = tx != NULL;
    for (int i = 0; ok && i < n; i++)
        ok = collapse_file(t, tx, i, &h[i]);
    if (!tx || !end(t, tx, ok))
        return;
    for (int i = 0; i < n; i++)
        if (n == 1)
            printf("%s\n", text_of(t, &h[i]));
        else
            printf("%s  %s\n", text_of(t, &h[i]), t->options.operand[i]);
}

// -- resolve -------------------------------------------------------------------------------------

static bool resolve(struct hlxls *t, struct store *s, const char *text, struct buf *out)
{
    struct handle h;
    struct latent_error error = {0};
    struct arena scratch = {0};
    const struct value *v = store_resolve(s, &scratch, text, &h, &error);
    bool ok = v ? hlxls_put(t, v, "lct", out) : hlxls_fail(t, &error);
    arena_free(&scratch);
    return ok;
}

// Each word of standard input is a handle.
static bool resolve_list(struct hlxls *t, struct store *s, struct buf *out)
{
    static const char space[] = " \t\r\n";
    size_t n;
    const char *why;
    bool ok = true;
    char *words = file_read(&t->arena, "-", 0, &n, &why);
    if (!words)
        return hlxls_complain(t, EXIT_DATA, "%s", why);
    for (char *p = words + strspn(words, space); ok && *p != '\0'; p += strspn(p, space)) {
        size_t len = strcspn(p, space);
        char after = p[len];
        p[len] = '\0';
        ok = resolve(t, s, p, out);
        p[len] = after;
        p += len;
    }
    free(words);
    return ok;
}

void hlxls_resolve(struct hlxls *t)
{
    struct buf out = {0};
    struct store *s = hlxls_store(t, false);
    bool ok = s != NULL;
    for (int i = 0; ok && i < t->options.noperands; i++) {
        const char *text = t->options.operand[i];
        ok = strcmp(text, "-") == 0 ? resolve_list(t, s, &out) : resolve(t, s, text, &out);
    }
    if (ok)
        hlxls_write(t, &out);
    buf_free(&out);
}

// -- names ---------------------------------------------------------------------------------------

static void print_names(struct hlxls *t, const store_names *names)
{
    for (size_t i = 0; i < names->n; i++)
        printf("%s  %s\n", text_of(t, &names->at[i].handle), names->at[i].name);
}

static void print_names_json(struct hlxls *t, const store_names *names)
{
    struct buf out = {0};
    buf_puts(&out, "{");
    for (size_t i = 0; i < names->n; i++) {
        buf_puts(&out, i ? ",\n  " : "\n  ");
        buf_json(&out, names->at[i].name, strlen(names->at[i].name));
        buf_printf(&out, ": \"%s\"", text_of(t, &names->at[i].handle));
    }
    buf_puts(&out, names->n ? "\n}" : "}");
    puts(out.at);
    buf_free(&out);
}

static bool bind(struct hlxls *t, struct store_tx *tx, const char *pair)
{
    struct handle h;
    struct latent_error error = {0};
    const char *is = strchr(pair, '=');
    const char *name = arena_copy(&t->arena, pair, (size_t)(is - pair));
    return (store_find(t->store, is + 1, &h, &error) && store_bind(tx, name, &h, &error)) ||
           hlxls_fail(t, &error);
}

static void change_names(struct hlxls *t)
{
    const struct hlxls_options *o = &t->options;
    struct latent_error error = {0};
    struct store_tx *tx = begin(t, false);
    bool ok = tx != NULL;
    for (size_t i = 0; ok && i < o->drop.n; i++)
        ok = store_unbind(tx, o->drop.at[i], &error) || hlxls_fail(t, &error);
    for (size_t i = 0; ok && i < o->bind.n; i++)
        ok = bind(t, tx, o->bind.at[i]);
    if (tx)
        end(t, tx, ok);
}

void hlxls_names(struct hlxls *t)
{
    store_names names;
    struct latent_error error = {0};
    struct store *s = hlxls_store(t, false);
    if (s && t->options.bind.n + t->options.drop.n > 0)
        change_names(t);
    else if (s && !store_list(s, &t->arena, &names, NULL, &error))
        hlxls_fail(t, &error);
    else if (s && t->options.json)
        print_names_json(t, &names);
    else if (s)
        print_names(t, &names);
}

// -- snapshot ------------------------------------------------------------------------------------

static void list_snapshots(struct hlxls *t)
{
    store_handles kept;
    struct latent_error error = {0};
    if (!store_list(t->store, &t->arena, NULL, &kept, &error))
        hlxls_fail(t, &error);
    for (size_t i = 0; i < kept.n; i++)
        puts(text_of(t, &kept.at[i]));
}

static bool change_snapshots(struct hlxls *t, struct store_tx *tx)
{
    const struct hlxls_options *o = &t->options;
    struct latent_error error = {0};
    struct handle h;
    bool ok = true;
    if (o->restore)
        ok = store_find(t->store, o->restore, &h, &error) && store_restore(tx, &h, &error);
    for (size_t i = 0; ok && i < o->drop.n; i++)
        ok = store_find(t->store, o->drop.at[i], &h, &error) && store_forget(tx, &h, &error);
    return ok || hlxls_fail(t, &error);
}

void hlxls_snapshot(struct hlxls *t)
{
    struct handle h;
    const struct hlxls_options *o = &t->options;
    bool take = !o->list && !o->restore && o->drop.n == 0;
    if (!hlxls_store(t, false))
        return;
    if (o->list) {
        list_snapshots(t);
        return;
    }
    struct store_tx *tx = begin(t, false);
    if (!tx)
        return;
    if (take)
        store_snapshot(tx, &h);
    if (end(t, tx, take || change_snapshots(t, tx)) && take)
        puts(text_of(t, &h));
}
