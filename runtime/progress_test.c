#include "runtime/progress.h"

#include "tests/t.h"

static const char *text_of(struct progress p, int64_t elapsed_ms, char *out)
{
    progress_text(&p, elapsed_ms, out, 128);
    return out;
}

TEST(progress_text_gives_share_rate_and_time_left)
{
    char out[128];
    struct progress p = {
        .what = "quantize", .unit = PROGRESS_BYTES, .n_total = 4 << 20, .n_done = 1 << 20};
    CHECK_STR(text_of(p, 1000, out), "quantize  25 %  1.0 MiB  1.0 MiB/s  0:03 left");
    p.n_total = UINT64_C(7400) << 20;
    CHECK_STR(text_of(p, 1000, out), "quantize   0 %  1.0 MiB  1.0 MiB/s  2 h 03 min left");
}

TEST(progress_text_makes_no_promise_it_cannot_know)
{
    char out[128];
    CHECK_STR(text_of((struct progress){.what = "score", .unit = PROGRESS_TOKENS, .n_done = 7},
                      2000, out),
              "score  7.0 tokens  3.5 tokens/s");
    CHECK_STR(
        text_of((struct progress){.what = "score", .unit = PROGRESS_STEPS, .n_total = 5}, 0, out),
        "score   0 %  0.0 steps  0.0 steps/s  ");
}

TEST(progress_add_never_passes_the_total)
{
    struct progress p;
    progress_begin(&p, "work", PROGRESS_STEPS, 3);
    p.is_terminal = false; /* whatever runs this test */
    progress_add(&p, 2);
    CHECK_EQ(p.n_done, 2);
    progress_add(&p, 2);
    CHECK_EQ(p.n_done, 3);
    progress_end(&p);
    CHECK_TRUE(!p.is_shown);
}
