#include "boot/config.h"

#include "kernels/kv_type.h"
#include "runtime/base/log.h"

#include <pwd.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

enum kind { KIND_TEXT, KIND_NUMBER, KIND_SWITCH, KIND_LEVEL, KIND_SANDBOX, KIND_KV };

struct key {
    const char *name;
    enum kind kind;
    size_t off_bytes;
    uint64_t low, high, when_absent; /* numbers */
    const char *text_when_absent;    /* texts and words, as a user would write them */
    const char *help;
};

#define TEXT(name, absent, help)                                                                   \
    {                                                                                              \
#name, KIND_TEXT, offsetof(struct config, name), 0, 0, 0, absent, help                     \
    }
#define NUMBER(name, low, high, absent, help)                                                      \
    {                                                                                              \
#name, KIND_NUMBER, offsetof(struct config, name), low, high, absent, NULL, help           \
    }
#define WORD(name, kind, absent, word, help)                                                       \
    {                                                                                              \
#name, kind, offsetof(struct config, name), 0, 0, absent, word, help                       \
    }

static const struct key keys[] = {
    TEXT(model, "", "GGUF file to serve; empty = the built-in pocket model"),
    TEXT(state_dir, "",
         "keys and certificates; empty = /var/lib/hearth as root, else ~/.local/state/hearth"),
    TEXT(listen, "::", "address the HTTPS port binds to (:: = all IPv6 and IPv4)"),
    NUMBER(port, 1, 65535, 8443, "HTTPS port"),
    NUMBER(plain_port, 0, 65535, 0,
           "plain HTTP port that hands out the CA certificate and nothing else; 0 = off"),
    TEXT(names, "", "further host names and addresses for the certificate, comma separated"),
    TEXT(model_alias, "", "further model name that requests may use"),
    TEXT(key_file, "", "file for the API key that the first start makes; empty = it is shown once"),
    NUMBER(context_tokens, 0, 1 << 24, 0,
           "tokens one conversation may hold; 0 = as many as fit, at most 32768"),
    NUMBER(users, 0, 256, 0, "conversations that run at once; 0 = as many as fit, at most 4"),
    NUMBER(kv_tokens, 0, UINT64_C(1) << 40, 0,
           "tokens all conversations hold together; 0 = users x context_tokens"),
    WORD(kv, KIND_KV, KV_TYPE_F16, "f16",
         "how keys and values are stored: f16, or f32 for twice the memory and less rounding"),
    NUMBER(queue, 0, 128, 28, "requests that may wait for a place"),
    NUMBER(threads, 0, 128, 0, "CPU threads; 0 = one per CPU"),
    NUMBER(memory_mib, 0, UINT64_C(1) << 24, 0,
           "memory the plan may take; 0 = what is available at start"),
    NUMBER(batch_rows, 0, 65536, 0, "token rows in one forward pass; 0 = 256"),
    NUMBER(max_tokens, 1, 1 << 24, 4096, "answer length when a request does not say"),
    NUMBER(max_connections, 1, 4096, 512, "open connections"),
    NUMBER(connections_per_address, 1, 4096, 32, "open connections of one address"),
    NUMBER(bodies, 1, 64, 8, "requests whose body is being read at once"),
    NUMBER(body_mib, 1, 256, 32, "largest request body"),
    NUMBER(handshake_timeout_ms, 100, 3600000, 10000, "TLS handshake"),
    NUMBER(head_timeout_ms, 100, 3600000, 10000, "request head after its first byte"),
    NUMBER(body_timeout_ms, 100, 3600000, 30000, "request body without progress"),
    NUMBER(idle_timeout_ms, 100, 3600000, 75000, "connection without a request"),
    NUMBER(write_timeout_ms, 100, 3600000, 30000, "client that does not read"),
    NUMBER(stream_limit_ms, 1000, 86400000, 600000, "longest streamed answer"),
    NUMBER(plain_limit_ms, 1000, 86400000, 280000, "longest answer that is not streamed"),
    WORD(thinking, KIND_SWITCH, 0, "off",
         "whether the model thinks when a request does not say (on, off)"),
    WORD(timings, KIND_SWITCH, 1, "on", "whether answers carry `timings` (on, off)"),
    WORD(strict_parameters, KIND_SWITCH, 0, "off",
         "refuse unknown request members instead of ignoring them (on, off)"),
    WORD(log_level, KIND_LEVEL, LOG_INFO, "info", "debug, info, warn or error"),
    WORD(sandbox, KIND_SANDBOX, CONFIG_SANDBOX_AUTO, "auto",
         "strict = refuse to start where a protection is missing (auto, strict)"),
};

enum { N_KEYS = sizeof keys / sizeof *keys };

static uint64_t *number_of(struct config *c, const struct key *k)
{
    return (uint64_t *)(void *)((char *)c + k->off_bytes);
}

void config_defaults(struct config *c)
{
    memset(c, 0, sizeof *c);
    for (size_t i = 0; i < N_KEYS; i++) {
        if (keys[i].kind == KIND_TEXT)
            snprintf((char *)c + keys[i].off_bytes, CONFIG_TEXT_BYTES, "%s",
                     keys[i].text_when_absent);
        else
            *number_of(c, &keys[i]) = keys[i].when_absent;
    }
}

static bool set_word(uint64_t *out, struct str value, const char *const *words, size_t n_words)
{
    for (size_t i = 0; i < n_words; i++)
        if (str_is(value, words[i])) {
            *out = i;
            return true;
        }
    return false;
}

static bool set_number(uint64_t *out, struct str value, const struct key *k)
{
    uint64_t n = 0;
    if (value.n_bytes == 0)
        return false;
    for (size_t i = 0; i < value.n_bytes; i++) {
        char digit = value.p[i];
        if (digit < '0' || digit > '9' || __builtin_mul_overflow(n, 10, &n) ||
            __builtin_add_overflow(n, (uint64_t)(digit - '0'), &n))
            return false;
    }
    *out = n;
    return n >= k->low && n <= k->high;
}

/* where: "hearth.conf line 3" or "--port". */
static bool set_key(struct config *c, const struct key *k, struct str value, const char *where,
                    struct err *e)
{
    static const char *const switches[] = {"off", "on"};
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    static const char *const sandboxes[] = {"auto", "strict"};
    switch (k->kind) {
    case KIND_TEXT:
        if (value.n_bytes >= CONFIG_TEXT_BYTES || memchr(value.p, 0, value.n_bytes))
            return err_set(e, ERR_FORMAT, "%s: the value of %s is longer than %d bytes", where,
                           k->name, CONFIG_TEXT_BYTES - 1);
        memcpy((char *)c + k->off_bytes, value.p, value.n_bytes);
        ((char *)c + k->off_bytes)[value.n_bytes] = 0;
        return true;
    case KIND_NUMBER:
        return set_number(number_of(c, k), value, k) ||
               err_set(e, ERR_FORMAT,
                       "%s: %s must be a whole number from %llu to %llu, not \"%.*s\"", where,
                       k->name, (unsigned long long)k->low, (unsigned long long)k->high,
                       STR_ARG(value));
    case KIND_SWITCH:
        return set_word(number_of(c, k), value, switches, 2) ||
               err_set(e, ERR_FORMAT, "%s: %s must be on or off, not \"%.*s\"", where, k->name,
                       STR_ARG(value));
    case KIND_LEVEL:
        return set_word(number_of(c, k), value, levels, 4) ||
               err_set(e, ERR_FORMAT, "%s: %s must be debug, info, warn or error, not \"%.*s\"",
                       where, k->name, STR_ARG(value));
    case KIND_SANDBOX:
        return set_word(number_of(c, k), value, sandboxes, 2) ||
               err_set(e, ERR_FORMAT, "%s: %s must be auto or strict, not \"%.*s\"", where, k->name,
                       STR_ARG(value));
    case KIND_KV:
        return set_word(number_of(c, k), value, kv_type_names, KV_N_TYPES) ||
               err_set(e, ERR_FORMAT, "%s: %s must be f16 or f32, not \"%.*s\"", where, k->name,
                       STR_ARG(value));
    }
    return false;
}

/* dash: '-' for flags, '_' for the file. */
static const struct key *find_key(struct str name, char dash)
{
    for (size_t i = 0; i < N_KEYS; i++) {
        const char *want = keys[i].name;
        size_t j = 0;
        while (j < name.n_bytes && want[j] &&
               (name.p[j] == want[j] || (want[j] == '_' && name.p[j] == dash)))
            j++;
        if (j == name.n_bytes && !want[j])
            return &keys[i];
    }
    return NULL;
}

static struct str trimmed(struct str s)
{
    while (s.n_bytes && strchr(" \t\r", s.p[0])) {
        s.p++;
        s.n_bytes--;
    }
    while (s.n_bytes && strchr(" \t\r", s.p[s.n_bytes - 1]))
        s.n_bytes--;
    return s;
}

static bool parse_line(struct config *c, struct str line, const char *where, bool *is_seen,
                       struct err *e)
{
    size_t hash = str_find(line, STR("#"), 0);
    if (hash != SIZE_MAX)
        line.n_bytes = hash;
    line = trimmed(line);
    if (line.n_bytes == 0)
        return true;
    size_t equals = str_find(line, STR("="), 0);
    if (equals == SIZE_MAX)
        return err_set(e, ERR_FORMAT, "%s: expected \"key = value\", not \"%.*s\"", where,
                       STR_ARG(line));
    struct str name = trimmed((struct str){line.p, equals});
    struct str value = trimmed((struct str){line.p + equals + 1, line.n_bytes - equals - 1});
    const struct key *k = find_key(name, '_');
    if (!k)
        return err_set(e, ERR_FORMAT,
                       "%s: unknown key \"%.*s\" (\"hearth serve -h\" lists the keys)", where,
                       STR_ARG(name));
    if (is_seen[k - keys])
        return err_set(e, ERR_FORMAT, "%s: %s is set a second time", where, k->name);
    is_seen[k - keys] = true;
    return set_key(c, k, value, where, e);
}

bool config_parse(struct config *c, struct str text, const char *name, struct err *e)
{
    bool is_seen[N_KEYS] = {false};
    uint32_t line_no = 0;
    for (size_t begin = 0; begin < text.n_bytes;) {
        size_t end = str_find(text, STR("\n"), begin);
        if (end == SIZE_MAX)
            end = text.n_bytes;
        char where[CONFIG_TEXT_BYTES];
        snprintf(where, sizeof where, "%s line %u", name, ++line_no);
        if (!parse_line(c, (struct str){text.p + begin, end - begin}, where, is_seen, e))
            return false;
        begin = end + 1;
    }
    return true;
}

static bool read_file(struct config *c, const char *path, struct err *e)
{
    enum { MAX_FILE_BYTES = 64 * 1024 };
    FILE *f = fopen(path, "re");
    if (!f)
        return err_sys(e, "config: cannot open %s", path);
    char *text = malloc(MAX_FILE_BYTES + 1);
    size_t n_bytes = text ? fread(text, 1, MAX_FILE_BYTES + 1, f) : 0;
    bool ok = text && !ferror(f) ? true : err_set(e, ERR_IO, "config: cannot read %s", path);
    fclose(f);
    if (ok && n_bytes > MAX_FILE_BYTES)
        ok = err_set(e, ERR_LIMIT, "config: %s is larger than %d bytes", path, MAX_FILE_BYTES);
    ok = ok && config_parse(c, (struct str){text, n_bytes}, path, e);
    free(text);
    return ok;
}

/* The argument's value: after '=' or the next argument. */
static bool flag_value(int argc, char **argv, int *i, const char *equals, struct str *value,
                       struct err *e)
{
    if (equals) {
        *value = str_of(equals + 1);
        return true;
    }
    if (*i + 1 >= argc)
        return err_set(e, ERR_STATE, "%s needs a value", argv[*i]);
    *value = str_of(argv[++*i]);
    return true;
}

/* One argument. pass 0 reads only -c, pass 1 everything else. */
static bool take_flag(struct config *c, int argc, char **argv, int *i, int pass, struct err *e)
{
    const char *arg = argv[*i], *equals = strchr(arg, '=');
    struct str name = equals ? (struct str){arg, (size_t)(equals - arg)} : str_of(arg), value;
    bool is_file = str_is(name, "-c") || str_is(name, "--config");
    const struct key *k = NULL;
    if (str_is(name, "-m"))
        k = find_key(STR("model"), '_');
    else if (!is_file && str_has_prefix(name, STR("--")))
        k = find_key((struct str){name.p + 2, name.n_bytes - 2}, '-');
    if (!is_file && !k)
        return err_set(e, ERR_STATE, "unknown argument \"%s\" (-h lists them)", arg);
    if (!flag_value(argc, argv, i, equals, &value, e))
        return false;
    if (is_file)
        return pass != 0 || read_file(c, value.p, e);
    return pass != 1 || set_key(c, k, value, arg, e);
}

bool config_from_args(struct config *c, int argc, char **argv, bool *wants_help, struct err *e)
{
    *wants_help = false;
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0) {
            *wants_help = true;
            return true;
        }
    for (int pass = 0; pass < 2; pass++)
        for (int i = 1; i < argc; i++)
            if (!take_flag(c, argc, argv, &i, pass, e))
                return false;
    return true;
}

/* From /etc/passwd itself: a static program must not load the host's name service modules. */
static bool home_of(uid_t uid, char *out)
{
    FILE *f = fopen("/etc/passwd", "re");
    bool is_found = false;
    if (!f)
        return false;
    for (const struct passwd *user; !is_found && (user = fgetpwent(f));)
        if (user->pw_uid == uid && user->pw_dir[0] == '/' &&
            strlen(user->pw_dir) < CONFIG_TEXT_BYTES - 64) {
            snprintf(out, CONFIG_TEXT_BYTES, "%s", user->pw_dir);
            is_found = true;
        }
    fclose(f);
    return is_found;
}

bool config_finish(struct config *c, struct err *e)
{
    if (c->state_dir[0])
        return true;
    if (geteuid() == 0) {
        snprintf(c->state_dir, sizeof c->state_dir, "/var/lib/hearth");
        return true;
    }
    if (!home_of(geteuid(), c->state_dir))
        return err_set(e, ERR_STATE,
                       "config: no home directory is known for user %u: set state_dir", geteuid());
    size_t n = strlen(c->state_dir);
    snprintf(c->state_dir + n, sizeof c->state_dir - n, "/.local/state/hearth");
    return true;
}

void config_print_help(FILE *out)
{
    for (size_t i = 0; i < N_KEYS; i++) {
        char flag[64], absent[64];
        snprintf(flag, sizeof flag, "--%s", keys[i].name);
        for (char *p = flag + 2; *p; p++)
            if (*p == '_')
                *p = '-';
        if (keys[i].text_when_absent)
            snprintf(absent, sizeof absent, "%s",
                     keys[i].text_when_absent[0] ? keys[i].text_when_absent : "empty");
        else
            snprintf(absent, sizeof absent, "%llu", (unsigned long long)keys[i].when_absent);
        fprintf(out, "  %-26s %s [%s]\n", flag, keys[i].help, absent);
    }
}
