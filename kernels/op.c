#include "kernels/op.h"
#include "kernels/op_part.h"

#include "kernels/cpu/body.h"
#include "kernels/matmul/matmul.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *chosen_isa = "portable"; /* written by op_init alone */

static const struct op_part parts[] = {
    {"matmul", matmul_isa_agrees, matmul_init},
    {"other ops", body_isa_agrees, body_init},
};

enum cpu_isa op_part_choose(const struct op_part *part, uint32_t isa_mask, char *report,
                            size_t n_report_bytes)
{
    for (;;) {
        enum cpu_isa best = part->init(isa_mask);
        if (best == CPU_ISA_PORTABLE || part->agrees(best))
            return best;
        isa_mask &= ~(1u << best);
        size_t n_used = strnlen(report, n_report_bytes);
        snprintf(report + n_used, n_report_bytes - n_used,
                 "%s%s: the %s variant disagrees with plain C and is switched off",
                 n_used ? "; " : "", part->name, cpu_isa_name(best));
    }
}

void op_init(char *report, size_t n_report_bytes)
{
    char nowhere[1];
    if (!report || n_report_bytes == 0) {
        report = nowhere;
        n_report_bytes = sizeof nowhere;
    }
    report[0] = 0;
    enum cpu_isa isa[2];
    for (uint32_t i = 0; i < sizeof parts / sizeof *parts; i++)
        isa[i] = op_part_choose(&parts[i], cpu_isa_mask(), report, n_report_bytes);
    chosen_isa = cpu_isa_name(isa[0]); /* matmul is where the time goes */
}

const char *op_isa(void)
{
    return chosen_isa;
}

static void run_share(void *arg, uint32_t tid, uint32_t n_tid)
{
    const struct op_call *call = *(const struct op_call *const *)arg;
    call->op->cpu(call->args, tid, n_tid);
}

static void run_one(enum op_backend backend, struct pool *pool, const struct op_call *call)
{
    switch (backend) {
    case OP_BACKEND_CPU:
        if (pool)
            pool_run(pool, run_share, &call);
        else
            run_share(&call, 0, 1);
        break;
    case OP_BACKEND_REF:
        call->op->ref(call->args);
        break;
    case OP_BACKEND_NULL:
        break;
    }
}

bool op_run(enum op_backend backend, struct pool *pool, const struct op_call *calls,
            uint32_t n_calls, struct err *e)
{
    for (uint32_t i = 0; i < n_calls; i++) {
        if (!calls[i].op->check(calls[i].args, e))
            return err_ctx(e, "op %" PRIu32 " of %" PRIu32, i, n_calls);
        run_one(backend, pool, &calls[i]);
    }
    return true;
}

bool op_run_watched(enum op_backend backend, struct pool *pool, const struct op_call *calls,
                    uint32_t n_calls, const struct op_watch *watch, struct err *e)
{
    for (uint32_t i = 0; i < n_calls; i++) {
        watch->before(watch->arg, &calls[i]);
        if (!op_run(backend, pool, &calls[i], 1, e))
            return err_ctx(e, "call %" PRIu32, i);
    }
    return true;
}
