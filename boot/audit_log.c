#include "boot/audit_log.h"

#include "boot/state_file.h"
#include "net/audit.h"
#include "runtime/base/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { DAY_S = 86400, DAY_CHARS = 10, MAX_FILE_NO = 9999 };

/* The edge may write for ten seconds before boot looks again: what is kept leaves room for that. */
enum { MOST_KEPT_BYTES = AUDIT_LOG_KEPT_BYTES - 4 * AUDIT_LOG_FILE_BYTES };

/* ---- names ---- */

static void day_of(int64_t wall_s, char day[DAY_CHARS + 1])
{
    struct tm tm;
    time_t t = (time_t)wall_s;
    if (!gmtime_r(&t, &tm) || strftime(day, DAY_CHARS + 1, "%Y-%m-%d", &tm) != DAY_CHARS)
        memcpy(day, "1970-01-01", DAY_CHARS + 1); /* a clock beyond all calendars */
}

static bool is_ours(const char *name)
{
    static const char pattern[AUDIT_LOG_NAME_BYTES] = "0000-00-00-0000.jsonl";
    for (size_t i = 0; i < sizeof pattern; i++)
        if (pattern[i] == '0' ? name[i] < '0' || name[i] > '9' : name[i] != pattern[i])
            return false;
    return true;
}

static int no_of(const char *name)
{
    return (int)strtol(name + DAY_CHARS + 1, NULL, 10);
}

struct listing {
    char oldest[AUDIT_LOG_NAME_BYTES], newest[AUDIT_LOG_NAME_BYTES]; /* "" = no file */
    char second[AUDIT_LOG_NAME_BYTES];                               /* before the newest */
    uint64_t n_bytes;                                                /* all files together */
};

static void note_name(struct listing *l, const char *name)
{
    if (!l->oldest[0] || strcmp(name, l->oldest) < 0)
        memcpy(l->oldest, name, sizeof l->oldest);
    if (strcmp(name, l->newest) > 0) {
        memcpy(l->second, l->newest, sizeof l->second);
        memcpy(l->newest, name, sizeof l->newest);
    } else if (strcmp(name, l->second) > 0) {
        memcpy(l->second, name, sizeof l->second);
    }
}

static bool list(const struct audit_log *a, struct listing *l, struct err *e)
{
    memset(l, 0, sizeof *l);
    int fd = openat(a->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        if (fd >= 0)
            close(fd);
        return err_sys(e, "audit: cannot list the log's directory");
    }
    for (const struct dirent *one; (one = readdir(dir));) {
        struct stat st;
        if (!is_ours(one->d_name))
            continue;
        note_name(l, one->d_name);
        if (fstatat(a->dir_fd, one->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
            l->n_bytes += (uint64_t)st.st_size;
    }
    closedir(dir);
    return true;
}

/* ---- files ---- */

static bool check_file(int fd, const char *name, struct err *e)
{
    struct stat st;
    return (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) ||
           err_set(e, ERR_STATE, "audit: audit/%s is not a file: move it away", name);
}

/* The new descriptor takes the place of the old one, which the edge may still hold. */
static bool use_file(struct audit_log *a, const char *name, struct err *e)
{
    /* O_NONBLOCK: a pipe of that name must not hold the start; it means nothing for a file */
    int fd = openat(a->dir_fd, name,
                    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (fd < 0)
        return err_sys(e, "audit: cannot append to audit/%s%s", name,
                       errno == ELOOP ? " (a symbolic link is not followed: move it away)" : "");
    if (!check_file(fd, name, e) || (fchmod(fd, 0600) < 0 && !err_sys(e, "audit: %s", name)) ||
        !state_file_give_as(fd, a->dir_fd, e)) {
        close(fd);
        return false;
    }
    if (a->fd >= 0)
        close(a->fd);
    a->fd = fd;
    snprintf(a->name, sizeof a->name, "%s", name);
    fsync(a->dir_fd); /* the name survives a power cut */
    return true;
}

/* Oldest first, the present file never. */
static bool drop_old(const struct audit_log *a, const char *first_day, struct err *e)
{
    struct listing l;
    while (list(a, &l, e)) {
        bool is_over = l.n_bytes > MOST_KEPT_BYTES || strncmp(l.oldest, first_day, DAY_CHARS) < 0;
        if (!is_over || strcmp(l.oldest, a->name) == 0)
            return true;
        if (unlinkat(a->dir_fd, l.oldest, 0) < 0)
            return err_sys(e, "audit: cannot delete audit/%s", l.oldest);
        log_event(LOG_INFO, "audit-dropped", "file=audit/%s", l.oldest);
    }
    return false;
}

/* name: the newest file, or "" */
static void next_name(char *name, const char *today)
{
    char next[AUDIT_LOG_NAME_BYTES + 16];
    bool is_later =
        strncmp(name, today, DAY_CHARS) < 0; /* a clock that went back changes nothing */
    int no = is_later ? 1 : no_of(name) + 1;
    snprintf(next, sizeof next, "%.*s-%04d.jsonl", DAY_CHARS, is_later ? today : name,
             no > MAX_FILE_NO ? MAX_FILE_NO : no);
    memcpy(name, next, AUDIT_LOG_NAME_BYTES);
}

static bool is_over(const struct audit_log *a, const char *today)
{
    struct stat st;
    return strncmp(a->name, today, DAY_CHARS) < 0 ||
           (fstat(a->fd, &st) == 0 && st.st_size >= AUDIT_LOG_FILE_BYTES);
}

bool audit_log_turn(struct audit_log *a, int64_t now_s, bool *is_new, struct err *e)
{
    char today[DAY_CHARS + 1], first_day[DAY_CHARS + 1], name[AUDIT_LOG_NAME_BYTES];
    *is_new = false;
    day_of(now_s, today);
    if (!is_over(a, today))
        return true;
    memcpy(name, a->name, sizeof name);
    next_name(name, today);
    if (!use_file(a, name, e))
        return false;
    *is_new = true;
    day_of(now_s - (int64_t)AUDIT_LOG_KEPT_DAYS * DAY_S, first_day);
    return drop_old(a, first_day, e);
}

/* ---- life ---- */

static bool open_dir(struct audit_log *a, const char *state_dir, struct err *e)
{
    int state_fd = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = state_fd >= 0 && (mkdirat(state_fd, "audit", 0700) == 0 || errno == EEXIST);
    if (ok)
        a->dir_fd = openat(state_fd, "audit", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    ok = ok && a->dir_fd >= 0 && fchmod(a->dir_fd, 0700) == 0;
    if (!ok)
        (void)err_sys(e, "audit: cannot open %s/audit as a directory", state_dir);
    ok = ok && state_file_give_as(a->dir_fd, state_fd, e);
    if (state_fd >= 0)
        close(state_fd);
    return ok;
}

bool audit_log_open(struct audit_log *a, const char *state_dir, int64_t now_s, struct err *e)
{
    struct listing l;
    bool is_new;
    *a = (struct audit_log){.dir_fd = -1, .fd = -1};
    if (open_dir(a, state_dir, e) && list(a, &l, e)) {
        if (!l.newest[0]) {
            char today[DAY_CHARS + 1];
            day_of(now_s, today);
            next_name(l.newest, today);
        }
        if (use_file(a, l.newest, e) && audit_log_turn(a, now_s, &is_new, e))
            return true;
    }
    audit_log_close(a);
    return false;
}

void audit_log_close(struct audit_log *a)
{
    if (a->fd >= 0)
        close(a->fd);
    if (a->dir_fd >= 0)
        close(a->dir_fd);
    a->fd = a->dir_fd = -1;
}

/* ---- the last line ---- */

enum { TAIL_BYTES = 2 * AUDIT_LINE_BYTES };

/* The file's last bytes; 0 for an empty or absent file, -1 on failure. */
static ssize_t read_tail(const struct audit_log *a, const char *name, char *tail, struct err *e)
{
    struct stat st;
    ssize_t n = -1;
    if (!name[0])
        return 0;
    int fd = openat(a->dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd >= 0 && check_file(fd, name, e) && fstat(fd, &st) == 0)
        n = pread(fd, tail, TAIL_BYTES, st.st_size > TAIL_BYTES ? st.st_size - TAIL_BYTES : 0);
    if (n < 0)
        (void)err_sys(e, "audit: cannot read audit/%s", name);
    if (fd >= 0)
        close(fd);
    return n;
}

bool audit_log_last(struct audit_log *a, char hex[AUDIT_LOG_HEX_BYTES], struct err *e)
{
    char tail[TAIL_BYTES];
    struct listing l;
    uint8_t hash[SECRET_HASH_BYTES];
    hex[0] = 0;
    if (!list(a, &l, e))
        return false;
    ssize_t n = read_tail(a, l.newest, tail, e);
    if (n > 0 && tail[n - 1] != '\n') {
        log_event(LOG_WARN, "audit-cut", "file=audit/%s hint=\"its last line has no end\"",
                  l.newest);
        if (write(a->fd, "\n", 1) != 1)
            return err_sys(e, "audit: cannot append to audit/%s", l.newest);
    } else if (n > 0) {
        n--;
    } else if (n == 0) { /* just begun: the line before is in the file before */
        n = read_tail(a, l.second, tail, e);
        n -= n > 0 && tail[n - 1] == '\n';
    }
    if (n <= 0)
        return n == 0;
    const char *before = memrchr(tail, '\n', (size_t)n);
    const char *line = before ? before + 1 : tail;
    secret_hash(hash, NULL, (struct str){line, (size_t)(tail + n - line)});
    secret_hex(hex, hash, sizeof hash);
    return true;
}
