#include "kernels/quant/qtype.h"

#include <stddef.h>
#include <strings.h>

#define X(name, id, elems, bytes) [id] = {#name, elems, bytes},
static const struct qtype_info infos[QTYPE_ID_END] = {QTYPES(X)};
#undef X

const struct qtype_info *qtype_info(uint32_t id)
{
    return id < QTYPE_ID_END && infos[id].name ? &infos[id] : NULL;
}

bool qtype_by_name(const char *name, enum qtype *out)
{
    for (uint32_t id = 0; id < QTYPE_ID_END; id++)
        if (infos[id].name && strcasecmp(infos[id].name, name) == 0) {
            *out = (enum qtype)id;
            return true;
        }
    return false;
}

uint64_t qtype_row_bytes(enum qtype type, uint64_t n_elems)
{
    const struct qtype_info *info = &infos[type];
    return n_elems / info->block_elems * info->block_bytes;
}
