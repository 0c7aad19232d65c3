/* matmul_bench: how near the products are to what the machine can do, measured side by side in one
 * run. Prints, per encoding: decode GB/s and its share of plain reading, Gop/s at 16 and 256 rows
 * and their share of a register-only dot loop, verify of 16 over decode of 1. Thread: the caller's
 * and a pool's. Allocates: about 600 MiB. */
#ifndef KERNELS_MATMUL_MATMUL_BENCH_H
#define KERNELS_MATMUL_MATMUL_BENCH_H

#include "runtime/base/err.h"

#include <stdint.h>
#include <stdio.h>

struct matmul_bench_args {
    uint32_t n_threads; /* 0: one per CPU */
    uint32_t n_in;      /* K, a multiple of 256 */
    uint32_t n_repeats; /* medians of so many */
};

bool matmul_bench(const struct matmul_bench_args *args, FILE *out, struct err *e);

#endif
