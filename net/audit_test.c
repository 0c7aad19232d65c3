#include "net/audit.h"

#include "tests/t.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
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
