// report.c: counts what a program is made of: tensors, bytes, nodes, kernels.
#include "codegen/report.h"

#include "ir/fuse.h"
#include "ir/shard.h"

enum { CLASSES = IRC_META + 1 };

static const char *const class_name[CLASSES] = {
    [IRC_LEAF] = "leaf", [IRC_MAP] = "map",       [IRC_REDUCE] = "reduce", [IRC_MATMUL] = "matmul",
    [IRC_MOVE] = "move", [IRC_GATHER] = "gather", [IRC_ACROSS] = "across", [IRC_META] = "meta",
};

static void report_vars(const struct ir_module *m, enum ir_var_kind kind, const char *label,
                        struct buf *out)
{
    size_t tensors = 0, bytes = 0;
    long long elements = 0;
    for (size_t i = 0; i < m->vars.n; i++) {
        const struct ir_type *t = ir_type_get(m, m->vars.at[i].type);
        if (m->vars.at[i].kind != kind)
            continue;
        tensors++;
        elements += ir_type_count(t);
        bytes += ir_type_bytes(t);
    }
    buf_printf(out, "%-8s %10lld elements in %zu tensors, %zu bytes\n", label, elements, tensors,
               bytes);
}

static void report_classes(const char *label, const size_t count[CLASSES], struct buf *out)
{
    size_t total = 0;
    for (int i = 0; i < CLASSES; i++)
        total += count[i];
    buf_printf(out, "  %-8s %8zu:", label, total);
    for (int i = 0; i < CLASSES; i++)
        if (count[i])
            buf_printf(out, " %s %zu", class_name[i], count[i]);
    buf_putc(out, '\n');
}

static void report_entry(struct arena *a, const struct ir_entry *e, struct buf *out)
{
    size_t nodes[CLASSES] = {0}, kernels[CLASSES] = {0};
    ir_refs roots = {0};
    struct ir_fusion fusion = {0};
    ir_entry_roots(e, false, a, &roots);
    ir_fuse(e->graph, roots.at, roots.n, true, a, &fusion);
    for (ir_ref r = 1; r < e->graph->nodes.n; r++)
        nodes[ir_op_info(ir_opcode(e->graph, r))->class]++;
    for (size_t i = 0; i < fusion.kernels.n; i++)
        kernels[fusion.kernels.at[i].class]++;
    buf_printf(out, "entry %s: %zu inputs, %zu outputs, %zu updates\n", e->name, e->inputs.n,
               e->outputs.n, e->updates.n);
    report_classes("nodes", nodes, out);
    report_classes("kernels", kernels, out);
}

void report_stats(struct arena *a, const struct ir_module *m, size_t hbin, struct buf *out)
{
    report_vars(m, IR_PARAM, "params", out);
    report_vars(m, IR_STATE, "states", out);
    ir_entries parts = {0};
    ir_parts(m, a, &parts);
    for (size_t i = 0; i < parts.n; i++)
        report_entry(a, parts.at[i], out);
    buf_printf(out, "program  %10zu bytes\n", hbin);
}
