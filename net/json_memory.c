#include "net/json_memory.h"

#include <jansson.h>

static struct heap *json_heap;

static void *take(size_t n_bytes)
{
    return heap_alloc(json_heap, n_bytes);
}

static void give_back(void *p)
{
    heap_free(json_heap, p);
}

void json_memory_use(struct heap *heap, uint32_t seed)
{
    json_heap = heap;
    json_set_alloc_funcs(take, give_back);
    json_object_seed(seed);
}
