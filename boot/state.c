#include "boot/state.h"

#include "boot/state_file.h"
#include "net/cert.h"
#include "runtime/base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the directory ---- */

void state_path(const struct state *s, const char *name, char *out, size_t n_room)
{
    snprintf(out, n_room, "%s/%s", s->dir, name);
}

static bool make_dirs(const char *path, bool *is_new, struct err *e)
{
    char part[CONFIG_TEXT_BYTES];
    snprintf(part, sizeof part, "%s", path);
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(part, 0755) < 0 && errno != EEXIST)
            return err_sys(e, "state: cannot make %s", part);
        *slash = '/';
    }
    *is_new = mkdir(part, 0700) == 0;
    return *is_new || errno == EEXIST || err_sys(e, "state: cannot make %s", part);
}

bool state_open(struct state *s, const struct config *c, enum state_want want, struct err *e)
{
    struct stat st;
    snprintf(s->dir, sizeof s->dir, "%s", c->state_dir);
    size_t n = strlen(s->dir);
    while (n > 1 && s->dir[n - 1] == '/')
        s->dir[--n] = 0;
    s->is_new = false;
    if (!cert_init(e) || (want == STATE_MAY_BE_MADE && !make_dirs(s->dir, &s->is_new, e)))
        return false;
    if (want == STATE_MUST_EXIST && access(s->dir, F_OK) < 0 && errno == ENOENT)
        return err_set(
            e, ERR_STATE,
            "no state directory %s: the first \"hearth serve\" or \"hearth key add\" makes "
            "it, --state-dir names another",
            s->dir);
    if (stat(s->dir, &st) < 0 || !S_ISDIR(st.st_mode))
        return err_set(e, ERR_STATE, "state: %s is not a directory", s->dir);
    if (st.st_mode & 077)
        return err_set(e, ERR_STATE, "state: %s is open to other users: chmod 700 %s", s->dir,
                       s->dir);
    return true;
}

int state_lock(const struct state *s, struct err *e)
{
    char path[CONFIG_TEXT_BYTES + 16];
    state_path(s, "lock", path, sizeof path);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool ok = fd >= 0 && state_file_give(fd, s->dir, e);
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
    switch (state_file_read(path, out, sizeof *out, &n_bytes, e)) {
    case STATE_FILE_FAILED:
        return false;
    case STATE_FILE_ABSENT:
        memset(out, 0, sizeof *out);
        out->version = KEY_TABLE_VERSION;
        secret_random(out->pepper, sizeof out->pepper);
        return true;
    case STATE_FILE_READ:
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
    int lock_fd = state_lock(s, e);
    struct key_table *t = lock_fd < 0 ? NULL : malloc(sizeof *t);
    state_path(s, "keys", path, sizeof path);
    bool ok =
        t && state_keys(s, t, e) && change(t, arg, e) && state_file_write(path, t, sizeof *t, e);
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
