#include "runtime/load.h"

#include "models/pocket_file.h"
#include "runtime/base/mem.h"
#include "runtime/base/num.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t load_available_bytes(void)
{
    FILE *f = fopen("/proc/meminfo", "re");
    if (!f)
        return 0;
    char line[128];
    unsigned long long kib = 0;
    while (fgets(line, sizeof line, f))
        if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1)
            break;
    fclose(f);
    return (uint64_t)kib * 1024;
}

static void kv_config_of(struct kv_config *kc, const struct loaded *m)
{
    const struct load_config *cfg = &m->cfg;
    const struct gemma4_dims *d = &m->model.dims;
    *kc = (struct kv_config){
        .n_layers = d->n_layers,
        .type = cfg->kv_type,
        .window = d->window,
        .max_seqs = cfg->max_seqs,
        .n_ctx = cfg->n_ctx,
        .n_pages = kv_pages_for(cfg->kv_tokens),
        .max_chunk_rows = cfg->max_rows,
        .rollback_rows = LOAD_ROLLBACK_ROWS,
    };
    for (uint32_t i = 0; i < d->n_layers; i++) {
        const struct gemma4_layer *l = &m->model.layers[i];
        kc->layers[i] = (struct kv_layer_dims){l->is_local, l->n_kv_heads, l->head_dim};
    }
}

/* Fill m->plan for m->cfg as it stands. */
static bool plan_all(struct loaded *m, load_plan_fn *part_plan, void *part, struct err *e)
{
    struct kv_config kc;
    kv_config_of(&kc, m);
    plan_init(&m->plan);
    if (!plan_add_mapped(&m->plan, "weights", gguf_mapped_bytes(m->file), e) ||
        !gemma4_plan(&m->model, &m->plan, m->cfg.max_rows, m->cfg.max_logit_rows, m->cfg.n_threads,
                     e) ||
        !kv_plan(&m->kv, &kc, &m->plan, e) ||
        !plan_add(&m->plan, "batch rows", (uint64_t)m->cfg.max_rows * 4, sizeof(int32_t),
                  &m->batch_off_bytes, e))
        return false;
    if (m->cfg.edge_bytes && !plan_add_elsewhere(&m->plan, "edge", m->cfg.edge_bytes, e))
        return false;
    return !part_plan || part_plan(part, m, &m->plan, e);
}

/* Sequences and context to try, best first, when the user left both open. */
static const struct {
    uint32_t max_seqs, n_ctx;
} sizes[] = {{LOAD_DEFAULT_SEQS, LOAD_DEFAULT_CTX},
             {3, 32768},
             {2, 32768},
             {4, 16384},
             {2, 16384},
             {1, 32768},
             {4, 8192},
             {2, 8192},
             {1, 16384},
             {1, 8192},
             {1, 4096},
             {1, 2048},
             {1, 512}};

static bool fit(struct loaded *m, const struct load_config *asked, load_plan_fn *part_plan,
                void *part, struct err *e)
{
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct load_config *cfg = &m->cfg;
        uint32_t n_ctx_train = m->model.dims.n_ctx_train;
        cfg->max_seqs = asked->max_seqs ? asked->max_seqs : sizes[i].max_seqs;
        cfg->n_ctx = asked->n_ctx ? asked->n_ctx : (uint32_t)num_min(sizes[i].n_ctx, n_ctx_train);
        /* whole pages: every sequence can be as long as n_ctx says */
        uint64_t seq_tokens = (uint64_t)kv_pages_for(cfg->n_ctx) * KV_PAGE_TOKENS;
        cfg->kv_tokens = asked->kv_tokens ? asked->kv_tokens : cfg->max_seqs * seq_tokens;
        cfg->max_rows = asked->max_rows ? asked->max_rows : LOAD_DEFAULT_ROWS;
        cfg->max_rows = (uint32_t)num_max(cfg->max_rows, cfg->max_seqs);
        cfg->max_logit_rows = asked->max_logit_rows ? asked->max_logit_rows : cfg->max_seqs;
        if (!plan_all(m, part_plan, part, e))
            return false;
        if (plan_fits(&m->plan, cfg->budget_bytes, e))
            return true;
        if (asked->max_seqs && asked->n_ctx)
            return false;
    }
    return false;
}

static bool check_config(const struct loaded *m, const struct load_config *cfg, struct err *e)
{
    if (cfg->n_ctx > m->model.dims.n_ctx_train)
        return err_set(e, ERR_LIMIT, "config: context %u is more than the model's %u", cfg->n_ctx,
                       m->model.dims.n_ctx_train);
    if (cfg->max_seqs > 256 || cfg->max_rows > 65536 || cfg->n_threads > POOL_MAX_THREADS)
        return err_set(e, ERR_LIMIT,
                       "config: at most 256 sequences, 65536 batch rows and %d threads",
                       POOL_MAX_THREADS);
    return true;
}

bool load_plan(struct loaded *m, const struct load_config *cfg, load_plan_fn *part_plan, void *part,
               struct err *e)
{
    memset(m, 0, sizeof *m);
    m->cfg = *cfg;
    op_init(NULL, 0);
    m->file = cfg->model_path[0]
                  ? gguf_open(cfg->model_path, e)
                  : gguf_open_mem(pocket_file, pocket_file_bytes(), "pocket (built in)", e);
    pool_read_cpus(&m->cpus);
    if (!m->cfg.n_threads)
        m->cfg.n_threads = m->cpus.n_cpus;
    if (!m->cfg.budget_bytes)
        m->cfg.budget_bytes = load_available_bytes();
    if (m->file && gemma4_bind(&m->model, m->file, e) && check_config(m, cfg, e) &&
        fit(m, cfg, part_plan, part, e))
        return true;
    gguf_close(m->file);
    m->file = NULL;
    return false;
}

bool load_commit(struct loaded *m, struct err *e)
{
    if (!arena_open(&m->arena, &m->plan, e) ||
        !(m->pool = pool_open_on(&m->cpus, m->cfg.n_threads, e))) {
        load_close(m);
        return false;
    }
    gemma4_init(&m->model, &m->arena);
    kv_init(&m->kv, &m->arena);
    m->batch_tok = arena_at(&m->arena, m->batch_off_bytes);
    m->batch_pos = m->batch_tok + m->cfg.max_rows;
    m->batch_seq = m->batch_pos + m->cfg.max_rows;
    m->batch_logit_rows = m->batch_seq + m->cfg.max_rows;
    return true;
}

void load_close(struct loaded *m)
{
    pool_close(m->pool);
    arena_close(&m->arena);
    gguf_close(m->file);
    m->pool = NULL;
    m->file = NULL;
}

bool load_check_vocab(const struct gguf *file, const struct gemma4_dims *dims,
                      const struct tok *tok, struct err *e)
{
    return tok->n_vocab == dims->n_vocab ||
           err_set(e, ERR_FORMAT, "%s: %u tokens, but token_embd.weight has %u rows",
                   gguf_name(file), tok->n_vocab, dims->n_vocab);
}

bool load_check_file(const struct gguf *file, struct err *e)
{
    size_t image_bytes;
    struct tok tok;
    struct gemma4 *model = mem_alloc(1, sizeof *model);
    if (!model)
        return err_set(e, ERR_NOMEM, "%s: no memory for its tables", gguf_name(file));
    bool ok = gemma4_bind(model, file, e);
    void *image = ok ? tok_build(file, &image_bytes, e) : NULL;
    ok = image && tok_open(&tok, image, image_bytes, e) &&
         load_check_vocab(file, &model->dims, &tok, e);
    free(image);
    mem_free(model);
    return ok;
}

void load_model_id(const struct loaded *m, char *out, size_t n_room)
{
    struct err ignored;
    struct str name;
    if (!gguf_find(m->file, "general.name") ||
        !gguf_get_str(m->file, "general.name", &name, &ignored) || !name.n_bytes) {
        const char *path = gguf_name(m->file), *slash = strrchr(path, '/');
        name = str_of(slash ? slash + 1 : path);
        size_t dot = str_find(name, STR(".gguf"), 0);
        if (dot != SIZE_MAX && dot > 0)
            name.n_bytes = dot;
    }
    size_t n = 0;
    for (size_t i = 0; i < name.n_bytes && n + 1 < n_room; i++) {
        unsigned char c = (unsigned char)name.p[i];
        bool is_kept = isalnum(c) || c == '.' || c == '_';
        if (is_kept)
            out[n++] = (char)tolower(c);
        else if (n > 0 && out[n - 1] != '-')
            out[n++] = '-';
    }
    while (n > 0 && out[n - 1] == '-')
        n--;
    if (n == 0)
        n = (size_t)snprintf(out, n_room, "model");
    out[n] = 0;
}

const char *load_quant_name(const struct loaded *m)
{
    uint64_t n_elems[QTYPE_ID_END] = {0};
    uint32_t best = QTYPE_F32;
    for (uint64_t i = 0; i < gguf_n_tensors(m->file); i++) {
        const struct gguf_tensor *t = gguf_tensor_at(m->file, i);
        if (t->n_dims >= 2)
            n_elems[t->type] += t->dims[0] * t->dims[1];
    }
    for (uint32_t id = 0; id < QTYPE_ID_END; id++)
        if (n_elems[id] > n_elems[best])
            best = id;
    return qtype_info(best)->name;
}
