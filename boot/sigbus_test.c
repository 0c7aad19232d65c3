#include "boot/sigbus.h"

#include "tests/t.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE_BYTES = 1 << 16 };

/* In a child: maps a file, lets it shrink, reads where its end was. */
_Noreturn static void read_a_shrunken_file(const char *path, int fd_stderr)
{
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    if (fd < 0 || ftruncate(fd, SIZE_BYTES) != 0)
        _exit(100);
    volatile const char *bytes = mmap(NULL, SIZE_BYTES, PROT_READ, MAP_PRIVATE, fd, 0);
    dup2(fd_stderr, STDERR_FILENO);
    sigbus_guard();
    if (bytes == MAP_FAILED || ftruncate(fd, 0) != 0)
        _exit(101);
    _exit(bytes[SIZE_BYTES - 1] ? 102 : 103);
}

TEST(sigbus_ends_the_process_with_one_line)
{
    char path[512], text[256];
    int fds[2], status = 0;
    snprintf(path, sizeof path, "%s/shrinks", t_scratch_dir());
    MUST_TRUE(pipe(fds) == 0, "pipe");
    pid_t pid = fork();
    MUST_TRUE(pid >= 0, "fork");
    if (pid == 0)
        read_a_shrunken_file(path, fds[1]);
    close(fds[1]);
    ssize_t n = read(fds[0], text, sizeof text - 1);
    MUST_TRUE(waitpid(pid, &status, 0) == pid, "wait");
    CHECK_TRUE(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 1);
    text[n > 0 ? n : 0] = 0;
    CHECK_STR(text, "hearth: a mapped file was cut short or its disk failed while it was in use\n");
    close(fds[0]);
}
