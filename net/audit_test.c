#include "net/audit.h"

#include "tests/t.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

TEST(audit_lines_are_chained_by_the_hash_of_the_line_before)
{
    struct err e = {0};
    MUST_TRUE(secret_init(&e), e.msg);
    char path[512], text[4096] = {0};
    snprintf(path, sizeof path, "%s/audit", t_scratch_dir());
    int fd = open(path, O_RDWR | O_CREAT | O_APPEND, 0600);
    MUST_TRUE(fd >= 0, path);
    uint8_t first[SECRET_HASH_BYTES] = {0};
    struct audit audit;
    audit_open(&audit, fd, first);
    struct addr addr;
    MUST_TRUE(addr_parse(STR("192.168.1.7"), &addr), NULL);
    struct audit_entry entry = {.finish_reason = "stop", .n_prompt = 21, .n_completion = 11};
    audit_hash_user(&audit, STR("anna"), &entry);
    struct audit_line line = {.wall_s = 784111777,
                              .id = "Q0ab12cd34ef56gh78ij90kl",
                              .key_id = "7Qm2xK9b",
                              .addr = &addr,
                              .path = "/v1/chat/completions",
                              .status = 200,
                              .tls_version = "TLSv1.3",
                              .entry = &entry};
    audit_write(&audit, &line);
    line.status = 503;
    line.error_code = "model_loading";
    line.key_id = NULL;
    audit_write(&audit, &line);
    CHECK_EQ(audit.n_lost, 0);
    MUST_TRUE(pread(fd, text, sizeof text - 1, 0) > 0, NULL);
    char *second = strchr(text, '\n') + 1;
    CHECK_TRUE(
        strstr(text,
               "{\"time\":\"1994-11-06T08:49:37Z\",\"request\":\"req_Q0ab12cd34ef56gh78ij90kl\","
               "\"key\":\"7Qm2xK9b\",\"address\":\"192.168.1.7\"") == text);
    CHECK_TRUE(strstr(second, "\"key\":null") && strstr(second, "\"error\":\"model_loading\""));
    CHECK_TRUE(strstr(text, "anna") == NULL);
    uint8_t hash[SECRET_HASH_BYTES];
    char hex[2 * SECRET_HASH_BYTES + 1];
    secret_hash(hash, NULL, (struct str){text, (size_t)(second - text) - 1});
    secret_hex(hex, hash, sizeof hash);
    char *prev = strstr(second, "\"prev\":\"");
    MUST_TRUE(prev != NULL, second);
    CHECK_TRUE(strncmp(prev + 8, hex, sizeof hex - 1) == 0);
    close(fd);
    audit_write(&audit, &line);
    CHECK_EQ(audit.n_lost, 1);
}

static void limit_file(rlim_t n_bytes)
{
    MUST_TRUE(setrlimit(RLIMIT_FSIZE, &(struct rlimit){n_bytes, RLIM_INFINITY}) == 0, NULL);
}

TEST(audit_gives_a_line_cut_by_a_full_disk_its_end_and_moves_to_another_file)
{
    struct err e = {0};
    MUST_TRUE(secret_init(&e), e.msg);
    char path[512], text[8192] = {0};
    snprintf(path, sizeof path, "%s/audit", t_scratch_dir());
    int fd = open(path, O_RDWR | O_CREAT | O_APPEND, 0600);
    int copy_fd = dup(fd);
    MUST_TRUE(fd >= 0 && copy_fd >= 0, path);
    uint8_t first[SECRET_HASH_BYTES] = {0};
    struct audit audit;
    struct addr addr;
    audit_open(&audit, fd, first);
    MUST_TRUE(addr_parse(STR("192.168.1.7"), &addr), NULL);
    struct audit_entry entry = {0};
    struct audit_line line = {
        .id = "one", .addr = &addr, .path = "-", .tls_version = "-", .entry = &entry};
    signal(SIGXFSZ, SIG_IGN);
    limit_file(100);
    audit_write(&audit, &line);
    line.id = "two";
    audit_write(&audit, &line);
    CHECK_EQ(audit.n_lost, 2);
    limit_file(RLIM_INFINITY);
    line.id = "three";
    audit_write(&audit, &line);
    CHECK_EQ(audit.n_lost, 2);
    MUST_TRUE(pread(copy_fd, text, sizeof text - 1, 0) > 100, NULL);
    CHECK_EQ(text[100], '\n');
    CHECK_TRUE(strncmp(text + 101, "{\"time\":", 8) == 0 && strstr(text + 101, "\"req_three\""));
    snprintf(path, sizeof path, "%s/next", t_scratch_dir());
    audit_move(&audit, open(path, O_RDWR | O_CREAT | O_APPEND, 0600));
    CHECK_TRUE(fcntl(fd, F_GETFD) < 0 || audit.fd == fd);
    line.id = "four";
    audit_write(&audit, &line);
    char next[4096] = {0}, hex[2 * SECRET_HASH_BYTES + 1];
    uint8_t hash[SECRET_HASH_BYTES];
    MUST_TRUE(pread(audit.fd, next, sizeof next - 1, 0) > 0, path);
    secret_hash(hash, NULL, (struct str){text + 101, strlen(text + 101) - 1});
    secret_hex(hex, hash, sizeof hash);
    CHECK_TRUE(strstr(next, "\"req_four\"") && strstr(next, hex));
    close(audit.fd);
    close(copy_fd);
}
