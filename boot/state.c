#include "boot/state.h"

#include "net/cert.h"
#include "runtime/base/clock.h"
#include "runtime/base/log.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert((int)EDGE_NAME_BYTES == (int)CERT_NAME_BYTES &&
                   (int)EDGE_MAX_NAMES == (int)CERT_MAX_NAMES,
               "names go from one to the other");
_Static_assert((int)CERT_PEM_BYTES <= (int)EDGE_PEM_BYTES / 4, "a certificate fits its field");

/* ---- files ---- */

void state_path(const struct state *s, const char *name, char *out, size_t n_room)
{
    snprintf(out, n_room, "%s/%s", s->dir, name);
}

static bool make_dirs(const char *path, struct err *e)
{
    char part[CONFIG_TEXT_BYTES];
    snprintf(part, sizeof part, "%s", path);
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(part, 0755) < 0 && errno != EEXIST)
            return err_sys(e, "state: cannot make %s", part);
        *slash = '/';
    }
    if (mkdir(part, 0700) < 0 && errno != EEXIST)
        return err_sys(e, "state: cannot make %s", part);
    return true;
}

bool state_open(struct state *s, const struct config *c, struct err *e)
{
    struct stat st;
    snprintf(s->dir, sizeof s->dir, "%s", c->state_dir);
    size_t n = strlen(s->dir);
    while (n > 1 && s->dir[n - 1] == '/')
        s->dir[--n] = 0;
    if (!cert_init(e) || !make_dirs(s->dir, e))
        return false;
    if (stat(s->dir, &st) < 0 || !S_ISDIR(st.st_mode))
        return err_set(e, ERR_STATE, "state: %s is not a directory", s->dir);
    if (st.st_mode & 077)
        return err_set(e, ERR_STATE, "state: %s is open to other users: chmod 700 %s", s->dir,
                       s->dir);
    return true;
}

/* A tool run by root beside a service of another user must not lock that service out of its own
 * files. */
static bool give_to_owner_of(int fd, const char *dir, struct err *e)
{
    struct stat st;
    if (geteuid() != 0 || stat(dir, &st) < 0 || fchown(fd, st.st_uid, st.st_gid) == 0)
        return true;
    return err_sys(e, "state: cannot give a file to the owner of %s", dir);
}

static void dir_of(const char *path, char *dir, size_t n_room)
{
    snprintf(dir, n_room, "%s", path);
    char *slash = strrchr(dir, '/');
    if (slash)
        slash[slash == dir] = 0;
    else
        snprintf(dir, n_room, ".");
}

static bool write_all(int fd, const char *p, size_t n_bytes)
{
    while (n_bytes > 0) {
        ssize_t n = write(fd, p, n_bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        n_bytes -= (size_t)n;
    }
    return true;
}

static void sync_dir(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    fsync(
        fd); /* the name survives a power cut; without it the old file would, which is sound too */
    close(fd);
}

bool state_write_file(const char *path, const void *bytes, size_t n_bytes, struct err *e)
{
    char part[CONFIG_TEXT_BYTES + 64], dir[CONFIG_TEXT_BYTES + 64];
    snprintf(part, sizeof part, "%s.partial", path);
    dir_of(path, dir, sizeof dir);
    int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_sys(e, "state: cannot write %s", part);
    bool ok = (fchmod(fd, 0600) == 0 && write_all(fd, bytes, n_bytes) && fsync(fd) == 0) ||
              err_sys(e, "state: cannot write %s", part);
    ok = ok && give_to_owner_of(fd, dir, e);
    close(fd);
    if (ok && rename(part, path) < 0)
        ok = err_sys(e, "state: cannot name %s", path);
    if (!ok) {
        unlink(part);
        return false;
    }
    sync_dir(dir);
    return true;
}

enum file_result { FILE_READ, FILE_ABSENT, FILE_FAILED };

/* A whole file of at most n_room bytes. */
static enum file_result read_file(const char *path, void *out, size_t n_room, size_t *n_bytes,
                                  struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    *n_bytes = 0;
    if (fd < 0) {
        if (errno == ENOENT)
            return FILE_ABSENT;
        (void)err_sys(e, "state: cannot open %s", path);
        return FILE_FAILED;
    }
    char *p = out;
    ssize_t n = 1;
    while (*n_bytes < n_room && (n = read(fd, p + *n_bytes, n_room - *n_bytes)) > 0)
        *n_bytes += (size_t)n;
    if (n < 0)
        (void)err_sys(e, "state: cannot read %s", path);
    close(fd);
    return n < 0 ? FILE_FAILED : FILE_READ;
}

/* Writers of keys and certificates take turns. -1 on failure. */
static int lock_dir(const struct state *s, struct err *e)
{
    char path[CONFIG_TEXT_BYTES + 16];
    state_path(s, "lock", path, sizeof path);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool ok = fd >= 0 && give_to_owner_of(fd, s->dir, e);
    for (int i = 0; ok && flock(fd, LOCK_EX | LOCK_NB) < 0;
         i++) { /* boot must not hang on a stopped tool */
        ok = i < 200 || err_set(e, ERR_STATE, "state: %s is held by another hearth command", path);
        usleep(10000);
    }
    if (fd < 0)
        (void)err_sys(e, "state: cannot open %s", path);
    if (ok)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* ---- keys ---- */

/* The table as it lies in the file; a new one, with a fresh pepper, where there is none yet. */
bool state_keys(const struct state *s, struct key_table *out, struct err *e)
{
    char path[CONFIG_TEXT_BYTES + 16];
    size_t n_bytes;
    state_path(s, "keys", path, sizeof path);
    switch (read_file(path, out, sizeof *out, &n_bytes, e)) {
    case FILE_FAILED:
        return false;
    case FILE_ABSENT:
        memset(out, 0, sizeof *out);
        out->version = KEY_TABLE_VERSION;
        secret_random(out->pepper, sizeof out->pepper);
        return true;
    case FILE_READ:
        break;
    }
    return (n_bytes == sizeof *out && out->version == KEY_TABLE_VERSION &&
            out->n_keys <= KEY_TABLE_MAX) ||
           err_set(e, ERR_FORMAT,
                   "state: %s is damaged or of another version; restore it or delete it to start "
                   "without keys",
                   path);
}

typedef bool key_change_fn(struct key_table *t, void *arg, struct err *e);

/* Read, change, write back, under the lock. */
static bool change_keys(const struct state *s, key_change_fn *change, void *arg, struct err *e)
{
    char path[CONFIG_TEXT_BYTES + 16];
    int lock_fd = lock_dir(s, e);
    struct key_table *t = lock_fd < 0 ? NULL : malloc(sizeof *t);
    state_path(s, "keys", path, sizeof path);
    bool ok =
        t && state_keys(s, t, e) && change(t, arg, e) && state_write_file(path, t, sizeof *t, e);
    if (t)
        secret_wipe(t, sizeof *t);
    free(t);
    if (lock_fd >= 0)
        close(lock_fd);
    return ok;
}

struct add_arg {
    const struct key_order *order;
    char *text;
};

static bool add_key(struct key_table *t, void *arg, struct err *e)
{
    const struct add_arg *a = arg;
    for (uint32_t i = 0; i < t->n_keys; i++)
        if (!t->keys[i].revoked_s && strcmp(t->keys[i].name, a->order->name) == 0)
            return err_set(e, ERR_STATE,
                           "key: \"%s\" exists already: revoke it first or choose another name",
                           a->order->name);
    struct key_record *place = t->n_keys < KEY_TABLE_MAX ? &t->keys[t->n_keys++] : NULL;
    for (uint32_t i = 0; !place && i < t->n_keys; i++) /* full: the place of a dead key */
        if (t->keys[i].revoked_s || (t->keys[i].expires_s && t->keys[i].expires_s < clock_wall_s()))
            place = &t->keys[i];
    if (!place)
        return err_set(e, ERR_LIMIT,
                       "key: the table holds %d valid keys and is full: revoke one first",
                       KEY_TABLE_MAX);
    return key_create(a->order, t->pepper, clock_wall_s(), place, a->text, e);
}

bool state_key_add(const struct state *s, const struct key_order *order,
                   char text[KEY_TEXT_BYTES + 1], struct err *e)
{
    return change_keys(s, add_key, &(struct add_arg){order, text}, e);
}

static bool revoke_key(struct key_table *t, void *arg, struct err *e)
{
    struct str wanted = str_of(arg);
    uint32_t n_revoked = 0;
    for (uint32_t i = 0; i < t->n_keys; i++) {
        struct key_record *k = &t->keys[i];
        bool is_meant =
            str_eq(wanted, (struct str){k->id, sizeof k->id}) || str_is(wanted, k->name);
        if (is_meant && !k->revoked_s) {
            k->revoked_s = clock_wall_s();
            n_revoked++;
        }
    }
    return n_revoked > 0 ||
           err_set(e, ERR_STATE,
                   "key: no valid key has the id or name \"%.*s\" (\"hearth key list\" shows them)",
                   STR_ARG(wanted));
}

bool state_key_revoke(const struct state *s, const char *id_or_name, struct err *e)
{
    char wanted[256];
    snprintf(wanted, sizeof wanted, "%s", id_or_name);
    return change_keys(s, revoke_key, wanted, e);
}

/* ---- names ---- */

static void add_name(char (*names)[EDGE_NAME_BYTES], uint32_t *n_names, const char *name)
{
    char lower[EDGE_NAME_BYTES] = "";
    struct in6_addr six;
    size_t n = strlen(name);
    if (n == 0 || n >= EDGE_NAME_BYTES || *n_names == EDGE_MAX_NAMES)
        return;
    for (size_t i = 0; i < n; i++)
        lower[i] = (char)tolower((unsigned char)name[i]);
    if (inet_pton(AF_INET6, lower, &six) == 1) /* one spelling */
        inet_ntop(AF_INET6, &six, lower, sizeof lower);
    for (uint32_t i = 0; i < *n_names; i++)
        if (strcmp(names[i], lower) == 0)
            return;
    memcpy(names[(*n_names)++], lower, sizeof lower);
}

/* RFC 1918, 100.64/10, 169.254/16, loopback; fc00::/7 and ::1. Others are not covered by the CA's
 * name constraints. */
static bool is_private(const struct sockaddr *sa)
{
    if (sa->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)sa;
        uint32_t a = ntohl(in->sin_addr.s_addr);
        return a >> 24 == 10 || a >> 20 == 0xac1 || a >> 16 == 0xc0a8 || a >> 22 == 0x191 ||
               a >> 16 == 0xa9fe || a >> 24 == 127;
    }
    if (sa->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const void *)sa;
        return (in6->sin6_addr.s6_addr[0] & 0xfe) == 0xfc || IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
    }
    return false;
}

static bool add_addresses(char (*names)[EDGE_NAME_BYTES], uint32_t *n_names, struct err *e)
{
    struct ifaddrs *all;
    if (getifaddrs(&all) < 0)
        return err_sys(e, "state: cannot list network addresses");
    for (const struct ifaddrs *one = all; one; one = one->ifa_next) {
        char text[INET6_ADDRSTRLEN] = "";
        if (!one->ifa_addr || !(one->ifa_flags & IFF_UP) || !is_private(one->ifa_addr))
            continue;
        if (one->ifa_addr->sa_family == AF_INET)
            inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)one->ifa_addr)->sin_addr,
                      text, sizeof text);
        else
            inet_ntop(AF_INET6,
                      &((const struct sockaddr_in6 *)(const void *)one->ifa_addr)->sin6_addr, text,
                      sizeof text);
        add_name(names, n_names, text);
    }
    freeifaddrs(all);
    return true;
}

bool state_names(const struct config *c, char names[EDGE_MAX_NAMES][EDGE_NAME_BYTES],
                 uint32_t *n_names, struct err *e)
{
    char host[EDGE_NAME_BYTES] = "", local[EDGE_NAME_BYTES], own[CONFIG_TEXT_BYTES];
    *n_names = 0;
    add_name(names, n_names, "localhost");
    add_name(names, n_names, "127.0.0.1");
    add_name(names, n_names, "::1");
    gethostname(host, sizeof host - 1);
    bool has_local = strlen(host) > 6 && strcmp(host + strlen(host) - 6, ".local") == 0;
    snprintf(local, sizeof local, "%.*s%s", (int)sizeof local - 8, host,
             has_local || !host[0] ? "" : ".local");
    add_name(names, n_names, host);
    add_name(names, n_names, local);
    snprintf(own, sizeof own, "%s", c->names);
    char *rest = own;
    for (char *name; (name = strsep(&rest, ", "));)
        if (strlen(name) >= EDGE_NAME_BYTES)
            return err_set(e, ERR_LIMIT, "config: name \"%.40s...\" is longer than %d characters",
                           name, EDGE_NAME_BYTES - 1);
        else
            add_name(names, n_names, name);
    return add_addresses(names, n_names, e);
}

/* ---- certificate ---- */

struct pems {
    char ca[CERT_PEM_BYTES], ca_key[CERT_PEM_BYTES], leaf[CERT_PEM_BYTES], leaf_key[CERT_PEM_BYTES];
    char names[EDGE_MAX_NAMES][EDGE_NAME_BYTES]; /* those the CA permits */
    struct cert_info info;
};

static bool read_pem(const struct state *s, const char *name, char *pem, bool *is_there,
                     struct err *e)
{
    char path[CONFIG_TEXT_BYTES + 16];
    size_t n_bytes;
    state_path(s, name, path, sizeof path);
    enum file_result result = read_file(path, pem, CERT_PEM_BYTES - 1, &n_bytes, e);
    pem[n_bytes] = 0;
    *is_there = result == FILE_READ;
    return result != FILE_FAILED;
}

static bool write_pem(const struct state *s, const char *name, const char *pem, struct err *e)
{
    char path[CONFIG_TEXT_BYTES + 16];
    state_path(s, name, path, sizeof path);
    return state_write_file(path, pem, strlen(pem), e);
}

/* The CA is constrained to the names it was made for. */
static bool make_ca(const struct state *s, struct pems *p, char (*names)[EDGE_NAME_BYTES],
                    uint32_t n_names, struct err *e)
{
    char common_name[CERT_NAME_BYTES], host[40] = "box";
    gethostname(host, sizeof host - 1);
    snprintf(common_name, sizeof common_name, "Hearth %s CA", host);
    /* the key first: a CA file without its key would be of no use, the other way round a new CA is
     * made */
    return cert_make_ca(common_name, (struct cert_names){names, n_names}, clock_wall_s(), p->ca,
                        p->ca_key, e) &&
           write_pem(s, "ca.key", p->ca_key, e) && write_pem(s, "ca.crt", p->ca, e);
}

/* Keep the names that the CA lets a leaf carry; say which are left out and what to do. */
static uint32_t keep_permitted(const char *ca_pem, char (*names)[EDGE_NAME_BYTES], uint32_t n_names)
{
    struct cert_info *ca = calloc(1, sizeof *ca);
    struct err ignored;
    uint32_t n_kept = 0;
    if (ca && cert_read(ca_pem, ca, &ignored)) {
        for (uint32_t i = 0; i < n_names; i++)
            if (cert_permits(ca, names[i]))
                memmove(names[n_kept++], names[i], EDGE_NAME_BYTES);
            else
                log_event(LOG_WARN, "name-left-out",
                          "name=\"%s\" hint=\"the device CA was made without it: hearth cert renew "
                          "--ca\"",
                          names[i]);
    }
    free(ca);
    return n_kept;
}

static bool load_or_make(const struct state *s, struct pems *p, char (*names)[EDGE_NAME_BYTES],
                         uint32_t n_names, enum state_renew renew, struct err *e)
{
    bool has_ca, has_ca_key, has_leaf, has_leaf_key;
    if (!read_pem(s, "ca.crt", p->ca, &has_ca, e) ||
        !read_pem(s, "ca.key", p->ca_key, &has_ca_key, e) ||
        !read_pem(s, "leaf.crt", p->leaf, &has_leaf, e) ||
        !read_pem(s, "leaf.key", p->leaf_key, &has_leaf_key, e))
        return false;
    bool needs_ca = renew == STATE_RENEW_CA || !has_ca || !has_ca_key;
    if (renew == STATE_RENEW_NEVER)
        return (has_ca && has_leaf) ||
               err_set(e, ERR_STATE,
                       "state: %s holds no certificate yet; the first \"hearth serve\" makes one",
                       s->dir);
    if (needs_ca && !make_ca(s, p, names, n_names, e))
        return false;
    char(*kept)[EDGE_NAME_BYTES] = p->names;
    memcpy(kept, names, n_names * sizeof *kept);
    names = kept;
    n_names = keep_permitted(p->ca, names, n_names);
    struct cert_info *info = &p->info;
    struct err ignored;
    bool is_good = !needs_ca && renew == STATE_RENEW_IF_DUE && has_leaf && has_leaf_key &&
                   cert_read(p->leaf, info, &ignored) &&
                   !cert_is_due(info, (struct cert_names){names, n_names}, clock_wall_s());
    if (is_good)
        return true;
    if (!cert_make_leaf(p->ca, p->ca_key, (struct cert_names){names, n_names}, clock_wall_s(),
                        p->leaf, p->leaf_key, e) ||
        !write_pem(s, "leaf.key", p->leaf_key, e) || !write_pem(s, "leaf.crt", p->leaf, e))
        return false;
    log_event(LOG_INFO, "certificate", "made=%s names=%u", needs_ca ? "ca+leaf" : "leaf", n_names);
    return true;
}

bool state_cert(const struct state *s, char (*names)[EDGE_NAME_BYTES], uint32_t n_names,
                enum state_renew renew, struct edge_cert *out, struct err *e)
{
    int lock_fd = lock_dir(s, e);
    struct pems *p = lock_fd < 0 ? NULL : calloc(1, sizeof *p);
    bool ok = p && load_or_make(s, p, names, n_names, renew, e);
    if (ok) {
        memset(out, 0, sizeof *out);
        out->version = EDGE_CTL_VERSION;
        /* the leaf alone: clients hold the CA, and Mbed TLS would not parse its critical name
         * constraints */
        out->chain_bytes = (uint32_t)snprintf(out->chain_pem, sizeof out->chain_pem, "%s", p->leaf);
        out->key_bytes = (uint32_t)snprintf(out->key_pem, sizeof out->key_pem, "%s", p->leaf_key);
        out->ca_bytes = (uint32_t)snprintf(out->ca_pem, sizeof out->ca_pem, "%s", p->ca);
    }
    if (p)
        secret_wipe(p, sizeof *p);
    free(p);
    if (lock_fd >= 0)
        close(lock_fd);
    return ok;
}
