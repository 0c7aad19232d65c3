/* hearth quantize: the command line of requant.h. */
#include "runtime/tool_quantize.h"

#include "runtime/base/pool.h"
#include "runtime/requant.h"
#include "runtime/tool_arg.h"

#include <inttypes.h>
#include <stdio.h>

static const char help[] =
    "hearth quantize IN.gguf OUT.gguf TYPE [--imatrix FILE] [--threads N]\n"
    "\n"
    "Encodes the matrices of a model; norms and other vectors stay as they are. IN may hold any\n"
    "encoding this build runs (all parts are read if it is one of a split set), best F32, F16 or\n"
    "BF16: what is quantized already keeps its errors. OUT appears under its name only when it is\n"
    "complete.\n"
    "\n"
    "TYPE, by the rules of the standard quantizer; rows of another length than whole blocks get a\n"
    "relative of the type:\n"
    "  Q8_0  Q6_K  Q5_K_M  Q5_K_S  Q4_K_M  Q4_K_S  Q4_0  IQ4_XS  IQ4_NL\n"
    "or one encoding throughout:\n"
    "  Q5_K  Q4_K  NVFP4 (with a scale per tensor; embedding and head Q8_0)  F32  F16  BF16\n"
    "\n"
    "  --imatrix FILE  importance matrix (GGUF or .dat, see hearth imatrix): columns that matter\n"
    "                  more are encoded more closely. Q8_0, F32, F16 and BF16 do not use it\n"
    "  --threads N     default: all CPUs of this process\n";

static void print_told(const char *out, const struct requant_told *told, bool is_guided)
{
    printf("%s: %" PRIu64 " tensors, %.1f MiB (was %.1f MiB)\n", out, told->n_tensors,
           (double)told->out_bytes / 0x1p20, (double)told->in_bytes / 0x1p20);
    if (is_guided)
        printf("importance: %" PRIu64 " of %" PRIu64 " encoded tensors\n", told->n_guided,
               told->n_encoded);
    if (told->n_lossy)
        printf("note: %" PRIu64 " of %" PRIu64
               " encoded tensors were quantized before; their errors add up\n",
               told->n_lossy, told->n_encoded);
}

static int unknown_type(const char *word)
{
    char known[256] = "";
    for (unsigned i = 0; quant_mix_at(i); i++)
        tool_known_add(known, sizeof known, quant_mix_at(i)->name);
    return tool_unknown("quantize", "type", word, known);
}

int tool_quantize(int argc, char **argv)
{
    uint64_t n_threads = 0;
    const char *imatrix_path = NULL;
    const struct tool_opt opts[] = {
        {"--imatrix", TOOL_OPT_WORDS, .n_words = 1, .words = &imatrix_path},
        {"--threads", TOOL_OPT_COUNT, 1, POOL_MAX_THREADS, .count = &n_threads},
    };
    const struct tool_spec spec = {help, opts, sizeof opts / sizeof *opts, "IN.gguf OUT.gguf TYPE"};
    const char *words[3];
    int exit_code;
    struct err e = {.code = ERR_NONE};
    struct requant_told told;
    if (!tool_parse(argc, argv, &spec, words, &exit_code))
        return exit_code;
    struct requant_config cfg = {.mix = quant_mix_by_name(words[2]),
                                 .n_threads = (uint32_t)n_threads};
    if (!cfg.mix)
        return unknown_type(words[2]);
    struct imatrix *imatrix = imatrix_path ? imatrix_open(imatrix_path, &e) : NULL;
    cfg.imatrix = imatrix;
    bool ok = (imatrix || !imatrix_path) && requant_file(words[0], words[1], &cfg, &told, &e);
    imatrix_close(imatrix);
    if (!ok)
        return tool_failed("quantize", &e);
    print_told(words[1], &told, cfg.imatrix != NULL);
    return TOOL_OK;
}
