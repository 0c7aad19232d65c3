#include "models/safetensors.h"

#include "models/dir_file.h"
#include "runtime/base/mem.h"
#include "tests/model_dir.h"
#include "tests/t.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Length, header and n_data zero bytes; the caller frees it. */
static unsigned char *file_new(const char *header, size_t n_data, size_t *n_bytes)
{
    size_t n_header = strlen(header);
    *n_bytes = 8 + n_header + n_data;
    unsigned char *file = calloc(1, *n_bytes);
    MUST_TRUE(file != NULL, "memory");
    file[0] = (unsigned char)n_header;
    file[1] = (unsigned char)(n_header >> 8);
    memcpy(file + 8, header, n_header);
    return file;
}

#define A_F32_2(begin, end)                                                                        \
    "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[" begin "," end "]}"

static const char sound[] = "{\"__metadata__\":{\"format\":\"pt\"}," A_F32_2(
    "4", "12") ",\"b\":{\"dtype\":\"BF16\",\"shape\":[2,1],\"data_offsets\":[0,4]},"
               "\"s\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[12,16]},"
               "\"none\":{\"dtype\":\"U8\",\"shape\":[0,7],\"data_offsets\":[4,4]}} ";

TEST(safetensors_lends_what_the_header_says)
{
    struct err e = {0};
    size_t n_bytes;
    unsigned char *file = file_new(sound, 16, &n_bytes);
    struct safetensors *s = safetensors_open_mem(file, n_bytes, "mem", &e);
    MUST_TRUE(s != NULL, e.msg);
    CHECK_EQ(safetensors_n_tensors(s), 4);
    CHECK_EQ(safetensors_mapped_bytes(s), n_bytes);
    CHECK_TRUE(safetensors_find(s, STR("c")) == UINT64_MAX);
    const struct safetensors_tensor *a = safetensors_at(s, safetensors_find(s, STR("a")));
    CHECK_TRUE(a->dtype == SAFETENSORS_F32 && a->n_dims == 1 && a->dims[0] == 2 && a->dims[1] == 1);
    CHECK_TRUE(a->n_bytes == 8 && a->bytes == file + n_bytes - 12);
    CHECK_STR(safetensors_file(s, a), "mem");
    CHECK_STR(safetensors_dtype_name(a->dtype), "F32");
    const struct safetensors_tensor *b = safetensors_at(s, safetensors_find(s, STR("b")));
    CHECK_TRUE(b->dtype == SAFETENSORS_BF16 && b->n_dims == 2 && b->bytes == file + n_bytes - 16);
    const struct safetensors_tensor *one = safetensors_at(s, safetensors_find(s, STR("s")));
    CHECK_TRUE(one->n_dims == 0 && one->n_bytes == 4);
    safetensors_release(s, a); /* not mapped: nothing to give back */
    safetensors_close(s);
    free(file);
    CHECK_EQ(mem_n_live(), 0);
}

TEST(safetensors_refuses_headers_that_do_not_fit)
{
    static const struct {
        const char *header;
        size_t n_data;
        const char *says; /* part of the message */
    } cases[] = {
        {"", 0, "does not begin with {"},
        {"[]", 0, "does not begin with {"},
        {"{", 0, "header: json"},
        {"{" A_F32_2("0", "8") "," A_F32_2("0", "8") "}", 8, "header: json: duplicate"},
        {"{" A_F32_2("0", "8") "}", 7, "\"a\": its bytes end after the file"},
        {"{" A_F32_2("0", "8") "}", 9, "1 bytes after the last tensor"},
        {"{}", 1, "1 bytes after the last tensor"},
        {"{" A_F32_2("1", "9") "}", 9, "\"a\": there are unused bytes before it"},
        {"{" A_F32_2("0", "7") "}", 7, "\"a\": data_offsets do not fit"},
        {"{" A_F32_2("8", "0") "}", 8, "\"a\": data_offsets are not a begin"},
        {"{" A_F32_2("-8", "0") "}", 8, "\"a\": data_offsets are not a begin"},
        {"{" A_F32_2("0", "99999999999999999999") "}", 8, "\"a\": data_offsets are not a begin"},
        {"{" A_F32_2("0", "8.0") "}", 8, "\"a\": data_offsets are not a begin"},
        {"{" A_F32_2("0", "8") ",\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4,8]}}", 8,
         "\"b\": its bytes overlap"},
        {"{\"a\":{\"dtype\":\"F31\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "\"a\": dtype"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", 8, "\"a\": shape"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":2,\"data_offsets\":[0,8]}}", 8, "\"a\": shape"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,2],\"data_offsets\":[0,8]}}", 8,
         "\"a\": shape"},
        /* 2^32 * 2^32 elements, and 2^62 of 4 bytes: both wrap */
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}", 0,
         "\"a\": shape"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904],\"data_offsets\":[0,0]}}", 0,
         "\"a\": shape"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8, "\"a\": not an object of"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"x\":1}}", 8,
         "\"a\": not an object of"},
        {"{\"a\":7}", 0, "\"a\": not an object of"},
        {"{\"\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "has no name"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err e = {0};
        size_t n_bytes;
        unsigned char *file = file_new(cases[i].header, cases[i].n_data, &n_bytes);
        CHECK_TRUE(safetensors_open_mem(file, n_bytes, "mem", &e) == NULL);
        if (!strstr(e.msg, cases[i].says))
            CHECK_STR(e.msg, cases[i].says);
        CHECK_TRUE(e.code == ERR_FORMAT && strncmp(e.msg, "mem: ", 5) == 0);
        free(file);
    }
    CHECK_EQ(mem_n_live(), 0);
}

TEST(safetensors_refuses_every_cut_and_survives_every_changed_byte)
{
    size_t n_bytes;
    unsigned char *file = file_new(sound, 16, &n_bytes);
    for (size_t n = 0; n < n_bytes; n++) {
        unsigned char *cut = malloc(n ? n : 1); /* exact, so that a sanitizer watches its end */
        MUST_TRUE(cut != NULL, "memory");
        memcpy(cut, file, n);
        CHECK_TRUE(safetensors_open_mem(cut, n, "cut", NULL) == NULL);
        free(cut);
    }
    for (size_t i = 0; i < n_bytes; i++) {
        file[i] ^= 0x15;
        struct safetensors *s = safetensors_open_mem(file, n_bytes, "changed", NULL);
        for (uint64_t k = 0; s && k < safetensors_n_tensors(s); k++) {
            const struct safetensors_tensor *t = safetensors_at(s, k);
            CHECK_TRUE(t->bytes >= file && t->bytes + t->n_bytes <= file + n_bytes);
        }
        safetensors_close(s);
        file[i] ^= 0x15;
    }
    memset(file, 0xff, 8); /* a header of 2^64 - 1 bytes */
    CHECK_TRUE(safetensors_open_mem(file, n_bytes, "huge", NULL) == NULL);
    free(file);
    CHECK_EQ(mem_n_live(), 0);
}

TEST(safetensors_opens_a_directory_whole_or_not_at_all)
{
    struct model_dir d;
    struct err e = {0};
    model_dir_dflash(&d, "m");
    model_dir_write(&d, 3);
    struct safetensors *s = safetensors_open(d.path, &e);
    MUST_TRUE(s != NULL, e.msg);
    CHECK_EQ(safetensors_n_tensors(s), d.n_tensors);
    for (uint32_t i = 0; i < d.n_tensors; i++) {
        uint64_t at = safetensors_find(s, str_of(d.tensors[i].name));
        MUST_TRUE(at != UINT64_MAX, d.tensors[i].name);
        const struct safetensors_tensor *t = safetensors_at(s, at);
        CHECK_TRUE(t->n_bytes == d.tensors[i].n_bytes);
        safetensors_release(s, t);
        CHECK_BYTES(t->bytes, d.tensors[i].bytes, t->n_bytes);
    }
    safetensors_close(s);
    for (int n = 0;; n++) { /* no memory at any step */
        mem_fault_arm((uint64_t)n);
        s = safetensors_open(d.path, &e);
        bool fired = mem_fault_fired();
        CHECK_TRUE(fired == (s == NULL));
        safetensors_close(s);
        CHECK_EQ(mem_n_live(), 0);
        if (!fired)
            break;
    }
    model_dir_free(&d);
}

static void expect_refused(const char *dir, const char *says)
{
    struct err e = {0};
    CHECK_TRUE(safetensors_open(dir, &e) == NULL);
    if (!strstr(e.msg, says))
        CHECK_STR(e.msg, says);
    CHECK_EQ(mem_n_live(), 0);
}

static void write_index(const struct model_dir *d, const char *text)
{
    model_dir_write_text(d->path, "model.safetensors.index.json", text, strlen(text));
}

TEST(safetensors_names_what_is_wrong_with_a_set_of_shards)
{
    struct model_dir d;
    char path[768];
    model_dir_dflash(&d, "m");
    expect_refused(d.path, "model.safetensors: No such file");
    expect_refused("/nowhere/at/all", "/nowhere/at/all");
    expect_refused("Makefile", "Makefile: not a directory");
    model_dir_write(&d, 2);
    snprintf(path, sizeof path, "%s/model-00002-of-00002.safetensors", d.path);
    unlink(path);
    expect_refused(d.path, "model-00002-of-00002.safetensors: No such file");
    model_dir_write_text(d.path, "model-00002-of-00002.safetensors", "", 0);
    expect_refused(d.path, "model-00002-of-00002.safetensors: the file is empty");
    model_dir_write(&d, 2);
    write_index(&d, "{\"weight_map\":{\"fc.weight\":\"model-00001-of-00002.safetensors\"}}");
    expect_refused(d.path, "is not in the index");
    write_index(&d, "{\"weight_map\":{\"fc.weight\":\"model-00002-of-00002.safetensors\"}}");
    expect_refused(d.path, "\"fc.weight\" is missing");
    write_index(&d, "{\"weight_map\":{\"fc.weight\":\"../m/model-00001-of-00002.safetensors\"}}");
    expect_refused(d.path, "not a file name");
    write_index(&d, "{\"weight_map\":{\"fc.weight\":7}}");
    expect_refused(d.path, "not a file name");
    write_index(&d, "{\"weight_map\":{}}");
    expect_refused(d.path, "weight_map is empty");
    write_index(&d, "{\"weight_map\":[]}");
    expect_refused(d.path, "weight_map is missing");
    write_index(&d, "{");
    expect_refused(d.path, "index.json: json");
    model_dir_write(&d, 1);
    expect_refused(d.path, "which one counts is not clear");
    model_dir_free(&d);
}
