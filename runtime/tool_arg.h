/* tool_arg: the command line of a subcommand: options from a table, positional words, help, and the
 * exit codes that every tool shares. Errors are one line on stderr.   Thread: main. Allocates:
 * never. */
#ifndef RUNTIME_TOOL_ARG_H
#define RUNTIME_TOOL_ARG_H

#include "runtime/base/err.h"

#include <stddef.h>
#include <stdint.h>

enum { TOOL_OK = 0, TOOL_FAILED = 1, TOOL_USAGE = 2, TOOL_MAX_WORDS = 8 };

enum tool_opt_kind {
    TOOL_OPT_FLAG,  /* --check */
    TOOL_OPT_COUNT, /* --seed N, from min to max */
    TOOL_OPT_WORDS, /* --dump TENSOR FILE: n_words words follow */
    TOOL_OPT_REAL,  /* --temperature 0.7, finite, from min to max */
    TOOL_OPT_NAME,  /* --kv f32, one of names */
};

struct tool_opt {
    const char *name; /* "--seed" */
    enum tool_opt_kind kind;
    uint64_t min, max;
    uint32_t n_words;
    bool *flag;         /* FLAG */
    uint64_t *count;    /* COUNT; NAME: its index. Keeps its value when the option is absent */
    const char **words; /* WORDS: [n_words]; words[0] stays NULL when absent */
    float *real;        /* REAL; keeps its value when the option is absent */
    const char *const *names; /* NAME: ends with NULL */
};

struct tool_spec {
    const char *help; /* the whole help text; its first line is the usage */
    const struct tool_opt *opts;
    uint32_t n_opts;
    /* what errors call the positional words, "IN.gguf OUT.gguf TYPE"; NULL = none */
    const char *words;
};

/* Fills words, one for each that the spec names, and the options' targets. True: go on. False:
 * *exit_code is what the tool returns; help or a usage error has been printed. argv[0] is the
 * subcommand's name. */
bool tool_parse(int argc, char **argv, const struct tool_spec *spec, const char **words,
                int *exit_code);

/* Positional words where their number is open. */
struct tool_list {
    const char **at; /* [max] */
    uint32_t max, n;
};

/* The same with at least as many positional words as the spec names, and at most words->max. */
bool tool_parse_list(int argc, char **argv, const struct tool_spec *spec, struct tool_list *words,
                     int *exit_code);

/* Options that do not go together: prints one line like a usage error of tool_parse, with the way
 * to the help text, and returns TOOL_USAGE. name: as in errors, "key add" for one of the "key". */
int tool_misused(const char *name, const char *why);
/* The same about a word that names nothing: 'unknown type "frob"', and which are known unless that
 * is NULL. */
int tool_unknown(const char *name, const char *what, const char *word, const char *known);
/* Adds one to a list for that: "F32, F16". What does not fit is left out. */
void tool_known_add(char *known, size_t n_room, const char *one);

/* Prints "hearth NAME: text" and returns TOOL_FAILED. */
int tool_failed(const char *name, const struct err *e);

#endif
