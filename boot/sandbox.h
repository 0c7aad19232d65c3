/* sandbox: what a role may still do once it has what it needs. Applied by the role to itself, in
 * two steps, each of which checks that it took effect; a required part that cannot be had fails the
 * start (there is no build without it).
 *   1. sandbox_restrict_files, before threads exist: no_new_privs, not dumpable, no core, no
 * further processes, Landlock with no file at all allowed (and, from ABI 4, no TCP bind or
 * connect).
 *   2. sandbox_restrict_calls, last: a seccomp allow-list per role; any other system call ends the
 * process. Landlock is used where the kernel has it; its absence is logged, and fatal with sandbox
 * = strict. platform.md 5. */
#ifndef BOOT_SANDBOX_H
#define BOOT_SANDBOX_H

#include "runtime/base/err.h"

#include <stdio.h>

enum sandbox_role { SANDBOX_EDGE, SANDBOX_ENGINE };

/* Lines for `hearth plan`: what this kernel gives and what it lacks. */
void sandbox_describe(FILE *out);

bool sandbox_restrict_files(bool is_strict, struct err *e);
bool sandbox_restrict_calls(enum sandbox_role role, struct err *e);

#endif
