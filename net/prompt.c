#include "net/prompt.h"

#include "models/gemma4_chat.h"

static bool render(struct api *a, const struct chat_request *rq, struct prompt_room *room,
                   struct gemma4_chat_out *out, struct api_error *e)
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
    *out = (struct gemma4_chat_out){.text = room->text,
                                    .room_bytes = room->text_bytes,
                                    .segs = room->segs,
                                    .max_segs = room->max_segs};
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

static bool too_long(const struct api *a, size_t n_tokens, const char *at_least,
                     struct api_error *e)
{
    (void)api_fail(e, API_CONTEXT_LENGTH, "messages",
                   "The prompt has %s%zu tokens; the context holds %u.", at_least, n_tokens,
                   a->info.n_ctx);
    e->n_prompt_tokens = (uint32_t)n_tokens;
    e->n_ctx = a->info.n_ctx;
    return false;
}

bool prompt_begin(struct api *a, const struct chat_request *rq, struct prompt_room *room,
                  struct prompt_job *job, struct api_error *e)
{
    struct gemma4_chat_out text;
    if (!render(a, rq, room, &text, e))
        return false;
    size_t least_tokens = text.n_bytes / a->tok.max_piece_bytes;
    if (least_tokens + 1 > a->info.n_ctx)
        return too_long(a, least_tokens, "at least ", e);
    job->ids = (struct tok_ids){.at = room->ids, .max = a->info.n_ctx};
    job->starts_in_reasoning = text.starts_in_reasoning;
    const struct tok_text whole = {.segs = text.segs, .n_segs = text.n_segs, .add_bos = true};
    tok_encode_begin(&job->encoder, &a->tok, &whole, room->tok_scratch, &job->ids);
    return true;
}

enum tok_progress prompt_step(struct api *a, struct prompt_job *job, size_t max_steps,
                              struct prompt *out, struct api_error *e)
{
    struct err why = {0};
    *out = (struct prompt){0};
    enum tok_progress p = tok_encode_step(&job->encoder, max_steps, &why);
    if (p == TOK_GOES_ON)
        return p;
    if (p == TOK_FAILED)
        (void)api_fail(e, API_INVALID_VALUE, "messages", "The messages cannot be tokenised: %s.",
                       why.msg);
    else if (job->ids.n + 1 > a->info.n_ctx) /* the prompt and at least one token */
        (void)too_long(a, job->ids.n, "", e);
    else
        *out = (struct prompt){job->ids.at, (uint32_t)job->ids.n, job->starts_in_reasoning};
    return out->ids ? TOK_FINISHED : TOK_FAILED;
}
