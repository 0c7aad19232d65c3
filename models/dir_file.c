#include "models/dir_file.h"

#include "runtime/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

bool dir_file_is_plain(struct str name)
{
    return name.n_bytes > 0 && name.p[0] != '.' && !memchr(name.p, '/', name.n_bytes) &&
           !memchr(name.p, '\0', name.n_bytes);
}

bool dir_file_path(const char *dir, const char *name, char path[DIR_FILE_PATH_BYTES], struct err *e)
{
    int n = snprintf(path, DIR_FILE_PATH_BYTES, "%s/%s", dir, name);
    return (n > 0 && n < DIR_FILE_PATH_BYTES) ||
           err_set(e, ERR_LIMIT, "%.100s...: the path is longer than %d bytes", dir,
                   DIR_FILE_PATH_BYTES - 1);
}

bool dir_file_exists(const char *dir, const char *name)
{
    char path[DIR_FILE_PATH_BYTES];
    return dir_file_path(dir, name, path, NULL) && access(path, F_OK) == 0;
}

static bool read_whole(int fd, const char *path, struct str *out, struct err *e)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return err_sys(e, "cannot stat %s", path);
    if (!S_ISREG(st.st_mode))
        return err_set(e, ERR_FORMAT, "%s: not a regular file", path);
    if (st.st_size > DIR_FILE_MAX_BYTES)
        return err_set(e, ERR_LIMIT, "%s: has %" PRIu64 " bytes, the limit is %d", path,
                       (uint64_t)st.st_size, DIR_FILE_MAX_BYTES);
    size_t n_bytes = (size_t)st.st_size, n_read = 0;
    char *text = mem_alloc(n_bytes + 1, 1);
    if (!text)
        return err_set(e, ERR_NOMEM, "%s: no memory for %zu bytes", path, n_bytes);
    while (n_read < n_bytes) {
        ssize_t n = read(fd, text + n_read, n_bytes - n_read);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            bool ok = n < 0 ? err_sys(e, "cannot read %s", path) /* before errno can change */
                            : err_set(e, ERR_IO, "%s: became shorter while it was read", path);
            mem_free(text);
            return ok;
        }
        n_read += (size_t)n;
    }
    *out = (struct str){text, n_bytes};
    return true;
}

struct str dir_file_read(const char *dir, const char *name, struct err *e)
{
    char path[DIR_FILE_PATH_BYTES];
    struct str text = {NULL, 0};
    if (!dir_file_path(dir, name, path, e))
        return text;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a named pipe must not hang */
    if (fd < 0) {
        (void)err_sys(e, "cannot open %s", path);
        return text;
    }
    (void)read_whole(fd, path, &text, e);
    close(fd);
    return text;
}

json_t *dir_file_json(const char *dir, const char *name, struct err *e)
{
    struct str text = dir_file_read(dir, name, e);
    if (!text.p)
        return NULL;
    json_t *v = json_text_parse(text, e);
    mem_free((void *)(uintptr_t)text.p);
    if (v && json_is_object(v))
        return v;
    if (v)
        (void)err_set(e, ERR_FORMAT, "json: not an object");
    json_decref(v);
    (void)err_ctx(e, "%s/%s", dir, name);
    return NULL;
}
