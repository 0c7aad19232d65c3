#include "runtime/score_store.h"

#include "runtime/base/mem.h"
#include "runtime/tool_input.h"
#include "tests/t.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { V = 7, N = 3 };

static const float logits[N][V] = {
    {1, 2, 3, 4, 5, 6, 7}, {0, 0, 0, 0, 0, 0, 0}, {-300, 25, 30, -1, 29.5f, 2, 0}};
static const int32_t ids[N] = {4, 0, 6};
static const struct score_store_info info = {V, 16, 8, N, "tiny, F32"};

static void path_in(char path[512], const char *file)
{
    snprintf(path, 512, "%s/%s", t_scratch_dir(), file);
}

static void write_store(const char *path)
{
    unsigned char rows[N * (20 + 2 * V)];
    struct err e = {0};
    MUST_TRUE(score_store_row_bytes(V) * N == sizeof rows, NULL);
    struct score_store_writer *w = score_store_create(path, &info, ids, &e);
    MUST_TRUE(w != NULL, e.msg);
    CHECK_TRUE(access(path, F_OK) != 0);
    for (int i = 0; i < N; i++)
        score_store_pack(logits[i], V, 1.5 + i, rows + (size_t)i * (20 + 2 * V));
    CHECK_TRUE(score_store_put(w, rows, 1, &e) && !score_store_commit(w, &e));
    MUST_TRUE(score_store_put(w, rows + 20 + 2 * V, 2, &e) && score_store_commit(w, &e), e.msg);
    CHECK_TRUE(!score_store_put(w, rows, 1, &e));
    score_store_free(w);
}

TEST(score_store_returns_what_was_stored)
{
    char path[512];
    struct err e = {0};
    path_in(path, "ref");
    write_store(path);
    struct score_store *s = score_store_open(path, &e);
    MUST_TRUE(s != NULL, e.msg);
    CHECK_BYTES(score_store_info(s), &info, sizeof info);
    static const int32_t tops[N] = {6, 0, 2};
    for (int i = 0; i < N; i++) {
        struct score_store_row row;
        CHECK_EQ(score_store_id(s, (uint64_t)i), ids[i]);
        MUST_TRUE(score_store_unpack(score_store_row(s, (uint64_t)i), V, &row), NULL);
        CHECK_NEAR(row.nll, 1.5 + i, 0);
        CHECK_EQ(row.top, tops[i]);
        for (int j = 0; j < V; j++) {
            double depth = (double)row.step * (row.levels[2 * j] | row.levels[2 * j + 1] << 8);
            double want = fmin(32, (double)logits[i][tops[i]] - (double)logits[i][j]);
            CHECK_NEAR(depth, want, 32 / 65535.0 / 2 + 1e-5);
        }
    }
    score_store_close(s);
    CHECK_EQ(mem_n_live(), 0);
}

TEST(score_store_leaves_no_file_of_an_unfinished_run)
{
    char path[512];
    struct err e = {0};
    path_in(path, "ref");
    struct score_store_writer *w = score_store_create(path, &info, ids, &e);
    MUST_TRUE(w != NULL, e.msg);
    score_store_free(w);
    CHECK_TRUE(access(path, F_OK) != 0);
    CHECK_EQ(rmdir(t_scratch_dir()), 0); /* nor under any other name */
    CHECK_TRUE(score_store_create(path, &info, ids, &e) == NULL && e.code == ERR_IO);
    CHECK_EQ(mem_n_live(), 0);
}

static bool opens(const char *path, const void *bytes, size_t n_bytes)
{
    struct err e = {0};
    FILE *f = fopen(path, "wb");
    MUST_TRUE(f && fwrite(bytes, 1, n_bytes, f) == n_bytes && fclose(f) == 0, path);
    struct score_store *s = score_store_open(path, &e);
    bool is_sound = s != NULL;
    if (!s)
        CHECK_TRUE(e.code != ERR_NONE && strstr(e.msg, path));
    for (uint64_t i = 0; s && i < score_store_info(s)->n_tokens; i++) {
        struct score_store_row row;
        is_sound &= score_store_unpack(score_store_row(s, i), score_store_info(s)->n_vocab, &row);
    }
    score_store_close(s);
    return is_sound;
}

/* Any change to the numbers of the head or to a row is seen; ids, window and name are compared
 * where they are used. */
TEST(score_store_refuses_damage)
{
    char path[512], other[512];
    size_t n_bytes;
    path_in(path, "ref");
    path_in(other, "other");
    write_store(path);
    char *bytes = tool_read_file(path, &n_bytes, NULL);
    MUST_TRUE(bytes && n_bytes == 128 + 4 * N + N * (20 + 2 * V), NULL);
    CHECK_TRUE(opens(other, bytes, n_bytes));
    for (size_t i = 0; i < n_bytes; i++) {
        if (i >= 16 && i < 24) /* window and stride */
            continue;
        if (i >= 32 && i < 128 + 4 * N) /* name and ids */
            continue;
        bytes[i] ^= 1;
        if (!CHECK_TRUE(!opens(other, bytes, n_bytes)))
            printf("byte %zu\n", i);
        bytes[i] ^= 1;
    }
    for (size_t n = 0; n < n_bytes; n++)
        CHECK_TRUE(!opens(other, bytes, n));
    memset(bytes + 24, 0xff, 8); /* a product that wraps */
    CHECK_TRUE(!opens(other, bytes, n_bytes));
    free(bytes);
    CHECK_EQ(mem_n_live(), 0);
}
