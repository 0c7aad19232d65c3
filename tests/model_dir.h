/* model_dir: small Hugging Face model directories for tests: a configuration, safetensors with
 * values from a formula, a tokenizer. Fill one, change what the test is about, write it. For tests
 * only; failures end the test. */
#ifndef TESTS_MODEL_DIR_H
#define TESTS_MODEL_DIR_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MODEL_DIR_MAX_TENSORS = 64 };

struct model_dir_tensor {
    char name[96];
    const char *dtype; /* as in the file: "BF16" */
    uint64_t dims[2];  /* rows, row length */
    uint32_t n_dims;
    unsigned char *bytes;
    size_t n_bytes;
};

struct model_dir {
    char path[512]; /* a folder in the test's scratch directory */
    json_t *config; /* config.json */
    struct model_dir_tensor tensors[MODEL_DIR_MAX_TENSORS];
    uint32_t n_tensors;
};

/* d_model 64, 2 layers (sliding, full), heads 2 x 32 and 2 x 64, ffn 128, the vocabulary of
 * tests/tok_small.h; BF16. */
void model_dir_gemma4(struct model_dir *d, const char *name);
void model_dir_mtp(struct model_dir *d, const char *name);    /* for a target of width 128 */
void model_dir_dflash(struct model_dir *d, const char *name); /* 2 layers, 3 taps */
void model_dir_eagle3(struct model_dir *d, const char *name); /* 64 draft tokens of 256 */
void model_dir_free(struct model_dir *d);

/* n_in 0: a vector. BF16, F16 and F32 get model_dir_value, other types bytes from the same formula.
 */
struct model_dir_tensor *model_dir_add(struct model_dir *d, const char *name, const char *dtype,
                                       uint64_t n_out, uint64_t n_in);
struct model_dir_tensor *model_dir_find(struct model_dir *d, const char *name);
void model_dir_remove(struct model_dir *d, const char *name);
void model_dir_rename(struct model_dir *d, const char *from, const char *to);
/* A float matrix becomes codes, block scales, tensor scale and input scale as ModelOpt names them.
 */
void model_dir_pack(struct model_dir *d, const char *stem, float tensor_scale, float input_scale);

/* config.json, and model.safetensors or n_shards of them with their index. */
void model_dir_write(const struct model_dir *d, uint32_t n_shards);
void model_dir_write_tokenizer(const struct model_dir *d);
void model_dir_write_text(const char *folder, const char *file, const void *text, size_t n_bytes);

/* Element i of the tensor: a multiple of 1/64 in -2 .. 2, exact in every float type. */
float model_dir_value(const char *name, uint64_t i);
/* Byte i of a tensor that is not float. */
uint8_t model_dir_byte(const char *name, uint64_t i);

#endif
