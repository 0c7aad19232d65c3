/* op_part: ops whose instruction-set variants are chosen together; for op.c and its test. */
#ifndef KERNELS_OP_PART_H
#define KERNELS_OP_PART_H

#include "kernels/cpu/cpu.h"

#include <stdbool.h>
#include <stddef.h>

struct op_part {
    const char *name;
    bool (*agrees)(enum cpu_isa isa);        /* with plain C, on a probe */
    enum cpu_isa (*init)(uint32_t isa_mask); /* use the best built one of the mask */
};

/* Leaves the part on its best variant that agrees; those that do not are named in report. */
enum cpu_isa op_part_choose(const struct op_part *part, uint32_t isa_mask, char *report,
                            size_t n_report_bytes);

#endif
