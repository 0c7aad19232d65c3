#include "runtime/tool_quantize.h"

#include "kernels/quant/dequant.h"
#include "kernels/quant/encode.h"
#include "models/gguf_write.h"
#include "runtime/base/mem.h"
#include "runtime/tool_arg.h"
#include "runtime/tool_synth.h"
#include "tests/t.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct path {
    char at[512];
};

static struct path scratch_path(const char *file)
{
    struct path path;
    snprintf(path.at, sizeof path.at, "%s/%s", t_scratch_dir(), file);
    return path;
}

/* Runs a tool on words that need not be writable. */
static int run(int (*tool)(int, char **), const char *name, const char *a, const char *b,
               const char *c)
{
    char words[4][512], *argv[4];
    const char *const from[] = {name, a, b, c};
    for (int i = 0; i < 4; i++) {
        snprintf(words[i], sizeof words[i], "%s", from[i]);
        argv[i] = words[i];
    }
    return tool(4, argv);
}

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
    struct path in = scratch_path("in.gguf"), out = scratch_path("out.gguf");
    for (int k = 0; k < 3; k++) {
        struct err e = {0};
        uint32_t file_type = 0, n_encoded = 0;
        CHECK_EQ(run(tool_synth, "synth", "tiny", sources[k], in.at), TOOL_OK);
        CHECK_EQ(run(tool_quantize, "quantize", in.at, out.at, "Q8_0"), TOOL_OK);
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
    struct path in = scratch_path("in.gguf"), out = scratch_path("out.gguf"),
                again = scratch_path("again.gguf");
    write_bad(in.at);
    CHECK_EQ(run(tool_quantize, "quantize", in.at, out.at, "Q8_0"), TOOL_FAILED); /* an infinity */
    CHECK_TRUE(access(out.at, F_OK) != 0);
    CHECK_EQ(run(tool_quantize, "quantize", "tests/absent.gguf", out.at, "Q8_0"), TOOL_FAILED);
    CHECK_EQ(run(tool_quantize, "quantize", in.at, out.at, "Q4_K"), TOOL_FAILED);
    CHECK_EQ(run(tool_quantize, "quantize", in.at, out.at, "Q9_9"), TOOL_USAGE);
    CHECK_TRUE(access(out.at, F_OK) != 0);
    CHECK_EQ(run(tool_synth, "synth", "tiny", "Q8_0", in.at), TOOL_OK);
    CHECK_EQ(run(tool_quantize, "quantize", in.at, out.at, "F16"),
             TOOL_FAILED); /* quantized already */
    CHECK_EQ(run(tool_quantize, "quantize", in.at, again.at, "Q8_0"),
             TOOL_OK); /* nothing to do: a copy */
    CHECK_EQ(mem_n_live(), 0);
}
