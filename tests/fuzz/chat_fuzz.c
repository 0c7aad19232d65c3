/* chat: any JSON is rendered or refused with a message; what is rendered is valid UTF-8 in
 * alternating segments that cover it. The first byte holds the flags, the rest is a request as
 * `hearth render` reads it. */
#include "models/gemma4_chat.h"
#include "models/json_text.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

enum { ROOM_BYTES = 1 << 20, MAX_SEGS = 1 << 14, MAX_INPUT_BYTES = 1 << 14 };

static void must(bool held)
{
    if (!held)
        abort();
}

static void check_out(const struct gemma4_chat_out *out)
{
    size_t at = 0;
    must(out->n_bytes <= out->room_bytes && out->n_segs <= out->max_segs);
    must(str_is_utf8((struct str){out->text, out->n_bytes}));
    for (size_t i = 0; i < out->n_segs; i++) {
        must(out->segs[i].text.p == out->text + at && out->segs[i].text.n_bytes > 0);
        must(i == 0 || out->segs[i].is_trusted != out->segs[i - 1].is_trusted);
        at += out->segs[i].text.n_bytes;
    }
    must(at == out->n_bytes);
    must(out->n_bytes >= 5 && memcmp(out->text, "<bos>", 5) == 0);
}

static void try_request(uint8_t flags, json_t *request, struct gemma4_chat_out *out)
{
    struct err e = {0};
    struct gemma4_chat_request rq = {.messages = json_object_get(request, "messages"),
                                     .tools = json_object_get(request, "tools"),
                                     .template_rev = flags & 1 ? 1 : 2,
                                     .has_empty_thought = flags & 2,
                                     .enable_thinking = flags & 4,
                                     .add_generation_prompt = flags & 8,
                                     .preserve_thinking = flags & 16};
    if (flags & 32)
        out->room_bytes = flags;
    bool ok = gemma4_chat_render(&rq, out, &e);
    must(ok || e.msg[0]);
    if (ok)
        check_out(out);
    json_t *messages = json_object_get(request, "messages");
    if (!json_is_array(messages) || !gemma4_chat_prepare(messages, &e))
        return;
    if (gemma4_chat_prompt(&rq, flags & 64 ? GEMMA4_CHAT_CONTINUE : GEMMA4_CHAT_ANSWER, out, &e))
        check_out(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    struct err e = {0};
    if (n_bytes < 1 || n_bytes > MAX_INPUT_BYTES)
        return 0;
    json_t *request = json_text_parse((struct str){(const char *)bytes + 1, n_bytes - 1}, &e);
    if (!request) {
        must(e.msg[0] && !strchr(e.msg, '\n'));
        return 0;
    }
    struct gemma4_chat_out out = {.text = malloc(ROOM_BYTES),
                                  .room_bytes = ROOM_BYTES,
                                  .segs = malloc(MAX_SEGS * sizeof *out.segs),
                                  .max_segs = MAX_SEGS};
    must(out.text && out.segs);
    try_request(bytes[0], request, &out);
    free(out.text);
    free(out.segs);
    json_decref(request);
    return 0;
}
