// emit_lane_op.c: an operation on one lane in SPIR-V, by the table lanes.def.
#include "codegen/emit_lane.h"

#include <spirv/unified1/GLSL.std.450.h>

// -- the table ---------------------------------------------------------------------------------

enum form { FORM_NONE, FORM_UNARY, FORM_BINARY, FORM_FLOAT, FORM_COMPARE, FORM_FUNCTION };

struct cell {
    enum form form;
    SpvOp op;
    lane_function *function;
};

#define UN(name)                                                                                   \
    {                                                                                              \
        FORM_UNARY, SpvOp##name, NULL                                                              \
    }
#define BIN(name)                                                                                  \
    {                                                                                              \
        FORM_BINARY, SpvOp##name, NULL                                                             \
    }
#define FP(name)                                                                                   \
    {                                                                                              \
        FORM_FLOAT, SpvOp##name, NULL                                                              \
    }
#define CMP(name)                                                                                  \
    {                                                                                              \
        FORM_COMPARE, SpvOp##name, NULL                                                            \
    }
#define FN(name)                                                                                   \
    {                                                                                              \
        FORM_FUNCTION, SpvOpNop, lane_##name                                                       \
    }
#define NO                                                                                         \
    {                                                                                              \
        FORM_NONE, SpvOpNop, NULL                                                                  \
    }
static const struct cell cells[IR_OP_COUNT][LANE_COUNT] = {
#define LANE(name, f, i, u, bool_) [IR_##name] = {f, i, u, bool_},
#include "codegen/lanes.def"
#undef LANE
};

static spv_id as_lane(struct emit *e, spv_id condition)
{
    spv_id yes = spv_c32(&e->b, 1), no = spv_c32(&e->b, 0);
    return emit_choose(e, condition, yes, no);
}

static spv_id write_cell(struct emit *e, const struct cell *c, const struct lane_operands *o)
{
    struct spv *b = &e->b;
    switch (c->form) {
    case FORM_UNARY: return spv_value(b, c->op, o->type, SPV(o->x));
    case FORM_BINARY: return spv_value(b, c->op, o->type, SPV(o->x, o->y));
    case FORM_FLOAT: return spv_arith(b, c->op, o->type, o->x, o->y);
    case FORM_COMPARE: return as_lane(e, spv_value(b, c->op, spv_bool(b), SPV(o->x, o->y)));
    case FORM_FUNCTION: return c->function(e, o);
    case FORM_NONE: break;
    }
    return 0;
}

bool emit_has_op(enum tape_code code)
{
    return code <= TAPE_LAST_ROW && cells[code / LANE_COUNT][code % LANE_COUNT].form != FORM_NONE;
}

// -- the native profile ---------------------------------------------------------------------------

struct native {
    SpvOp op;      // SpvOpNop: an instruction of GLSL.std.450
    uint32_t glsl; // 0 and SpvOpNop: a tree in this profile, too
};

#define OP(name)                                                                                   \
    {                                                                                              \
        SpvOp##name, 0                                                                             \
    }
#define EXT(name)                                                                                  \
    {                                                                                              \
        SpvOpNop, GLSLstd450##name                                                                 \
    }
#define LANE(name, f, i, u, bool_)
static const struct native natives[IR_OP_COUNT] = {
#define NATIVE(name, how) [IR_##name] = how,
#include "codegen/lanes.def"
#undef NATIVE
};
#undef LANE

bool emit_is_native(enum ir_op op)
{
    return natives[op].op != SpvOpNop || natives[op].glsl != 0;
}

static spv_id write_native(struct emit *e, enum ir_op op, const struct lane_operands *o)
{
    const struct native *n = &natives[op];
    const uint32_t words[2] = {o->x, o->y};
    size_t count = ir_op_info(op)->nargs;
    if (n->op != SpvOpNop)
        return spv_value(&e->b, n->op, o->type, words, count);
    return spv_glsl(&e->b, n->glsl, o->type, words, count);
}

struct emit_value emit_op(struct emit *e, enum tape_code code, const struct emit_value *x)
{
    enum ir_op op = (enum ir_op)(code / LANE_COUNT);
    enum lane lane = (enum lane)(code % LANE_COUNT);
    struct lane_operands o = {.lane = lane, .type = lane_type(e, lane)};
    unsigned n = ir_op_info(op)->nargs;
    o.x = emit_as(e, x[0], op == IR_select ? LANE_BOOL : lane);
    if (n > 1)
        o.y = emit_as(e, x[1], lane);
    if (n > 2)
        o.z = emit_as(e, x[2], lane);
    const struct cell *c = &cells[op][lane];
    spv_id id = c->form == FORM_NONE ? write_native(e, op, &o) : write_cell(e, c, &o);
    return (struct emit_value){.id = id, .lane = c->form == FORM_COMPARE ? LANE_BOOL : lane};
}
