/* Vectors: tests/vectors/gguf, byte files made by an independent writer; index.json says what a
 * reader must do with each. */
#include "models/gguf.h"

#include "runtime/base/mem.h"
#include "tests/t.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char vectors_dir[] = "tests/vectors/gguf";

/* ---- every file of the index ---- */

struct vector {
    char path[160];
    bool is_valid;
};

/* The index is our own JSON with one "file" and one "expect" per entry, in that order. */
static bool next_vector(const char **at, struct vector *out)
{
    char file[96], expect[16];
    const char *p = strstr(*at, "\"file\": \"");
    const char *q = p ? strstr(p, "\"expect\": \"") : NULL;
    if (!q || sscanf(p, "\"file\": \"%95[^\"]", file) != 1 ||
        sscanf(q, "\"expect\": \"%15[^\"]", expect) != 1)
        return false;
    snprintf(out->path, sizeof out->path, "%s/%s", vectors_dir, file);
    out->is_valid = strcmp(expect, "valid") == 0;
    *at = q + 1;
    return true;
}

static bool is_one_line(const char *msg)
{
    return msg[0] && !strchr(msg, '\n') && !strchr(msg, '\r');
}

TEST(gguf_opens_every_valid_vector_and_refuses_every_other)
{
    size_t n_bytes;
    char *index = t_read_file("tests/vectors/gguf/index.json", &n_bytes);
    const char *at = index;
    struct vector v;
    int n_valid = 0, n_invalid = 0;
    while (next_vector(&at, &v)) {
        struct err e = {0};
        struct gguf *g = gguf_open(v.path, &e);
        if (v.is_valid != (g != NULL))
            printf("%s: %s\n", v.path, g ? "opened" : e.msg);
        CHECK_EQ(g != NULL, v.is_valid);
        if (!g)
            CHECK_TRUE(is_one_line(e.msg) && strstr(e.msg, v.path) != NULL);
        gguf_close(g);
        n_valid += v.is_valid;
        n_invalid += !v.is_valid;
    }
    CHECK_EQ(n_valid, 19);
    CHECK_EQ(n_invalid, 49);
    CHECK_EQ(mem_n_live(), 0);
    free(index);
}

TEST(gguf_says_file_place_and_reason)
{
    static const struct {
        const char *file, *msg;
    } cases[] = {
        {"i_bad_magic", "byte 0: not a GGUF file: it does not begin with \"GGUF\""},
        {"i_big_endian", "byte 4: big-endian GGUF is not supported"},
        {"i_version1", "byte 4: GGUF version 1 is not supported, only 2 and 3"},
        {"i_align_48",
         "key \"general.alignment\": alignment 48 is not a power of two from 8 to 1048576"},
        {"i_align_wrong_type", "key \"general.alignment\": alignment has type u64, must be u32"},
        {"i_duplicate_key", "key appears twice"},
        {"i_bool_2", "bool is 2, neither 0 nor 1"},
        {"i_array_nesting_200", "arrays are nested deeper than 4"},
        {"i_duplicate_tensor", "tensor appears twice"},
        {"i_type_removed", "encoding id 4 is unknown or was removed from the format"},
        {"i_row_not_block_multiple",
         "row of 100 elements is not a whole number of Q4_K blocks of 256"},
        {"i_dims_product_overflow", "the product of the dimensions is 2^63 or more"},
        {"i_nbytes_overflow", "size of 2^63 bytes or more"},
        {"i_overlap", "overlaps tensor"},
        {"i_ndims_5", "5 dimensions, at most 4 are allowed"},
        {"i_split_no_out_of_range", "key \"split.no\": is not below split.count"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[160];
        struct err e = {0};
        snprintf(path, sizeof path, "%s/%s.gguf", vectors_dir, cases[i].file);
        CHECK_TRUE(gguf_open(path, &e) == NULL);
        CHECK_EQ(e.code, ERR_FORMAT);
        if (!CHECK_TRUE(strstr(e.msg, cases[i].msg) != NULL))
            printf("%s\n", e.msg);
    }
}

/* ---- values ---- */

static struct gguf *open_vector(const char *file)
{
    char path[160];
    struct err e = {0};
    snprintf(path, sizeof path, "%s/%s", vectors_dir, file);
    struct gguf *g = gguf_open(path, &e);
    MUST_TRUE(g != NULL, e.msg);
    return g;
}

TEST(gguf_reads_every_encoding_with_the_size_of_its_blocks)
{
    struct gguf *g = open_vector("v_every_tensor_type.gguf");
    bool is_seen[QTYPE_ID_END] = {false};
    uint64_t end_bytes = 0;
    for (uint64_t i = 0; i < gguf_n_tensors(g); i++) {
        const struct gguf_tensor *t = gguf_tensor_at(g, i);
        uint64_t n_rows = t->dims[1] * t->dims[2] * t->dims[3];
        is_seen[t->type] = true;
        CHECK_EQ(t->n_bytes, qtype_row_bytes(t->type, t->dims[0]) * n_rows);
        CHECK_TRUE(t->file_off_bytes >= end_bytes && t->file_off_bytes % gguf_alignment(g) == 0);
        end_bytes = t->file_off_bytes + t->n_bytes;
    }
    CHECK_TRUE(end_bytes <= gguf_mapped_bytes(g));
    for (uint32_t id = 0; id < QTYPE_ID_END; id++)
        CHECK_EQ(is_seen[id], qtype_info(id) && id != QTYPE_Q8_1 && id != QTYPE_Q8_K);
    gguf_close(g);
}

TEST(gguf_split_set_opens_whole_from_any_part)
{
    const char *const files[] = {"v_split-00001-of-00002.gguf", "v_split-00002-of-00002.gguf"};
    for (int i = 0; i < 2; i++) {
        struct gguf *g = open_vector(files[i]);
        CHECK_EQ(gguf_n_parts(g), 2);
        CHECK_EQ(gguf_mapped_bytes(g), 320 + 192);
        CHECK_TRUE(strstr(gguf_name(g), "00001-of-00002") != NULL);
        CHECK_TRUE(gguf_find(g, "general.architecture") != NULL);
        const struct gguf_tensor *last = gguf_tensor_at(g, gguf_n_tensors(g) - 1);
        CHECK_EQ(last->i_part, 1);
        CHECK_TRUE(last->file_off_bytes + last->n_bytes <= 192);
        CHECK_TRUE(strstr(gguf_part_name(g, last->i_part), "00002-of-00002") != NULL);
        gguf_close(g);
    }
}

/* A file in memory: head with the counts, then what the test puts there. */
struct bytes {
    _Alignas(8) unsigned char at[4096];
    size_t n;
};

static void put(struct bytes *b, const void *p, size_t n)
{
    MUST_TRUE(n <= sizeof b->at - b->n, "test buffer is too small");
    memcpy(b->at + b->n, p, n);
    b->n += n;
}

static void put_int(struct bytes *b, uint64_t v, size_t n)
{
    unsigned char le[8];
    for (size_t i = 0; i < 8; i++)
        le[i] = (unsigned char)(v >> 8 * i);
    put(b, le, n);
}

static void put_str(struct bytes *b, const char *s)
{
    put_int(b, strlen(s), 8);
    put(b, s, strlen(s));
}

static void put_head(struct bytes *b, uint64_t n_tensors, uint64_t n_kv)
{
    put(b, "GGUF", 4);
    put_int(b, 3, 4);
    put_int(b, n_tensors, 8);
    put_int(b, n_kv, 8);
}

static void put_kv(struct bytes *b, const char *key, enum gguf_type type, uint64_t v, size_t n)
{
    put_str(b, key);
    put_int(b, type, 4);
    put_int(b, v, n);
}

static struct gguf *open_bytes(const struct bytes *b)
{
    struct err e = {0};
    struct gguf *g = gguf_open_mem(b->at, b->n, "memory", &e);
    MUST_TRUE(g != NULL, e.msg);
    return g;
}

TEST(gguf_get_u32_takes_any_integer_that_fits_and_nothing_else)
{
    struct bytes b = {.n = 0};
    put_head(&b, 0, 7);
    put_kv(&b, "i8", GGUF_I8, 0x7f, 1);
    put_kv(&b, "i8.negative", GGUF_I8, 0x80, 1);
    put_kv(&b, "u64", GGUF_U64, UINT32_MAX, 8);
    put_kv(&b, "u64.large", GGUF_U64, UINT64_C(1) << 32, 8);
    put_kv(&b, "f32", GGUF_F32, 0x3f800000, 4);
    put_kv(&b, "bool", GGUF_BOOL, 1, 1);
    put_kv(&b, "i64.negative", GGUF_I64, UINT64_MAX, 8);
    struct gguf *g = open_bytes(&b);
    struct err e = {0};
    uint32_t v;
    CHECK_TRUE(gguf_get_u32(g, "i8", &v, &e) && v == 127);
    CHECK_TRUE(gguf_get_u32(g, "u64", &v, &e) && v == UINT32_MAX);
    CHECK_TRUE(!gguf_get_u32(g, "i8.negative", &v, &e));
    CHECK_STR(e.msg, "gguf: memory: key \"i8.negative\" is -128, must not be negative");
    CHECK_TRUE(!gguf_get_u32(g, "i64.negative", &v, &e));
    CHECK_TRUE(!gguf_get_u32(g, "u64.large", &v, &e));
    CHECK_STR(e.msg,
              "gguf: memory: key \"u64.large\" is 4294967296, at most 4294967295 is possible");
    CHECK_TRUE(!gguf_get_u32(g, "f32", &v, &e));
    CHECK_STR(e.msg, "gguf: memory: key \"f32\" has type f32, must be an integer");
    CHECK_TRUE(!gguf_get_u32(g, "bool", &v, &e));
    CHECK_TRUE(!gguf_get_u32(g, "absent", &v, &e));
    CHECK_STR(e.msg, "gguf: memory: key \"absent\" is missing");
    float f;
    CHECK_TRUE(gguf_get_f32(g, "f32", &f, &e));
    CHECK_NEAR(f, 1.0, 0);
    CHECK_TRUE(!gguf_get_f32(g, "u64", &f, &e));
    gguf_close(g);
}

TEST(gguf_get_f32_refuses_what_is_not_finite_as_f32)
{
    struct bytes b = {.n = 0};
    double large = 1e300, half = 0.5;
    uint64_t large_bits, half_bits;
    memcpy(&large_bits, &large, 8);
    memcpy(&half_bits, &half, 8);
    put_head(&b, 0, 3);
    put_kv(&b, "f32.nan", GGUF_F32, 0x7fc00000, 4);
    put_kv(&b, "f64.large", GGUF_F64, large_bits, 8);
    put_kv(&b, "f64.half", GGUF_F64, half_bits, 8);
    struct gguf *g = open_bytes(&b);
    float f;
    CHECK_TRUE(!gguf_get_f32(g, "f32.nan", &f, NULL));
    CHECK_TRUE(!gguf_get_f32(g, "f64.large", &f, NULL));
    CHECK_TRUE(gguf_get_f32(g, "f64.half", &f, NULL));
    CHECK_NEAR(f, 0.5, 0);
    gguf_close(g);
}

TEST(gguf_arr_readers_convert_only_what_fits)
{
    struct bytes b = {.n = 0};
    put_head(&b, 0, 3);
    put_kv(&b, "i32", GGUF_ARR, GGUF_I32, 4);
    put_int(&b, 2, 8);
    put_int(&b, 5, 4);
    put_int(&b, UINT32_MAX, 4); /* -1 */
    put_kv(&b, "u32", GGUF_ARR, GGUF_U32, 4);
    put_int(&b, 1, 8);
    put_int(&b, 0x80000000, 4);
    put_kv(&b, "str", GGUF_ARR, GGUF_STR, 4);
    put_int(&b, 2, 8);
    put_str(&b, "one");
    put_str(&b, "");
    struct gguf *g = open_bytes(&b);
    struct gguf_array a;
    uint32_t u;
    int32_t i;
    double f;
    bool flag;
    MUST_TRUE(gguf_get_arr(g, "i32", &a, NULL), NULL);
    CHECK_TRUE(gguf_arr_u32(&a, 0, &u) && u == 5);
    CHECK_TRUE(!gguf_arr_u32(&a, 1, &u));
    CHECK_TRUE(gguf_arr_i32(&a, 1, &i) && i == -1);
    CHECK_TRUE(!gguf_arr_i32(&a, 2, &i)); /* beyond the end */
    CHECK_TRUE(!gguf_arr_f64(&a, 0, &f));
    CHECK_TRUE(!gguf_arr_bool(&a, 0, &flag));
    MUST_TRUE(gguf_get_arr(g, "u32", &a, NULL), NULL);
    CHECK_TRUE(gguf_arr_u32(&a, 0, &u) && u == 0x80000000);
    CHECK_TRUE(!gguf_arr_i32(&a, 0, &i));
    MUST_TRUE(gguf_get_arr(g, "str", &a, NULL), NULL);
    uint64_t off_bytes = 0;
    struct str s;
    CHECK_TRUE(gguf_arr_str_next(&a, &off_bytes, &s) && str_is(s, "one"));
    CHECK_TRUE(gguf_arr_str_next(&a, &off_bytes, &s) && s.n_bytes == 0);
    CHECK_TRUE(!gguf_arr_str_next(&a, &off_bytes, &s));
    gguf_close(g);
}

TEST(gguf_arr_readers_keep_64_bits)
{
    struct bytes b = {.n = 0};
    double third = 1.0 / 3, got = 0;
    uint64_t third_bits, u = 0;
    int64_t i = 0;
    memcpy(&third_bits, &third, 8);
    put_head(&b, 0, 3);
    put_kv(&b, "u64", GGUF_ARR, GGUF_U64, 4);
    put_int(&b, 1, 8);
    put_int(&b, UINT64_MAX, 8);
    put_kv(&b, "i64", GGUF_ARR, GGUF_I64, 4);
    put_int(&b, 1, 8);
    put_int(&b, UINT64_C(1) << 63, 8);
    put_kv(&b, "f64", GGUF_ARR, GGUF_F64, 4);
    put_int(&b, 1, 8);
    put_int(&b, third_bits, 8);
    struct gguf *g = open_bytes(&b);
    CHECK_TRUE(gguf_arr_u64(&gguf_find(g, "u64")->value.arr, 0, &u) && u == UINT64_MAX);
    CHECK_TRUE(!gguf_arr_i64(&gguf_find(g, "u64")->value.arr, 0, &i));
    CHECK_TRUE(gguf_arr_i64(&gguf_find(g, "i64")->value.arr, 0, &i) && i == INT64_MIN);
    CHECK_TRUE(!gguf_arr_u64(&gguf_find(g, "i64")->value.arr, 0, &u));
    CHECK_TRUE(gguf_arr_f64(&gguf_find(g, "f64")->value.arr, 0, &got));
    CHECK_NEAR(got, third, 0);
    gguf_close(g);
}

TEST(gguf_token_texts_may_be_bytes_but_other_strings_must_be_utf8)
{
    const char *const keys[] = {"tokenizer.ggml.tokens", "tokenizer.ggml.merges",
                                "tokenizer.ggml.model"};
    for (int i = 0; i < 3; i++) {
        struct bytes b = {.n = 0};
        struct err e = {0};
        put_head(&b, 0, 1);
        put_kv(&b, keys[i], GGUF_ARR, GGUF_STR, 4);
        put_int(&b, 1, 8);
        put_str(&b, "\xc3\x28");
        struct gguf *g = gguf_open_mem(b.at, b.n, "memory", &e);
        CHECK_EQ(g != NULL, i < 2);
        gguf_close(g);
    }
}

TEST(gguf_activation_formats_are_refused_by_name)
{
    static const enum qtype types[] = {QTYPE_Q8_1, QTYPE_Q8_K};
    for (int i = 0; i < 2; i++) {
        struct bytes b = {.n = 0};
        struct err e = {0};
        put_head(&b, 1, 0);
        put_str(&b, "w");
        put_int(&b, 1, 4);
        put_int(&b, 256, 8);
        put_int(&b, types[i], 4);
        put_int(&b, 0, 8);
        b.n = sizeof b.at;
        CHECK_TRUE(gguf_open_mem(b.at, b.n, "memory", &e) == NULL);
        CHECK_TRUE(strstr(e.msg, qtype_info(types[i])->name) != NULL);
    }
}

TEST(gguf_control_characters_of_a_file_never_reach_a_message)
{
    struct bytes b = {.n = 0};
    struct err e = {0};
    put_head(&b, 0, 1);
    put_kv(&b, "a\n\x1b[2J\xc2\x9b\xe2\x82\xac", GGUF_BOOL, 9, 1);
    CHECK_TRUE(gguf_open_mem(b.at, b.n, "memory", &e) == NULL);
    CHECK_STR(e.msg,
              "gguf: memory: byte 47, key \"a??[2J?\xe2\x82\xac\": bool is 9, neither 0 nor 1");
}

TEST(gguf_quote_shortens_between_characters)
{
    char out[12];
    CHECK_STR(gguf_quote(STR("short"), out, sizeof out), "short");
    CHECK_STR(gguf_quote(STR("exactly 11b"), out, sizeof out), "exactly 11b");
    CHECK_STR(gguf_quote(STR("longer than that"), out, sizeof out), "longer t...");
    CHECK_STR(gguf_quote(STR("1234567\xe2\x82\xac\xe2\x82\xac"), out, sizeof out), "1234567...");
    CHECK_STR(gguf_quote(STR(""), out, sizeof out), "");
}

/* ---- hostile bytes ---- */

/* Opens a copy of exactly n bytes on the heap, so that the address sanitizer sees any read past its
 * end. */
static bool opens(const unsigned char *bytes, size_t n_bytes, struct err *e)
{
    unsigned char *copy = malloc(n_bytes ? n_bytes : 1);
    MUST_TRUE(copy != NULL, "no memory");
    memcpy(copy, bytes, n_bytes);
    uint64_t taken_bytes = mem_taken_bytes();
    struct gguf *g = gguf_open_mem(copy, n_bytes, "memory", e);
    if (mem_taken_bytes() - taken_bytes > 16 * n_bytes + 4096)
        CHECK_EQ(mem_taken_bytes() - taken_bytes, 0); /* proportional to the metadata */
    gguf_close(g);
    free(copy);
    return g != NULL;
}

TEST(gguf_prefix_of_a_valid_file_is_refused_until_its_last_tensor_byte)
{
    size_t n_index;
    char *index = t_read_file("tests/vectors/gguf/index.json", &n_index);
    const char *at = index;
    struct vector v;
    while (next_vector(&at, &v)) {
        if (!v.is_valid || strstr(v.path, "-of-"))
            continue;
        size_t n_bytes;
        unsigned char *bytes = t_read_file(v.path, &n_bytes);
        struct err e;
        bool was_open = false;
        for (size_t n = 0; n <= n_bytes; n++) {
            bool is_open = opens(bytes, n, &e);
            if (was_open && !is_open) /* once enough is there, more bytes change nothing */
                CHECK_TRUE(is_open);
            if (!is_open && !is_one_line(e.msg))
                CHECK_TRUE(is_one_line(e.msg));
            was_open = is_open;
        }
        CHECK_TRUE(was_open);
        free(bytes);
    }
    free(index);
    CHECK_EQ(mem_n_live(), 0);
}

TEST(gguf_any_flipped_byte_is_read_or_refused)
{
    size_t n_index;
    char *index = t_read_file("tests/vectors/gguf/index.json", &n_index);
    const char *at = index;
    struct vector v;
    size_t n_open = 0, n_refused = 0;
    while (next_vector(&at, &v)) {
        size_t n_bytes;
        unsigned char *bytes = t_read_file(v.path, &n_bytes);
        static const unsigned char flips[] = {0x01, 0x80, 0xff};
        for (size_t i = 0; i < n_bytes; i++)
            for (size_t k = 0; k < sizeof flips; k++) {
                struct err e = {0};
                bytes[i] ^= flips[k];
                bool is_open = opens(bytes, n_bytes, &e);
                n_open += is_open;
                n_refused += !is_open && is_one_line(e.msg);
                bytes[i] ^= flips[k];
            }
        free(bytes);
    }
    CHECK_TRUE(n_open > 1000);
    CHECK_TRUE(n_refused > 1000);
    free(index);
    CHECK_EQ(mem_n_live(), 0);
}

/* ---- failing steps ---- */

TEST(gguf_open_releases_everything_whichever_allocation_fails)
{
    uint64_t n_steps = 0;
    for (;; n_steps++) {
        struct err e = {0};
        mem_fault_arm(n_steps);
        struct gguf *g = gguf_open("tests/vectors/gguf/v_split-00002-of-00002.gguf", &e);
        bool has_fired = mem_fault_fired();
        gguf_close(g);
        CHECK_EQ(mem_n_live(), 0);
        if (!has_fired) {
            CHECK_TRUE(g != NULL);
            break;
        }
        CHECK_TRUE(g == NULL);
        CHECK_EQ(e.code, ERR_NOMEM);
    }
    CHECK_TRUE(n_steps > 10);
}

TEST(gguf_open_refuses_what_is_not_a_regular_file)
{
    struct err e = {0};
    CHECK_TRUE(gguf_open("tests", &e) == NULL);
    CHECK_STR(e.msg, "gguf: tests: not a regular file");
    CHECK_TRUE(gguf_open("tests/absent.gguf", &e) == NULL);
    CHECK_EQ(e.code, ERR_IO);
    CHECK_STR(e.msg, "gguf: cannot open tests/absent.gguf: No such file or directory");
}

static void write_file(const char *dir, const char *file, const void *bytes, size_t n_bytes)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", dir, file);
    FILE *f = fopen(path, "wb");
    MUST_TRUE(f != NULL, path);
    MUST_TRUE(fwrite(bytes, 1, n_bytes, f) == n_bytes, path);
    fclose(f);
}

TEST(gguf_split_set_with_a_wrong_part_is_refused)
{
    const char *dir = t_scratch_dir();
    char path[512];
    size_t n_first, n_second;
    unsigned char *first = t_read_file("tests/vectors/gguf/v_split-00001-of-00002.gguf", &n_first);
    unsigned char *second =
        t_read_file("tests/vectors/gguf/v_split-00002-of-00002.gguf", &n_second);
    struct err e = {0};
    snprintf(path, sizeof path, "%s/m-00001-of-00002.gguf", dir);

    write_file(dir, "m-00001-of-00002.gguf", first, n_first);
    CHECK_TRUE(gguf_open(path, &e) == NULL); /* part 2 is missing */
    CHECK_TRUE(strstr(e.msg, "cannot open") && strstr(e.msg, "m-00002-of-00002.gguf"));

    write_file(dir, "m-00002-of-00002.gguf", first, n_first);
    CHECK_TRUE(gguf_open(path, &e) == NULL); /* part 1 twice: its tensors or its number */
    CHECK_EQ(e.code, ERR_FORMAT);

    write_file(dir, "m-00002-of-00002.gguf", second, n_second);
    struct gguf *g = gguf_open(path, &e);
    CHECK_TRUE(g != NULL);
    gguf_close(g);

    write_file(dir, "other.gguf", first, n_first);
    snprintf(path, sizeof path, "%s/other.gguf", dir);
    CHECK_TRUE(gguf_open(path, &e) == NULL); /* the name does not say which part */
    CHECK_TRUE(strstr(e.msg, "must be named ...-00001-of-00002.gguf") != NULL);
    free(first);
    free(second);
}
