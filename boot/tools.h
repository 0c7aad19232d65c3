/* tools: subcommands on the state directory, beside a running server. argv[0] is the name; returns
 * the exit code. */
#ifndef BOOT_TOOLS_H
#define BOOT_TOOLS_H

int tool_key(int argc, char **argv);
int tool_cert(int argc, char **argv);

#endif
