#include "runtime/score_store.h"

#include "runtime/base/file_map.h"
#include "runtime/base/file_part.h"
#include "runtime/base/mem.h"
#include "runtime/base/num.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    VERSION = 1,
    HEAD_BYTES = 128,
    MODEL_OFF_BYTES = 32,
    ROW_HEAD_BYTES = 20,
    CHECK_OFF_BYTES = 16,
    MAX_LEVEL = 65535,
};

static const float MAX_RANGE_NATS = 32;

/* ---- little-endian ---- */

static void store_le(unsigned char *p, uint64_t v, unsigned n_bytes)
{
    for (unsigned i = 0; i < n_bytes; i++)
        p[i] = (unsigned char)(v >> 8 * i);
}

static uint64_t load_le(const unsigned char *p, unsigned n_bytes)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < n_bytes; i++)
        v |= (uint64_t)p[i] << 8 * i;
    return v;
}

static void store_f32(unsigned char *p, float v)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    store_le(p, bits, 4);
}

static float load_f32(const unsigned char *p)
{
    uint32_t bits = (uint32_t)load_le(p, 4);
    float v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* ---- rows ---- */

uint64_t score_store_row_bytes(uint32_t n_vocab)
{
    return ROW_HEAD_BYTES + 2 * (uint64_t)n_vocab;
}

/* 32-bit FNV-1a (Fowler, Noll, Vo) over the row but its check. */
static uint32_t check_of(const unsigned char *row, uint32_t n_vocab)
{
    uint32_t h = 0x811c9dc5;
    uint64_t n_bytes = score_store_row_bytes(n_vocab);
    for (uint64_t i = 0; i < n_bytes; i++)
        if (i < CHECK_OFF_BYTES || i >= ROW_HEAD_BYTES)
            h = (h ^ row[i]) * 0x01000193;
    return h;
}

void score_store_pack(const float *logits, uint32_t n_vocab, double nll, void *row)
{
    unsigned char *p = row;
    uint32_t top = 0;
    float lowest = logits[0];
    for (uint32_t j = 1; j < n_vocab; j++) {
        top = logits[j] > logits[top] ? j : top;
        lowest = logits[j] < lowest ? logits[j] : lowest;
    }
    float range = logits[top] - lowest;
    range = range < MAX_RANGE_NATS ? range : MAX_RANGE_NATS;
    float step = range / (float)MAX_LEVEL;
    for (uint32_t j = 0; j < n_vocab; j++) {
        float level = step > 0 ? rintf((logits[top] - logits[j]) / step) : 0;
        store_le(p + ROW_HEAD_BYTES + 2 * (size_t)j,
                 level < (float)MAX_LEVEL ? (uint64_t)level : MAX_LEVEL, 2);
    }
    store_f32(p, (float)nll);
    store_f32(p + 4, step);
    store_le(p + 8, top, 4);
    store_le(p + 12, 0, 4);
    store_le(p + CHECK_OFF_BYTES, check_of(p, n_vocab), 4);
}

bool score_store_unpack(const void *row, uint32_t n_vocab, struct score_store_row *out)
{
    const unsigned char *p = row;
    uint64_t top = load_le(p + 8, 4);
    *out = (struct score_store_row){.nll = (double)load_f32(p),
                                    .step = load_f32(p + 4),
                                    .top = (int32_t)(top & INT32_MAX),
                                    .levels = p + ROW_HEAD_BYTES};
    return load_le(p + CHECK_OFF_BYTES, 4) == check_of(p, n_vocab) && isfinite(out->nll) &&
           out->step >= 0 && out->step <= MAX_RANGE_NATS && top < n_vocab &&
           load_le(p + 12, 4) == 0;
}

/* ---- writing ---- */

struct score_store_writer {
    struct file_part file;
    uint64_t row_bytes, n_left; /* rows */
};

static bool put_head(struct score_store_writer *w, const struct score_store_info *info,
                     const int32_t *ids, struct err *e)
{
    unsigned char head[HEAD_BYTES] = "hearthLP", id[4];
    store_le(head + 8, VERSION, 4);
    store_le(head + 12, info->n_vocab, 4);
    store_le(head + 16, info->n_ctx, 4);
    store_le(head + 20, info->n_stride, 4);
    store_le(head + 24, info->n_tokens, 8);
    snprintf((char *)head + MODEL_OFF_BYTES, SCORE_STORE_MODEL_BYTES, "%s", info->model);
    bool ok = file_part_put(&w->file, head, sizeof head, e);
    for (uint64_t i = 0; i < info->n_tokens && ok; i++) {
        store_le(id, (uint32_t)ids[i], 4);
        ok = file_part_put(&w->file, id, sizeof id, e);
    }
    return ok;
}

struct score_store_writer *score_store_create(const char *path, const struct score_store_info *info,
                                              const int32_t *ids, struct err *e)
{
    struct score_store_writer *w = mem_alloc(1, sizeof *w);
    if (!w)
        return err_null(e, ERR_NOMEM, "%s: no memory", path);
    w->row_bytes = score_store_row_bytes(info->n_vocab);
    w->n_left = info->n_tokens;
    if (file_part_open(&w->file, path, e) && put_head(w, info, ids, e))
        return w;
    score_store_free(w);
    return NULL;
}

bool score_store_put(struct score_store_writer *w, const void *rows, uint64_t n_rows, struct err *e)
{
    if (n_rows > w->n_left)
        return err_set(e, ERR_STATE, "%s: more rows than tokens", w->file.path);
    w->n_left -= n_rows;
    return file_part_put(&w->file, rows, n_rows * w->row_bytes, e);
}

bool score_store_commit(struct score_store_writer *w, struct err *e)
{
    if (w->n_left)
        return err_set(e, ERR_STATE, "%s: %" PRIu64 " rows are missing", w->file.path, w->n_left);
    return file_part_commit(&w->file, e);
}

void score_store_free(struct score_store_writer *w)
{
    if (!w)
        return;
    file_part_close(&w->file);
    mem_free(w);
}

/* ---- reading ---- */

struct score_store {
    struct file_map file;
    struct score_store_info info;
};

/* The whole size follows from the head. */
static bool check_head(struct score_store *s, const char *path, struct err *e)
{
    struct score_store_info *info = &s->info;
    uint64_t ids_bytes, rows_bytes, n_bytes;
    if (s->file.n_bytes < HEAD_BYTES || memcmp(s->file.bytes, "hearthLP", 8) != 0)
        return err_set(e, ERR_FORMAT, "%s: not made by hearth score --save-logits", path);
    uint64_t version = load_le(s->file.bytes + 8, 4);
    if (version != VERSION)
        return err_set(e, ERR_FORMAT, "%s: format version %" PRIu64 ", this build reads %d", path,
                       version, VERSION);
    info->n_vocab = (uint32_t)load_le(s->file.bytes + 12, 4);
    info->n_ctx = (uint32_t)load_le(s->file.bytes + 16, 4);
    info->n_stride = (uint32_t)load_le(s->file.bytes + 20, 4);
    info->n_tokens = load_le(s->file.bytes + 24, 8);
    memcpy(info->model, s->file.bytes + MODEL_OFF_BYTES, sizeof info->model - 1);
    if (info->n_vocab < 1 || info->n_vocab > SCORE_STORE_MAX_VOCAB || info->n_tokens < 1 ||
        info->n_ctx < 2 || info->n_stride < 1 || info->n_stride > info->n_ctx - 1 ||
        !num_mul(info->n_tokens, UINT64_C(4), &ids_bytes) ||
        !num_mul(info->n_tokens, score_store_row_bytes(info->n_vocab), &rows_bytes) ||
        !num_add(ids_bytes, rows_bytes, &n_bytes) ||
        !num_add(n_bytes, (uint64_t)HEAD_BYTES, &n_bytes) || n_bytes != s->file.n_bytes)
        return err_set(e, ERR_FORMAT, "%s: damaged: its head and its size do not agree", path);
    return true;
}

struct score_store *score_store_open(const char *path, struct err *e)
{
    struct score_store *s = mem_alloc(1, sizeof *s);
    if (!s)
        return err_null(e, ERR_NOMEM, "%s: no memory", path);
    if (file_map_open(&s->file, path, e) && check_head(s, path, e))
        return s;
    score_store_close(s);
    return NULL;
}

void score_store_close(struct score_store *s)
{
    if (!s)
        return;
    file_map_close(&s->file);
    mem_free(s);
}

const struct score_store_info *score_store_info(const struct score_store *s)
{
    return &s->info;
}

int32_t score_store_id(const struct score_store *s, uint64_t i_token)
{
    return (int32_t)(uint32_t)load_le(s->file.bytes + HEAD_BYTES + 4 * i_token, 4);
}

const void *score_store_row(const struct score_store *s, uint64_t i_token)
{
    return s->file.bytes + HEAD_BYTES + 4 * s->info.n_tokens +
           i_token * score_store_row_bytes(s->info.n_vocab);
}
