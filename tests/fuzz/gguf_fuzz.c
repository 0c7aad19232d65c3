/* gguf: any bytes are parsed or refused; what parses is written, parsed again and must hold the
 * same keys and tensors. Opening may take at most 16 x the input + 1 MiB of memory (gguf.md 11). */
#include "models/gguf_write.h"

#include "runtime/base/mem.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

static void must(bool held)
{
    if (!held)
        abort();
}

static void compare_kv(const struct gguf_kv *a, const struct gguf_kv *b)
{
    must(str_eq(a->key, b->key) && a->type == b->type);
    if (a->type == GGUF_STR)
        must(str_eq(a->value.str, b->value.str));
    else if (a->type == GGUF_ARR)
        must(a->value.arr.elem_type == b->value.arr.elem_type &&
             a->value.arr.n_elems == b->value.arr.n_elems &&
             a->value.arr.n_bytes == b->value.arr.n_bytes &&
             (a->value.arr.n_bytes == 0 ||
              memcmp(a->value.arr.bytes, b->value.arr.bytes, a->value.arr.n_bytes) == 0));
    else
        must(a->value.u64 == b->value.u64); /* floats by their bits: NaN equals itself */
}

static void compare(const struct gguf *a, const struct gguf *b)
{
    uint64_t n_kv = 0;
    for (uint64_t i = 0; i < gguf_n_kv(a); i++)
        if (gguf_write_may_copy(gguf_kv_at(a, i)->key))
            compare_kv(gguf_kv_at(a, i), gguf_kv_at(b, n_kv++));
    must(n_kv == gguf_n_kv(b) && gguf_n_tensors(a) == gguf_n_tensors(b));
    for (uint64_t i = 0; i < gguf_n_tensors(a); i++) {
        const struct gguf_tensor *x = gguf_tensor_at(a, i), *y = gguf_tensor_at(b, i);
        must(str_eq(x->name, y->name) && x->type == y->type && x->n_dims == y->n_dims &&
             x->n_bytes == y->n_bytes);
        must(memcmp(x->dims, y->dims, sizeof x->dims) == 0 &&
             memcmp(x->bytes, y->bytes, x->n_bytes) == 0);
        must(gguf_find(b, "no such key") == NULL && gguf_tensor(b, "no such tensor") == NULL);
    }
}

/* Every element through every reader: none may read outside the array. */
static void walk(const struct gguf_array *a, int depth)
{
    struct gguf_array inner;
    struct str s;
    uint32_t u;
    int32_t n;
    double f;
    bool b;
    volatile unsigned char last = 0;
    for (uint64_t off_bytes = 0; gguf_arr_str_next(a, &off_bytes, &s);)
        last = s.n_bytes ? (unsigned char)s.p[s.n_bytes - 1] : last;
    for (uint64_t off_bytes = 0; gguf_arr_arr_next(a, &off_bytes, &inner);)
        walk(&inner, depth + 1);
    for (uint64_t i = 0; i <= a->n_elems && i < 64; i++)
        (void)(gguf_arr_u32(a, i, &u) + gguf_arr_i32(a, i, &n) + gguf_arr_f64(a, i, &f) +
               gguf_arr_bool(a, i, &b));
}

static struct gguf_writer *declare(const struct gguf *g)
{
    struct gguf_writer *w = gguf_write_new(NULL);
    must(w != NULL);
    for (uint64_t i = 0; i < gguf_n_kv(g); i++)
        if (gguf_write_may_copy(gguf_kv_at(g, i)->key))
            must(gguf_write_kv(w, gguf_kv_at(g, i), NULL));
    for (uint64_t i = 0; i < gguf_n_tensors(g); i++) {
        const struct gguf_tensor *t = gguf_tensor_at(g, i);
        must(gguf_write_tensor(w, t->name, t->type, t->n_dims, t->dims, NULL));
    }
    must(gguf_write_seal(w, NULL));
    return w;
}

static void round_trip(const struct gguf *g)
{
    struct gguf_writer *w = declare(g);
    struct str head = gguf_write_head(w);
    unsigned char *file = calloc(1, (size_t)gguf_write_file_bytes(w));
    must(file != NULL);
    memcpy(file, head.p, head.n_bytes);
    for (uint64_t i = 0; i < gguf_n_tensors(g); i++)
        memcpy(file + gguf_write_tensor_off_bytes(w, i), gguf_tensor_at(g, i)->bytes,
               (size_t)gguf_tensor_at(g, i)->n_bytes);
    struct gguf *again = gguf_open_mem(file, (size_t)gguf_write_file_bytes(w), "written", NULL);
    must(again != NULL);
    compare(g, again);
    gguf_close(again);
    free(file);
    gguf_write_free(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    struct err e = {0};
    unsigned char *copy = malloc(n_bytes ? n_bytes : 1); /* aligned, and watched at its end */
    must(copy != NULL);
    if (n_bytes)
        memcpy(copy, bytes, n_bytes);
    uint64_t taken_bytes = mem_taken_bytes();
    struct gguf *g = gguf_open_mem(copy, n_bytes, "fuzz", &e);
    must(mem_taken_bytes() - taken_bytes <= 16 * (uint64_t)n_bytes + (1 << 20));
    must(g || (e.code != ERR_NONE && e.msg[0] && !strchr(e.msg, '\n')));
    if (g) {
        for (uint64_t i = 0; i < gguf_n_kv(g); i++)
            if (gguf_kv_at(g, i)->type == GGUF_ARR)
                walk(&gguf_kv_at(g, i)->value.arr, 1);
        round_trip(g);
    }
    gguf_close(g);
    free(copy);
    return 0;
}
