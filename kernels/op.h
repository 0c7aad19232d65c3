/* op: one step of a model graph: a struct of arguments by value, a scalar reference that is the
 * truth, a SIMD body for the CPU, and (with the GPU backend) a kernel of the same name. A model is
 * a list of op calls on planned buffers; every backend runs the same list.
 *
 * Exactness (all ops): a row's result depends on that row's inputs alone, bit for bit: never on
 * n_rows, on the thread count, on the instruction set chosen at start or on neighbours. Reductions
 * run in an order fixed by the reduced index. Thread: engine, workers of the pool inside op->cpu.
 * Allocates: never. */
#ifndef KERNELS_OP_H
#define KERNELS_OP_H

#include "runtime/base/err.h"
#include "runtime/base/pool.h"

#include <stddef.h>
#include <stdint.h>

enum { OP_MAX_ARGS_BYTES = 160 };

struct op {
    const char *name;
    size_t args_bytes; /* sizeof of its args struct, <= OP_MAX_ARGS_BYTES */
    bool (*check)(const void *args, struct err *e); /* shapes, alignment, aliasing */
    void (*ref)(const void *args);                  /* slow scalar truth, f64 sums */
    void (*cpu)(const void *args, uint32_t tid,
                uint32_t n_tid); /* canonical order; same bits on every ISA */
};

/* One call in a graph. */
struct op_call {
    const struct op *op;
    _Alignas(16) unsigned char args[OP_MAX_ARGS_BYTES];
};

/* The ops, each defined in its family's folder (x.h holds struct x_args and the formula). */
#define OPS(X)  X(embed) X(rmsnorm) X(actq) X(matmul) X(qkv_store) X(attn) X(glu) X(softcap)
#define X(name) extern const struct op op_##name;
OPS(X)
#undef X

enum op_backend {
    OP_BACKEND_CPU,
    OP_BACKEND_REF,  /* every op by its reference, single thread */
    OP_BACKEND_NULL, /* checks arguments, computes nothing: scheduler tests */
};

/* Choose instruction-set variants once, before any op runs, and verify each against the portable
 * body on a probe; a variant that disagrees is switched off and named in *report (may be NULL;
 * n_report_bytes room). */
void op_init(char *report, size_t n_report_bytes);

/* Short name of the chosen variant set: "avx512vnni", "avx2", "neon-dotprod", "portable". */
const char *op_isa(void);

/* Run calls in order, the CPU backend on the pool (NULL: on this thread alone). On a failed check
 * nothing after it runs; *e names the op and its index. */
bool op_run(enum op_backend backend, struct pool *pool, const struct op_call *calls,
            uint32_t n_calls, struct err *e);

/* Someone who looks at each call, its inputs made and its outputs not yet. */
struct op_watch {
    void (*before)(void *arg, const struct op_call *call);
    void *arg;
};

/* op_run, telling watch of each call before it runs. */
bool op_run_watched(enum op_backend backend, struct pool *pool, const struct op_call *calls,
                    uint32_t n_calls, const struct op_watch *watch, struct err *e);

#endif
