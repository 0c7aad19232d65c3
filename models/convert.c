#include "models/convert.h"

#include "models/convert_priv.h"
#include "models/dir_file.h"
#include "runtime/base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char config_name[] = "config.json";
static const char generation_name[] = "generation_config.json";

static bool read_configs(struct convert *c, struct err *e)
{
    struct convert_source *s = &c->src;
    s->config =
        (struct convert_config){s->dir, config_name, "", dir_file_json(s->dir, config_name, e)};
    if (!s->config.root)
        return false;
    s->generation = (struct convert_config){s->dir, generation_name, "", NULL};
    if (dir_file_exists(s->dir, generation_name) &&
        !(s->generation.root = dir_file_json(s->dir, generation_name, e)))
        return false;
    if (!convert_config_opt_part(&s->config, "text_config", "text_config.", &s->text, e))
        return false;
    if (!s->text.root)
        s->text = s->config;
    return true;
}

static bool read_tokenizer(struct convert *c, const char *other_dir, struct err *e)
{
    const char *dir = other_dir ? other_dir : c->src.dir;
    if (!other_dir && !c->arch->needs_tokenizer && !convert_tok_is_there(dir))
        return true;
    c->tok = convert_tok_open(dir, c->shape.n_vocab, e);
    return c->tok && convert_tok_check(c->tok, e) && convert_check_stops(c, e);
}

/* The directory's own name names the model, also when it was given as ".". */
static bool resolve_dir(struct convert *c, struct err *e)
{
    char *real = realpath(c->src.dir, NULL);
    if (!real)
        return err_sys(e, "cannot open %s", c->src.dir);
    size_t n = strlen(real);
    bool fits = n < sizeof c->dir;
    if (fits)
        memcpy(c->dir, real, n + 1);
    free(real);
    return fits || err_set(e, ERR_LIMIT, "%.100s...: the path is too long", c->src.dir);
}

static bool open_all(struct convert *c, const struct convert_want *want, struct err *e)
{
    return resolve_dir(c, e) && read_configs(c, e) &&
           (c->arch = convert_arch_find(&c->src.config, e)) &&
           convert_check_quantization(&c->src, e) && c->arch->read(&c->shape, &c->src, e) &&
           (c->src.weights = safetensors_open(c->src.dir, e)) && convert_plan(c, e) &&
           read_tokenizer(c, want->tokenizer_dir, e);
}

struct convert *convert_open(const char *dir, const struct convert_want *want, struct err *e)
{
    struct convert *c = mem_alloc(1, sizeof *c);
    if (!c)
        return err_null(e, ERR_NOMEM, "%s: no memory", dir);
    c->src.dir = dir;
    c->matrices = want->matrices;
    if (open_all(c, want, e))
        return c;
    convert_close(c);
    return NULL;
}

void convert_close(struct convert *c)
{
    if (!c)
        return;
    json_decref(c->src.config.root);
    json_decref(c->src.generation.root);
    safetensors_close(c->src.weights);
    convert_tok_close(c->tok);
    mem_free(c->tensors);
    mem_free(c->is_used);
    mem_free(c);
}

const char *convert_arch_name(const struct convert *c)
{
    return c->arch->name;
}

bool convert_has_tokenizer(const struct convert *c)
{
    return c->tok != NULL;
}

uint64_t convert_source_bytes(const struct convert *c)
{
    return safetensors_mapped_bytes(c->src.weights);
}

uint32_t convert_n_left_out(const struct convert *c)
{
    return c->n_left_out;
}

uint32_t convert_n_tensors(const struct convert *c)
{
    return c->n_tensors;
}

const struct convert_tensor *convert_at(const struct convert *c, uint32_t i)
{
    return &c->tensors[i];
}

bool convert_declare(const struct convert *c, struct gguf_writer *w, struct err *e)
{
    bool ok = convert_keys_general(c, w, e) && c->arch->keys(c, w, e) &&
              (!c->tok || convert_tok_declare(c->tok, w, e));
    for (uint32_t i = 0; i < c->n_tensors && ok; i++) {
        const struct convert_tensor *t = &c->tensors[i];
        ok = gguf_write_tensor(w, str_of(t->name), t->type, t->n_dims, t->dims, e);
    }
    return ok;
}

bool convert_bad_row(const struct convert *c, const struct convert_tensor *t, uint64_t i_row,
                     const char *why, struct err *e)
{
    char text[160];
    snprintf(text, sizeof text, "row %" PRIu64 " (of \"%s\"): %s", i_row, t->name, why);
    return convert_refuse(c, t->source, text, e);
}

void convert_done(const struct convert *c, const struct convert_tensor *t)
{
    if (t->source)
        safetensors_release(c->src.weights, t->source);
    if (t->scales)
        safetensors_release(c->src.weights, t->scales);
}
