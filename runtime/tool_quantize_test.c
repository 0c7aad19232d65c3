#include "runtime/tool_quantize.h"

#include "kernels/quant/dequant.h"
#include "kernels/quant/encode.h"
#include "models/gguf_write.h"
#include "models/imatrix.h"
#include "runtime/base/mem.h"
#include "runtime/tool_arg.h"
#include "runtime/tool_input.h"
#include "runtime/tool_synth.h"
#include "tests/tool_run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Q8_0 of what the source decodes to, row by row, with the library alone. */
static void check_encoded(const struct gguf_tensor *source, const struct gguf_tensor *got)
{
    uint64_t n = source->dims[0], n_rows = source->dims[1],
             got_row_bytes = qtype_row_bytes(QTYPE_Q8_0, n);
    float x[512];
    unsigned char want[1024];
    MUST_TRUE(n <= 512 && got->n_bytes == n_rows * got_row_bytes, "shape");
    for (uint64_t r = 0; r < n_rows; r += n_rows - 1) { /* the first and the last */
        dequant_row(source->type, source->bytes + r * qtype_row_bytes(source->type, n), x, n);
        CHECK_TRUE(encode_row(QTYPE_Q8_0, x, NULL, want, n));
        CHECK_BYTES(got->bytes + r * got_row_bytes, want, got_row_bytes);
    }
}

TEST(quantize_encodes_matrices_and_copies_the_rest)
{
    static const char *const sources[] = {"F32", "F16", "BF16"};
    struct t_path in = t_scratch_path("in.gguf"), out = t_scratch_path("out.gguf");
    for (int k = 0; k < 3; k++) {
        struct err e = {0};
        uint32_t file_type = 0, n_encoded = 0;
        CHECK_EQ(TOOL_RUN(tool_synth, "synth", "tiny", sources[k], in.at), TOOL_OK);
        CHECK_EQ(TOOL_RUN(tool_quantize, "quantize", in.at, out.at, "Q8_0"), TOOL_OK);
        struct gguf *a = gguf_open(in.at, &e), *b = gguf_open(out.at, &e);
        MUST_TRUE(a && b, e.msg);
        CHECK_EQ(gguf_n_tensors(a), gguf_n_tensors(b));
        CHECK_EQ(gguf_n_kv(a), gguf_n_kv(b));
        CHECK_TRUE(gguf_get_u32(b, "general.file_type", &file_type, &e) && file_type == 7);
        for (uint64_t i = 0; i < gguf_n_tensors(a); i++) {
            const struct gguf_tensor *x = gguf_tensor_at(a, i), *y = gguf_tensor_at(b, i);
            CHECK_TRUE(str_eq(x->name, y->name));
            if (y->type == QTYPE_Q8_0)
                check_encoded(x, y);
            else
                CHECK_TRUE(x->type == QTYPE_F32 && y->n_bytes == x->n_bytes &&
                           memcmp(x->bytes, y->bytes, x->n_bytes) == 0);
            n_encoded += y->type == QTYPE_Q8_0;
        }
        CHECK_EQ(n_encoded,
                 1 + 6 * 7 - 1); /* the embedding; seven matrices a layer, no V in the global one */
        gguf_close(a);
        gguf_close(b);
    }
    CHECK_EQ(mem_n_live(), 0);
}

/* One 2-row matrix whose last value is not finite. */
static void write_bad(const char *path)
{
    struct err e = {0};
    const uint64_t dims[] = {32, 2};
    uint32_t bits[64] = {0};
    bits[63] = 0x7f800000;
    struct gguf_writer *w = gguf_write_new(&e);
    MUST_TRUE(w && gguf_write_tensor(w, STR("blk.0.ffn_up.weight"), QTYPE_F32, 2, dims, &e) &&
                  gguf_write_seal(w, &e) && gguf_write_open(w, path, &e) &&
                  gguf_write_bytes(w, bits, sizeof bits, &e) && gguf_write_commit(w, &e),
              e.msg);
    gguf_write_free(w);
}

TEST(quantize_fails_without_leaving_a_file)
{
    struct t_path in = t_scratch_path("in.gguf"), out = t_scratch_path("out.gguf"),
                  again = t_scratch_path("again.gguf");
    write_bad(in.at);
    CHECK_EQ(TOOL_RUN(tool_quantize, "quantize", in.at, out.at, "Q8_0"),
             TOOL_FAILED); /* an infinity */
    CHECK_TRUE(access(out.at, F_OK) != 0);
    CHECK_EQ(TOOL_RUN(tool_quantize, "quantize", "tests/absent.gguf", out.at, "Q8_0"), TOOL_FAILED);
    CHECK_EQ(TOOL_RUN(tool_quantize, "quantize", in.at, out.at, "Q4_K"), TOOL_FAILED);
    CHECK_EQ(TOOL_RUN(tool_quantize, "quantize", in.at, out.at, "Q9_9"), TOOL_USAGE);
    CHECK_TRUE(access(out.at, F_OK) != 0);
    CHECK_EQ(TOOL_RUN(tool_synth, "synth", "tiny", "Q8_0", in.at), TOOL_OK);
    CHECK_EQ(TOOL_RUN(tool_quantize, "quantize", in.at, again.at, "Q8_0"),
             TOOL_OK); /* nothing to do: a copy */
    CHECK_EQ(mem_n_live(), 0);
}

static struct gguf *open_model(const struct t_path *path)
{
    struct err e = {0};
    struct gguf *g = gguf_open(path->at, &e);
    MUST_TRUE(g != NULL, e.msg);
    return g;
}

/* Relative error of one matrix under its tensor scale, against the same in an F32 file. */
static double error_of(const struct gguf *want, const struct gguf *got, const char *weight,
                       const char *scale_name)
{
    const struct gguf_tensor *a = gguf_tensor(want, weight), *b = gguf_tensor(got, weight),
                             *s = gguf_tensor(got, scale_name);
    float x[512], y[512], scale = 1;
    double error = 0, power = 0;
    MUST_TRUE(a && b && a->type == QTYPE_F32 && a->dims[0] <= 512, weight);
    if (s)
        memcpy(&scale, s->bytes, sizeof scale);
    for (uint64_t r = 0; r < a->dims[1]; r++) {
        dequant_row(a->type, a->bytes + r * a->dims[0] * 4, x, a->dims[0]);
        dequant_row(b->type, b->bytes + r * qtype_row_bytes(b->type, b->dims[0]), y, a->dims[0]);
        for (uint64_t i = 0; i < a->dims[0]; i++) {
            double diff = (double)(y[i] * scale) - (double)x[i];
            error += diff * diff;
            power += (double)x[i] * (double)x[i];
        }
    }
    return sqrt(error / power);
}

TEST(quantize_gives_nvfp4_a_tensor_scale_and_takes_it_back)
{
    struct t_path in = t_scratch_path("in.gguf"), out = t_scratch_path("out.gguf"),
                  again = t_scratch_path("again.gguf");
    static const char weight[] = "blk.1.ffn_down.weight", scale[] = "blk.1.ffn_down.scale";
    CHECK_EQ(TOOL_RUN(tool_synth, "synth", "tiny", "F32", in.at), TOOL_OK);
    CHECK_EQ(TOOL_RUN(tool_quantize, "quantize", in.at, out.at, "NVFP4"), TOOL_OK);
    struct gguf *a = open_model(&in), *b = open_model(&out);
    CHECK_EQ(gguf_n_tensors(b), gguf_n_tensors(a) + 6 * 7 - 1); /* those of the layers */
    CHECK_EQ(gguf_tensor(b, weight)->type, QTYPE_NVFP4);
    CHECK_EQ(gguf_tensor(b, "token_embd.weight")->type, QTYPE_Q8_0);
    MUST_TRUE(gguf_tensor(b, scale) != NULL, NULL);
    double error = error_of(a, b, weight, scale);
    CHECK_TRUE(error > 0.02 && error < 0.1);
    gguf_close(b);
    CHECK_EQ(TOOL_RUN(tool_quantize, "quantize", out.at, again.at, "F32"), TOOL_OK);
    struct gguf *c = open_model(&again);
    CHECK_EQ(gguf_n_tensors(c), gguf_n_tensors(a));
    CHECK_TRUE(gguf_tensor(c, scale) == NULL);
    CHECK_NEAR(error_of(a, c, weight, scale), error, 1e-6);
    gguf_close(c);
    CHECK_EQ(TOOL_RUN(tool_quantize, "quantize", out.at, again.at, "NVFP4"), TOOL_OK); /* a copy */
    c = open_model(&again);
    CHECK_NEAR(error_of(a, c, weight, scale), error, 0);
    gguf_close(c);
    gguf_close(a);
    CHECK_EQ(mem_n_live(), 0);
}

/* A matrix of one entry, for the weight named. */
static void write_importance(const struct t_path *path, const char *weight, uint32_t n_in)
{
    double sum_sq[512];
    struct err e = {0};
    struct imatrix_sum sum = {str_of(weight), n_in, sum_sq, 2};
    struct imatrix_origin origin = {"text", 1, 2};
    for (uint32_t i = 0; i < n_in; i++)
        sum_sq[i] = i % 7 * 0.5 + 0.01;
    MUST_TRUE(imatrix_write(path->at, &sum, 1, &origin, &e), e.msg);
}

TEST(quantize_encodes_by_the_importance_matrix)
{
    static const char weight[] = "blk.1.ffn_down.weight";
    struct t_path in = t_scratch_path("in.gguf"), out = t_scratch_path("out.gguf"),
                  importance = t_scratch_path("importance.gguf");
    struct str said;
    uint32_t n_entries = 0;
    struct err e = {0};
    CHECK_EQ(TOOL_RUN(tool_synth, "synth", "tiny", "F32", in.at), TOOL_OK);
    struct gguf *a = open_model(&in);
    const struct gguf_tensor *source = gguf_tensor(a, weight);
    MUST_TRUE(source && source->dims[0] <= 512, NULL);
    write_importance(&importance, weight, (uint32_t)source->dims[0]);
    CHECK_EQ(TOOL_RUN(tool_quantize, "quantize", in.at, out.at, "Q4_K", "--imatrix", importance.at),
             TOOL_OK);
    struct gguf *b = open_model(&out);
    struct imatrix *m = imatrix_open(importance.at, &e);
    MUST_TRUE(m != NULL, e.msg);
    struct encode_guide guide = {imatrix_find(m, str_of(weight))->values, 0};
    unsigned char want[512], plain[512];
    const float *x = (const float *)(const void *)(source->bytes + 4 * source->dims[0]);
    uint64_t row_bytes = qtype_row_bytes(QTYPE_Q4_K, source->dims[0]);
    CHECK_TRUE(encode_row(QTYPE_Q4_K, x, &guide, want, source->dims[0]));
    CHECK_TRUE(encode_row(QTYPE_Q4_K, x, NULL, plain, source->dims[0]));
    CHECK_BYTES(gguf_tensor(b, weight)->bytes + row_bytes, want, row_bytes);
    CHECK_TRUE(memcmp(want, plain, row_bytes) != 0);
    CHECK_TRUE(gguf_get_str(b, "quantize.imatrix.file", &said, &e) &&
               str_is(said, "importance.gguf"));
    CHECK_TRUE(gguf_get_u32(b, "quantize.imatrix.entries_count", &n_entries, &e) && n_entries == 1);
    imatrix_close(m);
    gguf_close(b);
    gguf_close(a);
    write_importance(&importance, weight, 5);
    CHECK_EQ(TOOL_RUN(tool_quantize, "quantize", in.at, out.at, "Q4_K", "--imatrix", importance.at),
             TOOL_FAILED);
    write_importance(&importance, "blk.77.ffn_down.weight", 256);
    CHECK_EQ(TOOL_RUN(tool_quantize, "quantize", in.at, out.at, "Q4_K", "--imatrix", importance.at),
             TOOL_FAILED);
    CHECK_EQ(
        TOOL_RUN(tool_quantize, "quantize", in.at, out.at, "Q4_K", "--imatrix", "tests/absent"),
        TOOL_FAILED);
    CHECK_EQ(mem_n_live(), 0);
}

TEST(quantize_writes_the_same_bytes_on_any_number_of_threads)
{
    struct t_path in = t_scratch_path("in.gguf"), one = t_scratch_path("one.gguf"),
                  three = t_scratch_path("three.gguf");
    CHECK_EQ(TOOL_RUN(tool_synth, "synth", "tiny", "BF16", in.at), TOOL_OK);
    CHECK_EQ(TOOL_RUN(tool_quantize, "quantize", in.at, one.at, "NVFP4", "--threads", "1"),
             TOOL_OK);
    CHECK_EQ(TOOL_RUN(tool_quantize, "quantize", in.at, three.at, "NVFP4", "--threads", "3"),
             TOOL_OK);
    size_t n_one, n_three;
    char *a = tool_read_file(one.at, &n_one, NULL), *b = tool_read_file(three.at, &n_three, NULL);
    MUST_TRUE(a && b, NULL);
    CHECK_EQ(n_one, n_three);
    CHECK_BYTES(a, b, n_one < n_three ? n_one : n_three);
    free(a);
    free(b);
}

TEST(quantize_never_takes_the_place_of_its_input)
{
    struct t_path in = t_scratch_path("in.gguf");
    CHECK_EQ(TOOL_RUN(tool_synth, "synth", "tiny", "BF16", in.at), TOOL_OK);
    size_t n_before, n_after;
    char *before = tool_read_file(in.at, &n_before, NULL);
    CHECK_EQ(TOOL_RUN(tool_quantize, "quantize", in.at, in.at, "Q8_0"), TOOL_FAILED);
    char *after = tool_read_file(in.at, &n_after, NULL);
    MUST_TRUE(before && after, NULL);
    CHECK_EQ(n_before, n_after);
    CHECK_BYTES(before, after, n_before < n_after ? n_before : n_after);
    free(before);
    free(after);
}
