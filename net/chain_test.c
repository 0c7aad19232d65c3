#include "net/chain.h"

#include "tests/t.h"

#include <stdlib.h>

static struct chain_pool pool;

static void *open_pool(uint32_t n_blocks)
{
    void *memory = aligned_alloc(64, (size_t)n_blocks * CHAIN_BLOCK_BYTES);
    MUST_TRUE(memory != NULL, NULL);
    chain_pool_init(&pool, memory, n_blocks);
    return memory;
}

TEST(chain_gives_back_bytes_in_order_whatever_the_pieces)
{
    void *memory = open_pool(8);
    struct chain c;
    chain_init(&c, &pool);
    uint8_t next_in = 0, next_out = 0;
    bool same = true;
    for (size_t round = 1; round < 400; round++) {
        char piece[97];
        size_t n_in = round % sizeof piece, n_out = (round * 7) % sizeof piece;
        for (size_t i = 0; i < n_in; i++)
            piece[i] = (char)next_in++;
        MUST_TRUE(chain_put(&c, (struct str){piece, n_in}), NULL);
        if (n_out > c.n_bytes)
            n_out = c.n_bytes;
        MUST_TRUE(chain_take(&c, piece, n_out), NULL);
        for (size_t i = 0; i < n_out; i++)
            same &= (uint8_t)piece[i] == next_out++;
    }
    CHECK_TRUE(same);
    chain_deinit(&c);
    CHECK_EQ(pool.n_idle, 8);
    free(memory);
}

TEST(chain_put_takes_all_or_nothing)
{
    void *memory = open_pool(2);
    struct chain c;
    chain_init(&c, &pool);
    char *big = calloc(1, 2 * CHAIN_PAYLOAD_BYTES + 1);
    CHECK_TRUE(!chain_put(&c, (struct str){big, 2 * CHAIN_PAYLOAD_BYTES + 1}));
    CHECK_EQ(c.n_bytes, 0);
    CHECK_EQ(pool.n_idle, 2);
    CHECK_TRUE(chain_put(&c, (struct str){big, 2 * CHAIN_PAYLOAD_BYTES}));
    CHECK_TRUE(!chain_put(&c, STR("x")));
    chain_drop(&c, CHAIN_PAYLOAD_BYTES);
    CHECK_TRUE(chain_put(&c, STR("x")));
    CHECK_TRUE(!chain_take(&c, big, CHAIN_PAYLOAD_BYTES + 2));
    CHECK_EQ(c.n_bytes, CHAIN_PAYLOAD_BYTES + 1);
    chain_deinit(&c);
    free(big);
    free(memory);
}

TEST(chain_splice_moves_everything_without_copying)
{
    void *memory = open_pool(4);
    struct chain a, b;
    chain_init(&a, &pool);
    chain_init(&b, &pool);
    char out[16] = {0};
    MUST_TRUE(chain_put(&a, STR("head ")) && chain_put(&b, STR("body")), NULL);
    chain_splice(&a, &b);
    CHECK_EQ(b.n_bytes, 0);
    chain_splice(&a, &b);
    MUST_TRUE(chain_put(&a, STR("!")) && chain_put(&b, STR("other")), NULL);
    CHECK_TRUE(chain_take(&a, out, a.n_bytes));
    CHECK_STR(out, "head body!");
    chain_deinit(&b);
    CHECK_EQ(pool.n_idle, 4);
    free(memory);
}
