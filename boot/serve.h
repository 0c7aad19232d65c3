/* serve: `hearth serve`: configuration, state, listeners, roles, and the loop that keeps them
 * alive. */
#ifndef BOOT_SERVE_H
#define BOOT_SERVE_H

int serve_main(int argc, char **argv);
/* `hearth plan`: the memory table of the same configuration; starts nothing. */
int serve_plan_main(int argc, char **argv);

#endif
