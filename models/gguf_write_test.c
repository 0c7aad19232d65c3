#include "models/gguf_write.h"

#include "runtime/base/mem.h"
#include "tests/t.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* Declares all that g holds and streams it in pieces of at most piece_bytes. */
static bool copy_to(const struct gguf *g, const char *path, uint64_t piece_bytes, struct err *e)
{
    struct gguf_writer *w = gguf_write_new(e);
    bool ok = w != NULL;
    for (uint64_t i = 0; i < gguf_n_kv(g) && ok; i++)
        if (gguf_write_may_copy(gguf_kv_at(g, i)->key))
            ok = gguf_write_kv(w, gguf_kv_at(g, i), e);
    for (uint64_t i = 0; i < gguf_n_tensors(g) && ok; i++) {
        const struct gguf_tensor *t = gguf_tensor_at(g, i);
        ok = gguf_write_tensor(w, t->name, t->type, t->n_dims, t->dims, e);
    }
    ok = ok && gguf_write_seal(w, e) && gguf_write_open(w, path, e);
    for (uint64_t i = 0; i < gguf_n_tensors(g) && ok; i++) {
        const struct gguf_tensor *t = gguf_tensor_at(g, i);
        for (uint64_t done = 0, n; done < t->n_bytes && ok; done += n) {
            n = t->n_bytes - done < piece_bytes ? t->n_bytes - done : piece_bytes;
            ok = gguf_write_bytes(w, t->bytes + done, n, e);
        }
    }
    ok = ok && gguf_write_commit(w, e);
    gguf_write_free(w);
    return ok;
}

TEST(gguf_write_gives_the_bytes_of_the_independent_writer)
{
    static const char *const files[] = {
        "v_minimal",     "v_all_scalar_types",  "v_all_array_types",
        "v_empty_array", "v_nested_arrays",     "v_dims",
        "v_utf8",        "v_every_tensor_type", "v_nvfp4_with_scales"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char source[128];
        struct err e = {0};
        size_t n_got, n_want;
        snprintf(source, sizeof source, "tests/vectors/gguf/%s.gguf", files[i]);
        struct gguf *g = gguf_open(source, &e);
        MUST_TRUE(g != NULL, e.msg);
        struct t_path path = t_scratch_path("copy.gguf");
        MUST_TRUE(copy_to(g, path.at, 7, &e), e.msg);
        gguf_close(g);
        void *got = t_read_file(path.at, &n_got), *want = t_read_file(source, &n_want);
        if (CHECK_EQ(n_got, n_want))
            CHECK_BYTES(got, want, n_want);
        free(got);
        free(want);
    }
    CHECK_EQ(mem_n_live(), 0);
}

TEST(gguf_write_helpers_read_back_as_written)
{
    struct err e = {0};
    struct gguf_writer *w = gguf_write_new(&e);
    MUST_TRUE(w != NULL, e.msg);
    const struct str texts[] = {STR("a"), STR(""), STR("\xc3\xa4")};
    const bool bools[] = {true, false};
    const int32_t i32s[] = {-1, INT32_MAX};
    const float f32s[] = {-1000.0f, 0.0f};
    MUST_TRUE(
        gguf_write_u32(w, "u32", 7, &e) && gguf_write_i32(w, "i32", -7, &e) &&
            gguf_write_f32(w, "f32", 0.5f, &e) && gguf_write_bool(w, "bool", true, &e) &&
            gguf_write_str(w, "str", "text", &e) && gguf_write_strs(w, "strs", texts, 3, &e) &&
            gguf_write_bools(w, "bools", bools, 2, &e) && gguf_write_i32s(w, "i32s", i32s, 2, &e) &&
            gguf_write_f32s(w, "f32s", f32s, 2, &e) && gguf_write_seal(w, &e),
        e.msg);
    struct str head = gguf_write_head(w);
    CHECK_EQ(head.n_bytes, gguf_write_file_bytes(w));
    struct gguf *g = gguf_open_mem(head.p, head.n_bytes, "written", &e);
    MUST_TRUE(g != NULL, e.msg);
    const struct gguf_kv *kv = gguf_find(g, "i32");
    CHECK_TRUE(kv && kv->type == GGUF_I32 && kv->value.i64 == -7);
    struct gguf_array a;
    int32_t i;
    double f = 0;
    bool b;
    CHECK_TRUE(gguf_get_arr(g, "i32s", &a, &e) && gguf_arr_i32(&a, 1, &i) && i == INT32_MAX);
    CHECK_TRUE(gguf_get_arr(g, "bools", &a, &e) && gguf_arr_bool(&a, 1, &b) && !b);
    MUST_TRUE(gguf_get_arr(g, "f32s", &a, &e) && gguf_arr_f64(&a, 0, &f), e.msg);
    CHECK_NEAR(f, -1000.0, 0);
    uint64_t off_bytes = 0;
    struct str s;
    MUST_TRUE(gguf_get_arr(g, "strs", &a, &e), e.msg);
    for (int k = 0; k < 3; k++)
        CHECK_TRUE(gguf_arr_str_next(&a, &off_bytes, &s) && str_eq(s, texts[k]));
    gguf_close(g);
    gguf_write_free(w);
}

TEST(gguf_write_refuses_what_no_reader_would_take)
{
    struct err e = {0};
    const uint64_t ragged[] = {100}, zero[] = {256, 0},
                   large[] = {UINT64_C(1) << 40, UINT64_C(1) << 40}, good[] = {256};
    const char long_name[] = "a.name.of.sixty.four.bytes.which.is.one.more.than.fits.the.field";
    static const char *const keys[] = {"general.alignment", "split.no", "split.count",
                                       "split.tensors.count", ""};
    struct gguf_writer *w = gguf_write_new(&e);
    MUST_TRUE(w != NULL, e.msg);
    CHECK_EQ(strlen(long_name), 64);
    CHECK_TRUE(!gguf_write_tensor(w, STR("t"), QTYPE_Q4_K, 1, ragged, &e));
    CHECK_TRUE(!gguf_write_tensor(w, STR("t"), QTYPE_F32, 2, zero, &e));
    CHECK_TRUE(!gguf_write_tensor(w, STR("t"), QTYPE_F32, 2, large, &e));
    CHECK_TRUE(!gguf_write_tensor(w, STR(""), QTYPE_F32, 1, good, &e));
    CHECK_TRUE(!gguf_write_tensor(w, str_of(long_name), QTYPE_F32, 1, good, &e));
    CHECK_TRUE(gguf_write_tensor(w, STR("t"), QTYPE_F32, 1, good, &e));
    CHECK_TRUE(!gguf_write_tensor(w, STR("t"), QTYPE_F32, 1, good, &e));
    CHECK_STR(e.msg, "gguf: tensor \"t\" is written twice");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        CHECK_TRUE(!gguf_write_u32(w, keys[i], 1, &e));
    CHECK_TRUE(gguf_write_u32(w, "k", 1, &e));
    CHECK_TRUE(!gguf_write_u32(w, "k", 2, &e));
    gguf_write_free(w);
}

/* A sealed writer of one F32 tensor of 8 elements. */
static struct gguf_writer *one_tensor(struct err *e)
{
    const uint64_t dims[] = {8};
    struct gguf_writer *w = gguf_write_new(e);
    MUST_TRUE(w && gguf_write_tensor(w, STR("t"), QTYPE_F32, 1, dims, e) && gguf_write_seal(w, e),
              e->msg);
    return w;
}

TEST(gguf_write_leaves_nothing_behind_unless_committed)
{
    struct err e = {0};
    const float t[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    struct t_path path = t_scratch_path("out.gguf");
    struct gguf_writer *w = one_tensor(&e);
    MUST_TRUE(gguf_write_open(w, path.at, &e), e.msg);
    CHECK_EQ(t_scratch_n_entries(), 1); /* the partial one */
    CHECK_TRUE(gguf_write_bytes(w, t, 16, &e));
    CHECK_TRUE(!gguf_write_bytes(w, t, 17, &e)); /* more than the tensor has left */
    CHECK_TRUE(!gguf_write_commit(w, &e));
    CHECK_TRUE(strstr(e.msg, "0 of 1 tensors were written") != NULL);
    gguf_write_free(w);
    CHECK_EQ(t_scratch_n_entries(), 0);

    w = one_tensor(&e);
    MUST_TRUE(gguf_write_open(w, path.at, &e) && gguf_write_bytes(w, t, sizeof t, &e) &&
                  gguf_write_commit(w, &e),
              e.msg);
    uint64_t n_bytes = gguf_write_file_bytes(w), off_bytes = gguf_write_tensor_off_bytes(w, 0);
    gguf_write_free(w);
    CHECK_EQ(t_scratch_n_entries(), 1);
    struct gguf *g = gguf_open(path.at, &e);
    MUST_TRUE(g != NULL, e.msg);
    CHECK_EQ(gguf_mapped_bytes(g), n_bytes);
    CHECK_EQ(gguf_tensor(g, "t")->file_off_bytes, off_bytes);
    CHECK_BYTES(gguf_tensor(g, "t")->bytes, t, sizeof t);
    gguf_close(g);
}

TEST(gguf_write_never_replaces_what_is_not_a_file)
{
    struct err e = {0};
    struct gguf_writer *w = one_tensor(&e);
    CHECK_TRUE(!gguf_write_open(w, t_scratch_dir(), &e));
    CHECK_TRUE(strstr(e.msg, "is not a regular file") != NULL);
    gguf_write_free(w);
    w = one_tensor(&e);
    CHECK_TRUE(!gguf_write_open(w, t_scratch_path("absent/out.gguf").at, &e));
    CHECK_EQ(e.code, ERR_IO);
    gguf_write_free(w);
}

TEST(gguf_write_releases_everything_whichever_allocation_fails)
{
    struct err e = {0};
    struct t_path path = t_scratch_path("copy.gguf");
    uint64_t n_steps = 0;
    for (;; n_steps++) {
        struct gguf *g = gguf_open("tests/vectors/gguf/v_every_tensor_type.gguf", &e);
        MUST_TRUE(g != NULL, e.msg);
        e = (struct err){0};
        mem_fault_arm(n_steps);
        bool ok = copy_to(g, path.at, 1 << 20, &e);
        bool has_fired = mem_fault_fired();
        gguf_close(g);
        CHECK_EQ(mem_n_live(), 0);
        CHECK_EQ(ok, !has_fired);
        if (!has_fired)
            break;
        CHECK_EQ(e.code, ERR_NOMEM);
    }
    CHECK_TRUE(n_steps > 30);
    CHECK_EQ(t_scratch_n_entries(), 1);
}
