#include "runtime/base/file_map.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static bool map_fd(struct file_map *m, int fd, const char *path, struct err *e)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return err_sys(e, "cannot stat %s", path);
    if (!S_ISREG(st.st_mode))
        return err_set(e, ERR_FORMAT, "%s: not a regular file", path);
    if (st.st_size == 0)
        return err_set(e, ERR_FORMAT, "%s: the file is empty", path);
    void *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED)
        return err_sys(e, "cannot map %s", path);
    *m = (struct file_map){bytes, (uint64_t)st.st_size};
    return true;
}

/* O_NONBLOCK: opening a named pipe must not hang; it has no effect on regular files. */
bool file_map_open(struct file_map *m, const char *path, struct err *e)
{
    *m = (struct file_map){.bytes = NULL};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return err_sys(e, "cannot open %s", path);
    bool ok = map_fd(m, fd, path, e);
    close(fd);
    return ok;
}

void file_map_close(struct file_map *m)
{
    if (m->bytes)
        munmap((void *)(uintptr_t)m->bytes, m->n_bytes);
    *m = (struct file_map){.bytes = NULL};
}
