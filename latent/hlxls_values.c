// hlxls_values.c: the commands of hlxls that convert values and check the contracts in them.
#include <stdlib.h>
#include <string.h>

#include "base/version.h"
#include "latent/contract.h"
#include "latent/hlxls_commands.h"

// -- convert -------------------------------------------------------------------------------------

static bool put_piece(void *ctx, const void *bytes, size_t n)
{
    return fwrite(bytes, 1, n, ctx) == n;
}

// To standard output it goes piece by piece, so that large bytes are not copied.
static void convert_to_stdout(struct hlxls *t, const struct value *v)
{
    const struct codec *c = codec_find(t->options.to);
    struct sink sink = {.write = put_piece, .ctx = stdout};
    c->encode(v, t->options.level, &sink);
    if (sink_close(&sink) && c->text)
        putchar('\n');
}

void hlxls_convert(struct hlxls *t)
{
    struct hlxls_input in;
    struct buf out = {0};
    const struct hlxls_options *o = &t->options;
    const char *path = o->noperands > 0 ? o->operand[0] : "-";
    if (!hlxls_read_file(t, path, hlxls_form_of(path), &in))
        return;
    bool standard = !o->output || strcmp(o->output, "-") == 0;
    if (standard && codec_find(o->to))
        convert_to_stdout(t, in.value);
    else if (hlxls_put(t, in.value, NULL, &out))
        hlxls_write(t, &out);
    buf_free(&out);
}

// -- validate ------------------------------------------------------------------------------------

// `part` is a handle within a pack, or empty.
static bool validate(struct hlxls *t, const char *name, const char *part, const struct value *v)
{
    contract_faults faults = {0};
    if (contract_validate(&t->arena, v, NULL, &faults))
        return true;
    for (size_t i = 0; i < faults.n; i++) {
        const struct contract_fault *f = &faults.at[i];
        hlxls_complain(t, EXIT_PROGRAM, "`%s`%s%s: error[%s]: %s%s%s", name, part[0] ? ": " : "",
                       part, f->code, f->message, f->where[0] ? "\n  = note: at " : "", f->where);
    }
    return false;
}

static bool validate_pack(struct hlxls *t, const struct hlxls_input *in)
{
    bool ok = true;
    for (size_t i = 0; i < in->pack->n; i++) {
        char part[HANDLE_TEXT + 1];
        struct latent_error error = {0};
        const struct handle *h = &in->pack->object[i].handle;
        const struct value *v = pack_get(&t->arena, in->pack, h, &error);
        handle_text(h, part);
        ok = (v ? validate(t, in->name, part, v) : hlxls_fail(t, &error)) && ok;
    }
    return ok;
}

// A receipt is more than a contract: what it says of itself is not looked at here.
static void say_valid(const struct hlxls_input *in)
{
    int64_t number;
    const struct value *fields;
    bool receipt =
        !in->pack && value_is_contract(in->value, &number, &fields) && number == CONTRACT_RECEIPT;
    printf("%s: valid%s\n", in->name,
           receipt ? " as contract 907 (`hlxrun verify` checks the receipt: its order, its chain, "
                     "what it says)"
                   : "");
}

void hlxls_validate(struct hlxls *t)
{
    struct hlxls_input in;
    for (int i = 0; i < t->options.noperands; i++) {
        if (!hlxls_read(t, t->options.operand[i], &in))
            continue;
        if (in.pack ? validate_pack(t, &in) : validate(t, in.name, "", in.value))
            say_valid(&in);
    }
}
