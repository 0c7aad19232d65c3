/* config: one file and the command line become one struct. Every key is a row of one table: name,
 * kind, range, default, help; the flag of a key is its name with dashes (context_tokens ->
 * --context-tokens). An unknown key, a value out of range or a repeated key is an error with its
 * line number. File format: `key = value` a line; `#` starts a comment; no sections, no quoting.
 * Thread: start-up only. */
#ifndef BOOT_CONFIG_H
#define BOOT_CONFIG_H

#include "runtime/base/err.h"
#include "runtime/base/str.h"

#include <stdint.h>
#include <stdio.h>

enum { CONFIG_TEXT_BYTES = 1024 };

enum config_sandbox { CONFIG_SANDBOX_AUTO, CONFIG_SANDBOX_STRICT };

struct config {
    char model[CONFIG_TEXT_BYTES];     /* "" = the built-in pocket model */
    char state_dir[CONFIG_TEXT_BYTES]; /* "" = by user, see config_finish */
    char listen[CONFIG_TEXT_BYTES];    /* address the HTTPS port binds to */
    char names[CONFIG_TEXT_BYTES];     /* further names and addresses for the certificate, comma
                                          separated */
    char model_alias[CONFIG_TEXT_BYTES];
    char key_file[CONFIG_TEXT_BYTES]; /* where the first start writes the first key instead of
                                         showing it */
    uint64_t port, plain_port;
    uint64_t context_tokens, users, kv_tokens, queue, threads, memory_mib, batch_rows;
    uint64_t kv; /* enum kv_type */
    uint64_t max_tokens, max_connections, connections_per_address, bodies, body_mib;
    uint64_t handshake_timeout_ms, head_timeout_ms, body_timeout_ms, idle_timeout_ms,
        write_timeout_ms;
    uint64_t stream_limit_ms, plain_limit_ms;
    uint64_t thinking, timings, strict_parameters; /* 0 or 1 */
    uint64_t log_level;                            /* enum log_level */
    uint64_t sandbox;                              /* enum config_sandbox */
};

void config_defaults(struct config *c);

/* A configuration text; name: for messages. */
bool config_parse(struct config *c, struct str text, const char *name, struct err *e);

/* Command line of `serve` and `plan`: -c FILE, -m MODEL and a flag per key (--key value or
 * --key=value). -c is read first, wherever it stands; flags win over the file. *wants_help is set
 * for -h/--help. Unknown flags: ERR_STATE. */
bool config_from_args(struct config *c, int argc, char **argv, bool *wants_help, struct err *e);

/* Fill in what depends on the user and on other keys (state_dir). */
bool config_finish(struct config *c, struct err *e);

/* One line per key: flag, default, meaning. */
void config_print_help(FILE *out);

#endif
