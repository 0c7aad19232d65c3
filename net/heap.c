#include "net/heap.h"

#include "runtime/base/check.h"
#include "runtime/base/num.h"

#include <string.h>

struct heap_block {
    size_t prev_bytes;              /* whole size of the block before, 0 for the first */
    size_t size;                    /* whole size of this one, bit 0: used */
    struct heap_block *next, *prev; /* only in free blocks; else the payload begins here */
};

enum {
    HEADER_BYTES = 2 * sizeof(size_t),
    MIN_BLOCK_BYTES = sizeof(struct heap_block),
    FIRST_CLASS_LOG2 = 5
};
_Static_assert((int)HEADER_BYTES == (int)HEAP_ALIGN_BYTES, "payloads keep the alignment");
_Static_assert(MIN_BLOCK_BYTES == 1 << FIRST_CLASS_LOG2,
               "the smallest block opens the first class");

static size_t bytes_of(const struct heap_block *b)
{
    return b->size & ~(size_t)1;
}

static bool is_used(const struct heap_block *b)
{
    return b->size & 1;
}

static struct heap_block *after(struct heap_block *b)
{
    return (struct heap_block *)(void *)((char *)b + bytes_of(b));
}

/* The list a block of n_bytes belongs to. */
static void place_of(size_t n_bytes, unsigned *i_class, unsigned *i_step)
{
    unsigned log2 = 63 - (unsigned)__builtin_clzll(n_bytes);
    *i_class = log2 - FIRST_CLASS_LOG2;
    *i_step = (unsigned)(n_bytes >> (log2 - 2)) & (HEAP_N_STEPS - 1);
}

static void link_idle(struct heap *h, struct heap_block *b)
{
    unsigned c, s;
    place_of(bytes_of(b), &c, &s);
    b->prev = NULL;
    b->next = h->idle[c][s];
    if (b->next)
        b->next->prev = b;
    h->idle[c][s] = b;
    h->class_map |= (uint64_t)1 << c;
    h->step_map[c] |= 1u << s;
}

static void unlink_idle(struct heap *h, struct heap_block *b)
{
    unsigned c, s;
    place_of(bytes_of(b), &c, &s);
    if (b->next)
        b->next->prev = b->prev;
    if (b->prev)
        b->prev->next = b->next;
    else
        h->idle[c][s] = b->next;
    if (!h->idle[c][s])
        h->step_map[c] &= ~(1u << s);
    if (!h->step_map[c])
        h->class_map &= ~((uint64_t)1 << c);
}

void heap_init(struct heap *h, void *memory, size_t n_bytes)
{
    memset(h, 0, sizeof *h);
    n_bytes &= ~(size_t)(HEAP_ALIGN_BYTES - 1);
    CHECK(n_bytes >= MIN_BLOCK_BYTES + HEADER_BYTES && n_bytes < (size_t)1 << HEAP_N_CLASSES);
    h->base = memory;
    h->room_bytes = n_bytes;
    h->used_bytes = h->peak_bytes = HEADER_BYTES;
    struct heap_block *first = memory;
    first->prev_bytes = 0;
    first->size = n_bytes - HEADER_BYTES;
    struct heap_block *end =
        after(first); /* a used block without payload: nobody merges beyond it */
    end->prev_bytes = first->size;
    end->size = HEADER_BYTES | 1;
    link_idle(h, first);
}

/* A free block of at least n_bytes. The wish is rounded up to the next step, so that the first of
 * any list fits. */
static struct heap_block *find_idle(const struct heap *h, size_t n_bytes)
{
    unsigned c, s;
    unsigned log2 = 63 - (unsigned)__builtin_clzll(n_bytes);
    place_of(n_bytes + ((size_t)1 << (log2 - 2)) - 1, &c, &s);
    if (c >= HEAP_N_CLASSES)
        return NULL;
    uint32_t steps = h->step_map[c] & (~0u << s);
    if (!steps) {
        uint64_t classes = c + 1 < 64 ? h->class_map & (~(uint64_t)0 << (c + 1)) : 0;
        if (!classes)
            return NULL;
        c = (unsigned)__builtin_ctzll(classes);
        steps = h->step_map[c];
    }
    return h->idle[c][__builtin_ctz(steps)];
}

void *heap_alloc(struct heap *h, size_t n_bytes)
{
    size_t need = MIN_BLOCK_BYTES;
    if (n_bytes > h->room_bytes)
        need = SIZE_MAX;
    else if (n_bytes + HEADER_BYTES > MIN_BLOCK_BYTES)
        need = (n_bytes + HEADER_BYTES + HEAP_ALIGN_BYTES - 1) & ~(size_t)(HEAP_ALIGN_BYTES - 1);
    struct heap_block *b = need == SIZE_MAX ? NULL : find_idle(h, need);
    if (!b) {
        h->n_refused++;
        return NULL;
    }
    unlink_idle(h, b);
    if (bytes_of(b) - need >= MIN_BLOCK_BYTES) {
        size_t rest_bytes = bytes_of(b) - need;
        b->size = need;
        struct heap_block *rest = after(b);
        rest->prev_bytes = need;
        rest->size = rest_bytes;
        after(rest)->prev_bytes = rest_bytes;
        link_idle(h, rest);
    }
    h->used_bytes += bytes_of(b);
    if (h->used_bytes > h->peak_bytes)
        h->peak_bytes = h->used_bytes;
    b->size |= 1;
    return (char *)b + HEADER_BYTES;
}

void *heap_alloc_zeroed(struct heap *h, size_t n_items, size_t item_bytes)
{
    size_t n_bytes;
    if (!num_mul(n_items, item_bytes, &n_bytes)) {
        h->n_refused++;
        return NULL;
    }
    void *p = heap_alloc(h, n_bytes);
    if (p)
        memset(p, 0, n_bytes);
    return p;
}

void heap_free(struct heap *h, void *p)
{
    if (!p)
        return;
    struct heap_block *b = (struct heap_block *)(void *)((char *)p - HEADER_BYTES);
    CHECK((char *)b >= h->base && (char *)b < h->base + h->room_bytes && is_used(b));
    b->size &= ~(size_t)1;
    h->used_bytes -= b->size;
    struct heap_block *next = after(b);
    if (!is_used(next)) {
        unlink_idle(h, next);
        b->size += next->size;
    }
    if (b->prev_bytes) {
        struct heap_block *before = (struct heap_block *)(void *)((char *)b - b->prev_bytes);
        if (!is_used(before)) {
            unlink_idle(h, before);
            before->size += b->size;
            b = before;
        }
    }
    after(b)->prev_bytes = b->size;
    link_idle(h, b);
}

bool heap_is_sound(const struct heap *h)
{
    size_t at = 0, prev_bytes = 0, used_bytes = 0;
    bool was_free = false;
    while (at < h->room_bytes) {
        const struct heap_block *b = (const struct heap_block *)(const void *)(h->base + at);
        if (bytes_of(b) < HEADER_BYTES || bytes_of(b) > h->room_bytes - at ||
            b->prev_bytes != prev_bytes || (was_free && !is_used(b)))
            return false;
        was_free = !is_used(b);
        used_bytes += is_used(b) ? bytes_of(b) : 0;
        prev_bytes = bytes_of(b);
        at += prev_bytes;
    }
    return used_bytes == h->used_bytes;
}
