#include "net/prompt.h"

#include "models/gemma4_chat.h"

static bool render(struct api *a, const struct chat_request *rq, struct gemma4_chat_out *out,
                   struct api_error *e)
{
    struct err why = {0};
    const struct gemma4_chat_request cr = {
        .messages = rq->messages,
        .template_rev = a->tok.template_rev,
        .has_empty_thought = a->tok.has_empty_thought,
        .enable_thinking = rq->enable_thinking,
        .preserve_thinking = rq->preserve_thinking,
        .add_generation_prompt = true,
    };
    *out = (struct gemma4_chat_out){.text = a->prompt_text,
                                    .room_bytes = a->prompt_text_bytes,
                                    .segs = a->prompt_segs,
                                    .max_segs = a->max_prompt_segs};
    if (gemma4_chat_prepare(rq->messages, &why) &&
        gemma4_chat_prompt(&cr, rq->continues ? GEMMA4_CHAT_CONTINUE : GEMMA4_CHAT_ANSWER, out,
                           &why))
        return true;
    if (why.code == ERR_LIMIT)
        return api_fail(e, API_TOO_LARGE, "messages",
                        "The messages are larger than this server can render.");
    return api_fail(e, API_INVALID_VALUE, "messages", "The messages cannot be rendered: %s.",
                    why.msg);
}

bool prompt_encode(struct api *a, const struct chat_request *rq, struct prompt *out,
                   struct api_error *e)
{
    struct gemma4_chat_out text;
    struct err why = {0};
    struct tok_ids ids = {.at = a->prompt_ids, .max = a->info.n_ctx};
    *out = (struct prompt){0};
    if (!render(a, rq, &text, e))
        return false;
    const struct tok_text whole = {.segs = text.segs, .n_segs = text.n_segs, .add_bos = true};
    bool ok = tok_encode(&a->tok, &whole, a->tok_scratch, &ids, &why);
    if ((ok || why.code == ERR_LIMIT) &&
        ids.n + 1 > a->info.n_ctx) { /* the prompt and at least one token */
        (void)api_fail(e, API_CONTEXT_LENGTH, "messages",
                       "The prompt has %zu tokens; the context holds %u.", ids.n, a->info.n_ctx);
        e->n_prompt_tokens = (uint32_t)ids.n;
        e->n_ctx = a->info.n_ctx;
        return false;
    }
    if (!ok)
        return api_fail(e, API_INVALID_VALUE, "messages", "The messages cannot be tokenised: %s.",
                        why.msg);
    out->n_tokens = (uint32_t)ids.n;
    out->starts_in_reasoning = text.starts_in_reasoning;
    return true;
}
