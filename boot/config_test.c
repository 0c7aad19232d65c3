#include "boot/config.h"

#include "kernels/kv_type.h"
#include "runtime/base/log.h"
#include "tests/t.h"

static bool parse(struct config *c, const char *text, struct err *e)
{
    *e = (struct err){0};
    config_defaults(c);
    return config_parse(c, str_of(text), "hearth.conf", e);
}

TEST(config_reads_every_kind_of_value)
{
    struct config c;
    struct err e;
    MUST_TRUE(parse(&c,
                    "# a comment\n\nmodel = /models/a b.gguf  # trailing\r\n port=9443\nthinking = "
                    "on\nlog_level = warn\n"
                    "sandbox = strict\nusers = 32\nkv = f32",
                    &e),
              e.msg);
    CHECK_STR(c.model, "/models/a b.gguf");
    CHECK_EQ(c.port, 9443);
    CHECK_EQ(c.thinking, 1);
    CHECK_EQ(c.log_level, LOG_WARN);
    CHECK_EQ(c.sandbox, CONFIG_SANDBOX_STRICT);
    CHECK_EQ(c.users, 32);
    CHECK_EQ(c.kv, KV_TYPE_F32);
    CHECK_EQ(c.queue, 28); /* untouched default */
}

TEST(config_names_the_line_of_what_it_refuses)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"port = 1\nprot = 2\n",
         "hearth.conf line 2: unknown key \"prot\" (\"hearth serve -h\" lists the keys)"},
        {"port = 1\nport = 2\n", "hearth.conf line 2: port is set a second time"},
        {"\n\nport 8443\n", "hearth.conf line 3: expected \"key = value\", not \"port 8443\""},
        {"port = 0\n",
         "hearth.conf line 1: port must be a whole number from 1 to 65535, not \"0\""},
        {"port = 8443x\n",
         "hearth.conf line 1: port must be a whole number from 1 to 65535, not \"8443x\""},
        {"port =\n", "hearth.conf line 1: port must be a whole number from 1 to 65535, not \"\""},
        {"users = 99999999999999999999999\n", "hearth.conf line 1: users must be a whole number "
                                              "from 0 to 256, not \"99999999999999999999999\""},
        {"kv = q8\n", "hearth.conf line 1: kv must be f16 or f32, not \"q8\""},
        {"thinking = yes\n", "hearth.conf line 1: thinking must be on or off, not \"yes\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct config c;
        struct err e;
        CHECK_TRUE(!parse(&c, cases[i].text, &e));
        CHECK_STR(e.msg, cases[i].expected);
    }
}

TEST(config_flags_win_over_the_file_wherever_they_stand)
{
    const char *dir = t_scratch_dir();
    char path[512];
    snprintf(path, sizeof path, "%s/hearth.conf", dir);
    FILE *f = fopen(path, "w");
    MUST_TRUE(f != NULL, path);
    fputs("port = 9000\nusers = 2\n", f);
    fclose(f);
    char flag_port[] = "--port=9001", flag_c[] = "-c", flag_ctx[] = "--context-tokens",
         value_ctx[] = "4096", name[] = "serve";
    char *argv[] = {name, flag_port, flag_c, path, flag_ctx, value_ctx, NULL};
    struct config c;
    struct err e = {0};
    bool wants_help;
    config_defaults(&c);
    MUST_TRUE(config_from_args(&c, 6, argv, &wants_help, &e), e.msg);
    CHECK_EQ(c.port, 9001);
    CHECK_EQ(c.users, 2);
    CHECK_EQ(c.context_tokens, 4096);
    CHECK_TRUE(!wants_help);
}

TEST(config_refuses_unknown_flags_and_missing_values)
{
    char name[] = "serve", unknown[] = "--prot", port[] = "--port";
    char *argv_unknown[] = {name, unknown, NULL}, *argv_missing[] = {name, port, NULL};
    struct config c;
    struct err e = {0};
    bool wants_help;
    config_defaults(&c);
    CHECK_TRUE(!config_from_args(&c, 2, argv_unknown, &wants_help, &e));
    CHECK_STR(e.msg, "unknown argument \"--prot\" (-h lists them)");
    CHECK_TRUE(!config_from_args(&c, 2, argv_missing, &wants_help, &e));
    CHECK_STR(e.msg, "--port needs a value");
}
