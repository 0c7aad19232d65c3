#include "runtime/base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

_Noreturn void check_failed(const char *what, const char *file, int line)
{
    char text[240];
    int n = snprintf(text, sizeof text, "hearth: internal error: %s (%s:%d)\n", what, file, line);
    if (n > 0) {
        ssize_t ignored =
            write(STDERR_FILENO, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
        (void)ignored;
    }
    abort();
}
