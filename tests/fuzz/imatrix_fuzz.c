/* imatrix: any bytes are read or refused with one line; what is read is finite, not negative and
 * found by its name. */
#include "models/imatrix.h"

#include "runtime/base/mem.h"

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

static void must(bool held)
{
    if (!held)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    struct err e = {0};
    unsigned char *copy = malloc(n_bytes ? n_bytes : 1); /* aligned, and watched at its end */
    must(copy != NULL);
    if (n_bytes)
        memcpy(copy, bytes, n_bytes);
    uint64_t taken_bytes = mem_taken_bytes();
    struct imatrix *m = imatrix_open_mem(copy, n_bytes, "fuzz", &e);
    must(mem_taken_bytes() - taken_bytes <= 32 * (uint64_t)n_bytes + (1 << 20));
    must(m || (e.code != ERR_NONE && e.msg[0] && !strchr(e.msg, '\n')));
    for (uint64_t i = 0; m && i < imatrix_n_entries(m); i++) {
        const struct imatrix_entry *entry = imatrix_entry_at(m, i);
        must(imatrix_find(m, entry->name) == entry && entry->n_values > 0);
        for (uint64_t k = 0; k < entry->n_values; k++)
            must(isfinite(entry->values[k]) && entry->values[k] >= 0);
    }
    must(!m || imatrix_dataset(m).n_bytes <= n_bytes);
    imatrix_close(m);
    free(copy);
    return 0;
}
