/* api: any body is either a chat request within its documented ranges or refused with a code and a
 * message; nothing of it stays in the JSON heap. */
#include "net/chat_request.h"
#include "net/json_memory.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

static void must(bool held)
{
    if (!held)
        abort();
}

static void check_ranges(const struct chat_request *r)
{
    const struct gen_params *g = &r->gen;
    must(g->temperature >= 0 && g->temperature <= 2 && g->top_p > 0 && g->top_p <= 1 &&
         g->min_p >= 0 && g->min_p <= 1);
    must(g->top_k >= 0 && g->n_logprobs >= -1 && g->n_logprobs <= ENGINE_MAX_TOP_LOGPROBS &&
         g->max_tokens >= 1);
    must(r->n_stops <= STOP_MATCH_MAX_STRINGS && json_array_size(r->messages) >= 1);
    for (uint32_t i = 0; i < r->n_stops; i++)
        must(r->stops[i].n_bytes >= 1 && r->stops[i].n_bytes <= STOP_MATCH_MAX_BYTES);
    for (const char *c = r->ignored; *c; c++) /* goes into a header */
        must(*c > ' ' && *c < 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    static _Alignas(64) char memory[8 << 20];
    static struct heap heap;
    static const struct edge_config cfg = {.default_max_tokens = 1024};
    static const struct engine_info info = {
        .model_id = "m", .n_ctx = 4096, .default_temperature = 1, .default_top_p = 1};
    struct chat_request r;
    struct api_error e = {0};
    if (!heap.base) {
        heap_init(&heap, memory, sizeof memory);
        json_memory_use(&heap, 1);
    }
    size_t before_bytes = heap.used_bytes;
    if (chat_request_parse(&r, (struct str){(const char *)bytes, n_bytes}, &info, &cfg, &e)) {
        check_ranges(&r);
        chat_request_deinit(&r);
    } else {
        must(e.code < API_N_CODES && e.message[0] && api_error_status(&e) < 500);
    }
    must(heap.used_bytes == before_bytes);
    return 0;
}
