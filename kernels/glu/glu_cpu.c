#include "kernels/cpu/body.h"
#include "kernels/op.h"

static bool glu_check(const void *args, struct err *e)
{
    const struct glu_args *a = args;
    if (!a->gate || !a->up || !a->y)
        return err_set(e, ERR_STATE, "glu: gate, up or y is missing");
    return true;
}

static void glu_cpu(const void *args, uint32_t tid, uint32_t n_tid)
{
    body_chosen()->glu(args, tid, n_tid);
}

const struct op op_glu = {
    .name = "glu",
    .args_bytes = sizeof(struct glu_args),
    .check = glu_check,
    .ref = glu_ref,
    .cpu = glu_cpu,
};
