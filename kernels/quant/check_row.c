#include "kernels/quant/check_row.h"

#include <stddef.h>

enum rule_kind {
    RULE_NONE,     /* integers: every pattern is a value */
    RULE_EXPONENT, /* little-endian fields whose exponent bits may not all be set */
    RULE_IQ1_M,    /* an f16 spread over the top nibbles of four u16 at byte 48 */
    RULE_E8M0,     /* byte 0 may not be 255 */
    RULE_UE4M3,    /* bytes 0..3 may not have bit 7, a sign that scales do not have */
};

/* Where the float fields of a block are and how wide. quant-formats 3. */
struct rule {
    enum rule_kind kind;
    uint8_t n_fields, field_bytes;
    uint8_t off_bytes[2];
    uint64_t exponent_mask;
};

enum { F16_EXPONENT = 0x7c00, BF16_EXPONENT = 0x7f80, F32_EXPONENT = 0x7f800000 };

#define F64_EXPONENT UINT64_C(0x7ff0000000000000)

/* clang-format off */
#define F16_AT(off) {RULE_EXPONENT, 1, 2, {off, 0}, F16_EXPONENT}
#define F16_AT_BOTH(a, b) {RULE_EXPONENT, 2, 2, {a, b}, F16_EXPONENT}
static const struct rule rules[QTYPE_ID_END] = {
    [QTYPE_F32] = {RULE_EXPONENT, 1, 4, {0, 0}, F32_EXPONENT},
    [QTYPE_F16] = F16_AT(0),
    [QTYPE_BF16] = {RULE_EXPONENT, 1, 2, {0, 0}, BF16_EXPONENT},
    [QTYPE_F64] = {RULE_EXPONENT, 1, 8, {0, 0}, F64_EXPONENT},
    [QTYPE_Q4_0] = F16_AT(0),     [QTYPE_Q4_1] = F16_AT_BOTH(0, 2),
    [QTYPE_Q5_0] = F16_AT(0),     [QTYPE_Q5_1] = F16_AT_BOTH(0, 2),
    [QTYPE_Q8_0] = F16_AT(0),     [QTYPE_Q2_K] = F16_AT_BOTH(80, 82),
    [QTYPE_Q3_K] = F16_AT(108),   [QTYPE_Q4_K] = F16_AT_BOTH(0, 2),
    [QTYPE_Q5_K] = F16_AT_BOTH(0, 2), [QTYPE_Q6_K] = F16_AT(208),
    [QTYPE_IQ2_XXS] = F16_AT(0),  [QTYPE_IQ2_XS] = F16_AT(0),
    [QTYPE_IQ2_S] = F16_AT(0),    [QTYPE_IQ3_XXS] = F16_AT(0),
    [QTYPE_IQ3_S] = F16_AT(0),    [QTYPE_IQ1_S] = F16_AT(0),
    [QTYPE_IQ4_NL] = F16_AT(0),   [QTYPE_IQ4_XS] = F16_AT(0),
    [QTYPE_TQ1_0] = F16_AT(52),   [QTYPE_TQ2_0] = F16_AT(64),
    [QTYPE_Q1_0] = F16_AT(0),     [QTYPE_Q2_0] = F16_AT(0),
    [QTYPE_IQ1_M] = {.kind = RULE_IQ1_M},
    [QTYPE_MXFP4] = {.kind = RULE_E8M0},
    [QTYPE_NVFP4] = {.kind = RULE_UE4M3},
};
/* clang-format on */

static bool fields_finite(const struct rule *rule, const uint8_t *block)
{
    for (uint32_t f = 0; f < rule->n_fields; f++) {
        uint64_t bits = 0;
        for (uint32_t k = rule->field_bytes; k-- > 0;)
            bits = bits << 8 | block[rule->off_bytes[f] + k];
        if ((bits & rule->exponent_mask) == rule->exponent_mask)
            return false;
    }
    return true;
}

/* NULL if the block is sound. */
static const char *block_fault(const struct rule *rule, const uint8_t *block)
{
    switch (rule->kind) {
    case RULE_EXPONENT:
        return fields_finite(rule, block) ? NULL : "not finite";
    case RULE_IQ1_M: /* the exponent's five bits: bits 4..6 of the last nibble byte, bits 6, 7 of
                         the one before */
        return (block[55] >> 4 & 7) == 7 && (block[53] >> 4 & 12) == 12 ? "not finite" : NULL;
    case RULE_E8M0:
        return block[0] == 255 ? "scale byte 255 (NaN)" : NULL;
    case RULE_UE4M3:
        for (int i = 0; i < 4; i++)
            if (block[i] >= 128)
                return "scale byte with a sign";
        return NULL;
    case RULE_NONE:
        break;
    }
    return NULL;
}

uint64_t check_row(enum qtype type, const void *row, uint64_t n_blocks, const char **why)
{
    const struct rule *rule = &rules[type];
    uint32_t block_bytes = qtype_info(type)->block_bytes;
    const uint8_t *block = row;
    if (rule->kind == RULE_NONE)
        return n_blocks;
    for (uint64_t i = 0; i < n_blocks; i++, block += block_bytes) {
        *why = block_fault(rule, block);
        if (*why)
            return i;
    }
    return n_blocks;
}
