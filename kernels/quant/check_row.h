/* check_row: are all values and block scales of a row finite? The deep check of `inspect`: it reads
 * every byte, and is therefore not done at load (gguf.md 10).   Covers every encoding a file may
 * hold.   Thread: any. Allocates: never. */
#ifndef KERNELS_QUANT_CHECK_ROW_H
#define KERNELS_QUANT_CHECK_ROW_H

#include "kernels/quant/qtype.h"

/* Index of the first block of the row (element, for scalar types) that is not sound, or n_blocks.
 * *why then says what is wrong with it. */
uint64_t check_row(enum qtype type, const void *row, uint64_t n_blocks, const char **why);

#endif
