#include "kernels/quant/dequant.h"

#include "kernels/quant/half.h"
#include "kernels/quant/qblk.h"
#include "runtime/base/num.h"

bool dequant_supports(enum qtype type)
{
    return type == QTYPE_F32 || type == QTYPE_F16 || type == QTYPE_BF16 || qblk_trait(type);
}

static void step_values(const struct qblk_step *step, enum qblk_form form, float *out,
                        uint32_t n_elems)
{
    for (uint32_t i = 0; i < n_elems; i++) {
        float product = step->c[i / 16] * (float)step->w[i];
        out[i] = qblk_has_minima(form) ? product - step->m[i / 16] : product;
    }
}

void dequant_row(enum qtype type, const void *row, float *out, uint64_t n_elems)
{
    const uint8_t *p = row;
    const struct qblk_trait *trait = qblk_trait(type);
    if (trait) {
        struct qblk_step step;
        for (uint64_t i = 0; i < n_elems; i += QBLK_STEP_ELEMS, p += trait->step_bytes) {
            uint32_t n_left = (uint32_t)num_min(n_elems - i, QBLK_STEP_ELEMS);
            trait->unpack(p, n_left, &step);
            step_values(&step, trait->form, out + i, n_left);
        }
    } else if (type == QTYPE_F32) {
        memcpy(out, p, n_elems * sizeof *out);
    } else if (type == QTYPE_F16) {
        for (uint64_t i = 0; i < n_elems; i++)
            out[i] = half_load_f16(p + 2 * i);
    } else if (type == QTYPE_BF16) {
        for (uint64_t i = 0; i < n_elems; i++)
            out[i] = half_from_bf16(half_load_u16(p + 2 * i));
    }
}
