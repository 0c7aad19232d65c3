/* The start-up check of one variant: small problems of every encoding in which each body and each
 * ragged edge takes part. */
#include "kernels/matmul/matmul_isa.h"

#include "kernels/quant/qblk_random.h"

#include <stdlib.h>
#include <string.h>

enum {
    N = 11,         /* one whole group of rows and a ragged one */
    K = 512,        /* whole steps */
    K_RAGGED = 320, /* a whole step and a ragged one */
    T = 19,         /* one whole panel group and a ragged one */
};

struct probe {
    _Alignas(64) char scratch[MATMUL_SCRATCH_BYTES];
    _Alignas(64) char place[2][4 * T * K];
    float x[T * K];
    uint8_t w[N * K * sizeof(float)];
    float y[2][N * T];
};

/* The same call by the portable bodies and by the variant: activations, then a few rows and many
 * rows of x. */
static bool agrees_on(struct probe *p, const struct matmul_isa *isa, enum qtype type, uint32_t n_in)
{
    const struct matmul_isa *const isas[2] = {&matmul_isa_portable, isa};
    static const uint32_t n_rows[] = {1, 2, 3, T};
    if (actq_bytes(T, n_in) > sizeof p->place[0])
        return false;
    for (uint32_t i = 0; i < sizeof n_rows / sizeof *n_rows; i++) {
        for (uint32_t side = 0; side < 2; side++) {
            struct actq_args quantize = {
                .x = p->x, .out = actq_at(p->place[side], T, n_in), .n_rows = T, .n_cols = n_in};
            actq_run(isas[side], &quantize, 0, 1);
            struct matmul_args product = {.w = p->w,
                                          .x = p->x,
                                          .xq = quantize.out,
                                          .y = p->y[side],
                                          .scratch = p->scratch,
                                          .scratch_bytes = sizeof p->scratch,
                                          .w_type = type,
                                          .n_rows = n_rows[i],
                                          .n_in = n_in,
                                          .n_out = N,
                                          .y_stride = N,
                                          .scale = 0.75f};
            matmul_run(isas[side], &product, 0, 1);
        }
        if (memcmp(p->y[0], p->y[1], n_rows[i] * N * sizeof(float)) != 0)
            return false;
    }
    return true;
}

bool matmul_isa_agrees(enum cpu_isa isa)
{
    const struct matmul_isa *bodies = matmul_isa_get(isa);
    struct probe *p = NULL;
    if (!bodies || posix_memalign((void **)&p, 64, sizeof *p) != 0)
        return false;
    memset(p->place, 0, sizeof p->place);
    uint64_t state = 1;
    for (uint32_t i = 0; i < T * K; i++)
        p->x[i] = qblk_random_float(&state);
    bool agrees = true;
    for (uint32_t id = 0; id < QTYPE_ID_END && agrees; id++) {
        if (!qtype_info(id) || !matmul_supports((enum qtype)id))
            continue;
        uint32_t block_elems = qtype_info(id)->block_elems;
        qblk_fill_random((enum qtype)id, &state, p->w, N * K / block_elems);
        agrees = agrees_on(p, bodies, (enum qtype)id, K) &&
                 (K_RAGGED % block_elems != 0 || agrees_on(p, bodies, (enum qtype)id, K_RAGGED));
    }
    free(p);
    return agrees;
}
