#include "kernels/matmul/matmul_bench.h"

#include "kernels/matmul/matmul_isa.h"
#include "kernels/op.h"
#include "kernels/quant/qblk_random.h"
#include "runtime/base/clock.h"
#include "runtime/base/num.h"

#include <stdlib.h>

enum {
    W_BYTES = 256 << 20, /* beyond every cache */
    MAX_ROWS = 256,
    MAX_REPEATS = 32,
    CEILING_ITERATIONS = 2000000,
};

struct bench {
    struct matmul_bench_args args;
    struct pool *pool;
    const struct matmul_isa *isa;
    uint8_t *w;
    float *x, *y;
    void *place, *scratch;
    uint64_t sink[POOL_MAX_THREADS];
    struct matmul_args product;
};

typedef void bench_fn(struct bench *b);

static int compare_i64(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Median wall time of one call, in seconds; the first call warms up and does not count. */
static double seconds(struct bench *b, bench_fn *fn)
{
    int64_t took_us[MAX_REPEATS];
    fn(b);
    for (uint32_t i = 0; i < b->args.n_repeats; i++) {
        int64_t begin = clock_mono_us();
        fn(b);
        took_us[i] = clock_mono_us() - begin;
    }
    qsort(took_us, b->args.n_repeats, sizeof *took_us, compare_i64);
    return (double)took_us[b->args.n_repeats / 2] * 1e-6;
}

typedef uint64_t lanes_u64 __attribute__((vector_size(32)));

static void read_share(void *arg, uint32_t tid, uint32_t n_tid)
{
    struct bench *b = arg;
    const lanes_u64 *p = (const lanes_u64 *)(const void *)b->w;
    uint64_t begin, end;
    pool_share(W_BYTES / sizeof *p, 1024, tid, n_tid, &begin, &end);
    lanes_u64 sum[4] = {{0}};
    for (uint64_t i = begin; i + 4 <= end; i += 4)
        for (uint32_t j = 0; j < 4; j++)
            sum[j] += p[i + j];
    sum[0] += sum[1] + sum[2] + sum[3];
    b->sink[tid] += sum[0][0] + sum[0][1] + sum[0][2] + sum[0][3];
}

static void read_all(struct bench *b)
{
    pool_run(b->pool, read_share, b);
}

static void ceiling_share(void *arg, uint32_t tid, uint32_t n_tid)
{
    struct bench *b = arg;
    (void)n_tid;
    int32_t sink = (int32_t)tid;
    b->isa->dot_loop(CEILING_ITERATIONS, &sink);
    b->sink[tid] += (uint32_t)sink;
}

static void ceiling_all(struct bench *b)
{
    pool_run(b->pool, ceiling_share, b);
}

static void product_share(void *arg, uint32_t tid, uint32_t n_tid)
{
    struct bench *b = arg;
    matmul_run(b->isa, &b->product, tid, n_tid);
}

static void product_all(struct bench *b)
{
    pool_run(b->pool, product_share, b);
}

static double product_seconds(struct bench *b, enum qtype type, uint32_t n_rows,
                              uint64_t max_w_bytes)
{
    uint64_t row_bytes = qtype_row_bytes(type, b->args.n_in);
    b->product.w_type = type;
    b->product.n_rows = n_rows;
    b->product.n_out = (uint32_t)(num_min(max_w_bytes, W_BYTES) / row_bytes);
    b->product.y_stride = b->product.n_out;
    return seconds(b, product_all);
}

static void one_type(struct bench *b, enum qtype type, double read_bytes_per_s, double dots_per_s,
                     FILE *out)
{
    uint64_t state = 7, row_bytes = qtype_row_bytes(type, b->args.n_in);
    qblk_fill_random(type, &state, b->w, W_BYTES / qtype_info(type)->block_bytes);
    double decode_s = product_seconds(b, type, 1, W_BYTES);
    double w_bytes = (double)b->product.n_out * (double)row_bytes;
    double per_row = (double)b->product.n_out * b->args.n_in;
    double verify4_s = product_seconds(b, type, 4, W_BYTES);
    double verify_s = product_seconds(b, type, 16, W_BYTES);
    double prefill_s = product_seconds(b, type, 256, W_BYTES / 32);
    double prefill_ops = 256.0 * b->product.n_out * b->args.n_in;
    double verify_rate = 16 * per_row / verify_s, prefill_rate = prefill_ops / prefill_s;
    fprintf(out, "%-7s %7.2f %5.0f%% %7.2f %8.1f %5.0f%% %8.1f %5.0f%% %7.2f\n",
            qtype_info(type)->name, w_bytes / decode_s * 1e-9,
            100 * w_bytes / decode_s / read_bytes_per_s, verify4_s / decode_s, verify_rate * 1e-9,
            100 * verify_rate / dots_per_s, prefill_rate * 1e-9, 100 * prefill_rate / dots_per_s,
            verify_s / decode_s);
}

static void report(struct bench *b, FILE *out)
{
    double read_s = seconds(b, read_all), read_rate = W_BYTES / read_s;
    int32_t sink = 0;
    uint32_t n_dots = b->isa->dot_loop ? b->isa->dot_loop(1, &sink) : 0;
    double dots_per_s = 0;
    if (n_dots)
        dots_per_s =
            (double)n_dots * CEILING_ITERATIONS * pool_n_threads(b->pool) / seconds(b, ceiling_all);
    fprintf(out, "%u threads, K = %u: read %.2f GB/s, int8 multiply-adds from registers %.1f G/s\n",
            pool_n_threads(b->pool), b->args.n_in, read_rate * 1e-9, dots_per_s * 1e-9);
    fprintf(out, "type     decode GB/s   4 : 1   16 rows Gmac/s   256 rows Gmac/s  16 : 1\n");
    for (uint32_t id = 0; id < QTYPE_ID_END; id++)
        if (matmul_supports((enum qtype)id))
            one_type(b, (enum qtype)id, read_rate, dots_per_s, out);
}

/* Bytes of a row in the smallest encoding: as many rows of W may be in hand as that leaves room
 * for.
 */
static uint64_t least_row_bytes(uint32_t n_in)
{
    uint64_t least = n_in * sizeof(float);
    for (uint32_t id = 0; id < QTYPE_ID_END; id++)
        if (matmul_supports((enum qtype)id))
            least = num_min(least, qtype_row_bytes((enum qtype)id, n_in));
    return least;
}

static bool take_memory(struct bench *b, struct err *e)
{
    uint32_t n_threads = pool_n_threads(b->pool);
    size_t max_out = W_BYTES / least_row_bytes(b->args.n_in);
    void **const places[] = {(void **)&b->w, (void **)&b->x, (void **)&b->y, &b->place,
                             &b->scratch};
    const size_t sizes[] = {W_BYTES, (size_t)MAX_ROWS * b->args.n_in * sizeof(float),
                            max_out * 16 * sizeof(float), actq_bytes(MAX_ROWS, b->args.n_in),
                            matmul_scratch_bytes(n_threads)};
    for (uint32_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (posix_memalign(places[i], 64, sizes[i]) != 0)
            return err_set(e, ERR_NOMEM, "bench: no memory for %zu bytes", sizes[i]);
    uint64_t state = 3;
    for (size_t i = 0; i < (size_t)MAX_ROWS * b->args.n_in; i++)
        b->x[i] = qblk_random_float(&state);
    b->product = (struct matmul_args){
        .w = b->w,
        .x = b->x,
        .xq = actq_at(b->place, MAX_ROWS, b->args.n_in),
        .y = b->y,
        .scratch = b->scratch,
        .scratch_bytes = matmul_scratch_bytes(n_threads),
        .n_in = b->args.n_in,
        .scale = 1,
    };
    actq_run(b->isa, &(struct actq_args){b->x, b->product.xq, MAX_ROWS, b->args.n_in}, 0, 1);
    return true;
}

bool matmul_bench(const struct matmul_bench_args *args, FILE *out, struct err *e)
{
    if (args->n_in == 0 || args->n_in % 256 != 0 || args->n_repeats == 0 ||
        args->n_repeats > MAX_REPEATS)
        return err_set(e, ERR_STATE, "bench: K must be a multiple of 256, repeats 1 to %d",
                       MAX_REPEATS);
    struct bench b = {.args = *args, .isa = matmul_isa_get(matmul_init(cpu_isa_mask()))};
    b.pool = pool_open(args->n_threads, e);
    bool ok = b.pool && take_memory(&b, e);
    if (ok)
        report(&b, out);
    free(b.w);
    free(b.x);
    free(b.y);
    free(b.place);
    free(b.scratch);
    pool_close(b.pool);
    return ok;
}
