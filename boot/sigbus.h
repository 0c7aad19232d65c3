/* sigbus: reading a mapped file past the end that someone else gave it later raises SIGBUS, as does
 * a failing disk. main calls this before any role or tool starts: the process then ends with one
 * clear line and exit code 1 instead of a bare signal.   Thread: main, at start. */
#ifndef BOOT_SIGBUS_H
#define BOOT_SIGBUS_H

void sigbus_guard(void);

#endif
