/* engine: the role: configuration in, model up, then the loop until boot says drain or is gone. */
#include "runtime/engine_role.h"

#include "runtime/base/clock.h"
#include "runtime/base/ctl.h"
#include "runtime/base/log.h"
#include "runtime/base/mem.h"
#include "runtime/base/version.h"
#include "runtime/engine_loop.h"
#include "runtime/sample_default.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEARTBEAT_MS = 500 };

/* 64-bit FNV-1a: tells files and builds apart in `system_fingerprint`; it protects nothing. */
static uint64_t fnv(uint64_t h, const void *bytes, size_t n_bytes)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i < n_bytes; i++)
        h = (h ^ p[i]) * 0x100000001b3u;
    return h;
}

/* Tensor names, types, shapes and a sample of each tensor's bytes, plus what else changes the
 * numbers. Reading all of an 18 GB file would cost the start its speed. */
static void fill_fingerprint(struct engine *g)
{
    enum { SAMPLE_BYTES = 256 };
    uint64_t h = 0xcbf29ce484222325u;
    for (uint64_t i = 0; i < gguf_n_tensors(g->m.file); i++) {
        const struct gguf_tensor *t = gguf_tensor_at(g->m.file, i);
        size_t n = t->n_bytes < SAMPLE_BYTES ? (size_t)t->n_bytes : SAMPLE_BYTES;
        h = fnv(h, t->name.p, t->name.n_bytes);
        h = fnv(h, &t->type, sizeof t->type);
        h = fnv(h, t->dims, sizeof t->dims);
        h = fnv(h, t->bytes, n);
        h = fnv(h, t->bytes + (t->n_bytes - n) / 2, n);
        h = fnv(h, t->bytes + (t->n_bytes - n), n);
    }
    h = fnv(h, HEARTH_VERSION, sizeof HEARTH_VERSION);
    h = fnv(h, "cpu kv=", 7);
    h = fnv(h, kv_type_names[g->m.cfg.kv_type], strlen(kv_type_names[g->m.cfg.kv_type]));
    h = fnv(h, &g->tok.template_rev, sizeof g->tok.template_rev);
    snprintf(g->info.fingerprint, sizeof g->info.fingerprint, "fp_%010llx",
             (unsigned long long)(h & 0xffffffffffu));
}

static void fill_info(struct engine *g)
{
    struct engine_info *info = &g->info;
    const struct gemma4_dims *d = &g->m.model.dims;
    load_model_id(&g->m, info->model_id, sizeof info->model_id);
    snprintf(info->quant, sizeof info->quant, "%s", load_quant_name(&g->m));
    snprintf(info->isa, sizeof info->isa, "%s", op_isa());
    info->n_params = d->n_params;
    info->file_bytes = gguf_mapped_bytes(g->m.file);
    info->n_ctx = g->m.cfg.n_ctx;
    info->n_ctx_train = d->n_ctx_train;
    info->n_vocab = d->n_vocab;
    info->max_seqs = g->m.cfg.max_seqs;
    struct sample_default own = sample_default_of(g->m.file, d->n_vocab);
    info->default_temperature = own.temperature;
    info->default_top_p = own.top_p;
    info->default_top_k = (int32_t)own.top_k;
    fill_fingerprint(g);
}

/* boot prints it, as a start that is refused or as an event of the log. */
static void say_failed(const struct err *why)
{
    struct ctl_msg m = {.type = ENGINE_CTL_FAILED};
    snprintf(m.text, sizeof m.text, "%s", why->msg);
    ctl_send(CTL_ROLE_FD, &m, NULL, 0, NULL);
}

/* The tokenizer's image, sealed, and our own reading of it. */
static int publish_tok(struct engine *g, struct err *e)
{
    size_t n_bytes;
    void *image = tok_build(g->m.file, &n_bytes, e);
    if (!image)
        return -1;
    int fd = ctl_seal_bytes("hearth-tokenizer", image, n_bytes, e);
    free(image);
    const void *mapped = fd < 0 ? NULL : ctl_map_sealed(fd, 0, &n_bytes, e);
    if (mapped && tok_open(&g->tok, mapped, n_bytes, e) &&
        load_check_vocab(g->m.file, &g->m.model.dims, &g->tok, e))
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool start(struct engine *g, const struct engine_config *cfg,
                  const struct engine_hooks *hooks, struct err *e)
{
    int64_t start_ms = clock_mono_ms();
    if (!load_plan(&g->m, &cfg->load, engine_plan_regions, g, e)) {
        if (g->m.plan.n_regions) /* refused with the table and the shortfall */
            plan_print(&g->m.plan, g->m.cfg.budget_bytes, stderr);
        return false;
    }
    int tok_fd = publish_tok(g, e);
    if (tok_fd < 0 || !hooks->restrict_files(e) ||
        !ctl_send(CTL_ROLE_FD, &(struct ctl_msg){.type = ENGINE_CTL_PLANNED}, NULL, 0, e) ||
        !load_commit(&g->m, e))
        return false;
    engine_loop_init(g);
    fill_info(g);
    struct ctl_msg loaded = {.type = ENGINE_CTL_LOADED};
    snprintf(loaded.text, sizeof loaded.text, "%s", g->info.model_id);
    if (!hooks->restrict_calls(e) || !ctl_send(CTL_ROLE_FD, &loaded, &tok_fd, 1, e))
        return false;
    close(tok_fd);
    char cpus[POOL_CPUS_TEXT_BYTES] = "";
    if (pool_is_pinned(g->m.pool))
        pool_cpus_describe(&g->m.cpus, g->m.cfg.n_threads, cpus);
    log_event(LOG_INFO, "loaded",
              "model=%s quant=%s params=%llu ctx=%u seqs=%u kv=%s threads=%u%s%s isa=%s "
              "plan_mib=%llu ms=%lld",
              g->info.model_id, g->info.quant, (unsigned long long)g->info.n_params, g->m.cfg.n_ctx,
              g->m.cfg.max_seqs, kv_type_names[g->m.cfg.kv_type], g->m.cfg.n_threads,
              cpus[0] ? " cpus=" : "", cpus, g->info.isa,
              (unsigned long long)(plan_resident_bytes(&g->m.plan) >> 20),
              (long long)(clock_mono_ms() - start_ms));
    return true;
}

/* One control message. false = end of the role (boot is gone or sent nonsense). */
static bool on_control(struct engine *g, struct err *e)
{
    struct ctl_msg m;
    int fds[CTL_MAX_FDS];
    switch (ctl_recv(CTL_ROLE_FD, &m, fds)) {
    case CTL_AGAIN:
        return true;
    case CTL_EOF:
        return false;
    case CTL_BROKEN:
        return err_set(e, ERR_FORMAT, "engine: broken control message");
    case CTL_MSG:
        break;
    }
    if (m.type == ENGINE_CTL_RINGS && m.n_fds == 3)
        return engine_loop_rings(g, fds[0], fds[1], fds[2], e);
    if (m.type == ENGINE_CTL_DRAIN) { /* sent when the edge is gone: nobody reads what still runs */
        g->is_draining = true;
        engine_loop_drop_rings(g);
    }
    while (m.n_fds > 0)
        close(fds[--m.n_fds]);
    return true;
}

static int run(struct engine *g)
{
    struct err e = {0};
    int64_t beat_ms = 0;
    mem_freeze(); /* what would allocate from now on fails, and is found */
    for (;;) {
        bool did_work;
        if (!on_control(g, &e) || !engine_loop_turn(g, &did_work, &e))
            break;
        if (g->is_draining && engine_loop_n_busy(g) == 0)
            return 0;
        int64_t now_ms = clock_mono_ms();
        if (now_ms - beat_ms >= HEARTBEAT_MS) {
            beat_ms = now_ms;
            ctl_send(CTL_ROLE_FD, &(struct ctl_msg){.type = ENGINE_CTL_HEARTBEAT}, NULL, 0, NULL);
        }
        if (did_work)
            continue;
        struct pollfd polled[2] = {{.fd = CTL_ROLE_FD, .events = POLLIN},
                                   {.fd = g->shared ? g->wake_engine_fd : -1, .events = POLLIN}};
        poll(polled, 2, HEARTBEAT_MS);
    }
    if (e.code == ERR_NONE) /* boot is gone: nothing to report to */
        return 0;
    say_failed(&e);
    return 1;
}

/* CONFIG is the first message; the socket is still blocking. */
static const struct engine_config *receive_config(struct err *e)
{
    struct ctl_msg m;
    int fds[CTL_MAX_FDS];
    if (ctl_recv(CTL_ROLE_FD, &m, fds) != CTL_MSG || m.type != ENGINE_CTL_CONFIG || m.n_fds != 1)
        return err_null(
            e, ERR_STATE,
            "engine: started without a configuration (this role is started by \"hearth serve\")");
    const struct engine_config *cfg = ctl_map_sealed(fds[0], sizeof *cfg, NULL, e);
    close(fds[0]);
    if (cfg && (cfg->version != CTL_VERSION ||
                !memchr(cfg->load.model_path, 0, sizeof cfg->load.model_path)))
        return err_null(e, ERR_FORMAT, "engine: configuration of another version");
    return cfg;
}

int engine_main(const struct engine_hooks *hooks)
{
    struct err e = {0};
    log_init(STDERR_FILENO, "engine", LOG_INFO);
    const struct engine_config *cfg = receive_config(&e);
    if (!cfg) {
        log_event(LOG_ERROR, "failed", "reason=\"%s\"", e.msg);
        return 1;
    }
    log_init(STDERR_FILENO, "engine", (enum log_level)cfg->log_level);
    struct engine *g = calloc(1, sizeof *g);
    if (!g || !start(g, cfg, hooks, &e)) {
        if (!g)
            (void)err_set(&e, ERR_NOMEM, "engine: out of memory");
        say_failed(&e);
        return 1;
    }
    int flags = fcntl(CTL_ROLE_FD, F_GETFL);
    fcntl(CTL_ROLE_FD, F_SETFL, flags | O_NONBLOCK);
    return run(g);
}
