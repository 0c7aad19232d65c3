/* engine_client: the edge's half of the rings. See engine.h. */
#include "runtime/engine_msg.h"

#include <string.h>
#include <sys/mman.h>
#include <fcntl.h>
#include <unistd.h>

size_t engine_shared_bytes(void)
{
    return ring_bytes(ENGINE_TO_SLOTS, ENGINE_SLOT_BYTES) +
           ring_bytes(ENGINE_FROM_SLOTS, ENGINE_SLOT_BYTES);
}

int engine_shared_create(struct err *e)
{
    int fd = memfd_create("hearth-rings", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) {
        (void)err_sys(e, "engine: cannot create the shared rings");
        return -1;
    }
    if (ftruncate(fd, (off_t)engine_shared_bytes()) < 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0) {
        (void)err_sys(e, "engine: cannot size the shared rings");
        close(fd);
        return -1;
    }
    return fd;
}

bool engine_client_open(struct engine_client *c, int shared_fd, int wake_engine_fd,
                        int wake_edge_fd, struct err *e)
{
    memset(c, 0, sizeof *c);
    size_t n_bytes = engine_shared_bytes();
    void *shared = mmap(NULL, n_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, shared_fd, 0);
    if (shared == MAP_FAILED)
        return err_sys(e, "engine: cannot map the shared rings");
    c->shared = shared;
    c->shared_bytes = n_bytes;
    c->to_engine = engine_ring_to(shared);
    c->from_engine = engine_ring_from(shared);
    c->wake_engine_fd = wake_engine_fd;
    c->wake_edge_fd = wake_edge_fd;
    close(shared_fd);
    return true;
}

void engine_client_close(struct engine_client *c)
{
    if (c->shared) {
        munmap(c->shared, c->shared_bytes);
        close(c->wake_engine_fd);
        close(c->wake_edge_fd);
    }
    memset(c, 0, sizeof *c);
}

static void wake_engine(const struct engine_client *c)
{
    uint64_t one = 1;
    ssize_t ignored = write(c->wake_engine_fd, &one, sizeof one); /* EAGAIN: it is awake already */
    (void)ignored;
}

static void push(struct engine_client *c, const struct engine_msg *m)
{
    void *slot = ring_push(&c->to_engine);
    if (!slot)
        return; /* only short messages come here unchecked, and their slots are spare; a lost one
                   times out at the edge */
    memcpy(slot, m, sizeof *m);
    ring_push_done(&c->to_engine);
}

bool engine_client_submit(struct engine_client *c, uint32_t req_id, const struct gen_params *params,
                          const int32_t *tokens, uint32_t n_tokens, struct err *e)
{
    uint32_t n_fragments = (n_tokens + ENGINE_PROMPT_IDS - 1) / ENGINE_PROMPT_IDS;
    if (ring_room(&c->to_engine) < n_fragments + 1 + ENGINE_SPARE_SLOTS)
        return err_set(e, ERR_LIMIT, "engine: the request ring is full");
    struct engine_msg m = {.version = ENGINE_MSG_VERSION, .type = MSG_SUBMIT, .req_id = req_id};
    m.submit.params = *params;
    m.submit.n_tokens = n_tokens;
    push(c, &m);
    for (uint32_t i = 0; i < n_tokens; i += ENGINE_PROMPT_IDS) {
        uint32_t n = n_tokens - i < ENGINE_PROMPT_IDS ? n_tokens - i : ENGINE_PROMPT_IDS;
        m.type = MSG_PROMPT;
        m.prompt.n_ids = n;
        memcpy(m.prompt.ids, tokens + i, n * sizeof *tokens);
        push(c, &m);
    }
    wake_engine(c);
    return true;
}

static void push_short(struct engine_client *c, enum engine_msg_type type, uint32_t req_id)
{
    push(c, &(struct engine_msg){
                .version = ENGINE_MSG_VERSION, .type = (uint16_t)type, .req_id = req_id});
    wake_engine(c);
}

void engine_client_cancel(struct engine_client *c, uint32_t req_id)
{
    push_short(c, MSG_CANCEL, req_id);
}

void engine_client_pause(struct engine_client *c, uint32_t req_id)
{
    push_short(c, MSG_PAUSE, req_id);
}

void engine_client_resume(struct engine_client *c, uint32_t req_id)
{
    push_short(c, MSG_RESUME, req_id);
}

void engine_client_stop(struct engine_client *c, uint32_t req_id, uint32_t n_keep)
{
    push(c, &(struct engine_msg){.version = ENGINE_MSG_VERSION,
                                 .type = MSG_STOP,
                                 .req_id = req_id,
                                 .stop.n_keep = n_keep});
    wake_engine(c);
}

static bool event_is_sound(const struct engine_event *ev)
{
    switch (ev->type) {
    case EVENT_TOKENS:
        return ev->tokens.n_tokens <= ENGINE_EVENT_MAX_TOKENS &&
               ev->tokens.n_top <= ENGINE_MAX_TOP_LOGPROBS;
    case EVENT_READY: /* texts end inside their fields */
        return memchr(ev->info.model_id, 0, sizeof ev->info.model_id) &&
               memchr(ev->info.quant, 0, sizeof ev->info.quant) &&
               memchr(ev->info.fingerprint, 0, sizeof ev->info.fingerprint) &&
               memchr(ev->info.isa, 0, sizeof ev->info.isa);
    case EVENT_LOADING:
    case EVENT_QUEUED:
    case EVENT_PROGRESS:
    case EVENT_DONE:
    case EVENT_REFUSED:
        return true;
    default:
        return false;
    }
}

bool engine_client_next(struct engine_client *c, struct engine_event *ev, bool *is_broken)
{
    *is_broken = false;
    const void *slot = ring_pop(&c->from_engine);
    if (!slot) { /* clear the bell, then look again: a message may have come in between */
        uint64_t count;
        ssize_t ignored = read(c->wake_edge_fd, &count, sizeof count);
        (void)ignored;
        slot = ring_pop(&c->from_engine);
        if (!slot)
            return false;
    }
    struct engine_msg m;
    memcpy(&m, slot, sizeof m);
    ring_pop_done(&c->from_engine);
    if (m.version != ENGINE_MSG_VERSION || m.type != MSG_EVENT || m.req_id != m.event.req_id ||
        !event_is_sound(&m.event)) {
        *is_broken = true;
        return false;
    }
    *ev = m.event;
    return true;
}
