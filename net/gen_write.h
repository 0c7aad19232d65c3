/* gen_write: what a generation's client reads (api.md 9): chunks of a stream or the parts of a
 * plain answer. Concatenated, the deltas of a stream are the plain answer.   Thread: edge.
 * Allocates: chain blocks. Private to gen.c. */
#ifndef NET_GEN_WRITE_H
#define NET_GEN_WRITE_H

#include "net/gen.h"

enum gen_part { GEN_CONTENT, GEN_REASONING };

/* Visible text; a stream's goes out with the next flush. */
void gen_write_text(struct api *a, struct gen *g, enum gen_part part, struct str text);
/* One content token's logprobs; they wait until its text is shown and ride on that chunk. */
void gen_write_logprob(struct api *a, struct gen *g, const struct engine_event *ev);
/* The content is shown up to that byte. */
void gen_write_logprobs_until(struct gen *g, uint64_t shown_bytes);
/* What has gathered for a stream goes out. */
void gen_write_flush(struct api *a, struct gen *g);
size_t gen_write_n_held_bytes(const struct gen *g);
/* Memory of one token's logprobs with n_top alternatives. */
uint64_t gen_write_record_bytes(uint32_t n_top);
/* The whole rest: finish_reason, usage, timings. stop: how it ended, for `timings`. false: the
 * answer's logprobs are left for gen_write_more, to be called as the client reads, until true. */
bool gen_write_end(struct api *a, struct gen *g, const char *finish_reason, const char *stop,
                   const struct gen_timings *timings);
bool gen_write_more(struct api *a, struct gen *g);
/* It failed: an error event in a stream that has begun, else an error answer. */
void gen_write_error(struct api *a, struct gen *g, const struct api_error *e);
/* While nothing is to be told: keeps connections and clients awake. */
void gen_write_comment(struct api *a, struct gen *g);

#endif
