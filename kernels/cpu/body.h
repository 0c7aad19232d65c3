/* body: the vector bodies of the small ops, once per instruction set. Each family writes its body
 * once, in x_body.h on kernels/cpu/simd.h; kernels/cpu/body_*.c compile them all with that set's
 * flags into one table. x_cpu.c calls the table chosen at start. All tables give the same bits
 * (kernels/cpu/body_test.c). Thread: body_init once, before any op runs; the rest any. Allocates:
 * never. */
#ifndef KERNELS_CPU_BODY_H
#define KERNELS_CPU_BODY_H

#include "kernels/attn/attn.h"
#include "kernels/cpu/cpu.h"
#include "kernels/glu/glu.h"
#include "kernels/qkv/qkv_store.h"
#include "kernels/rmsnorm/rmsnorm.h"
#include "kernels/softcap/softcap.h"

#include <stdbool.h>

struct body_set {
    void (*rmsnorm)(const struct rmsnorm_args *a, uint32_t tid, uint32_t n_tid);
    void (*qkv_store)(const struct qkv_store_args *a, uint32_t tid, uint32_t n_tid);
    void (*attn)(const struct attn_args *a, uint32_t tid, uint32_t n_tid);
    void (*glu)(const struct glu_args *a, uint32_t tid, uint32_t n_tid);
    void (*softcap)(const struct softcap_args *a, uint32_t tid, uint32_t n_tid);
    /* One register each, for the tests of kernels/cpu/vmath.h and the conversions. */
    void (*exp16)(const float x[16], float y[16]);
    void (*tanh16)(const float x[16], float y[16]);
    void (*to_f16)(const float x[16], uint16_t y[16]);
    void (*from_f16)(const uint16_t x[16], float y[16]);
};

/* The set for a variant; NULL if this build has none. */
const struct body_set *body_get(enum cpu_isa isa);

/* Let x_cpu.c use the best built set in isa_mask (bit 0 set); returns it. Until then, plain C. */
enum cpu_isa body_init(uint32_t isa_mask);
const struct body_set *body_chosen(void);

/* Whether a set gives the bits of plain C on a small probe of every op. A set this build lacks or
 * this machine cannot run must not be asked. */
bool body_isa_agrees(enum cpu_isa isa);

#endif
