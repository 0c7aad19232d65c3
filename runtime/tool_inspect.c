#include "runtime/tool_inspect.h"

#include "kernels/quant/check_row.h"
#include "kernels/quant/dequant.h"
#include "models/gguf.h"
#include "runtime/base/mem.h"
#include "runtime/base/num.h"
#include "runtime/load.h"
#include "runtime/progress.h"
#include "runtime/tool_arg.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "hearth inspect FILE.gguf [--check] [--dump TENSOR OUT.f32]\n"
    "\n"
    "Prints the metadata, the tensors and the totals of a model file (of all parts of a split "
    "set).\n"
    "Opening it checks every byte of the metadata; a broken file is refused with the place.\n"
    "\n"
    "  --check                  also read all tensor data: values and block scales must be "
    "finite;\n"
    "                           and what hearth serve asks of a gemma4 model: sizes, every tensor "
    "of\n"
    "                           the graph, the tokenizer\n"
    "  --dump TENSOR OUT.f32    instead: one tensor as little-endian float32, rows in order, "
    "block\n"
    "                           scales applied, a companion \".scale\" tensor not\n";

enum {
    SHOWN_ELEMS = 8,
    SHOWN_STRINGS = 5,
    TEXT_BYTES = 100,
    ELEM_TEXT_BYTES = 28,
    CHECK_PIECE_BYTES = 1 << 20
};

/* ---- metadata ---- */

static void print_text(struct str s, size_t max_bytes)
{
    char shown[TEXT_BYTES];
    printf("\"%s\"", gguf_quote(s, shown, num_min(max_bytes, sizeof shown)));
}

static void print_scalar_elem(const struct gguf_array *a, uint64_t i)
{
    int64_t n;
    uint64_t u;
    double f = 0;
    bool b = false;
    if (gguf_arr_i64(a, i, &n))
        printf("%" PRId64, n);
    else if (gguf_arr_u64(a, i, &u))
        printf("%" PRIu64, u);
    else if (gguf_arr_bool(a, i, &b))
        printf("%s", b ? "true" : "false");
    else if (gguf_arr_f64(a, i, &f))
        printf("%g", f);
}

/* Prints "[n of type] first few ...". Nesting is bounded by the reader. */
static void print_array(const struct gguf_array *a)
{
    uint64_t off_bytes = 0, n_shown = 0;
    struct gguf_array inner;
    struct str s;
    printf("[%" PRIu64 " %s]", a->n_elems, gguf_type_name(a->elem_type));
    if (a->elem_type == GGUF_STR)
        for (; n_shown < SHOWN_STRINGS && gguf_arr_str_next(a, &off_bytes, &s); n_shown++) {
            putchar(' ');
            print_text(s, ELEM_TEXT_BYTES);
        }
    else if (a->elem_type == GGUF_ARR)
        for (; n_shown < SHOWN_STRINGS && gguf_arr_arr_next(a, &off_bytes, &inner); n_shown++) {
            printf(" (");
            print_array(&inner);
            putchar(')');
        }
    else
        for (; n_shown < SHOWN_ELEMS && n_shown < a->n_elems; n_shown++) {
            putchar(' ');
            print_scalar_elem(a, n_shown);
        }
    if (n_shown < a->n_elems)
        printf(" ...");
}

static void print_value(const struct gguf_kv *kv)
{
    if (kv->type == GGUF_STR)
        print_text(kv->value.str, TEXT_BYTES);
    else if (kv->type == GGUF_ARR)
        print_array(&kv->value.arr);
    else if (kv->type == GGUF_F32 || kv->type == GGUF_F64)
        printf("%.9g", kv->value.f64);
    else if (kv->type == GGUF_BOOL)
        printf("%s", kv->value.u64 ? "true" : "false");
    else if (gguf_type_is_signed(kv->type))
        printf("%" PRId64, kv->value.i64);
    else
        printf("%" PRIu64, kv->value.u64);
}

static void print_metadata(const struct gguf *g)
{
    char shown[TEXT_BYTES];
    printf("\nmetadata: %" PRIu64 " keys\n", gguf_n_kv(g));
    for (uint64_t i = 0; i < gguf_n_kv(g); i++) {
        const struct gguf_kv *kv = gguf_kv_at(g, i);
        printf("  %-48s %-5s ", gguf_quote(kv->key, shown, sizeof shown), gguf_type_name(kv->type));
        print_value(kv);
        putchar('\n');
    }
}

/* ---- tensors and totals ---- */

static uint64_t n_elems_of(const struct gguf_tensor *t)
{
    return t->dims[0] * t->dims[1] * t->dims[2] * t->dims[3]; /* below 2^63, the reader says */
}

static void print_shape(const struct gguf_tensor *t, char *out, size_t n_out_bytes)
{
    int n = snprintf(out, n_out_bytes, "[%" PRIu64, t->dims[0]);
    for (uint32_t i = 1; i < t->n_dims; i++)
        n += snprintf(out + n, n_out_bytes - (size_t)n, ", %" PRIu64, t->dims[i]);
    snprintf(out + n, n_out_bytes - (size_t)n, "]");
}

static void print_tensors(const struct gguf *g)
{
    printf("\ntensors: %" PRIu64 " (shape: row length first)\n", gguf_n_tensors(g));
    for (uint64_t i = 0; i < gguf_n_tensors(g); i++) {
        const struct gguf_tensor *t = gguf_tensor_at(g, i);
        char name[TEXT_BYTES], shape[96];
        print_shape(t, shape, sizeof shape);
        printf("  %-40s %-8s %-24s %14" PRIu64 " bytes", gguf_quote(t->name, name, sizeof name),
               qtype_info(t->type)->name, shape, t->n_bytes);
        if (gguf_n_parts(g) > 1)
            printf("  part %" PRIu32, t->i_part + 1);
        putchar('\n');
    }
}

static void print_totals(const struct gguf *g)
{
    struct {
        uint64_t n_tensors, n_bytes;
        double n_elems; /* sums of element counts may pass 2^63; for people, a double will do */
    } by_type[QTYPE_ID_END] = {0};
    double n_elems = 0, n_bytes = 0;
    for (uint64_t i = 0; i < gguf_n_tensors(g); i++) {
        const struct gguf_tensor *t = gguf_tensor_at(g, i);
        by_type[t->type].n_tensors++;
        by_type[t->type].n_bytes += t->n_bytes;
        by_type[t->type].n_elems += (double)n_elems_of(t);
        n_elems += (double)n_elems_of(t);
        n_bytes += (double)t->n_bytes;
    }
    printf("\ntotals\n");
    for (uint32_t id = 0; id < QTYPE_ID_END; id++)
        if (by_type[id].n_tensors)
            printf("  %-8s %6" PRIu64 " tensors %16.0f weights %14.1f MiB\n", qtype_info(id)->name,
                   by_type[id].n_tensors, by_type[id].n_elems,
                   (double)by_type[id].n_bytes / 0x1p20);
    printf("  %-8s %6" PRIu64 " tensors %16.0f weights %14.1f MiB, %.3f bits per weight\n", "all",
           gguf_n_tensors(g), n_elems, n_bytes / 0x1p20, n_elems > 0 ? 8 * n_bytes / n_elems : 0.0);
}

static void print_all(const struct gguf *g)
{
    char name[TEXT_BYTES];
    printf("%s: GGUF version %" PRIu32 ", %" PRIu32 " part%s, %.1f MiB, alignment %" PRIu32 "\n",
           gguf_quote(str_of(gguf_name(g)), name, sizeof name), gguf_version(g), gguf_n_parts(g),
           gguf_n_parts(g) == 1 ? "" : "s", (double)gguf_mapped_bytes(g) / 0x1p20,
           gguf_alignment(g));
    print_metadata(g);
    print_tensors(g);
    print_totals(g);
}

/* ---- deep check ---- */

static bool check_tensor(const struct gguf *g, const struct gguf_tensor *t,
                         struct progress *progress, struct err *e)
{
    uint32_t block_bytes = qtype_info(t->type)->block_bytes;
    uint64_t n_blocks = t->n_bytes / block_bytes,
             blocks_per_piece = CHECK_PIECE_BYTES / block_bytes;
    for (uint64_t i = 0, n; i < n_blocks; i += n) {
        const char *why = NULL;
        n = num_min(blocks_per_piece, n_blocks - i);
        uint64_t i_bad = check_row(t->type, t->bytes + i * block_bytes, n, &why);
        if (i_bad < n)
            return err_set(
                e, ERR_FORMAT,
                "%s: byte %" PRIu64 ", tensor \"%.*s\": %s block %" PRIu64 " is broken: %s",
                gguf_part_name(g, t->i_part), t->file_off_bytes + (i + i_bad) * block_bytes,
                STR_ARG(t->name), qtype_info(t->type)->name, i + i_bad, why);
        progress_add(progress, n * block_bytes);
    }
    return true;
}

static bool is_served(const struct gguf *g)
{
    const struct gguf_kv *kv = gguf_find(g, "general.architecture");
    return kv && kv->type == GGUF_STR && str_is(kv->value.str, "gemma4");
}

static bool check_all(const struct gguf *g, struct err *e)
{
    struct progress progress;
    bool ok = !is_served(g) || load_check_file(g, e);
    progress_begin(&progress, "check", PROGRESS_BYTES, gguf_mapped_bytes(g));
    for (uint64_t i = 0; i < gguf_n_tensors(g) && ok; i++)
        ok = check_tensor(g, gguf_tensor_at(g, i), &progress, e);
    progress_end(&progress);
    if (ok)
        printf("\ncheck: all values and block scales of %" PRIu64 " tensors are sound%s\n",
               gguf_n_tensors(g), is_served(g) ? "; hearth serve takes this model" : "");
    return ok;
}

/* ---- one tensor as f32 ---- */

static bool dump_rows(const struct gguf_tensor *t, FILE *out, const char *path, struct err *e)
{
    uint64_t n_rows = t->dims[1] * t->dims[2] * t->dims[3],
             row_bytes = qtype_row_bytes(t->type, t->dims[0]);
    struct progress progress;
    float *row = mem_alloc(t->dims[0], sizeof *row);
    bool ok = row != NULL;
    if (!ok)
        (void)err_set(e, ERR_NOMEM, "no memory for a row of %" PRIu64 " values", t->dims[0]);
    progress_begin(&progress, "dump", PROGRESS_BYTES, t->n_bytes);
    for (uint64_t r = 0; r < n_rows && ok; r++) {
        dequant_row(t->type, t->bytes + r * row_bytes, row, t->dims[0]);
        if (fwrite(row, sizeof *row, t->dims[0], out) != t->dims[0])
            ok = err_sys(e, "cannot write %s", path);
        progress_add(&progress, row_bytes);
    }
    progress_end(&progress);
    mem_free(row);
    return ok;
}

static bool dump(const struct gguf *g, const char *name, const char *path, struct err *e)
{
    char shown[TEXT_BYTES], shape[96];
    const struct gguf_tensor *t = gguf_tensor(g, name);
    if (!t)
        return err_set(e, ERR_STATE, "%s: no tensor \"%s\"", gguf_name(g),
                       gguf_quote(str_of(name), shown, sizeof shown));
    if (!dequant_supports(t->type))
        return err_set(e, ERR_LIMIT, "%s: tensor \"%s\" is %s, which this build cannot decode",
                       gguf_name(g), name, qtype_info(t->type)->name);
    FILE *out = fopen(path, "wb");
    if (!out)
        return err_sys(e, "cannot create %s", path);
    bool ok = dump_rows(t, out, path, e);
    if (fclose(out) != 0 && ok)
        ok = err_sys(e, "cannot write %s", path);
    if (!ok)
        unlink(path);
    print_shape(t, shape, sizeof shape);
    if (ok)
        printf("%s: %s %s %s, %" PRIu64 " values\n", path, name, qtype_info(t->type)->name, shape,
               n_elems_of(t));
    return ok;
}

int tool_inspect(int argc, char **argv)
{
    bool has_check = false;
    const char *dumped[2] = {NULL, NULL}, *path;
    const struct tool_opt opts[] = {
        {.name = "--check", .kind = TOOL_OPT_FLAG, .flag = &has_check},
        {.name = "--dump", .kind = TOOL_OPT_WORDS, .n_words = 2, .words = dumped},
    };
    const struct tool_spec spec = {help, opts, sizeof opts / sizeof *opts, "FILE.gguf"};
    int exit_code;
    struct err e = {.code = ERR_NONE};
    if (!tool_parse(argc, argv, &spec, &path, &exit_code))
        return exit_code;
    struct gguf *g = gguf_open(path, &e);
    bool ok = g != NULL;
    if (ok && !dumped[0])
        print_all(g);
    ok =
        ok && (!has_check || check_all(g, &e)) && (!dumped[0] || dump(g, dumped[0], dumped[1], &e));
    if (ok && (fflush(stdout) != 0 || ferror(stdout)))
        ok = err_sys(&e, "cannot write the listing");
    gguf_close(g);
    return ok ? TOOL_OK : tool_failed("inspect", &e);
}
