#include "kernels/cpu/body.h"
#include "kernels/op.h"

static bool softcap_check(const void *args, struct err *e)
{
    const struct softcap_args *a = args;
    if (!a->x)
        return err_set(e, ERR_STATE, "softcap: x is missing");
    if (!(a->cap > 0))
        return err_set(e, ERR_FORMAT, "softcap: cap %g is not above 0", (double)a->cap);
    return true;
}

static void softcap_cpu(const void *args, uint32_t tid, uint32_t n_tid)
{
    body_chosen()->softcap(args, tid, n_tid);
}

const struct op op_softcap = {
    .name = "softcap",
    .args_bytes = sizeof(struct softcap_args),
    .check = softcap_check,
    .ref = softcap_ref,
    .cpu = softcap_cpu,
};
