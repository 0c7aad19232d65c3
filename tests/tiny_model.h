/* tiny_model: the tiny random Gemma 4 models of tests/golden/logits as GGUF files, weights made by
 * the formula in tests/golden/README.md, so that nothing large is committed. For tests only. */
#ifndef TESTS_TINY_MODEL_H
#define TESTS_TINY_MODEL_H

#include "kernels/quant/qtype.h"
#include "runtime/base/err.h"

#include <jansson.h>

/* tests/golden/logits/NAME.json; the caller json_decrefs it. Ends the test if unreadable. */
json_t *tiny_model_golden(const char *name);

/* Writes the model of a golden file to path, matrices as `type` (F32, F16, BF16, Q8_0). */
bool tiny_model_write(const json_t *golden, enum qtype type, const char *path, struct err *e);

#endif
