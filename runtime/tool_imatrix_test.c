#include "kernels/quant/dequant.h"
#include "models/imatrix.h"
#include "runtime/base/mem.h"
#include "runtime/tool_arg.h"
#include "runtime/tools.h"
#include "tests/tool_run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { N_IDS = 40, CTX = 16, N_WINDOWS = 3 };

static const int32_t bos = 2;

static int32_t id_at(int i)
{
    return 300 + i * 37 % 97;
}

static void write_ids(const struct t_path *path, int first, int n)
{
    FILE *f = fopen(path->at, "we");
    MUST_TRUE(f != NULL, path->at);
    for (int i = first; i < first + n; i++)
        fprintf(f, "%d\n", (int)id_at(i));
    CHECK_EQ(fclose(f), 0);
}

/* sum over all positions of the squares of RMS(embedding * sqrt(D)) * norm: what enters the first
 * layer's queries, by gemma4-text 3.1. */
static void first_inputs(const struct gguf *g, double *sum_sq, uint32_t d_model)
{
    const struct gguf_tensor *embd = gguf_tensor(g, "token_embd.weight"),
                             *norm = gguf_tensor(g, "blk.0.attn_norm.weight");
    float eps = 0, row[512], weight[512];
    struct err e = {0};
    MUST_TRUE(gguf_get_f32(g, "gemma4.attention.layer_norm_rms_epsilon", &eps, &e), e.msg);
    memcpy(weight, norm->bytes, d_model * sizeof *weight);
    for (int i = -N_WINDOWS; i < N_IDS; i++) {
        int32_t id = i < 0 ? bos : id_at(i);
        double mean_sq = 0;
        dequant_row(embd->type, embd->bytes + (size_t)id * 4 * d_model, row, d_model);
        for (uint32_t k = 0; k < d_model; k++)
            mean_sq += (double)row[k] * row[k] * d_model / d_model;
        for (uint32_t k = 0; k < d_model; k++) {
            double x = row[k] * sqrt(d_model) / sqrt(mean_sq + (double)eps) * weight[k];
            sum_sq[k] += x * x;
        }
    }
}

/* Mean squares of one matrix of the file. */
static const struct imatrix_entry *entry_of(const struct imatrix *m, const char *name)
{
    const struct imatrix_entry *entry = imatrix_find(m, str_of(name));
    MUST_TRUE(entry != NULL, name);
    return entry;
}

TEST(imatrix_tool_sums_what_enters_each_matrix)
{
    struct t_path model = t_scratch_path("model.gguf"), a = t_scratch_path("a"),
                  b = t_scratch_path("b"), out = t_scratch_path("out.gguf");
    struct err e = {0};
    double want[512] = {0};
    write_ids(&a, 0, CTX - 1); /* one window, then two */
    write_ids(&b, CTX - 1, N_IDS - CTX + 1);
    CHECK_EQ(TOOL_RUN(tool_synth, "synth", "tiny", "F32", model.at), TOOL_OK);
    CHECK_EQ(TOOL_RUN(tool_imatrix, "imatrix", a.at, b.at, "-o", out.at, "-m", model.at, "--ids",
                      "--ctx", "16"),
             TOOL_OK);
    struct gguf *g = gguf_open(model.at, &e), *raw = gguf_open(out.at, &e);
    struct imatrix *m = imatrix_open(out.at, &e);
    MUST_TRUE(g && raw && m, e.msg);
    CHECK_EQ(imatrix_n_entries(m), 6 * 7 - 1);
    CHECK_EQ(imatrix_n_chunks(m), N_WINDOWS);
    CHECK_TRUE(str_is(imatrix_dataset(m), "a"));
    const struct imatrix_entry *q = entry_of(m, "blk.0.attn_q.weight");
    MUST_TRUE(q->n_values <= 512, NULL);
    first_inputs(g, want, (uint32_t)q->n_values);
    for (uint64_t k = 0; k < q->n_values; k++) {
        double mean = want[k] / (N_IDS + N_WINDOWS);
        CHECK_NEAR(q->values[k], mean, 1e-5 * mean);
    }
    CHECK_BYTES(entry_of(m, "blk.0.attn_k.weight")->values, q->values, q->n_values * sizeof(float));
    CHECK_BYTES(entry_of(m, "blk.5.ffn_up.weight")->values,
                entry_of(m, "blk.5.ffn_gate.weight")->values, q->n_values * sizeof(float));
    float count;
    memcpy(&count, gguf_tensor(raw, "blk.3.ffn_down.weight.counts")->bytes, sizeof count);
    CHECK_NEAR(count, N_IDS + N_WINDOWS, 0);
    imatrix_close(m);
    gguf_close(raw);
    gguf_close(g);
    CHECK_EQ(mem_n_live(), 0);
}

TEST(imatrix_tool_names_what_is_wrong)
{
    struct t_path ids = t_scratch_path("ids");
    write_ids(&ids, 0, 4);
    CHECK_EQ(TOOL_RUN(tool_imatrix, "imatrix", ids.at, "--ids"), TOOL_USAGE);
    CHECK_EQ(TOOL_RUN(tool_imatrix, "imatrix", "-o", ids.at), TOOL_USAGE);
    CHECK_EQ(TOOL_RUN(tool_imatrix, "imatrix", "tests/absent", "-o", ids.at), TOOL_FAILED);
    CHECK_EQ(TOOL_RUN(tool_imatrix, "imatrix", ids.at, "--ids", "-o", "tests/absent/m.gguf",
                      "--ctx", "8"),
             TOOL_FAILED);
    CHECK_EQ(mem_n_live(), 0);
}
