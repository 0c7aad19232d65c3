#include "net/http.h"

#include "tests/t.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Feeds msg in pieces: `first` bytes, then `step` bytes each, as a connection would. */
static enum http_result parse_in_pieces(struct http_parser *p, const char *msg, size_t n_bytes,
                                        size_t first, size_t step, struct http_head *head)
{
    http_init(p);
    enum http_result result = HTTP_MORE;
    for (size_t n = first; result == HTTP_MORE; n += step) {
        result = http_parse(p, msg, n < n_bytes ? n : n_bytes, head);
        if (n >= n_bytes)
            break;
    }
    return result;
}

/* 0: needs more; 200: accepted; else the status of the refusal. */
static int status_of(const char *msg, size_t n_bytes)
{
    struct http_parser p;
    struct http_head head;
    enum http_result r = parse_in_pieces(&p, msg, n_bytes, n_bytes, 1, &head);
    return r == HTTP_DONE ? 200 : r == HTTP_BAD ? p.refusal.status : 0;
}

#define HOST   "Host: ai-4f2a.local\r\n"
#define GET_X  "GET /x HTTP/1.1\r\n" HOST
#define POST_X "POST /x HTTP/1.1\r\n" HOST

static const struct {
    int status;
    struct str msg;
} cases[] = {
    {200, STR(GET_X "\r\n")},
    {200, STR("\r\n" GET_X "\r\n")},
    {200, STR("GET /x HTTP/1.0\r\n\r\n")},
    {200, STR("OPTIONS * HTTP/1.1\r\n" HOST "\r\n")},
    {200, STR(GET_X "A:\r\nB: \t x y \t\r\n\r\n")},
    {200, STR(POST_X "Content-Length: 0\r\n\r\n")},
    {200, STR(POST_X "Content-Length: 00018\r\n\r\n")},
    {200, STR(POST_X "transfer-encoding: Chunked\r\n\r\n")},
    {200, STR("BREW /pot HTTP/1.1\r\n" HOST "\r\n")},
    {0, STR("")},
    {0, STR("GET /x HTTP/1.1\r\n")},
    {0, STR(GET_X "\r")},
    /* line ends, blanks, control characters */
    {400, STR("\r\n\r\n" GET_X "\r\n")},
    {400, STR("GET /x HTTP/1.1\n" HOST "\r\n")},
    {400, STR("GET /x HTTP/1.1\r\nHost: a\nB: c\r\n\r\n")},
    {400, STR(GET_X "\n")},
    {400, STR(GET_X "A: b\rc\r\n\r\n")},
    {400, STR(GET_X "A: b\0c\r\n\r\n")},
    {400, STR(GET_X "A\0: b\r\n\r\n")},
    {400, STR(GET_X "A: b\r\n c\r\n\r\n")},
    {400, STR(GET_X " A: b\r\n\r\n")},
    {400, STR(GET_X "A : b\r\n\r\n")},
    {400, STR(GET_X ": b\r\n\r\n")},
    {400, STR(GET_X "A\r\n\r\n")},
    {400, STR(GET_X "A(b: c\r\n\r\n")},
    {400, STR(GET_X "A: b\x7f\r\n\r\n")},
    {400, STR("GET  /x HTTP/1.1\r\n" HOST "\r\n")},
    {400, STR("GET /x  HTTP/1.1\r\n" HOST "\r\n")},
    {400, STR("GET /x y HTTP/1.1\r\n" HOST "\r\n")},
    {400, STR("GET /x HTTP/1.1 \r\n" HOST "\r\n")},
    {400, STR("GET /\x80 HTTP/1.1\r\n" HOST "\r\n")},
    {400, STR("GET\t/x HTTP/1.1\r\n" HOST "\r\n")},
    {400, STR(" GET /x HTTP/1.1\r\n" HOST "\r\n")},
    {400, STR("GET /x\r\n" HOST "\r\n")},
    {400, STR("GET x HTTP/1.1\r\n" HOST "\r\n")},
    {400, STR("GET * HTTP/1.1\r\n" HOST "\r\n")},
    {400, STR("GET http://a/x HTTP/1.1\r\n" HOST "\r\n")},
    {400, STR("GET /x http/1.1\r\n" HOST "\r\n")},
    {400, STR("GET /x HTTP/1,1\r\n" HOST "\r\n")},
    {400, STR("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")}, /* TLS on the plain port */
    /* versions */
    {505, STR("GET /x HTTP/1.2\r\n" HOST "\r\n")},
    {505, STR("GET /x HTTP/2.0\r\n" HOST "\r\n")},
    {505, STR("GET /x HTTP/0.9\r\n" HOST "\r\n")},
    {505, STR("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")},
    /* host */
    {400, STR("GET /x HTTP/1.1\r\n\r\n")},
    {400, STR(GET_X HOST "\r\n")},
    /* framing: what two parsers in a row could read differently */
    {400, STR(POST_X "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n")},
    {400, STR(POST_X "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n")},
    {400, STR(POST_X "Content-Length: 4\r\nContent-Length: 4\r\n\r\n")},
    {400, STR(POST_X "Content-Length: 4\r\nContent-Length: 5\r\n\r\n")},
    {400, STR(POST_X "Content-Length: 4, 4\r\n\r\n")},
    {400, STR(POST_X "Content-Length: +4\r\n\r\n")},
    {400, STR(POST_X "Content-Length: -4\r\n\r\n")},
    {400, STR(POST_X "Content-Length: 0x4\r\n\r\n")},
    {400, STR(POST_X "Content-Length: 4 4\r\n\r\n")},
    {400, STR(POST_X "Content-Length:\r\n\r\n")},
    {413, STR(POST_X "Content-Length: 18446744073709551616\r\n\r\n")},
    {501, STR(POST_X "Transfer-Encoding: gzip\r\n\r\n")},
    {501, STR(POST_X "Transfer-Encoding: gzip, chunked\r\n\r\n")},
    {501, STR(POST_X "Transfer-Encoding: chunked, chunked\r\n\r\n")},
    {501, STR(POST_X "Transfer-Encoding: xchunked\r\n\r\n")},
    {501, STR(POST_X "Transfer-Encoding: identity\r\n\r\n")},
    {501, STR(POST_X "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n")},
    {400, STR("POST /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n")},
};

TEST(http_refuses_what_parsers_could_read_differently)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (!CHECK_EQ(status_of(cases[i].msg.p, cases[i].msg.n_bytes), cases[i].status))
            fprintf(stderr, "   case %zu: %.*s\n", i, STR_ARG(cases[i].msg));
}

TEST(http_result_is_independent_of_split)
{
    size_t n_differ = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str m = cases[i].msg;
        for (size_t first = 0; first <= m.n_bytes; first++)
            for (size_t step = 1; step <= m.n_bytes; step += 1 + step / 4) {
                struct http_parser p;
                struct http_head head;
                enum http_result r = parse_in_pieces(&p, m.p, m.n_bytes, first, step, &head);
                int status = r == HTTP_DONE ? 200 : r == HTTP_BAD ? p.refusal.status : 0;
                n_differ += status != cases[i].status;
            }
    }
    CHECK_EQ(n_differ, 0);
}

TEST(http_never_reads_beyond_what_it_was_given)
{
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    char *pages =
        mmap(NULL, 2 * page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    MUST_TRUE(pages != MAP_FAILED && mprotect(pages + page_bytes, page_bytes, PROT_NONE) == 0,
              NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t n = 0; n <= cases[i].msg.n_bytes; n++) {
            char *flush = pages + page_bytes - n;
            memcpy(flush, cases[i].msg.p, n);
            (void)status_of(flush, n);
        }
    CHECK_TRUE(munmap(pages, 2 * page_bytes) == 0);
}

TEST(http_head_says_what_was_sent)
{
    static const char msg[] =
        "POST /v1/chat?a=b HTTP/1.1\r\nHost: x:8443\r\nConnection: keep-alive, Close\r\n"
        "EXPECT: 100-continue\r\nContent-Length: 12\r\nX-Blank: \t\r\n\r\nbody";
    struct http_parser p;
    struct http_head head;
    MUST_TRUE(parse_in_pieces(&p, msg, sizeof msg - 1, 7, 5, &head) == HTTP_DONE, NULL);
    CHECK_EQ(head.method, HTTP_POST);
    CHECK_TRUE(str_is(head.target, "/v1/chat?a=b"));
    CHECK_TRUE(str_is(head.path, "/v1/chat"));
    CHECK_TRUE(str_is(head.host, "x:8443"));
    CHECK_EQ(head.minor, 1);
    CHECK_EQ(head.body, HTTP_BODY_LENGTH);
    CHECK_EQ(head.body_bytes, 12);
    CHECK_TRUE(head.expects_continue && !head.expects_other && !head.keeps_alive);
    CHECK_EQ(head.n_bytes, sizeof msg - 1 - 4);
    const struct str *blank = http_field(&head, "x-blank");
    CHECK_TRUE(blank && blank->n_bytes == 0);
    CHECK_TRUE(http_field(&head, "x-none") == NULL);
}

static char big[HTTP_MAX_HEAD_BYTES + 64];

static int status_of_sizes(size_t n_target, size_t n_field_lines, size_t n_last_value)
{
    size_t n = (size_t)sprintf(big, "GET /%0*d HTTP/1.1\r\nHost: a\r\n", (int)n_target - 1, 0);
    for (size_t i = 0; i < n_field_lines; i++)
        n += (size_t)sprintf(big + n, "F: %0*d\r\n", 0, 1);
    if (n_last_value)
        n += (size_t)sprintf(big + n, "V: %0*d\r\n", (int)n_last_value, 0);
    n += (size_t)sprintf(big + n, "\r\n");
    return status_of(big, n);
}

TEST(http_limits_hold_at_the_byte)
{
    size_t n_widest = HTTP_MAX_LINE_BYTES - strlen("GET  HTTP/1.1");
    CHECK_EQ(status_of_sizes(n_widest, 0, 0), 200);
    CHECK_EQ(status_of_sizes(n_widest + 1, 0, 0), 414);
    CHECK_EQ(status_of_sizes(10, HTTP_MAX_FIELDS - 1, 0), 200);
    CHECK_EQ(status_of_sizes(10, HTTP_MAX_FIELDS, 0), 431);
    size_t n_value = HTTP_MAX_FIELDS_BYTES - strlen("Host: a\r\nV: \r\n");
    CHECK_EQ(status_of_sizes(10, 0, n_value), 200);
    CHECK_EQ(status_of_sizes(10, 0, n_value + 1), 431);
    CHECK_EQ(status_of_sizes(n_widest, 0, n_value), 200);
}

TEST(http_paths_are_decoded_once)
{
    static const struct {
        const char *path, *want; /* NULL: refused */
    } paths[] = {
        {"/v1/models", "/v1/models"},
        {"/v1/%6dodels", "/v1/models"},
        {"/a%2Fb", NULL},
        {"/a%2fb", NULL},
        {"/a%00", NULL},
        {"/../x", NULL},
        {"/a/..", NULL},
        {"/a/./b", NULL},
        {"/%2e%2e/x", NULL},
        {"/a%2", NULL},
        {"/a%zz", NULL},
        {"/%252e", "/%2e"},
        {"/a..b/.c", "/a..b/.c"},
        {"/123456789012345", NULL},
    };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        char out[16] = {0};
        size_t n = 0;
        bool ok = http_decode_path(str_of(paths[i].path), out, sizeof out - 1, &n);
        if (!CHECK_TRUE(ok == (paths[i].want != NULL) &&
                        (!ok || (strcmp(out, paths[i].want) == 0 && n == strlen(out)))))
            fprintf(stderr, "   path %s\n", paths[i].path);
    }
}
