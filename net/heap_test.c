#include "net/heap.h"

#include "tests/t.h"

#include <stdlib.h>
#include <string.h>

static uint64_t random_state = 1;

static uint32_t next_random(void) /* xorshift64*; seed above */
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (uint32_t)((random_state * 2685821657736338717u) >> 32);
}

TEST(heap_survives_random_use_and_ends_whole)
{
    enum { N_LIVE = 200, ROOM = 1 << 20 };
    struct heap h;
    void *memory = aligned_alloc(64, ROOM);
    MUST_TRUE(memory != NULL, NULL);
    heap_init(&h, memory, ROOM);
    unsigned char *live[N_LIVE] = {0};
    size_t n_bytes[N_LIVE] = {0}, n_damaged = 0, n_unsound = 0, n_misaligned = 0;
    for (int round = 0; round < 40000; round++) {
        unsigned i = next_random() % N_LIVE;
        if (live[i]) {
            for (size_t k = 0; k < n_bytes[i]; k++)
                n_damaged += live[i][k] != (unsigned char)i;
            heap_free(&h, live[i]);
            live[i] = NULL;
        } else {
            n_bytes[i] = next_random() % (round % 7 ? 300 : 30000);
            live[i] = heap_alloc(&h, n_bytes[i]);
            if (live[i])
                memset(live[i], (int)i, n_bytes[i]);
            n_misaligned += (uintptr_t)live[i] % HEAP_ALIGN_BYTES != 0;
        }
        n_unsound += round % 64 == 0 && !heap_is_sound(&h);
    }
    for (unsigned i = 0; i < N_LIVE; i++)
        heap_free(&h, live[i]);
    CHECK_EQ(n_damaged, 0);
    CHECK_EQ(n_unsound, 0);
    CHECK_EQ(n_misaligned, 0);
    CHECK_TRUE(heap_is_sound(&h));
    void *most = heap_alloc(&h, ROOM * 3 / 4); /* everything has merged again */
    CHECK_TRUE(most != NULL);
    free(memory);
}

TEST(heap_refuses_what_does_not_fit_and_stays_usable)
{
    _Alignas(16) char memory[4096];
    struct heap h;
    heap_init(&h, memory, sizeof memory);
    CHECK_TRUE(heap_alloc(&h, 4096) == NULL);
    CHECK_TRUE(heap_alloc(&h, SIZE_MAX) == NULL);
    CHECK_TRUE(heap_alloc(&h, SIZE_MAX - 20) == NULL);
    CHECK_TRUE(heap_alloc_zeroed(&h, SIZE_MAX / 2, 4) == NULL);
    CHECK_EQ(h.n_refused, 4);
    char *p = heap_alloc_zeroed(&h, 10, 100);
    MUST_TRUE(p != NULL, NULL);
    CHECK_TRUE(p[0] == 0 && p[999] == 0);
    heap_free(&h, p);
    heap_free(&h, NULL);
    CHECK_TRUE(heap_is_sound(&h));
    CHECK_TRUE(heap_alloc(&h, 0) != NULL);
}
