#include "boot/state_file.h"

#include "boot/config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool state_file_give_as(int fd, int dir_fd, struct err *e)
{
    struct stat st;
    if (geteuid() != 0 || fstat(dir_fd, &st) < 0 || fchown(fd, st.st_uid, st.st_gid) == 0)
        return true;
    return err_sys(e, "state: cannot give a file to the owner of its directory");
}

bool state_file_give(int fd, const char *dir, struct err *e)
{
    int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = dir_fd < 0 || state_file_give_as(fd, dir_fd, e) || err_ctx(e, "%s", dir);
    if (dir_fd >= 0)
        close(dir_fd);
    return ok;
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

bool state_file_check_place(const char *path, struct err *e)
{
    char dir[CONFIG_TEXT_BYTES + 64];
    struct stat st;
    dir_of(path, dir, sizeof dir);
    if (stat(path, &st) == 0)
        return S_ISREG(st.st_mode) || err_set(e, ERR_STATE, "%s is not a regular file", path);
    return access(dir, W_OK | X_OK) == 0 || err_sys(e, "cannot write %s", path);
}

bool state_file_move(const char *from, const char *to, struct err *e)
{
    char dir[CONFIG_TEXT_BYTES + 64];
    dir_of(to, dir, sizeof dir);
    if (rename(from, to) < 0)
        return err_sys(e, "state: cannot name %s", to);
    sync_dir(dir);
    return true;
}

bool state_file_write(const char *path, const void *bytes, size_t n_bytes, struct err *e)
{
    char part[CONFIG_TEXT_BYTES + 64], dir[CONFIG_TEXT_BYTES + 64];
    snprintf(part, sizeof part, "%s.partial", path);
    dir_of(path, dir, sizeof dir);
    int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_sys(e, "state: cannot write %s", part);
    bool ok = (fchmod(fd, 0600) == 0 && write_all(fd, bytes, n_bytes) && fsync(fd) == 0) ||
              err_sys(e, "state: cannot write %s", part);
    ok = ok && state_file_give(fd, dir, e);
    close(fd);
    ok = ok && state_file_move(part, path, e);
    if (!ok)
        unlink(part);
    return ok;
}

enum state_file state_file_read(const char *path, void *out, size_t n_room, size_t *n_bytes,
                                struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    *n_bytes = 0;
    if (fd < 0) {
        if (errno == ENOENT)
            return STATE_FILE_ABSENT;
        (void)err_sys(e, "state: cannot open %s", path);
        return STATE_FILE_FAILED;
    }
    char *p = out;
    ssize_t n = 1;
    while (*n_bytes < n_room && (n = read(fd, p + *n_bytes, n_room - *n_bytes)) > 0)
        *n_bytes += (size_t)n;
    if (n < 0)
        (void)err_sys(e, "state: cannot read %s", path);
    close(fd);
    return n < 0 ? STATE_FILE_FAILED : STATE_FILE_READ;
}
