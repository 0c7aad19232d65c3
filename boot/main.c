/* main: the one executable. `hearth COMMAND ...` runs a command, `hearth -x ROLE` is a role started
 * by boot. The only code that ends processes on purpose is here and in the role entries. */
#include "boot/roles.h"
#include "boot/serve.h"
#include "boot/sigbus.h"
#include "boot/tools.h"
#include "boot/versions.h"
#include "runtime/base/version.h"
#include "runtime/tools.h"

#include <stdio.h>
#include <string.h>

struct command {
    const char *name;
    int (*run)(int argc, char **argv); /* argv[0] is the command's name */
    const char *help;
};

static const struct command commands[] = {
    {"serve", serve_main, "serve a model over HTTPS (OpenAI chat API)"},
    {"chat", tool_chat, "talk to a model in this terminal"},
    {"plan", serve_plan_main, "print the memory a configuration takes"},
    {"inspect", tool_inspect, "metadata, tensors and checks of a GGUF file"},
    {"key", tool_key, "add, list and revoke API keys"},
    {"cert", tool_cert, "show or renew the certificate"},
    {"bench", tool_bench, "measure prefill and decode speed"},
    {"score", tool_score, "perplexity of a text; divergence from a reference model"},
    {"logits", tool_logits, "logits after a list of tokens"},
    {"tokenize", tool_tokenize, "token ids of a text"},
    {"render", tool_render, "the prompt text a chat request becomes"},
    {"convert", tool_convert, "turn a safetensors directory into a GGUF file"},
    {"quantize", tool_quantize, "re-encode a GGUF file"},
    {"imatrix", tool_imatrix, "collect an importance matrix for quantize"},
    {"synth", tool_synth, "write a random model of a real shape"},
};

enum { N_COMMANDS = sizeof commands / sizeof *commands };

static int print_help(void)
{
    printf("usage: hearth COMMAND [arguments]   (hearth COMMAND -h explains one)\n");
    for (int i = 0; i < N_COMMANDS; i++)
        printf("  %-10s %s\n", commands[i].name, commands[i].help);
    printf("  --version  [--long]  version, and with --long the libraries it was built from\n");
    return 0;
}

static int print_version(bool is_long)
{
    printf("hearth %s\n", HEARTH_VERSION);
    if (is_long)
        fputs(versions_text, stdout);
    return 0;
}

static int run_role(int argc, char **argv)
{
    const struct role *role = argc >= 3 ? role_by_name(argv[2]) : NULL;
    if (!role) {
        fprintf(stderr,
                "hearth: -x needs the name of a role; roles are started by \"hearth serve\"\n");
        return 2;
    }
    return role->entry(argc >= 4 && strcmp(argv[3], "strict") == 0);
}

int main(int argc, char **argv)
{
    const char *name = argc >= 2 ? argv[1] : "";
    sigbus_guard();
    if (strcmp(name, "-x") == 0)
        return run_role(argc, argv);
    if (strcmp(name, "--version") == 0)
        return print_version(argc >= 3 && strcmp(argv[2], "--long") == 0);
    if (strcmp(name, "-h") == 0 || strcmp(name, "--help") == 0)
        return print_help();
    for (int i = 0; i < N_COMMANDS; i++)
        if (strcmp(name, commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    if (*name)
        fprintf(stderr, "hearth: unknown command \"%s\" (hearth -h)\n", name);
    else
        fprintf(stderr, "hearth: COMMAND is missing (hearth -h)\n");
    return 2;
}
