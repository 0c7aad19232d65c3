/* engine_role: the role that holds the model: load, plan, main loop. No network, no text.
 * Control socket (CTL_ROLE_FD): boot sends CONFIG, then RINGS (again whenever the edge was
 * restarted: everything in flight is dropped with it); DRAIN ends the process once nothing runs. */
#ifndef RUNTIME_ENGINE_ROLE_H
#define RUNTIME_ENGINE_ROLE_H

#include "runtime/load.h"

enum engine_ctl_type {
    ENGINE_CTL_CONFIG = 1, /* fds: sealed struct engine_config */
    ENGINE_CTL_RINGS,      /* fds: rings, wake-engine eventfd, wake-edge eventfd */
    ENGINE_CTL_DRAIN,
    /* engine to boot */
    ENGINE_CTL_LOADED = 100, /* fds: sealed tokenizer image */
    ENGINE_CTL_HEARTBEAT,    /* at least once a second while loaded */
    ENGINE_CTL_FAILED,       /* text: why; the process then exits 1 */
    ENGINE_CTL_PLANNED,      /* the model is sound and fits: only memory is still to be taken */
};

struct engine_config {
    uint32_t version; /* CTL_VERSION */
    uint32_t log_level;
    struct load_config load;
};

struct engine_hooks {
    bool (*restrict_files)(
        struct err *e); /* called when the model is mapped, before worker threads start */
    bool (*restrict_calls)(struct err *e); /* called last before the loop */
};

/* Role entry; returns the process's exit code. */
int engine_main(const struct engine_hooks *hooks);

/* Regions of the engine beside the model: request table, sampler. For `hearth plan`. */
bool engine_plan_regions(void *engine, const struct loaded *m, struct plan *p, struct err *e);

#endif
