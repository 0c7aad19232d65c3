/* tool_cert: `hearth cert show|renew` beside a running server. */
#include "boot/config.h"
#include "boot/state.h"
#include "boot/tools.h"
#include "net/cert.h"
#include "runtime/tool_arg.h"

#include <stdlib.h>
#include <time.h>

static const char help_all[] =
    "hearth cert show | hearth cert renew [--ca]\n"
    "show   names, dates and fingerprints of the device CA and its certificate\n"
    "renew  a new certificate; with --ca a new device CA too, which every client must then trust "
    "anew\n"
    "\n"
    "  --state-dir DIR   as for \"hearth serve\"\n"
    "  --names LIST      further names and addresses, as in the configuration\n";

static void print_dates(const struct cert_info *info)
{
    char from[16], to[16];
    struct tm tm;
    time_t from_s = (time_t)info->not_before_s, to_s = (time_t)info->not_after_s;
    strftime(from, sizeof from, "%Y-%m-%d", gmtime_r(&from_s, &tm));
    strftime(to, sizeof to, "%Y-%m-%d", gmtime_r(&to_s, &tm));
    printf("  valid        %s to %s\n  fingerprint  %s\n", from, to, info->fingerprint);
}

static bool print_all(const struct state *s, const struct edge_cert *cert, struct err *e)
{
    char path[CONFIG_TEXT_BYTES + 16];
    struct cert_info *info = calloc(1, sizeof *info);
    bool ok = info && cert_read(cert->ca_pem, info, e);
    if (ok) {
        state_path(s, "ca.crt", path, sizeof path);
        printf("device CA (clients trust this file)\n  name         %s\n  file         %s\n",
               info->common_name, path);
        print_dates(info);
    }
    ok = ok && cert_read(cert->chain_pem, info, e);
    if (ok) {
        printf("certificate\n");
        print_dates(info);
        printf("  names       ");
        for (uint32_t i = 0; i < info->n_names; i++)
            printf(" %s", info->names[i]);
        printf("\n");
    }
    free(info);
    return ok;
}

int tool_cert(int argc, char **argv)
{
    const char *verb = NULL, *dir[1] = {NULL}, *names_option[1] = {NULL};
    bool wants_ca = false;
    const struct tool_opt opts[] = {
        {.name = "--state-dir", .kind = TOOL_OPT_WORDS, .n_words = 1, .words = dir},
        {.name = "--names", .kind = TOOL_OPT_WORDS, .n_words = 1, .words = names_option},
        {.name = "--ca", .kind = TOOL_OPT_FLAG, .flag = &wants_ca},
    };
    const struct tool_spec spec = {help_all, opts, sizeof opts / sizeof *opts, "show|renew"};
    int exit_code;
    if (!tool_parse(argc, argv, &spec, &verb, &exit_code))
        return exit_code;
    bool is_show = strcmp(verb, "show") == 0;
    if (!is_show && strcmp(verb, "renew") != 0)
        return tool_unknown("cert", "command", verb, NULL);
    struct err e = {0};
    struct config c;
    struct state s;
    struct names *names = calloc(1, sizeof *names);
    struct edge_cert *cert = calloc(1, sizeof *cert);
    enum state_renew renew = is_show    ? STATE_RENEW_NEVER
                             : wants_ca ? STATE_RENEW_CA
                                        : STATE_RENEW_LEAF;
    config_defaults(&c);
    if (dir[0])
        snprintf(c.state_dir, sizeof c.state_dir, "%s", dir[0]);
    if (names_option[0])
        snprintf(c.names, sizeof c.names, "%s", names_option[0]);
    bool ok = names && cert && config_finish(&c, &e) && state_open(&s, &c, STATE_MUST_EXIST, &e) &&
              names_collect(names, &c, &e) && state_cert(&s, names, renew, cert, &e) &&
              print_all(&s, cert, &e);
    if (cert)
        secret_wipe(cert, sizeof *cert);
    free(cert);
    free(names);
    return ok ? TOOL_OK : tool_failed("cert", &e);
}
