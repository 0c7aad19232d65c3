#include "boot/sigbus.h"

#include <signal.h>
#include <unistd.h>

/* Async-signal-safe calls only. */
_Noreturn static void end_process(int signal_number)
{
    const char text[] =
        "hearth: a mapped file was cut short or its disk failed while it was in use\n";
    (void)signal_number;
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
        _exit(1); /* nobody reads; the exit code still tells */
    _exit(1);
}

void sigbus_guard(void)
{
    struct sigaction action = {.sa_handler = end_process};
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, NULL);
}
