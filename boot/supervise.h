/* supervise: what to do when a role starts, dies, hangs or must stop: one state x event table per
 * role, pure (time is an argument, actions are returned). boot/serve.c turns actions into processes
 * and signals. Back-off: 100 ms after the first death, doubled to 10 s, back to 100 ms after a
 * minute of health; a role that never became ready three times in a row is given up (its error is
 * the configuration's, not luck). */
#ifndef BOOT_SUPERVISE_H
#define BOOT_SUPERVISE_H

#include <stdbool.h>
#include <stdint.h>

enum sup_state { SUP_DOWN, SUP_STARTING, SUP_READY, SUP_STOPPING, SUP_GIVEN_UP, SUP_N_STATES };
enum sup_event {
    SUP_EV_START,
    SUP_EV_EXITED,
    SUP_EV_SAID_READY,
    SUP_EV_BEAT,
    SUP_EV_STOP,
    SUP_EV_DEADLINE,
    SUP_N_EVENTS
};
enum sup_action { SUP_ACT_NONE, SUP_ACT_SPAWN, SUP_ACT_ASK_STOP, SUP_ACT_KILL, SUP_ACT_GIVE_UP };

enum {
    SUP_BACK_OFF_MIN_MS = 100,
    SUP_BACK_OFF_MAX_MS = 10000,
    SUP_HEALTHY_MS = 60000,
    SUP_MAX_FAILED_STARTS = 3,
    SUP_STOP_MS = 15000, /* after this a role that was asked to stop is killed */
};

struct sup {
    enum sup_state state;
    bool wants_up;          /* false once a stop was asked for */
    int64_t deadline_at_ms; /* INT64_MAX = none */
    int64_t ready_at_ms;
    uint32_t back_off_ms;
    uint32_t n_failed_starts; /* in a row */
    uint32_t start_limit_ms;  /* to become ready; 0 = no limit (a large model on a slow disk) */
    uint32_t beat_limit_ms;   /* between heartbeats while ready; 0 = not watched */
};

void sup_init(struct sup *s, uint32_t start_limit_ms, uint32_t beat_limit_ms);
enum sup_action sup_step(struct sup *s, enum sup_event event, int64_t now_ms);

#endif
