// emit_lane.h: what the table of operations has of its functions. Private to emit_lane*.c.
#ifndef HLX_CODEGEN_EMIT_LANE_H
#define HLX_CODEGEN_EMIT_LANE_H

#include "codegen/emit.h"

// Operands of one operation, already of its lane type (select: the first is a bool lane).
struct lane_operands {
    enum lane lane;
    spv_id type, x, y, z;
};

typedef spv_id lane_function(struct emit *e, const struct lane_operands *o);

// What lanes.def names by FN.
lane_function lane_abs, lane_trunc, lane_floor, lane_ceil, lane_round, lane_min, lane_max,
    lane_iabs, lane_flip, lane_idiv, lane_irem, lane_udiv, lane_urem, lane_imin, lane_imax,
    lane_umin, lane_umax, lane_shl, lane_ishr, lane_ushr, lane_mul_hi, lane_select;

spv_id lane_type(struct emit *e, enum lane lane);

#endif
