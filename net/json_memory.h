/* json_memory: where jansson takes its memory from: one fixed heap, so that a body of many small
 * values cannot take more than was planned; when it is full, json_text_parse says ERR_NOMEM.
 * Thread: edge. jansson's hooks carry no context, so the heap is named once per process. */
#ifndef NET_JSON_MEMORY_H
#define NET_JSON_MEMORY_H

#include "net/heap.h"

/* seed: a random number that is not 0; it keeps clients from choosing names that collide in
 * jansson's hash tables, and keeps jansson from opening a random device in the sandbox. Once per
 * process. */
void json_memory_use(struct heap *heap, uint32_t seed);

#endif
