#include "net/audit.h"

#include "net/text.h"
#include "runtime/base/log.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void audit_open(struct audit *a, int fd, const uint8_t first[SECRET_HASH_BYTES])
{
    memset(a, 0, sizeof *a);
    a->fd = fd;
    memcpy(a->chain, first, sizeof a->chain);
    secret_random(a->user_key, sizeof a->user_key);
}

void audit_hash_user(const struct audit *a, struct str user, struct audit_entry *entry)
{
    secret_hash(entry->user_hash, a->user_key, user);
    entry->has_user = true;
}

static void put_hex(struct text *t, const char *name, const uint8_t hash[SECRET_HASH_BYTES],
                    size_t n_bytes)
{
    char hex[2 * SECRET_HASH_BYTES + 1];
    secret_hex(hex, hash, n_bytes);
    text_fmt(t, ",\"%s\":\"%s\"", name, hex);
}

static void put_text_or_null(struct text *t, const char *name, const char *value)
{
    text_fmt(t, ",\"%s\":", name);
    if (value)
        text_json(t, str_of(value));
    else
        text_puts(t, "null");
}

static void put_ms(struct text *t, const char *name, double ms)
{
    text_fmt(t, ",\"%s\":", name);
    text_decimal(t, ms, 1);
}

static void put_line(struct text *t, const struct audit *a, const struct audit_line *l)
{
    const struct audit_entry *e = l->entry;
    char addr[ADDR_TEXT_BYTES];
    addr_text(l->addr, addr);
    text_puts(t, "{\"time\":\"");
    text_utc(t, l->wall_s);
    text_fmt(t, "\",\"request\":\"req_%s\",\"key\":", l->id);
    if (l->key_id)
        text_json(t, (struct str){l->key_id, 8});
    else
        text_puts(t, "null");
    text_fmt(t, ",\"address\":\"%s\",\"path\":\"%s\",\"status\":%u", addr, l->path, l->status);
    put_text_or_null(t, "error", l->error_code);
    put_text_or_null(t, "finish", e->finish_reason);
    text_fmt(t, ",\"prompt\":%u,\"cached\":%u,\"completion\":%u,\"reasoning\":%u,\"images\":0",
             e->n_prompt, e->n_cached, e->n_completion, e->n_reasoning);
    put_ms(t, "queue_ms", e->queue_ms);
    put_ms(t, "prefill_ms", e->prompt_ms);
    put_ms(t, "ttft_ms", e->ttft_ms);
    text_fmt(t, ",\"total_ms\":%lld,\"bytes\":%llu,\"tls\":\"%s\"", (long long)l->total_ms,
             (unsigned long long)l->n_sent_bytes, l->tls_version);
    if (e->key_in_clear)
        text_puts(t, ",\"key_exposed\":true");
    if (e->has_user)
        put_hex(t, "user", e->user_hash, 16);
    put_hex(t, "prev", a->chain, SECRET_HASH_BYTES);
    text_puts(t, "}\n");
}

void audit_move(struct audit *a, int fd)
{
    if (a->fd >= 0)
        close(a->fd);
    a->fd = fd;
    a->is_cut = false;
}

static bool append(struct audit *a, struct str line)
{
    ssize_t n = write(a->fd, line.p, line.n_bytes);
    if (n > 0)
        a->is_cut = (size_t)n < line.n_bytes;
    else if (n == 0)
        errno = ENOSPC;
    return n > 0 && !a->is_cut;
}

void audit_write(struct audit *a, const struct audit_line *line)
{
    char room[AUDIT_LINE_BYTES];
    struct text t;
    if (a->fd < 0)
        return;
    text_init(&t, room, sizeof room);
    if (a->is_cut)
        text_puts(&t, "\n");
    size_t begin = t.n_bytes;
    put_line(&t, a, line);
    errno = 0;
    bool is_lost = t.is_full || !append(a, (struct str){t.p, t.n_bytes});
    a->n_lost += is_lost;
    if (is_lost && !a->is_losing)
        log_event(LOG_ERROR, "audit-lost", "reason=\"%s\"",
                  t.is_full ? "line too long"
                  : errno   ? strerror(errno)
                            : "cut short");
    a->is_losing = is_lost;
    secret_hash(a->chain, NULL, (struct str){t.p + begin, t.n_bytes - 1 - begin});
}
