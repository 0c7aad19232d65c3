/* tok: text to token ids, Gemma 4 BPE (gemma4-chat.md 1-3).
 * Flow: engine: gguf -> tok_build -> a position-independent image in a sealed memfd -> edge:
 * tok_open over the mapping. So the edge needs no file and no parsing; the image also carries what
 * the chat format needs to know about the model. Thread: struct tok is read-only after open; each
 * user brings its own tok_scratch.   Allocates: tok_build only. */
#ifndef MODELS_TOK_H
#define MODELS_TOK_H

#include "models/gguf.h"
#include "runtime/base/err.h"
#include "runtime/base/str.h"

/* Ids found by token text at build; never constants. */
enum tok_special {
    TOK_BOS,             /* <bos> */
    TOK_EOS,             /* <eos> */
    TOK_TOOL_CALL_OPEN,  /* <|tool_call> */
    TOK_TOOL_CALL_CLOSE, /* <tool_call|> */
    TOK_TOOL_RESP_OPEN,  /* <|tool_response>, also ends generation */
    TOK_TOOL_RESP_CLOSE, /* <tool_response|> */
    TOK_QUOTE,           /* <|"|> */
    TOK_CHANNEL_OPEN,    /* <|channel> */
    TOK_CHANNEL_CLOSE,   /* <channel|> */
    TOK_TURN_OPEN,       /* <|turn> */
    TOK_TURN_CLOSE,      /* <turn|>, ends generation */
    TOK_N_SPECIAL,
};

enum tok_class {
    TOK_NORMAL = 1,
    TOK_UNKNOWN = 2,
    TOK_CONTROL = 3,
    TOK_USER_DEFINED = 4,
    TOK_UNUSED = 5,
    TOK_BYTE = 6
};

struct tok {
    const void *image; /* borrowed */
    size_t image_bytes;
    uint32_t n_vocab;
    int32_t special[TOK_N_SPECIAL];
    uint32_t
        template_rev; /* 1 or 2: which chat template revision the file asks for (gemma4-chat 5.1) */
    uint32_t max_piece_bytes; /* of the longest token: n bytes of text are at least n / this many
                                 tokens */
    bool has_empty_thought;   /* large models print an empty thought when thinking is off */
    /* views into the image, set by tok_open; private to tok.c and detok.c */
    const struct tok_tables *tables;
};

/* One piece of the prompt. Markers are matched only in trusted text: a user who types "<turn|>"
 * gets plain text. */
struct tok_segment {
    struct str text; /* valid UTF-8 */
    bool is_trusted;
};

struct tok_scratch; /* opaque, fixed size */
size_t tok_scratch_bytes(void);

/* Builds the image with malloc; *image_bytes its size; free() it. NULL with a message that names
 * the file and key. */
void *tok_build(const struct gguf *g, size_t *image_bytes, struct err *e);

/* Checks header, version, offsets and ids of an image (it may come from another process) and sets
 * up *t. */
bool tok_open(struct tok *t, const void *image, size_t image_bytes, struct err *e);

struct tok_text {
    const struct tok_segment *segs; /* one text: neighbours join across borders */
    size_t n_segs;
    bool add_bos; /* put <bos> first, unless the text begins with it */
};

struct tok_ids {
    int32_t *at; /* [max] */
    size_t max;
    size_t n; /* result: how many the text has, also when there is no room for them */
};

/* False with ERR_LIMIT if there are more ids than max (the first max are written), or if a run of
 * the text is too long to merge; ERR_FORMAT if the text is not valid UTF-8. */
bool tok_encode(const struct tok *t, const struct tok_text *text, struct tok_scratch *scratch,
                struct tok_ids *ids, struct err *e);

/* The same in steps, for a caller that has other work in between: one step is a character or a
 * merge. All that is passed stays where it is until the end. Fields are private to tok_encode.c. */
struct tok_encoder {
    const struct tok_tables *tb;
    const struct tok *tok;
    struct tok_scratch *scratch;
    struct tok_ids *ids;
    const struct tok_segment *segs;
    size_t n_segs, i_seg, at; /* the next character: segs[i_seg].text.p[at] */
    size_t n_ids;
    uint32_t n_syms;    /* of the run so far */
    uint32_t last_char; /* of the run so far, or none */
    enum tok_encoder_state {
        TOK_ENCODER_SCANNING = 0,
        /* a long run: */
        TOK_ENCODER_LINKING,
        TOK_ENCODER_MERGING,
        TOK_ENCODER_EMITTING,
    } state;
    uint32_t i_sym, n_heap;
};

enum tok_progress { TOK_GOES_ON, TOK_FINISHED, TOK_FAILED };

void tok_encode_begin(struct tok_encoder *en, const struct tok *t, const struct tok_text *text,
                      struct tok_scratch *scratch, struct tok_ids *ids);
/* TOK_FINISHED: ids->n is the count, be there room for them or not. TOK_FAILED: as tok_encode. */
enum tok_progress tok_encode_step(struct tok_encoder *en, size_t max_steps, struct err *e);

/* Raw text of a token (markers included, U+2581 kept); empty for ids out of range. */
struct str tok_piece(const struct tok *t, int32_t id);
enum tok_class tok_class_of(const struct tok *t, int32_t id);
/* Id of the token with exactly this text, or -1. */
int32_t tok_find(const struct tok *t, struct str piece);
/* <eos>, <turn|>, <|tool_response>: generation stops there. */
bool tok_is_stop(const struct tok *t, int32_t id);

#endif
