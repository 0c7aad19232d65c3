#include "models/gguf_index.h"

#include "runtime/base/check.h"
#include "runtime/base/mem.h"

#include <inttypes.h>
#include <unistd.h>

enum { MIN_SLOTS = 16 };

bool gguf_index_init(struct gguf_index *ix, size_t record_bytes, struct err *e)
{
    memset(ix, 0, sizeof *ix);
    ix->record_bytes = record_bytes;
    if (getentropy(ix->seed, sizeof ix->seed) != 0)
        return err_sys(e, "gguf: no random seed from the system");
    return true;
}

void gguf_index_deinit(struct gguf_index *ix)
{
    mem_free(ix->slots);
    memset(ix, 0, sizeof *ix);
}

static struct str name_at(const struct gguf_index *ix, const void *records, uint64_t i)
{
    struct str name;
    memcpy(&name, (const char *)records + i * ix->record_bytes, sizeof name);
    return name;
}

/* Both halves of the 128-bit product, so that every input bit reaches every output bit. */
static uint64_t fold(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 u128;
    u128 wide = (u128)a * b;
    return (uint64_t)wide ^ (uint64_t)(wide >> 64);
}

static uint64_t hash_name(const struct gguf_index *ix, struct str name)
{
    uint64_t h = ix->seed[0] ^ name.n_bytes;
    for (size_t i = 0; i < name.n_bytes; i += 8) {
        uint64_t word = 0;
        memcpy(&word, name.p + i, name.n_bytes - i < 8 ? name.n_bytes - i : 8);
        h = fold(h ^ word, ix->seed[1] | 1);
        h += ix->seed[0];
    }
    return fold(h, UINT64_C(0x9e3779b97f4a7c15));
}

static uint64_t slot_of(const struct gguf_index *ix, const void *records, struct str name)
{
    uint64_t mask = ix->n_slots - 1;
    uint64_t i_slot = hash_name(ix, name) & mask;
    while (ix->slots[i_slot] && !str_eq(name_at(ix, records, ix->slots[i_slot] - 1), name))
        i_slot = (i_slot + 1) & mask;
    return i_slot;
}

bool gguf_index_reserve(struct gguf_index *ix, const void *records, uint64_t n_names, struct err *e)
{
    if (n_names > UINT32_MAX / 4)
        return err_set(e, ERR_LIMIT,
                       "gguf: %" PRIu64 " names in one file are more than are supported", n_names);
    uint64_t n_slots = MIN_SLOTS;
    while (n_slots < n_names * 2)
        n_slots *= 2;
    if (n_slots <= ix->n_slots)
        return true;
    uint32_t *slots = mem_alloc(n_slots, sizeof *slots);
    if (!slots)
        return err_set(e, ERR_NOMEM, "gguf: no memory for an index of %" PRIu64 " names", n_names);
    mem_free(ix->slots);
    ix->slots = slots;
    ix->n_slots = n_slots;
    for (uint64_t i = 0; i < ix->n_names; i++)
        slots[slot_of(ix, records, name_at(ix, records, i))] = (uint32_t)(i + 1);
    return true;
}

uint32_t gguf_index_find(const struct gguf_index *ix, const void *records, struct str name)
{
    if (!ix->slots)
        return GGUF_INDEX_NONE;
    uint32_t position_plus_1 = ix->slots[slot_of(ix, records, name)];
    return position_plus_1 ? position_plus_1 - 1 : GGUF_INDEX_NONE;
}

bool gguf_index_add(struct gguf_index *ix, const void *records)
{
    CHECK(ix->slots && ix->n_names * 2 < ix->n_slots + 1);
    uint64_t i_slot = slot_of(ix, records, name_at(ix, records, ix->n_names));
    if (ix->slots[i_slot])
        return false;
    ix->n_names++;
    ix->slots[i_slot] = (uint32_t)ix->n_names;
    return true;
}
