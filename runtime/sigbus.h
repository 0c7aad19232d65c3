/* sigbus: reading a mapped file past the end that someone else gave it later raises SIGBUS, as does
 * a failing disk. Roles and tools that map model files call this first: the process then ends with
 * one clear line and exit code 1 instead of a bare signal.   Thread: main, at start. */
#ifndef RUNTIME_SIGBUS_H
#define RUNTIME_SIGBUS_H

void sigbus_guard(void);

#endif
