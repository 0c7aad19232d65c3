#include "boot/audit_log.h"

#include "net/audit.h"
#include "tests/t.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DAY_S = 86400 };

static const int64_t now_s = 1790000000; /* 2026-09-21 */

static void open_log(struct audit_log *a, int64_t at_s)
{
    struct err e = {0};
    MUST_TRUE(secret_init(&e) && audit_log_open(a, t_scratch_dir(), at_s, &e), e.msg);
}

static void path_of(char path[512], const char *name)
{
    snprintf(path, 512, "%s/audit/%s", t_scratch_dir(), name);
}

static bool has_file(const char *name)
{
    char path[512];
    struct stat st;
    path_of(path, name);
    return stat(path, &st) == 0;
}

static void make_file(const char *name, off_t n_bytes)
{
    char path[512];
    path_of(path, name);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    MUST_TRUE(fd >= 0 && ftruncate(fd, n_bytes) == 0, path);
    close(fd);
}

static void put(const struct audit_log *a, const char *text)
{
    MUST_TRUE(write(a->fd, text, strlen(text)) == (ssize_t)strlen(text), text);
}

static void hex_of(const char *text, char hex[AUDIT_LOG_HEX_BYTES])
{
    uint8_t hash[SECRET_HASH_BYTES];
    secret_hash(hash, NULL, str_of(text));
    secret_hex(hex, hash, sizeof hash);
}

TEST(audit_log_is_private_and_can_only_be_appended_to)
{
    struct audit_log a;
    struct stat st;
    char path[512], c;
    open_log(&a, now_s);
    CHECK_STR(a.name, "2026-09-21-0001.jsonl");
    path_of(path, a.name);
    MUST_TRUE(stat(path, &st) == 0, path);
    CHECK_EQ(st.st_mode & 0777, 0600);
    CHECK_TRUE(fcntl(a.fd, F_GETFL) & O_APPEND);
    CHECK_TRUE(fcntl(a.fd, F_GETFD) & FD_CLOEXEC);
    CHECK_TRUE(read(a.fd, &c, 1) < 0);
    audit_log_close(&a);
    CHECK_EQ(a.fd, -1);
}

TEST(audit_log_follows_no_symbolic_link)
{
    struct audit_log a;
    struct err e = {0};
    char path[512], target[512];
    struct stat st;
    snprintf(path, sizeof path, "%s/audit", t_scratch_dir());
    snprintf(target, sizeof target, "%s/elsewhere", t_scratch_dir());
    MUST_TRUE(mkdir(target, 0700) == 0 && symlink(target, path) == 0, path);
    CHECK_TRUE(!audit_log_open(&a, t_scratch_dir(), now_s, &e));
    CHECK_TRUE(strstr(e.msg, "audit as a directory"));
    MUST_TRUE(unlink(path) == 0 && mkdir(path, 0700) == 0, path);
    snprintf(target, sizeof target, "%s/elsewhere/file", t_scratch_dir());
    path_of(path, "2026-09-21-0001.jsonl");
    MUST_TRUE(symlink(target, path) == 0, path);
    e = (struct err){0};
    CHECK_TRUE(!audit_log_open(&a, t_scratch_dir(), now_s, &e));
    CHECK_TRUE(strstr(e.msg, "symbolic link"));
    CHECK_TRUE(stat(target, &st) < 0);
    MUST_TRUE(unlink(path) == 0 && mkfifo(path, 0600) == 0, path);
    CHECK_TRUE(
        !audit_log_open(&a, t_scratch_dir(), now_s, &e)); /* and does not wait for a reader */
}

TEST(audit_log_knows_its_last_line_also_in_the_file_before)
{
    struct audit_log a;
    struct err e = {0};
    char got[AUDIT_LOG_HEX_BYTES], want[AUDIT_LOG_HEX_BYTES];
    bool is_new;
    open_log(&a, now_s);
    MUST_TRUE(audit_log_last(&a, got, &e), e.msg);
    CHECK_STR(got, "");
    put(&a, "{\"one\":1}\n");
    hex_of("{\"one\":1}", want);
    MUST_TRUE(audit_log_last(&a, got, &e), e.msg);
    CHECK_STR(got, want);
    for (int i = 0; i < 1000; i++)
        put(&a, "{\"two\":2}\n");
    hex_of("{\"two\":2}", want);
    MUST_TRUE(audit_log_last(&a, got, &e), e.msg);
    CHECK_STR(got, want);
    MUST_TRUE(audit_log_turn(&a, now_s + DAY_S, &is_new, &e) && is_new, e.msg);
    CHECK_STR(a.name, "2026-09-22-0001.jsonl");
    MUST_TRUE(audit_log_last(&a, got, &e), e.msg);
    CHECK_STR(got, want);
    audit_log_close(&a);
}

TEST(audit_log_ends_a_line_that_was_cut_short)
{
    struct audit_log a;
    struct err e = {0};
    char got[AUDIT_LOG_HEX_BYTES], want[AUDIT_LOG_HEX_BYTES];
    open_log(&a, now_s);
    put(&a, "{\"one\":1}\n{\"tw");
    hex_of("{\"tw", want);
    for (int i = 0; i < 2; i++) { /* the second time it is whole */
        MUST_TRUE(audit_log_last(&a, got, &e), e.msg);
        CHECK_STR(got, want);
    }
    put(&a, "{\"three\":3}\n");
    char path[512], text[64] = "";
    path_of(path, a.name);
    int fd = open(path, O_RDONLY);
    MUST_TRUE(fd >= 0 && read(fd, text, sizeof text - 1) > 0, path);
    CHECK_STR(text, "{\"one\":1}\n{\"tw\n{\"three\":3}\n");
    close(fd);
    audit_log_close(&a);
}

TEST(audit_log_begins_a_file_when_one_is_full_and_survives_a_clock_that_goes_back)
{
    struct audit_log a;
    struct err e = {0};
    bool is_new;
    open_log(&a, now_s);
    MUST_TRUE(audit_log_turn(&a, now_s, &is_new, &e), e.msg);
    CHECK_TRUE(!is_new);
    MUST_TRUE(ftruncate(a.fd, AUDIT_LOG_FILE_BYTES) == 0, NULL);
    MUST_TRUE(audit_log_turn(&a, now_s, &is_new, &e) && is_new, e.msg);
    CHECK_STR(a.name, "2026-09-21-0002.jsonl");
    MUST_TRUE(audit_log_turn(&a, now_s - 9 * DAY_S, &is_new, &e), e.msg);
    CHECK_TRUE(!is_new);
    audit_log_close(&a);
    open_log(&a, now_s - 9 * DAY_S); /* and a restart goes on in the newest */
    CHECK_STR(a.name, "2026-09-21-0002.jsonl");
    MUST_TRUE(ftruncate(a.fd, AUDIT_LOG_FILE_BYTES) == 0, NULL);
    MUST_TRUE(audit_log_turn(&a, now_s - 9 * DAY_S, &is_new, &e) && is_new, e.msg);
    CHECK_STR(a.name, "2026-09-21-0003.jsonl");
    audit_log_close(&a);
}

TEST(audit_log_keeps_ninety_days_and_its_bound)
{
    struct audit_log a;
    struct err e = {0};
    char name[64];
    bool is_new;
    open_log(&a, now_s);
    make_file("2026-06-23-0001.jsonl", 10); /* 91 days before the turn below */
    make_file("2026-06-24-0001.jsonl", 10);
    make_file("notes", 10);
    MUST_TRUE(audit_log_turn(&a, now_s + DAY_S, &is_new, &e) && is_new, e.msg);
    CHECK_TRUE(!has_file("2026-06-23-0001.jsonl"));
    CHECK_TRUE(has_file("2026-06-24-0001.jsonl") && has_file("notes"));
    for (int i = 1; i <= 20; i++) { /* 320 MiB */
        snprintf(name, sizeof name, "2026-09-01-%04d.jsonl", i);
        make_file(name, AUDIT_LOG_FILE_BYTES);
    }
    MUST_TRUE(audit_log_turn(&a, now_s + 2 * DAY_S, &is_new, &e) && is_new, e.msg);
    CHECK_TRUE(!has_file("2026-06-24-0001.jsonl") && !has_file("2026-09-01-0008.jsonl"));
    CHECK_TRUE(has_file("2026-09-01-0009.jsonl") && has_file("2026-09-01-0020.jsonl"));
    CHECK_TRUE(has_file("notes"));
    audit_log_close(&a);
}
