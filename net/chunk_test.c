#include "net/chunk.h"

#include "tests/t.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct outcome {
    enum chunk_result result;
    size_t n_used, n_body;
    char body[64];
};

static struct outcome run(const char *msg, size_t n_bytes, size_t first, size_t step)
{
    struct chunk c;
    struct outcome o = {.result = CHUNK_MORE};
    chunk_init(&c);
    for (size_t end = first; o.result < CHUNK_FINISHED; end += step) {
        if (end > n_bytes)
            end = n_bytes;
        do {
            size_t n_used;
            struct str piece;
            o.result =
                chunk_decode(&c, (struct str){msg + o.n_used, end - o.n_used}, &n_used, &piece);
            o.n_used += n_used;
            if (piece.n_bytes)
                memcpy(o.body + o.n_body, piece.p, piece.n_bytes);
            o.n_body += piece.n_bytes;
        } while (o.result == CHUNK_BODY);
        if (end == n_bytes)
            break;
    }
    return o;
}

static const struct {
    enum chunk_result result;
    const char *body;
    struct str msg;
    size_t n_left; /* bytes of the next request */
} cases[] = {
    {CHUNK_FINISHED, "hello, request!", STR("7\r\nhello, \r\n8;x=y\r\nrequest!\r\n0\r\n\r\nGET"),
     3},
    {CHUNK_FINISHED, "", STR("0\r\n\r\n"), 0},
    {CHUNK_FINISHED, "", STR("00000000\r\n\r\n"), 0},
    {CHUNK_FINISHED, "ab", STR("2\r\nab\r\n0\r\nTrailer: x\r\nB: y\r\n\r\n"), 0},
    {CHUNK_FINISHED, "0123456789abcdef!", STR("11\r\n0123456789abcdef!\r\n0;last\r\n\r\n"), 0},
    {CHUNK_FINISHED, "0123456789", STR("A\r\n0123456789\r\n0\r\n\r\n0\r\n"), 3},
    {CHUNK_MORE, "hel", STR("5\r\nhel"), 0},
    {CHUNK_MORE, "", STR(""), 0},
    {CHUNK_BAD, "", STR("\r\n"), 0},
    {CHUNK_BAD, "", STR("x\r\n"), 0},
    {CHUNK_BAD, "", STR("-1\r\n"), 0},
    {CHUNK_BAD, "", STR("0x1\r\na\r\n0\r\n\r\n"), 0},
    {CHUNK_BAD, "", STR(" 1\r\na\r\n0\r\n\r\n"), 0},
    {CHUNK_BAD, "", STR("1 \r\na\r\n0\r\n\r\n"), 0},
    {CHUNK_BAD, "", STR("000000001\r\na\r\n"), 0},
    {CHUNK_BAD, "", STR("1\na\r\n0\r\n\r\n"), 0},
    {CHUNK_BAD, "", STR("1\rXa\r\n0\r\n\r\n"), 0},
    {CHUNK_BAD, "a", STR("1\r\nab\r\n0\r\n\r\n"), 0},
    {CHUNK_BAD, "a", STR("1\r\na\n0\r\n\r\n"), 0},
    {CHUNK_BAD, "a", STR("1\r\na0\r\n\r\n"), 0},
    {CHUNK_BAD, "", STR("1;a\nb\r\na\r\n"), 0},
    {CHUNK_BAD, "", STR("0\r\n\rX"), 0},
    {CHUNK_BAD, "", STR("0\r\nA: b\n\r\n"), 0},
};

TEST(chunk_bodies_are_read_as_the_rfc_says_and_nothing_more)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct outcome o = run(cases[i].msg.p, cases[i].msg.n_bytes, cases[i].msg.n_bytes, 1);
        bool ok =
            o.result == cases[i].result && strcmp(o.body, cases[i].body) == 0 &&
            (o.result != CHUNK_FINISHED || cases[i].msg.n_bytes - o.n_used == cases[i].n_left);
        if (!CHECK_TRUE(ok))
            fprintf(stderr, "   case %zu: result %d, body \"%s\", used %zu\n", i, o.result, o.body,
                    o.n_used);
    }
}

TEST(chunk_result_is_independent_of_split)
{
    size_t n_differ = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t first = 0; first <= cases[i].msg.n_bytes; first++)
            for (size_t step = 1; step <= cases[i].msg.n_bytes; step++) {
                struct outcome o = run(cases[i].msg.p, cases[i].msg.n_bytes, first, step);
                n_differ += o.result != cases[i].result || strcmp(o.body, cases[i].body) != 0;
            }
    CHECK_EQ(n_differ, 0);
}

TEST(chunk_never_reads_beyond_what_it_was_given)
{
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    char *pages =
        mmap(NULL, 2 * page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    MUST_TRUE(pages != MAP_FAILED && mprotect(pages + page_bytes, page_bytes, PROT_NONE) == 0,
              NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t n = 1; n <= cases[i].msg.n_bytes; n++) {
            char *flush = pages + page_bytes - n;
            memcpy(flush, cases[i].msg.p, n);
            (void)run(flush, n, n, 1);
        }
    CHECK_TRUE(munmap(pages, 2 * page_bytes) == 0);
}

TEST(chunk_overhead_is_limited)
{
    char msg[CHUNK_MAX_TRAILER_BYTES + 64];
    for (int over = 0; over <= 1; over++) {
        int n = sprintf(msg, "0;%0*d\r\n\r\n", CHUNK_MAX_EXTENSION_BYTES + over, 0);
        CHECK_EQ(run(msg, (size_t)n, (size_t)n, 1).result, over ? CHUNK_BAD : CHUNK_FINISHED);
        n = sprintf(msg, "0\r\n%0*d\r\n\r\n", CHUNK_MAX_TRAILER_BYTES + over, 0);
        CHECK_EQ(run(msg, (size_t)n, (size_t)n, 1).result, over ? CHUNK_BAD : CHUNK_FINISHED);
    }
}
