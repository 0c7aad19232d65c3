#include "runtime/base/file_part.h"

#include "runtime/base/mem.h"
#include "runtime/base/num.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool file_part_open(struct file_part *f, const char *path, struct err *e)
{
    enum { SUFFIX_BYTES = 32 };
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
    snprintf(f->part_path, n_room, "%s.partial-%ld", path, (long)getpid());
    f->fd = open(f->part_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    f->is_open = f->fd >= 0;
    if (f->is_open)
        return true;
    (void)err_sys(e, "cannot create %s", f->part_path);
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
static bool sync_folder(struct file_part *f, struct err *e)
{
    int fd = open(dirname(f->part_path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL);
    if (!ok)
        (void)err_sys(e, "cannot make the name %s durable", f->path);
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
    return sync_folder(f, e);
}

void file_part_close(struct file_part *f)
{
    if (f->is_open) {
        close(f->fd);
        unlink(f->part_path);
    }
    mem_free(f->path);
    mem_free(f->part_path);
    *f = (struct file_part){.path = NULL};
}
