/* safetensors: any bytes are opened or refused with one line; what opens has tensors that lie
 * inside the file, do not overlap, are as long as their shape asks, and are found by their names.
 */
#include "models/safetensors.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

static void must(bool held)
{
    if (!held)
        abort();
}

static void check(const struct safetensors *s, const unsigned char *file, size_t n_bytes)
{
    uint64_t n_data_bytes = 0;
    volatile unsigned char last = 0;
    for (uint64_t i = 0; i < safetensors_n_tensors(s); i++) {
        const struct safetensors_tensor *t = safetensors_at(s, i);
        uint64_t n = safetensors_dtype_bytes(t->dtype);
        for (uint32_t k = 0; k < t->n_dims; k++)
            n *= t->dims[k];
        must(n == t->n_bytes && safetensors_dtype_name(t->dtype)[0]);
        must(t->bytes >= file + 8 && (size_t)(t->bytes - file) <= n_bytes - t->n_bytes);
        must(safetensors_find(s, t->name) == i);
        last = t->n_bytes ? t->bytes[t->n_bytes - 1] : last;
        n_data_bytes += t->n_bytes;
        safetensors_release(s, t);
    }
    must(n_data_bytes < n_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    struct err e = {0};
    struct safetensors *s = safetensors_open_mem(bytes, n_bytes, "fuzz", &e);
    must(s || (e.code != ERR_NONE && e.msg[0] && !strchr(e.msg, '\n')));
    if (s)
        check(s, bytes, n_bytes);
    safetensors_close(s);
    return 0;
}
