#include "net/edge.h"

#include "net/auth.h"
#include "net/cert.h"
#include "runtime/base/clock.h"
#include "runtime/base/ctl.h"
#include "tests/tls_client.h"

#include <psa/crypto.h>

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* The real role in a process of its own, with the test in boot's place. */
static struct {
    pid_t pid;
    int ctl_fd;
    uint16_t tls_port, plain_port;
    char key_text[KEY_TEXT_BYTES + 1];
} edge;

static struct edge_config cfg;
static struct edge_cert cert;
static struct key_table keys;

static bool no_sandbox(struct err *e)
{
    (void)e;
    return true;
}

static int listener(uint16_t *port)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof sa;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    MUST_TRUE(fd >= 0 && bind(fd, (struct sockaddr *)&sa, sizeof sa) == 0 && listen(fd, 16) == 0 &&
                  getsockname(fd, (struct sockaddr *)&sa, &n) == 0,
              "no socket");
    *port = ntohs(sa.sin_port);
    return fd;
}

static void send_fd(uint32_t type, uint32_t arg, int fd)
{
    struct err e = {0};
    MUST_TRUE(fd >= 0 &&
                  ctl_send(edge.ctl_fd,
                           &(struct ctl_msg){.version = CTL_VERSION, .type = type, .arg = arg}, &fd,
                           1, &e),
              e.msg);
    close(fd);
}

static void send_table(uint32_t type, const void *table, size_t n_bytes)
{
    struct err e = {0};
    send_fd(type, 0, ctl_seal_bytes("table", table, n_bytes, &e));
}

static void make_tables(void)
{
    struct err e = {0};
    char names[2][CERT_NAME_BYTES] = {"localhost", "127.0.0.1"};
    char ca_key[CERT_PEM_BYTES];
    cfg = (struct edge_config){.version = EDGE_CTL_VERSION,
                               .max_conns = 16,
                               .max_conns_per_ip = 8,
                               .n_bodies = 1,
                               .body_bytes = 1 << 20,
                               .max_requests = 4,
                               .default_max_tokens = 64,
                               .handshake_timeout_ms = 10000,
                               .head_timeout_ms = 10000,
                               .body_timeout_ms = 30000,
                               .idle_timeout_ms = 75000,
                               .write_timeout_ms = 30000,
                               .stream_limit_ms = 600000,
                               .plain_limit_ms = 280000,
                               .log_level = 2,
                               .n_names = 2,
                               .names = {"localhost", "127.0.0.1"}};
    cert = (struct edge_cert){.version = EDGE_CTL_VERSION};
    MUST_TRUE(secret_init(&e) && cert_init(&e), e.msg);
    MUST_TRUE(cert_make_ca("Hearth test CA", ((struct cert_names){names, 2}), clock_wall_s(),
                           cert.ca_pem, ca_key, &e),
              e.msg);
    MUST_TRUE(cert_make_leaf(cert.ca_pem, ca_key, ((struct cert_names){names, 2}), clock_wall_s(),
                             cert.chain_pem, cert.key_pem, &e),
              e.msg);
    keys = (struct key_table){.version = KEY_TABLE_VERSION, .n_keys = 1};
    struct key_order order = {.name = "test", .scopes = KEY_CHAT};
    MUST_TRUE(key_create(&order, keys.pepper, 1, &keys.keys[0], edge.key_text, &e), e.msg);
}

/* The next message of that type, others skipped; false after five seconds. */
static bool edge_says(uint32_t type)
{
    struct ctl_msg msg;
    int fds[CTL_MAX_FDS];
    for (int64_t until_ms = clock_mono_ms() + 5000; clock_mono_ms() < until_ms;) {
        struct pollfd p = {.fd = edge.ctl_fd, .events = POLLIN};
        if (poll(&p, 1, 1000) <= 0)
            continue;
        enum ctl_result r = ctl_recv(edge.ctl_fd, &msg, fds);
        if (r != CTL_MSG)
            return false;
        if (msg.type == EDGE_CTL_FAILED)
            fprintf(stderr, "   edge failed: %s\n", msg.text);
        if (msg.type == type)
            return true;
    }
    return false;
}

static void start_edge(void)
{
    int pair[2];
    make_tables();
    MUST_TRUE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0, NULL);
    edge.pid = fork();
    MUST_TRUE(edge.pid >= 0, NULL);
    if (edge.pid == 0) {
        dup2(pair[1], CTL_ROLE_FD);
        close_range(CTL_ROLE_FD + 1, ~0u, 0);
        mbedtls_psa_crypto_free(); /* begun by make_tables with another allocator */
        _exit(edge_main(&(struct edge_hooks){no_sandbox}));
    }
    close(pair[1]);
    edge.ctl_fd = pair[0];
    send_table(EDGE_CTL_CONFIG, &cfg, sizeof cfg);
    send_table(EDGE_CTL_CERT, &cert, sizeof cert);
    send_table(EDGE_CTL_KEYS, &keys, sizeof keys);
    send_fd(EDGE_CTL_LISTEN, EDGE_LISTEN_TLS, listener(&edge.tls_port));
    send_fd(EDGE_CTL_LISTEN, EDGE_LISTEN_PLAIN, listener(&edge.plain_port));
    MUST_TRUE(ctl_send(edge.ctl_fd,
                       &(struct ctl_msg){.version = CTL_VERSION, .type = EDGE_CTL_START}, NULL, 0,
                       NULL),
              NULL);
    MUST_TRUE(edge_says(EDGE_CTL_READY), "the role did not start");
    char path[512];
    snprintf(path, sizeof path, "%s/ca.crt", t_scratch_dir());
    FILE *f = fopen(path, "w");
    MUST_TRUE(f && fputs(cert.ca_pem, f) >= 0 && fclose(f) == 0, path);
}

/* Ends it the way boot does when it dies; its exit status. */
static int end_edge(void)
{
    int status = -1;
    close(edge.ctl_fd);
    waitpid(edge.pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Runs a shell command in the scratch directory with $tls, $plain and $key; true if it exits 0. */
static bool shell(const char *command)
{
    char line[2048];
    snprintf(line, sizeof line, "cd '%s' && tls=%u plain=%u key=%s && { %s; } </dev/null >out 2>&1",
             t_scratch_dir(), edge.tls_port, edge.plain_port, edge.key_text, command);
    return system(line) == 0;
}

TEST(edge_serves_curl_over_tls_with_its_own_ca)
{
    if (system("curl --version >/dev/null 2>&1") != 0)
        SKIP("no curl");
    start_edge();
    CHECK_TRUE(edge_says(EDGE_CTL_HEARTBEAT));
    CHECK_TRUE(shell("curl -s --cacert ca.crt https://localhost:$tls/health/live | grep -q "
                     "'\"status\":\"ok\"'"));
    CHECK_TRUE(shell("curl -s --cacert ca.crt -o /dev/null -w '%{http_code}' "
                     "https://127.0.0.1:$tls/health | grep -q 503"));
    CHECK_TRUE(
        !shell("curl -s https://localhost:$tls/health/live")); /* nobody trusts it by itself */
    CHECK_TRUE(shell("curl -s --cacert ca.crt -H \"Authorization: Bearer $key\" "
                     "https://localhost:$tls/v1/models | grep -q '\"object\":\"list\"'"));
    CHECK_TRUE(shell(
        "curl -s --cacert ca.crt https://localhost:$tls/v1/models | grep -q missing_api_key"));
    CHECK_TRUE(
        shell("curl -s --cacert ca.crt -H \"Authorization: Bearer $key\" -d '{}' "
              "https://localhost:$tls/v1/chat/completions | grep -q unsupported_media_type"));
    CHECK_TRUE(
        shell("curl -s --cacert ca.crt -w '%{num_connects}' https://localhost:$tls/health/live "
              "https://localhost:$tls/health/live | grep -q '}0$'"));
    CHECK_TRUE(shell("curl -s http://localhost:$plain/ca.crt | cmp - ca.crt"));
    CHECK_TRUE(shell("curl -s http://localhost:$plain/v1/models | grep -q tls_required"));
    CHECK_TRUE(shell("curl -s --http2 --cacert ca.crt -w '%{http_version}' "
                     "https://localhost:$tls/health/live | grep -q '1.1$'"));
    CHECK_EQ(end_edge(), 0);
}

TEST(edge_speaks_tls_1_3_and_1_2_and_nothing_below)
{
    if (system("openssl version >/dev/null 2>&1") != 0)
        SKIP("no openssl program");
    start_edge();
    CHECK_TRUE(shell(
        "openssl s_client -connect localhost:$tls -tls1_3 -verify_return_error -CAfile ca.crt "
        "-verify_hostname localhost -alpn h2,http/1.1 | grep -q 'ALPN protocol: http/1.1'"));
    CHECK_TRUE(shell("openssl s_client -connect localhost:$tls -tls1_2 -verify_return_error "
                     "-CAfile ca.crt | grep -q 'Cipher *: ECDHE-ECDSA-'"));
    CHECK_TRUE(
        !shell("openssl s_client -connect localhost:$tls -tls1_1 -cipher DEFAULT:@SECLEVEL=0"));
    CHECK_TRUE(!shell("openssl s_client -connect localhost:$tls -tls1_2 -cipher "
                      "AES128-SHA:ECDHE-ECDSA-AES128-SHA"));
    CHECK_TRUE(
        shell("openssl s_client -connect localhost:$tls -sess_out session -tls1_2 && openssl "
              "s_client -connect localhost:$tls -sess_in session -tls1_2 | grep -q '^Reused'"));
    CHECK_EQ(end_edge(), 0);
}

/* What the client has to say goes out, then it hears once; false at the end of the stream. */
static bool client_turn(struct tls_client *c, int fd)
{
    char bytes[4096];
    for (size_t n; (n = tls_client_say(c, bytes, sizeof bytes)) > 0;)
        MUST_TRUE(send(fd, bytes, n, MSG_NOSIGNAL) == (ssize_t)n, "the edge does not listen");
    ssize_t n = recv(fd, bytes, sizeof bytes, 0);
    return n > 0 && tls_client_hear(c, (struct str){bytes, (size_t)n}) == (size_t)n;
}

static bool client_wants(int status)
{
    return status == MBEDTLS_ERR_SSL_WANT_READ ||
           status == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET;
}

/* A connection that has had an answer and is kept for the next request. */
static int client_connect(struct tls_client *c)
{
    static const char request[] = "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n";
    struct sockaddr_in sa = {.sin_family = AF_INET,
                             .sin_port = htons(edge.tls_port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    unsigned char answer[4096];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), status;
    MUST_TRUE(fd >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof sa) == 0, "no connection");
    tls_client_trust(cert.ca_pem);
    tls_client_open(c);
    while (client_wants(status = mbedtls_ssl_handshake(&c->ssl)))
        MUST_TRUE(client_turn(c, fd), "the handshake ended");
    CHECK_EQ(status, 0);
    CHECK_EQ(mbedtls_ssl_write(&c->ssl, (const unsigned char *)request, sizeof request - 1),
             sizeof request - 1);
    while (client_wants(status = mbedtls_ssl_read(&c->ssl, answer, sizeof answer)))
        MUST_TRUE(client_turn(c, fd), "no answer");
    CHECK_TRUE(status > 12 && memcmp(answer, "HTTP/1.1 200", 12) == 0);
    return fd;
}

TEST(edge_drains_with_close_notify_on_the_wire)
{
    static struct tls_client client;
    unsigned char c;
    start_edge();
    int fd = client_connect(&client), status = -1;
    MUST_TRUE(ctl_send(edge.ctl_fd,
                       &(struct ctl_msg){.version = CTL_VERSION, .type = EDGE_CTL_DRAIN}, NULL, 0,
                       NULL),
              NULL);
    while (client_turn(&client, fd))
        ;
    while ((status = mbedtls_ssl_read(&client.ssl, &c, 1)) ==
           MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
        ;
    CHECK_EQ(status, MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY);
    mbedtls_ssl_free(&client.ssl);
    close(fd);
    waitpid(edge.pid, &status, 0);
    CHECK_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(edge.ctl_fd);
}

TEST(edge_takes_new_keys_and_drains)
{
    if (system("curl --version >/dev/null 2>&1") != 0)
        SKIP("no curl");
    start_edge();
    static const char list[] =
        "curl -s --cacert ca.crt -o /dev/null -w '%{http_code}' -H \"Authorization: Bearer $key\" "
        "https://localhost:$tls/v1/models | grep -q ";
    char command[512];
    snprintf(command, sizeof command, "%s200", list);
    CHECK_TRUE(shell(command));
    keys.keys[0].revoked_s = 1;
    send_table(EDGE_CTL_KEYS, &keys, sizeof keys);
    snprintf(command, sizeof command, "%s401", list);
    CHECK_TRUE(shell(command));
    MUST_TRUE(ctl_send(edge.ctl_fd,
                       &(struct ctl_msg){.version = CTL_VERSION, .type = EDGE_CTL_DRAIN}, NULL, 0,
                       NULL),
              NULL);
    int status = -1;
    waitpid(edge.pid, &status, 0);
    CHECK_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(edge.ctl_fd);
}

TEST(edge_refuses_a_damaged_start_with_a_reason)
{
    int pair[2];
    struct ctl_msg msg = {0};
    int fds[CTL_MAX_FDS];
    make_tables();
    MUST_TRUE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0, NULL);
    pid_t pid = fork();
    MUST_TRUE(pid >= 0, NULL);
    if (pid == 0) {
        dup2(pair[1], CTL_ROLE_FD);
        _exit(edge_main(&(struct edge_hooks){no_sandbox}));
    }
    close(pair[1]);
    edge.ctl_fd = pair[0];
    cfg.version = 99;
    send_table(EDGE_CTL_CONFIG, &cfg, sizeof cfg);
    CHECK_EQ(ctl_recv(edge.ctl_fd, &msg, fds), CTL_MSG);
    CHECK_EQ(msg.type, EDGE_CTL_FAILED);
    CHECK_TRUE(strstr(msg.text, "version 99") != NULL);
    int status = -1;
    waitpid(pid, &status, 0);
    CHECK_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}
