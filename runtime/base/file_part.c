#include "runtime/base/file_part.h"

#include "runtime/base/mem.h"
#include "runtime/base/num.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char mark[] = ".partial-";

enum { MARK_BYTES = sizeof mark - 1, SUFFIX_BYTES = MARK_BYTES + 24, MAX_TRIES = 16 };

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The directory that a path's file lies in; -1 if it cannot be read. */
static int open_folder(const char *path)
{
    char folder[4096];
    size_t n_bytes = (size_t)(base_of(path) - path);
    if (n_bytes == 0)
        return open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (n_bytes >= sizeof folder) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(folder, path, n_bytes);
    folder[n_bytes] = 0;
    return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* ---- what killed writers left ---- */

static bool is_part_of(const char *name, const char *base)
{
    size_t n_base = strlen(base);
    if (strncmp(name, base, n_base) != 0 || strncmp(name + n_base, mark, MARK_BYTES) != 0)
        return false;
    const char *pid = name + n_base + MARK_BYTES;
    return *pid && strspn(pid, "0123456789") == strlen(pid);
}

/* One whose writer lives is locked. */
static void remove_if_stale(int folder_fd, const char *name)
{
    struct stat st;
    int fd = openat(folder_fd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && flock(fd, LOCK_EX | LOCK_NB) == 0)
        unlinkat(folder_fd, name, 0); /* if it stays, no more than its room is lost */
    close(fd);
}

static void remove_stale(const char *path)
{
    int folder_fd = open_folder(path);
    DIR *folder = folder_fd < 0 ? NULL : fdopendir(folder_fd);
    if (!folder) {
        if (folder_fd >= 0)
            close(folder_fd);
        return;
    }
    for (const struct dirent *one; (one = readdir(folder));)
        if (is_part_of(one->d_name, base_of(path)))
            remove_if_stale(folder_fd, one->d_name);
    closedir(folder);
}

/* ---- writing ---- */

/* Before it is locked another writer may take it for stale: then it has no name any more, and the
 * next try is made. Where a file system has no locks nobody gets one, so nothing is removed. */
static bool create_locked(struct file_part *f, struct err *e)
{
    for (int i = 0; i < MAX_TRIES; i++) {
        struct stat st;
        f->fd = open(f->part_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (f->fd < 0)
            return err_sys(e, "cannot create %s", f->part_path);
        (void)flock(f->fd, LOCK_EX);
        f->is_open = fstat(f->fd, &st) == 0 && st.st_nlink > 0;
        if (f->is_open)
            return true;
        close(f->fd);
    }
    return err_set(e, ERR_STATE, "%s is removed whenever it is made", f->part_path);
}

bool file_part_open(struct file_part *f, const char *path, struct err *e)
{
    struct stat st;
    size_t n_room = strlen(path) + SUFFIX_BYTES;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return err_set(e, ERR_STATE, "%s exists and is not a regular file", path);
    f->path = mem_alloc(n_room, 1);
    f->part_path = mem_alloc(n_room, 1);
    if (!f->path || !f->part_path) {
        file_part_close(f);
        return err_set(e, ERR_NOMEM, "%s: no memory", path);
    }
    snprintf(f->path, n_room, "%s", path);
    snprintf(f->part_path, n_room, "%s%s%ld", path, mark, (long)getpid());
    remove_stale(path);
    if (create_locked(f, e))
        return true;
    file_part_close(f);
    return false;
}

bool file_part_reserve(struct file_part *f, uint64_t n_bytes, struct err *e)
{
    return fallocate(f->fd, 0, 0, (off_t)n_bytes) == 0 || errno != ENOSPC ||
           err_sys(e, "cannot reserve %.1f MiB for %s", (double)n_bytes / 0x1p20, f->path);
}

bool file_part_put(struct file_part *f, const void *bytes, uint64_t n_bytes, struct err *e)
{
    const char *p = bytes;
    while (n_bytes) {
        ssize_t n = write(f->fd, p, num_min(n_bytes, 1 << 30));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_sys(e, "cannot write %s", f->part_path);
        p += n;
        n_bytes -= (uint64_t)n;
    }
    return true;
}

/* The rename itself must reach the disk too. EINVAL: a file system without durable directories has
 * nothing to wait for. */
static bool sync_folder(const char *path, struct err *e)
{
    int fd = open_folder(path);
    bool ok = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL);
    if (!ok)
        (void)err_sys(e, "cannot make the name %s durable", path);
    if (fd >= 0)
        close(fd);
    return ok;
}

bool file_part_commit(struct file_part *f, struct err *e)
{
    if (fsync(f->fd) != 0)
        return err_sys(e, "cannot make %s durable", f->part_path);
    if (rename(f->part_path, f->path) != 0)
        return err_sys(e, "cannot rename %s to %s", f->part_path, f->path);
    close(f->fd);
    f->is_open = false;
    return sync_folder(f->path, e);
}

void file_part_close(struct file_part *f)
{
    if (f->is_open) {
        unlink(f->part_path); /* while it is locked: nobody else may have the name yet */
        close(f->fd);
    }
    mem_free(f->path);
    mem_free(f->part_path);
    *f = (struct file_part){.path = NULL};
}
