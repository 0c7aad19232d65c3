#include "runtime/tool_arg.h"

#include "tests/t.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

struct got {
    bool check;
    uint64_t seed, colour;
    float heat;
    const char *dump[2];
    const char *words[2];
    int exit_code;
};

static bool parse(int argc, char **argv, struct got *g)
{
    static const char *const colours[] = {"red", "green", NULL};
    *g = (struct got){.seed = 5, .colour = 7, .heat = 1.0f};
    const struct tool_opt opts[] = {
        {.name = "--check", .kind = TOOL_OPT_FLAG, .flag = &g->check},
        {.name = "--seed", .kind = TOOL_OPT_COUNT, .min = 1, .max = 100, .count = &g->seed},
        {.name = "--heat", .kind = TOOL_OPT_REAL, .max = 2, .real = &g->heat},
        {.name = "--colour", .kind = TOOL_OPT_NAME, .count = &g->colour, .names = colours},
        {.name = "--dump", .kind = TOOL_OPT_WORDS, .n_words = 2, .words = g->dump},
    };
    const struct tool_spec spec = {
        .help = "hearth x A B\n", .opts = opts, .n_opts = 5, .words = "A B"};
    return tool_parse(argc, argv, &spec, g->words, &g->exit_code);
}

#define ARGS(...)                                                                                  \
    (int)(sizeof((char *[]){__VA_ARGS__}) / sizeof(char *)), (char *[])                            \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

static char x[] = "x", a[] = "a", b[] = "b", c[] = "c", check[] = "--check", seed[] = "--seed",
            dump[] = "--dump", heat[] = "--heat";
static char help[] = "-h", other[] = "--other", n_7[] = "7", n_0[] = "0", n_bad[] = "7x",
            n_minus[] = "-7", rest[] = "--";
static char n_huge[] = "99999999999999999999999";

TEST(tool_parse_takes_options_anywhere)
{
    struct got g;
    CHECK_TRUE(parse(ARGS(x, seed, n_7, a, check, b), &g));
    CHECK_TRUE(g.check && g.seed == 7 && g.dump[0] == NULL);
    CHECK_STR(g.words[0], "a");
    CHECK_STR(g.words[1], "b");
    CHECK_TRUE(
        parse(ARGS(x, a, b, dump, c, check), &g)); /* the words of an option may look like one */
    CHECK_STR(g.dump[1], "--check");
    CHECK_TRUE(!g.check && g.seed == 5);
    CHECK_TRUE(parse(ARGS(x, a, rest, check), &g));
    CHECK_STR(g.words[1], "--check");
}

TEST(tool_parse_refuses_what_it_does_not_know_with_exit_code_2)
{
    struct got g;
    CHECK_TRUE(!parse(ARGS(x, a), &g) && g.exit_code == TOOL_USAGE);
    CHECK_TRUE(!parse(ARGS(x, a, b, c), &g) && g.exit_code == TOOL_USAGE);
    CHECK_TRUE(!parse(ARGS(x, a, b, other), &g) && g.exit_code == TOOL_USAGE);
    CHECK_TRUE(!parse(ARGS(x, a, b, seed), &g) && g.exit_code == TOOL_USAGE);
    CHECK_TRUE(!parse(ARGS(x, a, b, seed, n_0), &g) && g.exit_code == TOOL_USAGE);
    CHECK_TRUE(!parse(ARGS(x, a, b, seed, n_bad), &g) && g.exit_code == TOOL_USAGE);
    CHECK_TRUE(!parse(ARGS(x, a, b, seed, n_minus), &g) && g.exit_code == TOOL_USAGE);
    CHECK_TRUE(!parse(ARGS(x, a, b, seed, n_huge), &g) && g.exit_code == TOOL_USAGE);
    CHECK_TRUE(!parse(ARGS(x, a, b, dump, c), &g) && g.exit_code == TOOL_USAGE);
}

TEST(tool_parse_prints_help_and_ends_well)
{
    struct got g;
    CHECK_TRUE(!parse(ARGS(x, help), &g) && g.exit_code == TOOL_OK);
}

TEST(tool_parse_reads_real_numbers_within_bounds)
{
    static char r_0_7[] = "0.7", r_half[] = ".5", r_over[] = "2.01", r_under[] = "-0.1",
                r_nan[] = "nan", r_inf[] = "inf", r_tail[] = "1.0x", r_none[] = "",
                r_blank[] = " 1";
    char *const refused[] = {r_over, r_under, r_nan, r_inf, r_tail, r_none, r_blank};
    struct got g;
    CHECK_TRUE(parse(ARGS(x, a, b), &g) && g.heat == 1.0f);
    CHECK_TRUE(parse(ARGS(x, a, b, heat, r_0_7), &g) && g.heat == 0.7f);
    CHECK_TRUE(parse(ARGS(x, a, b, heat, r_half), &g) && g.heat == 0.5f);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        CHECK_TRUE(!parse(ARGS(x, a, b, heat, refused[i]), &g) && g.exit_code == TOOL_USAGE);
}

TEST(tool_parse_takes_one_of_the_names)
{
    static char colour[] = "--colour", green[] = "green", gree[] = "gree", none[] = "";
    struct got g;
    CHECK_TRUE(parse(ARGS(x, a, b), &g) && g.colour == 7);
    CHECK_TRUE(parse(ARGS(x, a, b, colour, green), &g) && g.colour == 1);
    CHECK_TRUE(!parse(ARGS(x, a, b, colour, gree), &g) && g.exit_code == TOOL_USAGE);
    CHECK_TRUE(!parse(ARGS(x, a, b, colour, none), &g) && g.exit_code == TOOL_USAGE);
    CHECK_TRUE(!parse(ARGS(x, a, b, colour), &g) && g.exit_code == TOOL_USAGE);
}

TEST(tool_parse_list_takes_as_many_words_as_there_is_room)
{
    const char *words[3];
    struct tool_list list = {.at = words, .max = 3};
    const struct tool_spec spec = {.help = "hearth x A...\n", .words = "A"};
    int exit_code = TOOL_OK;
    CHECK_TRUE(tool_parse_list(ARGS(x, a), &spec, &list, &exit_code) && list.n == 1);
    CHECK_TRUE(tool_parse_list(ARGS(x, a, b, c), &spec, &list, &exit_code) && list.n == 3);
    CHECK_STR(words[2], "c");
    CHECK_TRUE(!tool_parse_list(ARGS(x), &spec, &list, &exit_code) && exit_code == TOOL_USAGE);
    exit_code = TOOL_OK;
    CHECK_TRUE(!tool_parse_list(ARGS(x, a, b, c, a), &spec, &list, &exit_code) &&
               exit_code == TOOL_USAGE);
}

/* What a usage error says, in place of standard error. */
static const char *said_about(int argc, char **argv)
{
    static char text[512];
    char path[512];
    struct got g;
    snprintf(path, sizeof path, "%s/stderr", t_scratch_dir());
    fflush(stderr);
    int kept = dup(STDERR_FILENO), fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    MUST_TRUE(kept >= 0 && fd >= 0 && dup2(fd, STDERR_FILENO) >= 0, path);
    bool ok = parse(argc, argv, &g);
    dup2(kept, STDERR_FILENO);
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = 0;
    close(fd);
    close(kept);
    CHECK_TRUE(!ok && g.exit_code == TOOL_USAGE);
    return text;
}

TEST(tool_parse_names_the_word_that_is_missing_and_the_way_to_the_help)
{
    static char x_add[] = "x add";
    CHECK_STR(said_about(ARGS(x)), "hearth x: A is missing (hearth x -h)\n");
    CHECK_STR(said_about(ARGS(x, a)), "hearth x: B is missing (hearth x -h)\n");
    CHECK_STR(said_about(ARGS(x_add, a)), "hearth x add: B is missing (hearth x -h)\n");
    CHECK_STR(said_about(ARGS(x, a, b, c)), "hearth x: one word too many: \"c\" (hearth x -h)\n");
}
