#include "kernels/cpu/body.h"
#include "kernels/op.h"

static bool rmsnorm_check(const void *args, struct err *e)
{
    const struct rmsnorm_args *a = args;
    if (!a->x || !a->y)
        return err_set(e, ERR_STATE, "rmsnorm: x or y is missing");
    if (a->d_model == 0)
        return err_set(e, ERR_STATE, "rmsnorm: rows have no elements");
    if (!(a->eps >= 0))
        return err_set(e, ERR_FORMAT, "rmsnorm: eps %g is not a number >= 0", (double)a->eps);
    return true;
}

static void rmsnorm_cpu(const void *args, uint32_t tid, uint32_t n_tid)
{
    body_chosen()->rmsnorm(args, tid, n_tid);
}

const struct op op_rmsnorm = {
    .name = "rmsnorm",
    .args_bytes = sizeof(struct rmsnorm_args),
    .check = rmsnorm_check,
    .ref = rmsnorm_ref,
    .cpu = rmsnorm_cpu,
};
