#include "net/chain.h"

#include "runtime/base/check.h"

#include <string.h>

_Static_assert(sizeof(struct chain_block) == CHAIN_BLOCK_BYTES, "blocks fill their memory");

void chain_pool_init(struct chain_pool *p, void *memory, uint32_t n_blocks)
{
    struct chain_block *blocks = memory;
    memset(p, 0, sizeof *p);
    for (uint32_t i = n_blocks; i-- > 0;) {
        blocks[i].next = p->idle;
        p->idle = &blocks[i];
    }
    p->n_idle = p->n_blocks = n_blocks;
}

void chain_init(struct chain *c, struct chain_pool *pool)
{
    *c = (struct chain){.pool = pool};
}

void chain_deinit(struct chain *c)
{
    chain_drop(c, c->n_bytes);
}

static size_t n_tail_room(const struct chain *c)
{
    return c->last ? CHAIN_PAYLOAD_BYTES - c->last->end : 0;
}

static void append_block(struct chain *c)
{
    struct chain_block *b = c->pool->idle;
    c->pool->idle = b->next;
    c->pool->n_idle--;
    b->next = NULL;
    b->begin = b->end = 0;
    if (c->last)
        c->last->next = b;
    else
        c->first = b;
    c->last = b;
}

bool chain_put(struct chain *c, struct str s)
{
    size_t n_room = n_tail_room(c);
    if (s.n_bytes > n_room) {
        size_t n_blocks = (s.n_bytes - n_room + CHAIN_PAYLOAD_BYTES - 1) / CHAIN_PAYLOAD_BYTES;
        if (n_blocks > c->pool->n_idle)
            return false;
    }
    while (s.n_bytes > 0) {
        if (n_tail_room(c) == 0)
            append_block(c);
        size_t n = n_tail_room(c) < s.n_bytes ? n_tail_room(c) : s.n_bytes;
        memcpy(c->last->bytes + c->last->end, s.p, n);
        c->last->end += (uint32_t)n;
        c->n_bytes += n;
        s.p += n;
        s.n_bytes -= n;
    }
    return true;
}

struct str chain_front(const struct chain *c)
{
    if (!c->first)
        return (struct str){NULL, 0};
    return (struct str){c->first->bytes + c->first->begin, c->first->end - c->first->begin};
}

static void give_back_first(struct chain *c)
{
    struct chain_block *b = c->first;
    c->first = b->next;
    if (!c->first)
        c->last = NULL;
    b->next = c->pool->idle;
    c->pool->idle = b;
    c->pool->n_idle++;
}

void chain_drop(struct chain *c, size_t n_bytes)
{
    CHECK(n_bytes <= c->n_bytes);
    c->n_bytes -= n_bytes;
    while (n_bytes > 0) {
        size_t n = c->first->end - c->first->begin;
        if (n > n_bytes)
            n = n_bytes;
        c->first->begin += (uint32_t)n;
        n_bytes -= n;
        if (c->first->begin == c->first->end)
            give_back_first(c);
    }
}

bool chain_take(struct chain *c, void *out, size_t n_bytes)
{
    if (n_bytes > c->n_bytes)
        return false;
    char *to = out;
    while (n_bytes > 0) {
        struct str front = chain_front(c);
        size_t n = front.n_bytes < n_bytes ? front.n_bytes : n_bytes;
        memcpy(to, front.p, n);
        chain_drop(c, n);
        to += n;
        n_bytes -= n;
    }
    return true;
}

void chain_splice(struct chain *dst, struct chain *src)
{
    CHECK(dst->pool == src->pool);
    if (!src->first)
        return;
    if (dst->last)
        dst->last->next = src->first;
    else
        dst->first = src->first;
    dst->last = src->last;
    dst->n_bytes += src->n_bytes;
    *src = (struct chain){.pool = src->pool};
}
