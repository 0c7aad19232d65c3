#include "runtime/base/mem.h"

#include "runtime/base/num.h"

#include <stdlib.h>
#include <string.h>

static struct {
    uint64_t n_live, taken_bytes;
    uint64_t n_until_fault;
    bool is_armed, has_fired, is_frozen;
} state;

static bool may_allocate(uint64_t n_items, uint64_t item_bytes, size_t *size_bytes)
{
    uint64_t n_bytes;
    if (!num_mul(n_items, item_bytes, &n_bytes) || n_bytes > PTRDIFF_MAX || state.is_frozen)
        return false;
    if (state.is_armed && state.n_until_fault-- == 0) {
        state.is_armed = false;
        state.has_fired = true;
        return false;
    }
    *size_bytes = n_bytes ? (size_t)n_bytes : 1;
    return true;
}

void *mem_alloc(uint64_t n_items, uint64_t item_bytes)
{
    size_t size_bytes;
    if (!may_allocate(n_items, item_bytes, &size_bytes))
        return NULL;
    void *p = calloc(1, size_bytes);
    state.n_live += p != NULL;
    state.taken_bytes += p ? size_bytes : 0;
    return p;
}

void *mem_grow(void *p, uint64_t n_old, uint64_t n_items, uint64_t item_bytes)
{
    if (!p)
        return mem_alloc(n_items, item_bytes);
    size_t size_bytes;
    if (!may_allocate(n_items, item_bytes, &size_bytes))
        return NULL;
    char *grown = realloc(p, size_bytes);
    state.taken_bytes += grown ? size_bytes : 0;
    if (grown && n_items > n_old)
        memset(grown + n_old * item_bytes, 0, (n_items - n_old) * item_bytes);
    return grown;
}

void mem_free(void *p)
{
    state.n_live -= p != NULL;
    free(p);
}

uint64_t mem_n_live(void)
{
    return state.n_live;
}

uint64_t mem_taken_bytes(void)
{
    return state.taken_bytes;
}

void mem_freeze(void)
{
    state.is_frozen = true;
}

void mem_fault_arm(uint64_t n)
{
    state.n_until_fault = n;
    state.is_armed = true;
    state.has_fired = false;
}

bool mem_fault_fired(void)
{
    bool has_fired = state.has_fired;
    state.is_armed = state.has_fired = false;
    return has_fired;
}
