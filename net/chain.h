/* chain: a queue of bytes in fixed blocks that all chains of the role borrow from one pool: output
 * waiting for its socket, answers being collected, tokens held back for a slow reader. Memory
 * follows what is really pending, and the pool's end is the end: a put that finds no block fails
 * and the caller gives up that one request.
 *
 *   first -> [begin..end) -> [begin..end) -> ... -> last
 *
 * Thread: edge. Allocates: never (chain_pool_init hands out the caller's memory). Invariant: no
 * block is in two chains. */
#ifndef NET_CHAIN_H
#define NET_CHAIN_H

#include "runtime/base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CHAIN_BLOCK_BYTES = 4096, CHAIN_PAYLOAD_BYTES = CHAIN_BLOCK_BYTES - 16 };

struct chain_block {
    struct chain_block *next;
    uint32_t begin, end; /* valid bytes of bytes[] */
    char bytes[CHAIN_PAYLOAD_BYTES];
};

struct chain_pool {
    struct chain_block *idle;
    uint32_t n_idle, n_blocks;
};

struct chain {
    struct chain_pool *pool;
    struct chain_block *first, *last;
    size_t n_bytes;
};

/* memory: n_blocks * CHAIN_BLOCK_BYTES, 16-byte aligned. */
void chain_pool_init(struct chain_pool *p, void *memory, uint32_t n_blocks);

void chain_init(struct chain *c, struct chain_pool *pool);
void chain_deinit(struct chain *c); /* gives the blocks back; the chain is empty and usable again */

/* All of s or nothing; false: the pool has no block left. */
bool chain_put(struct chain *c, struct str s);

/* The oldest bytes that lie together, and their removal. */
struct str chain_front(const struct chain *c);
void chain_drop(struct chain *c, size_t n_bytes);

/* Copy n_bytes from the front into out and drop them; false (nothing done) if there are fewer. */
bool chain_take(struct chain *c, void *out, size_t n_bytes);

/* Everything of src to the end of dst; src is empty afterwards. Both borrow from the same pool. */
void chain_splice(struct chain *dst, struct chain *src);

#endif
