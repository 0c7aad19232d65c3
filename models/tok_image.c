/* tok_image: the tokenizer image from tokens, types and merges. Loading time is a promise (262,144
 * pieces and half a million merges in well under 150 ms), and most of it is cache misses in the two
 * hash tables: so entries are handled in groups, each step of a group touching what the next one
 * needs. */
#include "models/tok_image.h"

#include "runtime/base/mem.h"
#include "runtime/base/num.h"

#include <stdio.h>
#include <stdlib.h>

enum { GROUP = 32 };

static const char *const special_text[TOK_N_SPECIAL] = {
    [TOK_BOS] = "<bos>",
    [TOK_EOS] = "<eos>",
    [TOK_TOOL_CALL_OPEN] = "<|tool_call>",
    [TOK_TOOL_CALL_CLOSE] = "<tool_call|>",
    [TOK_TOOL_RESP_OPEN] = "<|tool_response>",
    [TOK_TOOL_RESP_CLOSE] = "<tool_response|>",
    [TOK_QUOTE] = "<|\"|>",
    [TOK_CHANNEL_OPEN] = "<|channel>",
    [TOK_CHANNEL_CLOSE] = "<channel|>",
    [TOK_TURN_OPEN] = "<|turn>",
    [TOK_TURN_CLOSE] = "<turn|>",
};

/* Markers whatever the file's type column says (gemma4-chat.md 2; writers differ). */
static const char *const control_text[] = {
    "<pad>",
    "<eos>",
    "<bos>",
    "<unk>",
    "<mask>",
    "<|tool>",
    "<tool|>",
    "<|think|>",
    "<|turn>",
    "<turn|>",
    "<|image>",
    "<image|>",
    "<|image|>",
    "<|audio>",
    "<audio|>",
    "<|audio|>",
    "<|video|>",
    "<|tool_call>",
    "<tool_call|>",
    "<|tool_response>",
    "<tool_response|>",
    "<|\"|>",
    "<|channel>",
    "<channel|>",
};

struct builder {
    const struct tok_source *src;
    struct tok_tables *tb;
    uint32_t *pieces;
    uint8_t *classes;
    char *blob;
    uint64_t *piece_map;
    uint32_t *char_ids;
    uint8_t *pairs;
    uint64_t *merges;
    uint32_t *results;
};

static void *section(struct tok_tables *tb, enum tok_section sec)
{
    return (char *)tb + tb->off_bytes[sec];
}

static uint32_t slots_log2_for(uint32_t n_entries)
{
    uint32_t log2 = 1;
    while ((UINT64_C(5) << log2) < 8 * (uint64_t)n_entries) /* at most 5/8 full */
        log2++;
    return log2;
}

static bool lay_out(const struct tok_source *src, struct tok_tables *head, struct err *e)
{
    uint64_t n_blob_bytes = 0;
    for (uint32_t i = 0; i < src->n_vocab; i++) {
        if (src->pieces[i].n_bytes > TOK_MAX_PIECE_BYTES)
            return err_set(e, ERR_LIMIT,
                           "%s: tokenizer.ggml.tokens: token %u has %zu bytes, the limit is %d",
                           src->name, i, src->pieces[i].n_bytes, TOK_MAX_PIECE_BYTES);
        n_blob_bytes += src->pieces[i].n_bytes;
    }
    memset(head, 0, sizeof *head);
    memcpy(head->magic, tok_magic, sizeof tok_magic);
    head->version = TOK_IMAGE_VERSION;
    head->n_vocab = src->n_vocab;
    head->n_merges = src->n_merges;
    head->n_blob_bytes =
        (uint32_t)n_blob_bytes; /* at most TOK_MAX_VOCAB * TOK_MAX_PIECE_BYTES < 2^31 */
    head->piece_slots_log2 = slots_log2_for(src->n_vocab);
    head->merge_slots_log2 = slots_log2_for(src->n_merges);
    head->template_rev = src->template_rev;
    head->has_empty_thought = src->has_empty_thought;
    uint64_t end = sizeof *head;
    for (int sec = 0; sec < TOK_N_SECTIONS; sec++) {
        if (!num_align_up(end, TOK_ALIGN_BYTES, &head->off_bytes[sec]))
            return err_set(e, ERR_LIMIT, "%s: the tokenizer is too large", src->name);
        end = head->off_bytes[sec] + tok_section_bytes(head, (enum tok_section)sec);
    }
    head->image_bytes = end;
    return true;
}

static struct str piece_at(const struct builder *b, uint32_t id)
{
    return (struct str){b->blob + b->pieces[id], b->pieces[id + 1] - b->pieces[id]};
}

/* Goes by 43 bits of the hash alone: add_piece has made sure that they tell all pieces apart, and
 * reading the texts as well would cost more than all the rest. A text that is no piece is taken for
 * one with a chance of 1 in 2^42. */
static uint32_t find_piece(const struct builder *b, uint64_t hash)
{
    const uint32_t mask = (1u << b->tb->piece_slots_log2) - 1;
    uint64_t tag = tok_piece_slot(hash, 0);
    for (uint32_t n_probes = 0; n_probes < TOK_MAX_PROBES; n_probes++) {
        uint64_t slot = b->piece_map[(hash + n_probes) & mask];
        if (slot == TOK_EMPTY_SLOT)
            return TOK_NO_ID;
        if ((slot ^ tag) >> TOK_ID_BITS == 0)
            return (uint32_t)(slot ^ tag);
    }
    return TOK_NO_ID;
}

static uint32_t find_text(const struct builder *b, const char *text)
{
    return find_piece(b, tok_hash(str_of(text)));
}

/* Of two tokens with the same text the first is found. */
static bool add_piece(struct builder *b, uint32_t id, uint64_t hash, struct err *e)
{
    const uint32_t mask = (1u << b->tb->piece_slots_log2) - 1;
    uint64_t tag = tok_piece_slot(hash, 0);
    struct str text = piece_at(b, id);
    if (text.n_bytes == 0)
        return true;
    for (uint32_t n_probes = 0; n_probes < TOK_MAX_PROBES; n_probes++) {
        uint64_t *slot = &b->piece_map[(hash + n_probes) & mask];
        if (*slot == TOK_EMPTY_SLOT) {
            *slot = tok_piece_slot(hash, id);
            return true;
        }
        if ((*slot ^ tag) >> TOK_ID_BITS != 0)
            continue;
        if (str_eq(piece_at(b, (uint32_t)(*slot ^ tag)), text))
            return true;
        break;
    }
    return err_set(e, ERR_FORMAT,
                   "%s: tokenizer.ggml.tokens: token %u: its hash collides with others",
                   b->src->name, id);
}

/* All pieces at once, as one text; if each also begins with a first byte, each is valid by itself.
 */
static bool check_texts(const struct builder *b, struct err *e)
{
    bool is_bad = !str_is_utf8((struct str){b->blob, b->tb->n_blob_bytes});
    for (uint32_t i = 0; i < b->src->n_vocab; i++)
        is_bad |= b->pieces[i] < b->tb->n_blob_bytes &&
                  ((unsigned char)b->blob[b->pieces[i]] & 0xc0) == 0x80;
    for (uint32_t i = 0; is_bad && i < b->src->n_vocab; i++) {
        if (!str_is_utf8(piece_at(b, i)))
            return err_set(e, ERR_FORMAT, "%s: tokenizer.ggml.tokens: token %u is not valid UTF-8",
                           b->src->name, i);
    }
    return true;
}

static bool add_pieces(struct builder *b, struct err *e)
{
    const struct tok_source *src = b->src;
    uint32_t off = 0;
    for (uint32_t i = 0; i < src->n_vocab; i++) {
        if (src->classes[i] < TOK_NORMAL || src->classes[i] > TOK_BYTE)
            return err_set(e, ERR_FORMAT,
                           "%s: tokenizer.ggml.token_type: token %u has type %u, known are 1 to 6",
                           src->name, i, src->classes[i]);
        b->pieces[i] = off;
        if (src->pieces[i].n_bytes)
            memcpy(b->blob + off, src->pieces[i].p, src->pieces[i].n_bytes);
        off += (uint32_t)src->pieces[i].n_bytes;
    }
    b->pieces[src->n_vocab] = off;
    memcpy(b->classes, src->classes, src->n_vocab);
    if (!check_texts(b, e))
        return false;

    const uint32_t mask = (1u << b->tb->piece_slots_log2) - 1;
    for (uint32_t first = 0; first < src->n_vocab; first += GROUP) {
        uint32_t n = src->n_vocab - first < GROUP ? src->n_vocab - first : GROUP;
        uint64_t hash[GROUP];
        for (uint32_t i = 0; i < n; i++) {
            hash[i] = tok_hash(piece_at(b, first + i));
            __builtin_prefetch(&b->piece_map[hash[i] & mask], 1);
        }
        for (uint32_t i = 0; i < n; i++) {
            if (!add_piece(b, first + i, hash[i], e))
                return false;
        }
    }
    return true;
}

static bool find_specials(struct builder *b, struct err *e)
{
    for (int i = 0; i < TOK_N_SPECIAL; i++) {
        b->tb->special[i] = find_text(b, special_text[i]);
        if (b->tb->special[i] == TOK_NO_ID)
            return err_set(
                e, ERR_FORMAT,
                "%s: tokenizer.ggml.tokens: there is no token %s; this is no Gemma 4 vocabulary",
                b->src->name, special_text[i]);
    }
    for (size_t i = 0; i < sizeof control_text / sizeof control_text[0]; i++) {
        uint32_t id = find_text(b, control_text[i]);
        if (id != TOK_NO_ID && (b->classes[id] == TOK_NORMAL || b->classes[id] == TOK_UNUSED))
            b->classes[id] = TOK_CONTROL;
    }
    for (unsigned byte = 0; byte < 256; byte++) {
        char text[8];
        snprintf(text, sizeof text, "<0x%02X>", byte);
        uint32_t id = find_text(b, text);
        if (id == TOK_NO_ID)
            return err_set(e, ERR_FORMAT, "%s: tokenizer.ggml.tokens: there is no byte token %s",
                           b->src->name, text);
        b->tb->byte_ids[byte] = id;
        b->classes[id] = TOK_BYTE;
    }
    for (uint32_t i = 0; i < b->src->n_vocab; i++) {
        if (b->classes[i] == TOK_BYTE && tok_byte_of(piece_at(b, i)) < 0)
            return err_set(
                e, ERR_FORMAT,
                "%s: tokenizer.ggml.tokens: token %u is typed as a byte, its text is not <0xXX>",
                b->src->name, i);
    }
    return true;
}

static bool find_markers_and_chars(struct builder *b, struct err *e)
{
    memset(b->char_ids, 0xff, 4 * TOK_N_CHAR_IDS);
    for (uint32_t i = 0; i < b->src->n_vocab; i++) {
        struct str text = piece_at(b, i);
        if (text.n_bytes == 0)
            continue;
        if (b->classes[i] == TOK_CONTROL || b->classes[i] == TOK_USER_DEFINED) {
            if (text.n_bytes > TOK_MAX_MARKER_BYTES)
                return err_set(
                    e, ERR_LIMIT,
                    "%s: tokenizer.ggml.tokens: marker %u has %zu bytes, the limit is %d",
                    b->src->name, i, text.n_bytes, TOK_MAX_MARKER_BYTES);
            tok_bit_set(b->tb->marker_firsts, (unsigned char)text.p[0]);
            tok_bit_set(b->tb->marker_lengths, (uint32_t)text.n_bytes);
        }
        if (text.n_bytes > 3 || b->classes[i] == TOK_CONTROL)
            continue;
        size_t n_used;
        uint32_t cp = utf8_decode(text.p, text.n_bytes, &n_used);
        if (n_used == text.n_bytes && cp < TOK_N_CHAR_IDS && b->char_ids[cp] == TOK_NO_ID)
            b->char_ids[cp] = i;
    }
    return true;
}

/* One merge on its way through the steps of a group. */
struct merge_step {
    struct str side[3]; /* left, right, both */
    uint64_t hash[3];
    uint32_t id[3];
    bool is_same; /* makes the same piece as the merge before it: lists often go on through all
                     splits of a piece */
    char both[TOK_MAX_PIECE_BYTES + 8];
};

static bool split_merge(struct builder *b, uint32_t rank, struct merge_step *m,
                        const struct merge_step *before, struct err *e)
{
    struct str text = b->src->merges[rank];
    const char *space = text.n_bytes > 1 ? memchr(text.p + 1, ' ', text.n_bytes - 1) : NULL;
    if (!space || space + 1 == text.p + text.n_bytes)
        return err_set(e, ERR_FORMAT,
                       "%s: tokenizer.ggml.merges: entry %u is not two pieces with a space between",
                       b->src->name, rank);
    size_t n_left = (size_t)(space - text.p), n_right = text.n_bytes - n_left - 1;
    if (n_left + n_right > TOK_MAX_PIECE_BYTES)
        return err_set(e, ERR_LIMIT,
                       "%s: tokenizer.ggml.merges: entry %u joins %zu bytes, the limit is %d",
                       b->src->name, rank, n_left + n_right, TOK_MAX_PIECE_BYTES);
    memcpy(m->both, text.p, n_left);
    memcpy(m->both + n_left, space + 1, n_right);
    m->side[0] = (struct str){text.p, n_left};
    m->side[1] = (struct str){space + 1, n_right};
    m->side[2] = (struct str){m->both, n_left + n_right};
    m->is_same = str_eq(m->side[2], before->side[2]);
    const uint32_t mask = (1u << b->tb->piece_slots_log2) - 1;
    for (int i = 0; i < 3 - m->is_same; i++) {
        m->hash[i] = tok_hash(m->side[i]);
        __builtin_prefetch(&b->piece_map[m->hash[i] & mask]);
    }
    return true;
}

static bool find_sides(const struct builder *b, uint32_t rank, struct merge_step *m,
                       const struct merge_step *before, struct err *e)
{
    m->id[2] = before->id[2];
    for (int i = 0; i < 3 - m->is_same; i++) {
        m->id[i] = find_piece(b, m->hash[i]);
        if (m->id[i] == TOK_NO_ID)
            return err_set(e, ERR_FORMAT,
                           "%s: tokenizer.ggml.merges: entry %u: %s is not among the tokens",
                           b->src->name, rank,
                           i == 0   ? "its left side"
                           : i == 1 ? "its right side"
                                    : "what it makes");
    }
    __builtin_prefetch(&b->merges[tok_merge_slot(m->id[0], m->id[1], b->tb->merge_slots_log2)], 1);
    return true;
}

static uint32_t last_char(struct str s)
{
    size_t at = s.n_bytes - 1, n_used;
    while (at > 0 && ((unsigned char)s.p[at] & 0xc0) == 0x80)
        at--;
    return utf8_decode(s.p + at, s.n_bytes - at, &n_used);
}

/* A token that plain text must never become, however it is spelled. Where markers are matched they
 * are cut out before any merging, so leaving out a merge that makes one changes nothing there. */
static bool is_reserved(const struct builder *b, uint32_t id)
{
    if (b->classes[id] == TOK_CONTROL || b->classes[id] == TOK_BYTE)
        return true;
    for (int i = 0; i < TOK_N_SPECIAL; i++) {
        if (b->tb->special[i] == id)
            return true;
    }
    return false;
}

/* Of two equal merges the first, lower rank counts. */
static bool add_merge(struct builder *b, uint32_t rank, const struct merge_step *m, struct err *e)
{
    size_t n_used;
    b->results[rank] = m->id[2];
    if (is_reserved(b, m->id[2]))
        return true;
    tok_bit_set(b->pairs, tok_pair_bit(last_char(m->side[0]),
                                       utf8_decode(m->side[1].p, m->side[1].n_bytes, &n_used)));
    uint64_t key = (uint64_t)m->id[0] << 43 | (uint64_t)m->id[1] << TOK_RANK_BITS;
    const uint32_t mask = (uint32_t)((UINT64_C(1) << b->tb->merge_slots_log2) - 1);
    uint32_t at = tok_merge_slot(m->id[0], m->id[1], b->tb->merge_slots_log2);
    for (uint32_t n_probes = 0; n_probes < TOK_MAX_PROBES; n_probes++) {
        uint64_t *slot = &b->merges[(at + n_probes) & mask];
        if (*slot == TOK_EMPTY_SLOT) {
            *slot = key | rank;
            return true;
        }
        if ((*slot ^ key) >> TOK_RANK_BITS == 0)
            return true;
    }
    return err_set(e, ERR_FORMAT,
                   "%s: tokenizer.ggml.merges: entry %u: its hash collides with too many others",
                   b->src->name, rank);
}

static void keep_last(struct merge_step *to, const struct merge_step *from)
{
    memcpy(to->both, from->both, from->side[2].n_bytes);
    to->side[2] = (struct str){to->both, from->side[2].n_bytes};
    to->id[2] = from->id[2];
}

static bool add_merges(struct builder *b, struct err *e)
{
    /* steps[0] is the last one of the group before; at first it is zeroed and makes no piece */
    struct merge_step *steps = mem_alloc(GROUP + 1, sizeof *steps);
    if (!steps)
        return err_set(e, ERR_NOMEM, "%s: no memory for the merge list", b->src->name);
    bool ok = true;
    for (uint32_t first = 0; ok && first < b->src->n_merges; first += GROUP) {
        uint32_t n = b->src->n_merges - first < GROUP ? b->src->n_merges - first : GROUP;
        for (uint32_t i = 0; ok && i < n; i++)
            ok = split_merge(b, first + i, &steps[i + 1], &steps[i], e);
        for (uint32_t i = 0; ok && i < n; i++)
            ok = find_sides(b, first + i, &steps[i + 1], &steps[i], e);
        for (uint32_t i = 0; ok && i < n; i++)
            ok = add_merge(b, first + i, &steps[i + 1], e);
        keep_last(&steps[0], &steps[n]);
    }
    mem_free(steps);
    return ok;
}

void *tok_image_build(const struct tok_source *src, size_t *image_bytes, struct err *e)
{
    struct tok_tables head;
    *image_bytes = 0;
    if (src->n_vocab == 0 || src->n_vocab > TOK_MAX_VOCAB)
        return err_null(e, ERR_LIMIT, "%s: tokenizer.ggml.tokens: %u tokens, possible are 1 to %d",
                        src->name, src->n_vocab, TOK_MAX_VOCAB);
    if (src->n_merges > TOK_MAX_MERGES)
        return err_null(e, ERR_LIMIT, "%s: tokenizer.ggml.merges: %u merges, the limit is %d",
                        src->name, src->n_merges, TOK_MAX_MERGES);
    if (!lay_out(src, &head, e))
        return NULL;
    struct tok_tables *tb = malloc(head.image_bytes);
    if (!tb)
        return err_null(e, ERR_NOMEM, "%s: no memory for a tokenizer of %llu bytes", src->name,
                        (unsigned long long)head.image_bytes);
    *tb = head;
    /* The gaps between sections would otherwise carry whatever the heap held into another process.
     */
    uint64_t end = sizeof *tb;
    for (int sec = 0; sec < TOK_N_SECTIONS; sec++) {
        memset((char *)tb + end, 0, tb->off_bytes[sec] - end);
        end = tb->off_bytes[sec] + tok_section_bytes(tb, (enum tok_section)sec);
    }
    struct builder b = {
        .src = src,
        .tb = tb,
        .pieces = section(tb, TOK_SEC_PIECES),
        .classes = section(tb, TOK_SEC_CLASSES),
        .blob = section(tb, TOK_SEC_BLOB),
        .piece_map = section(tb, TOK_SEC_PIECE_MAP),
        .char_ids = section(tb, TOK_SEC_CHAR_IDS),
        .pairs = section(tb, TOK_SEC_PAIRS),
        .merges = section(tb, TOK_SEC_MERGES),
        .results = section(tb, TOK_SEC_RESULTS),
    };
    memset(b.piece_map, 0xff, tok_section_bytes(tb, TOK_SEC_PIECE_MAP));
    memset(b.merges, 0xff, tok_section_bytes(tb, TOK_SEC_MERGES));
    memset(b.pairs, 0, tok_section_bytes(tb, TOK_SEC_PAIRS));
    if (!add_pieces(&b, e) || !find_specials(&b, e) || !find_markers_and_chars(&b, e) ||
        !add_merges(&b, e)) {
        free(tb);
        return NULL;
    }
    *image_bytes = (size_t)head.image_bytes;
    return tb;
}
