/* hearth chat: a conversation in the terminal, or one question per line from a pipe.
 *
 * Ctrl-C: the handler does nothing and is installed for one delivery (SA_RESETHAND). So "the first
 * one has come" is the same as "the disposition is back to default", which is asked between steps
 * and needs no shared variable; and a second one, or one at the prompt, ends the process at once,
 * however long the step at hand would take. */
#include "runtime/chat.h"
#include "runtime/sample_default.h"
#include "runtime/tool_arg.h"
#include "runtime/tools.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

enum { USUAL_CTX = 8192, MAX_CTX = 1 << 20, MAX_TOP_K = 1 << 20 };

static const char help[] =
    "hearth chat [-m MODEL.gguf] [--system TEXT] [--think] [flags]\n"
    "  Talk to a model in this terminal. /reset forgets the conversation, /quit (or end of input)\n"
    "  leaves; Ctrl-C stops an answer, a second one leaves. From a pipe: one question per line of\n"
    "  one conversation, answers alone on standard output.\n"
    "  -m MODEL.gguf       without it pocket, the model built in\n"
    "  --system TEXT       instructions before the conversation\n"
    "  --think             let the model think first; shown dimmed, on a terminal only\n"
    "  --temperature X     0 = always the likeliest token (the model's own, else 1.0)\n"
    "  --top-p X --top-k N --min-p X\n"
    "                      (the model's own, else 0.95, 64, 0)\n"
    "  --seed N            the same seed gives the same answers (random)\n"
    "  --max-tokens N      of one answer (what the context has room for)\n"
    "  --ctx N             context in tokens (8192, or the model's limit)\n"
    "  --kv TYPE           how keys and values are stored: f16 or f32 (f16)\n"
    "  --threads N         worker threads (one per CPU)\n";

struct chat_args {
    const char *model, *system;
    bool thinks;
    float temperature, top_p, min_p; /* negative = not given */
    uint64_t top_k, seed, max_tokens, n_ctx, n_threads, kv_type;
};

enum { NOT_GIVEN = -1 };

struct session {
    const struct chat_args *args;
    struct runner *r;
    struct chat *chat;
    bool is_interactive; /* a person on both ends */
    bool is_shown_on_terminal;
    bool thought_is_open; /* the last piece shown was a thought */
    bool has_failed;
};

/* ---- what is shown ---- */

/* A model's words must not steer the terminal: control characters become '?'. C1 controls are
 * U+0080..009F, two bytes in UTF-8. */
static void put_on_terminal(struct str text)
{
    for (size_t i = 0; i < text.n_bytes; i++) {
        unsigned char byte = (unsigned char)text.p[i];
        bool is_c1 = byte == 0xC2 && i + 1 < text.n_bytes && (unsigned char)text.p[i + 1] < 0xA0;
        bool is_control = (byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7F || is_c1;
        i += is_c1;
        putchar(is_control ? '?' : byte);
    }
}

static void put_piece(void *arg, enum chat_part part, struct str text)
{
    struct session *s = arg;
    if (!s->is_shown_on_terminal) {
        if (part == CHAT_ANSWER)
            fwrite(text.p, 1, text.n_bytes, stdout);
        return;
    }
    if (part == CHAT_ANSWER && s->thought_is_open)
        fputs("\n\n", stdout);
    s->thought_is_open = part == CHAT_THOUGHT;
    fputs(part == CHAT_THOUGHT ? "\x1b[2m" : "", stdout);
    put_on_terminal(text);
    fputs(part == CHAT_THOUGHT ? "\x1b[0m" : "", stdout); /* each time: we may be killed any time */
    fflush(stdout);
}

static void print_banner(const struct session *s)
{
    char id[128];
    if (!s->is_interactive)
        return;
    load_model_id(&s->r->m, id, sizeof id);
    printf("%s%s, %s, context %u tokens. /reset forgets, /quit leaves, Ctrl-C stops an answer.\n",
           id, s->args->model ? "" : " (built in)", load_quant_name(&s->r->m), s->r->m.cfg.n_ctx);
}

static void print_end(const struct session *s, const struct chat_stats *stats)
{
    static const char *const why[] = {[CHAT_END_TURN] = "",
                                      [CHAT_END_LIMIT] = ", cut at --max-tokens",
                                      [CHAT_END_CONTEXT] = ", the context is full",
                                      [CHAT_END_STOPPED] = ", stopped"};
    double seconds = (double)stats->generate_us / 1e6;
    putchar('\n');
    if (s->is_interactive)
        printf(
            "\x1b[2m[%u of %u prompt tokens reused, %.1f s; %u tokens, %.1f tokens/s%s]\x1b[0m\n",
            stats->n_reused, stats->n_prompt, (double)stats->prompt_us / 1e6, stats->n_generated,
            seconds > 0.0 ? stats->n_generated / seconds : 0.0, why[stats->end]);
    fflush(stdout);
}

/* ---- Ctrl-C ---- */

static void on_interrupt(int signo)
{
    (void)signo;
}

static void arm_interrupt(const struct session *s)
{
    struct sigaction once = {.sa_handler = on_interrupt, .sa_flags = SA_RESETHAND | SA_RESTART};
    if (s->is_interactive)
        sigaction(SIGINT, &once, NULL);
}

static void disarm_interrupt(const struct session *s)
{
    struct sigaction usual = {.sa_handler = SIG_DFL};
    if (s->is_interactive)
        sigaction(SIGINT, &usual, NULL);
}

static bool was_interrupted(void *arg)
{
    const struct session *s = arg;
    struct sigaction now;
    return s->is_interactive && sigaction(SIGINT, NULL, &now) == 0 && now.sa_handler == SIG_DFL;
}

/* ---- turns ---- */

static void take_turn(struct session *s, struct str question)
{
    struct err e = {.code = ERR_NONE};
    struct chat_stats stats;
    const struct chat_sink sink = {s, put_piece, was_interrupted};
    s->thought_is_open = false;
    arm_interrupt(s);
    bool ok = chat_ask(s->chat, question, &sink, &stats, &e);
    disarm_interrupt(s);
    if (ok) {
        print_end(s, &stats);
        return;
    }
    fflush(stdout);
    tool_failed("chat", &e);
    s->has_failed = true;
}

/* One line, without its end; false at the end of input. */
static bool read_line(const struct session *s, char **line, size_t *n_room, struct str *out)
{
    if (s->is_interactive)
        fputs("\n> ", stdout);
    fflush(stdout);
    ssize_t n = getline(line, n_room, stdin);
    while (n > 0 && ((*line)[n - 1] == '\n' || (*line)[n - 1] == '\r'))
        n--;
    *out = (struct str){*line, n > 0 ? (size_t)n : 0};
    return n >= 0;
}

static void converse(struct session *s)
{
    char *line = NULL;
    size_t n_room = 0;
    struct str text;
    while (read_line(s, &line, &n_room, &text) && !str_is(text, "/quit")) {
        if (str_is(text, "/reset"))
            chat_reset(s->chat);
        else if (text.n_bytes > 0)
            take_turn(s, text);
    }
    free(line);
}

/* ---- start ---- */

static bool fill_config(const struct session *s, struct chat_config *cfg, struct err *e)
{
    const struct chat_args *a = s->args;
    uint32_t n_vocab = s->r->m.model.dims.n_vocab;
    struct sample_default own = sample_default_of(s->r->m.file, n_vocab);
    *cfg = (struct chat_config){
        .system = a->system, .thinks = a->thinks, .max_tokens = (uint32_t)a->max_tokens};
    cfg->sampling = (struct sample_params){
        .temperature = (double)(a->temperature >= 0.0f ? a->temperature : own.temperature),
        .top_p = (double)(a->top_p >= 0.0f ? a->top_p : own.top_p),
        .min_p = (double)a->min_p,
        .top_k = a->top_k <= MAX_TOP_K ? (uint32_t)a->top_k : own.top_k,
        .repetition_penalty = 1.0,
        .seed = a->seed,
    };
    if (a->seed == UINT64_MAX &&
        getrandom(&cfg->sampling.seed, sizeof cfg->sampling.seed, 0) != sizeof cfg->sampling.seed)
        return err_sys(e, "no random seed");
    return sample_params_check(&cfg->sampling, e);
}

static bool open_session(struct session *s, struct err *e)
{
    const struct chat_args *a = s->args;
    struct load_config load = {.n_ctx = (uint32_t)a->n_ctx,
                               .max_seqs = 1,
                               .kv_type = (enum kv_type)a->kv_type,
                               .n_threads = (uint32_t)a->n_threads};
    struct chat_config cfg;
    s->is_shown_on_terminal = isatty(STDOUT_FILENO) == 1;
    s->is_interactive = s->is_shown_on_terminal && isatty(STDIN_FILENO) == 1;
    s->r = runner_open(a->model, &load, USUAL_CTX, e);
    if (!s->r || !runner_open_tok(s->r, e) || !fill_config(s, &cfg, e))
        return false;
    s->chat = chat_new(s->r, &cfg, e);
    return s->chat;
}

int tool_chat(int argc, char **argv)
{
    struct chat_args a = {
        .temperature = NOT_GIVEN, .top_p = NOT_GIVEN, .top_k = UINT64_MAX, .seed = UINT64_MAX};
    const struct tool_opt opts[] = {
        {"-m", TOOL_OPT_WORDS, .n_words = 1, .words = &a.model},
        {"--system", TOOL_OPT_WORDS, .n_words = 1, .words = &a.system},
        {"--think", TOOL_OPT_FLAG, .flag = &a.thinks},
        {"--temperature", TOOL_OPT_REAL, 0, 2, .real = &a.temperature},
        {"--top-p", TOOL_OPT_REAL, 0, 1, .real = &a.top_p},
        {"--min-p", TOOL_OPT_REAL, 0, 1, .real = &a.min_p},
        {"--top-k", TOOL_OPT_COUNT, 0, MAX_TOP_K, .count = &a.top_k},
        {"--seed", TOOL_OPT_COUNT, 0, UINT64_MAX - 1, .count = &a.seed},
        {"--max-tokens", TOOL_OPT_COUNT, 1, MAX_CTX, .count = &a.max_tokens},
        {"--ctx", TOOL_OPT_COUNT, 64, MAX_CTX, .count = &a.n_ctx},
        {"--kv", TOOL_OPT_NAME, .count = &a.kv_type, .names = kv_type_names},
        {"--threads", TOOL_OPT_COUNT, 1, POOL_MAX_THREADS, .count = &a.n_threads},
    };
    const struct tool_spec spec = {help, opts, sizeof opts / sizeof *opts, NULL};
    struct err e = {.code = ERR_NONE};
    struct session s = {.args = &a};
    int exit_code;
    if (!tool_parse(argc, argv, &spec, NULL, &exit_code))
        return exit_code;
    if (a.top_p == 0.0f)
        return tool_misused(argv[0], "--top-p must be above 0");
    bool ok = open_session(&s, &e);
    if (ok) {
        print_banner(&s);
        converse(&s);
    }
    chat_free(s.chat);
    runner_close(s.r);
    if (!ok)
        return tool_failed(argv[0], &e);
    return s.has_failed ? TOOL_FAILED : TOOL_OK;
}
