/* tool_key: `hearth key add|list|revoke` beside a running server, which sees the change within a
 * second. */
#include "boot/config.h"
#include "boot/state.h"
#include "boot/tools.h"
#include "runtime/base/clock.h"
#include "runtime/tool_arg.h"

#include <stdlib.h>
#include <time.h>

enum { MAX_LIMIT = 1000000000 };

static const char help_all[] =
    "hearth key add NAME [options] | hearth key list | hearth key revoke ID-or-NAME\n"
    "API keys of the running box. A key is shown once, when it is made; only a hash is kept.\n"
    "\n"
    "  --state-dir DIR      as for \"hearth serve\"\n"
    "options of add:\n"
    "  --scope WORDS        chat, metrics, admin, kiosk, comma separated [chat]\n"
    "  --expires DAYS       days from now, as 90 or 90d; without it the key does not expire\n"
    "  --rpm N              requests per minute\n"
    "  --tpm N              tokens per minute\n"
    "  --concurrent N       requests at once\n"
    "  --daily-tokens N     tokens per day\n"
    "  --weight N           share when the box is full [1]\n";

static bool open_state(struct state *s, const char *dir, enum state_want want, struct err *e)
{
    struct config c;
    config_defaults(&c);
    if (dir)
        snprintf(c.state_dir, sizeof c.state_dir, "%s", dir);
    return config_finish(&c, e) && state_open(s, &c, want, e);
}

static bool parse_days(const char *text, int64_t *expires_s, struct err *e)
{
    char *end;
    unsigned long days = strtoul(text, &end, 10);
    if (end == text || (strcmp(end, "") != 0 && strcmp(end, "d") != 0) || days < 1 || days > 36500)
        return err_set(e, ERR_FORMAT, "--expires takes days from 1 to 36500, as 90d, not \"%s\"",
                       text);
    *expires_s = clock_wall_s() + (int64_t)days * 86400;
    return true;
}

static int key_add(int argc, char **argv)
{
    const char *name = NULL, *dir[1] = {NULL}, *scope[1] = {NULL}, *expires[1] = {NULL};
    uint64_t rpm = 0, tpm = 0, concurrent = 0, daily = 0, weight = 1;
    const struct tool_opt opts[] = {
        {.name = "--state-dir", .kind = TOOL_OPT_WORDS, .n_words = 1, .words = dir},
        {.name = "--scope", .kind = TOOL_OPT_WORDS, .n_words = 1, .words = scope},
        {.name = "--expires", .kind = TOOL_OPT_WORDS, .n_words = 1, .words = expires},
        {.name = "--rpm", .kind = TOOL_OPT_COUNT, .min = 1, .max = MAX_LIMIT, .count = &rpm},
        {.name = "--tpm", .kind = TOOL_OPT_COUNT, .min = 1, .max = MAX_LIMIT, .count = &tpm},
        {.name = "--concurrent",
         .kind = TOOL_OPT_COUNT,
         .min = 1,
         .max = MAX_LIMIT,
         .count = &concurrent},
        {.name = "--daily-tokens",
         .kind = TOOL_OPT_COUNT,
         .min = 1,
         .max = UINT64_C(1) << 50,
         .count = &daily},
        {.name = "--weight", .kind = TOOL_OPT_COUNT, .min = 1, .max = 1000, .count = &weight},
    };
    const struct tool_spec spec = {help_all, opts, sizeof opts / sizeof *opts, "NAME"};
    int exit_code;
    if (!tool_parse(argc, argv, &spec, &name, &exit_code))
        return exit_code;
    struct err e = {0};
    struct state s;
    struct key_order order = {.name = name, .scopes = KEY_CHAT};
    char text[KEY_TEXT_BYTES + 1];
    order.limits = (struct key_limits){.requests_per_min = (uint32_t)rpm,
                                       .tokens_per_min = (uint32_t)tpm,
                                       .n_concurrent = (uint32_t)concurrent,
                                       .weight = (uint32_t)weight,
                                       .tokens_per_day = daily};
    if ((scope[0] && !key_scopes_parse(str_of(scope[0]), &order.scopes, &e)) ||
        (expires[0] && !parse_days(expires[0], &order.expires_s, &e)) ||
        !open_state(&s, dir[0], STATE_MAY_BE_MADE, &e) || !state_key_add(&s, &order, text, &e))
        return tool_failed("key add", &e);
    if (s.is_new)
        fprintf(stderr, "hearth key add: made the state directory %s\n", s.dir);
    printf("%s\n", text);
    secret_wipe(text, sizeof text);
    return TOOL_OK;
}

static void print_day(int64_t at_s, const char *when_zero)
{
    char text[16];
    time_t t = (time_t)at_s;
    struct tm tm;
    if (at_s)
        strftime(text, sizeof text, "%Y-%m-%d", gmtime_r(&t, &tm));
    else
        snprintf(text, sizeof text, "%s", when_zero);
    printf("  %-10s", text);
}

static void print_key(const struct key_record *k, int64_t now_s)
{
    static const char *const scopes[] = {"chat", "metrics", "admin", "kiosk"};
    const char *state = k->revoked_s                            ? "revoked"
                        : k->expires_s && now_s >= k->expires_s ? "expired"
                                                                : "valid";
    printf("%.*s  %-20s  %-7s", (int)sizeof k->id, k->id, k->name, state);
    print_day(k->created_s, "-");
    print_day(k->expires_s, "never");
    printf("  ");
    for (size_t i = 0, n = 0; i < sizeof scopes / sizeof *scopes; i++)
        if (k->scopes >> i & 1)
            printf("%s%s", n++ ? "," : "", scopes[i]);
    printf("\n");
}

static int key_list(int argc, char **argv)
{
    const char *dir[1] = {NULL};
    const struct tool_opt opts[] = {
        {.name = "--state-dir", .kind = TOOL_OPT_WORDS, .n_words = 1, .words = dir}};
    const struct tool_spec spec = {help_all, opts, 1, NULL};
    int exit_code;
    if (!tool_parse(argc, argv, &spec, NULL, &exit_code))
        return exit_code;
    struct err e = {0};
    struct state s;
    struct key_table *t = calloc(1, sizeof *t);
    bool ok = t && open_state(&s, dir[0], STATE_MUST_EXIST, &e) && state_keys(&s, t, &e);
    if (ok)
        printf("id        name                  state    made        expires     scopes\n");
    for (uint32_t i = 0; ok && i < t->n_keys; i++)
        print_key(&t->keys[i], clock_wall_s());
    if (t)
        secret_wipe(t, sizeof *t);
    free(t);
    return ok ? TOOL_OK : tool_failed("key list", &e);
}

static int key_revoke(int argc, char **argv)
{
    const char *wanted = NULL, *dir[1] = {NULL};
    const struct tool_opt opts[] = {
        {.name = "--state-dir", .kind = TOOL_OPT_WORDS, .n_words = 1, .words = dir}};
    const struct tool_spec spec = {help_all, opts, 1, "ID-or-NAME"};
    int exit_code;
    if (!tool_parse(argc, argv, &spec, &wanted, &exit_code))
        return exit_code;
    struct err e = {0};
    struct state s;
    if (!open_state(&s, dir[0], STATE_MUST_EXIST, &e) || !state_key_revoke(&s, wanted, &e))
        return tool_failed("key revoke", &e);
    printf("revoked %s\n", wanted);
    return TOOL_OK;
}

int tool_key(int argc, char **argv)
{
    struct {
        char name[16]; /* what errors call it: writable, as words of a command line are */
        int (*run)(int argc, char **argv);
    } verbs[] = {{"key add", key_add}, {"key list", key_list}, {"key revoke", key_revoke}};
    const char *verb = argc >= 2 ? argv[1] : "";
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(verb, verbs[i].name + strlen("key ")) == 0) {
            argv[1] = verbs[i].name;
            return verbs[i].run(argc - 1, argv + 1);
        }
    if (!verb[0])
        return tool_misused("key", "add|list|revoke is missing");
    if (strcmp(verb, "-h") != 0 && strcmp(verb, "--help") != 0)
        return tool_unknown("key", "command", verb, NULL);
    printf("usage: %s", help_all);
    return TOOL_OK;
}
