#include "kernels/embed/embed.h"
#include "kernels/op.h"
#include "kernels/quant/dequant.h"
#include "tests/near.h"
#include "tests/t.h"

#include <string.h>

enum { V = 9, D = 256, T = 4 };

TEST(embed_gathers_scaled_rows_of_every_encoding)
{
    static uint8_t w[V * D * 4];
    static const int32_t tok[T] = {8, 0, 3, 8};
    uint64_t state = 1;
    for (uint32_t i = 0; i < sizeof w; i++)
        w[i] = (uint8_t)(near_bits(&state) & 0x3F); /* small exponents in every float field */
    for (uint32_t id = 0; id < QTYPE_ID_END; id++) {
        if (!qtype_info(id) || !dequant_supports((enum qtype)id))
            continue;
        float y[T * D], want[D];
        struct embed_args a = {w, tok, y, (enum qtype)id, T, D, V, 2.5f};
        MUST_TRUE(op_embed.check(&a, NULL), qtype_info(id)->name);
        for (uint32_t tid = 0; tid < 3; tid++)
            op_embed.cpu(&a, tid, 3);
        for (uint32_t t = 0; t < T; t++) {
            dequant_row(a.w_type, w + (uint64_t)tok[t] * qtype_row_bytes(a.w_type, D), want, D);
            for (uint32_t c = 0; c < D; c++)
                want[c] *= 2.5f;
            CHECK_BYTES(y + t * D, want, sizeof want);
        }
    }
}

TEST(embed_refuses_tokens_outside_the_vocabulary_and_unknown_encodings)
{
    static float w[V * D], y[T * D];
    int32_t tok[T] = {0, 1, V - 1, 2};
    struct embed_args a = {w, tok, y, QTYPE_F32, T, D, V, 1};
    struct err e = {0};
    CHECK_TRUE(op_embed.check(&a, &e));
    tok[2] = V;
    CHECK_TRUE(!op_embed.check(&a, &e));
    CHECK_STR(e.msg, "embed: token 9 of row 2 is outside the vocabulary of 9");
    tok[2] = -1;
    CHECK_TRUE(!op_embed.check(&a, NULL));
    tok[2] = 0;
    a.w_type = QTYPE_I32;
    CHECK_TRUE(!op_embed.check(&a, NULL));
    a.w_type = QTYPE_Q8_0;
    a.d_model = 33;
    CHECK_TRUE(!op_embed.check(&a, NULL));
}
