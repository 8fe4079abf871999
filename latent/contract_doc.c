// contract_doc.c: the registry of contracts as a table for spec/contracts.md.
#include "latent/contract.h"

static void put_type(const struct contract_type *t, struct buf *out)
{
    buf_putc(out, '`');
    contract_type_print(t, out);
    buf_putc(out, '`');
}

void contract_markdown(struct buf *out)
{
    const struct contract *c;
    for (size_t i = 0; (c = contract_at(i)) != NULL; i++) {
        buf_printf(out, "\n**%lld %s**: %s.\n\n| | field | type | required | what |\n",
                   (long long)c->number, c->name, c->meaning);
        buf_puts(out, "| --- | --- | --- | --- | --- |\n");
        for (size_t k = 0; k < c->nfields; k++) {
            const struct contract_field *f = &c->field[k];
            buf_printf(out, "| `@%zu` | `%s` | ", k, f->name);
            put_type(&f->type, out);
            buf_printf(out, " | %s | %s |\n", f->required ? "yes" : "", f->meaning);
        }
    }
}
