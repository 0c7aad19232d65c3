#include "runtime/tool_arg.h"

#include "runtime/base/str.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct args {
    int argc, i;
    char **argv;
    const struct tool_spec *spec;
};

__attribute__((format(printf, 2, 3))) static bool usage_error(const struct args *a, const char *fmt,
                                                              ...)
{
    char why[ERR_MSG_BYTES];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    (void)tool_misused(a->argv[0], why);
    return false;
}

static bool read_count(const struct args *a, const struct tool_opt *opt, const char *word)
{
    char *end;
    errno = 0;
    uint64_t n = strtoull(word, &end, 10);
    if (word[0] < '0' || word[0] > '9' || *end || errno || n < opt->min || n > opt->max)
        return usage_error(a, "%s wants a number from %" PRIu64 " to %" PRIu64 ", not \"%s\"",
                           opt->name, opt->min, opt->max, word);
    *opt->count = n;
    return true;
}

static bool read_real(const struct args *a, const struct tool_opt *opt, const char *word)
{
    char *end;
    float v = strtof(word, &end);
    bool starts_well = (word[0] >= '0' && word[0] <= '9') || strchr("-.", word[0]);
    if (!starts_well || end == word || *end || !(v >= (float)opt->min && v <= (float)opt->max))
        return usage_error(a, "%s wants a number from %" PRIu64 " to %" PRIu64 ", not \"%s\"",
                           opt->name, opt->min, opt->max, word);
    *opt->real = v;
    return true;
}

static bool read_name(const struct args *a, const struct tool_opt *opt, const char *word)
{
    char known[ERR_MSG_BYTES] = "";
    for (uint64_t i = 0; opt->names[i]; i++) {
        if (strcmp(word, opt->names[i]) == 0) {
            *opt->count = i;
            return true;
        }
        tool_known_add(known, sizeof known, opt->names[i]);
    }
    return usage_error(a, "%s wants one of %s, not \"%s\"", opt->name, known, word);
}

/* argv[i] is opt's name; consumes the words that belong to it. */
static bool read_option(struct args *a, const struct tool_opt *opt)
{
    uint32_t n_words = opt->kind == TOOL_OPT_FLAG    ? 0
                       : opt->kind == TOOL_OPT_WORDS ? opt->n_words
                                                     : 1;
    if ((uint32_t)(a->argc - a->i - 1) < n_words)
        return usage_error(a, "%s wants %" PRIu32 " more word%s", opt->name, n_words,
                           n_words == 1 ? "" : "s");
    const char *const *following = (const char *const *)(a->argv + a->i + 1);
    a->i += (int)n_words;
    switch (opt->kind) {
    case TOOL_OPT_FLAG:
        *opt->flag = true;
        break;
    case TOOL_OPT_COUNT:
        return read_count(a, opt, following[0]);
    case TOOL_OPT_REAL:
        return read_real(a, opt, following[0]);
    case TOOL_OPT_NAME:
        return read_name(a, opt, following[0]);
    case TOOL_OPT_WORDS:
        for (uint32_t k = 0; k < n_words; k++)
            opt->words[k] = following[k];
        break;
    }
    return true;
}

static const struct tool_opt *find_option(const struct tool_spec *spec, const char *word)
{
    for (uint32_t i = 0; i < spec->n_opts; i++)
        if (strcmp(spec->opts[i].name, word) == 0)
            return &spec->opts[i];
    return NULL;
}

/* The i-th of the names with blanks between; empty past the last one. */
static struct str name_at(const char *names, uint32_t i)
{
    struct str name = str_of(names ? names : "");
    while (i-- > 0) {
        name.p += strcspn(name.p, " ");
        name.p += *name.p == ' ';
    }
    name.n_bytes = strcspn(name.p, " ");
    return name;
}

static bool read_all(struct args *a, struct tool_list *words)
{
    bool only_words = false; /* after "--" */
    for (a->i = 1; a->i < a->argc; a->i++) {
        const char *word = a->argv[a->i];
        if (!only_words && strcmp(word, "--") == 0) {
            only_words = true;
        } else if (!only_words && word[0] == '-' && word[1]) {
            const struct tool_opt *opt = find_option(a->spec, word);
            if (!opt)
                return usage_error(a, "unknown option \"%s\"", word);
            if (!read_option(a, opt))
                return false;
        } else if (words->n == words->max) {
            return usage_error(a, "one word too many: \"%s\"", word);
        } else {
            words->at[words->n++] = word;
        }
    }
    struct str missing = name_at(a->spec->words, words->n);
    return missing.n_bytes == 0 || usage_error(a, "%.*s is missing", STR_ARG(missing));
}

bool tool_parse_list(int argc, char **argv, const struct tool_spec *spec, struct tool_list *words,
                     int *exit_code)
{
    struct args a = {.argc = argc, .argv = argv, .spec = spec};
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0) {
            printf("usage: %s", spec->help);
            *exit_code = TOOL_OK;
            return false;
        }
    *exit_code = TOOL_USAGE;
    words->n = 0;
    return read_all(&a, words);
}

bool tool_parse(int argc, char **argv, const struct tool_spec *spec, const char **words,
                int *exit_code)
{
    struct tool_list exactly = {.at = words};
    while (name_at(spec->words, exactly.max).n_bytes > 0)
        exactly.max++;
    return tool_parse_list(argc, argv, spec, &exactly, exit_code);
}

static void print_way_to_help(const char *name)
{
    fprintf(stderr, " (hearth %.*s -h)\n", (int)strcspn(name, " "), name);
}

int tool_misused(const char *name, const char *why)
{
    fprintf(stderr, "hearth %s: %s", name, why);
    print_way_to_help(name);
    return TOOL_USAGE;
}

int tool_unknown(const char *name, const char *what, const char *word, const char *known)
{
    fprintf(stderr, "hearth %s: unknown %s \"%s\"%s%s", name, what, word,
            known ? ", not one of " : "", known ? known : "");
    print_way_to_help(name);
    return TOOL_USAGE;
}

void tool_known_add(char *known, size_t n_room, const char *one)
{
    size_t n = strlen(known);
    if (n + strlen(one) + sizeof ", " <= n_room)
        snprintf(known + n, n_room - n, "%s%s", n ? ", " : "", one);
}

int tool_failed(const char *name, const struct err *e)
{
    fprintf(stderr, "hearth %s: %s\n", name, e->msg);
    return TOOL_FAILED;
}
