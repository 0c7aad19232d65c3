/* tok_encode: byte pair encoding of segmented text (gemma4-chat.md 3.1).
 *
 * The text is handled in runs that no merge can leave: a run ends at a marker, where line feeds
 * meet other text, and between two characters that no merge ever joins (struct tok_tables.pairs).
 * Merges in different runs never see each other, so merging run by run gives what merging the whole
 * text gives. Most runs are words of a few characters: those are merged by looking for the lowest
 * rank again and again; long ones by a heap of (rank, left position) with lazy deletion, which can
 * be left and taken up again at any of its steps, as the scan can at any character. */
#include "models/tok.h"

#include "models/tok_image.h"

enum {
    MAX_RUN_CHARS = 262144, /* as long as the model's whole context is in tokens */
    MAX_SCAN_CHARS = 24,    /* up to here looking again beats keeping a heap */
    NO_CHAR = 0x110000,
};

/* A symbol is a token id, or a code point that is no token and never merges. */
#define RAW_CHAR 0x80000000u
#define NO_SYM   UINT32_MAX

struct tok_scratch {
    uint32_t sym[MAX_RUN_CHARS];
    uint32_t prev[MAX_RUN_CHARS];
    uint32_t next[MAX_RUN_CHARS];
    uint32_t rank[MAX_RUN_CHARS];     /* of the pair that begins here */
    uint64_t heap[2 * MAX_RUN_CHARS]; /* rank << 32 | left; a merge takes one entry and adds at most
                                         two */
};

size_t tok_scratch_bytes(void)
{
    return sizeof(struct tok_scratch);
}

static uint32_t pair_rank(const struct tok_tables *tb, uint32_t left, uint32_t right)
{
    if ((left | right) & RAW_CHAR)
        return TOK_NO_RANK;
    const uint64_t *slots = tok_section_at(tb, TOK_SEC_MERGES);
    const uint32_t mask = (uint32_t)((UINT64_C(1) << tb->merge_slots_log2) - 1);
    uint64_t key = (uint64_t)left << 43 | (uint64_t)right << TOK_RANK_BITS;
    uint32_t at = tok_merge_slot(left, right, tb->merge_slots_log2);
    for (uint32_t n_probes = 0; n_probes < TOK_MAX_PROBES; n_probes++) {
        uint64_t slot = slots[(at + n_probes) & mask];
        if (slot == TOK_EMPTY_SLOT)
            return TOK_NO_RANK;
        if ((slot ^ key) >> TOK_RANK_BITS == 0)
            return (uint32_t)slot & ((1u << TOK_RANK_BITS) - 1);
    }
    return TOK_NO_RANK;
}

static void emit_id(struct tok_encoder *en, uint32_t id)
{
    if (en->n_ids < en->ids->max)
        en->ids->at[en->n_ids] = (int32_t)id;
    en->n_ids++;
}

static void emit_sym(struct tok_encoder *en, uint32_t sym)
{
    if (!(sym & RAW_CHAR)) {
        emit_id(en, sym);
        return;
    }
    char bytes[4];
    size_t n = utf8_put(sym & ~RAW_CHAR, bytes);
    for (size_t i = 0; i < n; i++)
        emit_id(en, en->tb->byte_ids[(unsigned char)bytes[i]]);
}

/* Lowest rank, leftmost on ties, until none is left. n >= 2. */
static uint32_t merge_by_scan(const struct tok_tables *tb, uint32_t *sym, uint32_t n)
{
    const uint32_t *results = tok_section_at(tb, TOK_SEC_RESULTS);
    uint32_t rank[MAX_SCAN_CHARS];
    for (uint32_t i = 0; i + 1 < n; i++)
        rank[i] = pair_rank(tb, sym[i], sym[i + 1]);
    for (;;) {
        uint32_t best = 0;
        for (uint32_t i = 1; i + 1 < n; i++)
            best = rank[i] < rank[best] ? i : best;
        if (rank[best] == TOK_NO_RANK)
            return n;
        sym[best] = results[rank[best]];
        n--;
        memmove(&sym[best + 1], &sym[best + 2], (n - best - 1) * sizeof *sym);
        if (n == 1)
            return n;
        if (best + 1 < n) {
            memmove(&rank[best + 1], &rank[best + 2], (n - best - 2) * sizeof *rank);
            rank[best] = pair_rank(tb, sym[best], sym[best + 1]);
        }
        if (best > 0)
            rank[best - 1] = pair_rank(tb, sym[best - 1], sym[best]);
    }
}

static void heap_push(uint64_t *heap, uint32_t *n_heap, uint64_t entry)
{
    uint32_t i = (*n_heap)++;
    while (i > 0 && heap[(i - 1) / 2] > entry) {
        heap[i] = heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    heap[i] = entry;
}

static uint64_t heap_pop(uint64_t *heap, uint32_t *n_heap)
{
    uint64_t top = heap[0], moved = heap[--*n_heap];
    uint32_t i = 0, n = *n_heap;
    for (uint32_t child = 1; child < n; child = 2 * i + 1) {
        if (child + 1 < n && heap[child + 1] < heap[child])
            child++;
        if (heap[child] >= moved)
            break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = moved;
    return top;
}

static void push_pair(struct tok_encoder *en, uint32_t left)
{
    struct tok_scratch *sc = en->scratch;
    uint32_t right = sc->next[left];
    sc->rank[left] =
        right == NO_SYM ? TOK_NO_RANK : pair_rank(en->tb, sc->sym[left], sc->sym[right]);
    if (sc->rank[left] != TOK_NO_RANK)
        heap_push(sc->heap, &en->n_heap, (uint64_t)sc->rank[left] << 32 | left);
}

/* ---- a long run, one symbol or merge at a time ---- */

static void link_next(struct tok_encoder *en)
{
    struct tok_scratch *sc = en->scratch;
    uint32_t i = en->i_sym++;
    sc->prev[i] = i - 1; /* the first gets NO_SYM */
    sc->next[i] = i + 1 < en->n_syms ? i + 1 : NO_SYM;
    push_pair(en, i);
    if (en->i_sym == en->n_syms)
        en->state = TOK_ENCODER_MERGING;
}

/* An entry is stale when its left symbol is gone or has another right neighbour by now: then
 * rank[left] differs, for a rank belongs to one pair of texts and texts only grow. */
static void merge_next(struct tok_encoder *en)
{
    struct tok_scratch *sc = en->scratch;
    const uint32_t *results = tok_section_at(en->tb, TOK_SEC_RESULTS);
    if (en->n_heap == 0) {
        en->i_sym = 0;
        en->state = TOK_ENCODER_EMITTING;
        return;
    }
    uint64_t top = heap_pop(sc->heap, &en->n_heap);
    uint32_t left = (uint32_t)top, rank = (uint32_t)(top >> 32);
    if (sc->rank[left] != rank)
        return;
    uint32_t right = sc->next[left];
    sc->sym[left] = results[rank];
    sc->next[left] = sc->next[right];
    if (sc->next[right] != NO_SYM)
        sc->prev[sc->next[right]] = left;
    sc->rank[right] = TOK_NO_RANK;
    push_pair(en, left);
    if (sc->prev[left] != NO_SYM)
        push_pair(en, sc->prev[left]);
}

static void emit_next(struct tok_encoder *en)
{
    emit_sym(en, en->scratch->sym[en->i_sym]);
    en->i_sym = en->scratch->next[en->i_sym];
    if (en->i_sym == NO_SYM) {
        en->n_syms = 0;
        en->state = TOK_ENCODER_SCANNING;
    }
}

static void merge_long_run(struct tok_encoder *en, size_t *n_left)
{
    for (; *n_left > 0 && en->state != TOK_ENCODER_SCANNING; --*n_left)
        switch (en->state) {
        case TOK_ENCODER_LINKING:
            link_next(en);
            break;
        case TOK_ENCODER_MERGING:
            merge_next(en);
            break;
        case TOK_ENCODER_EMITTING:
            emit_next(en);
            break;
        case TOK_ENCODER_SCANNING:
            break;
        }
}

/* ---- the scan ---- */

/* Step 4: a run of line feeds that is a piece is that piece. */
static bool emit_line_feeds(struct tok_encoder *en)
{
    char text[TOK_MAX_PIECE_BYTES];
    if (en->n_syms > sizeof text)
        return false;
    memset(text, '\n', en->n_syms);
    int32_t id = tok_find(en->tok, (struct str){text, en->n_syms});
    if (id < 0)
        return false;
    emit_id(en, (uint32_t)id);
    return true;
}

/* false: it is a long run, to be merged before the scan goes on from the same place. */
static bool finish_run(struct tok_encoder *en)
{
    uint32_t *sym = en->scratch->sym;
    bool ends_in_line_feed = en->last_char == '\n';
    en->last_char = NO_CHAR;
    if (en->n_syms == 1) {
        emit_sym(en, sym[0]);
    } else if (en->n_syms > 1 && !(ends_in_line_feed && emit_line_feeds(en))) {
        if (en->n_syms > MAX_SCAN_CHARS) {
            en->state = TOK_ENCODER_LINKING;
            en->i_sym = en->n_heap = 0;
            return false;
        }
        uint32_t n = merge_by_scan(en->tb, sym, en->n_syms);
        for (uint32_t i = 0; i < n; i++)
            emit_sym(en, sym[i]);
    }
    en->n_syms = 0;
    return true;
}

static bool run_ends_between(const struct tok_tables *tb, uint32_t a, uint32_t b)
{
    if (a == '\n' || b == '\n')
        return a != b;
    return !tok_bit_test(tok_section_at(tb, TOK_SEC_PAIRS), tok_pair_bit(a, b));
}

static uint32_t sym_of(const struct tok_encoder *en, uint32_t cp, struct str text)
{
    uint32_t id;
    if (cp < TOK_N_CHAR_IDS) {
        const uint32_t *char_ids = tok_section_at(en->tb, TOK_SEC_CHAR_IDS);
        id = char_ids[cp];
    } else {
        int32_t found = tok_find(en->tok, text);
        id = tok_class_of(en->tok, found) == TOK_CONTROL ? TOK_NO_ID : (uint32_t)found;
    }
    return id == TOK_NO_ID ? RAW_CHAR | cp : id;
}

/* The character joins the run or begins the next one. */
static bool take_char(struct tok_encoder *en, const char *p, size_t n_bytes, struct err *e)
{
    size_t n_used = 1;
    uint32_t cp = n_bytes == 1 ? (unsigned char)*p : utf8_decode(p, n_bytes, &n_used);
    if (cp == ' ')
        cp = TOK_SPACE;
    if (en->last_char != NO_CHAR && run_ends_between(en->tb, en->last_char, cp) && !finish_run(en))
        return true;
    if (en->n_syms == MAX_RUN_CHARS)
        return err_set(
            e, ERR_LIMIT,
            "tok: the text has more than %d characters in one unbroken run; break it with spaces",
            MAX_RUN_CHARS);
    en->scratch->sym[en->n_syms++] = sym_of(en, cp, (struct str){p, n_bytes});
    en->last_char = cp;
    en->at += n_bytes;
    return true;
}

/* The longest marker that text begins with, or -1. */
static int32_t marker_at(const struct tok *t, struct str text)
{
    const struct tok_tables *tb = t->tables;
    if (!tok_bit_test(tb->marker_firsts, (unsigned char)text.p[0]))
        return -1;
    uint32_t n =
        text.n_bytes < TOK_MAX_MARKER_BYTES ? (uint32_t)text.n_bytes : TOK_MAX_MARKER_BYTES;
    for (; n > 0; n--) {
        if (!tok_bit_test(tb->marker_lengths, n))
            continue;
        int32_t id = tok_find(t, (struct str){text.p, n});
        enum tok_class c = tok_class_of(t, id);
        if (id >= 0 && (c == TOK_CONTROL || c == TOK_USER_DEFINED))
            return id;
    }
    return -1;
}

/* Until the segment ends, the steps are used up, or a long run has ended. */
static bool scan_segment(struct tok_encoder *en, size_t *n_left, struct err *e)
{
    const struct tok_segment *seg = &en->segs[en->i_seg];
    const char *p = seg->text.p;
    size_t n = seg->text.n_bytes;
    for (; en->at<n && * n_left> 0 && en->state == TOK_ENCODER_SCANNING; --*n_left) {
        int32_t marker =
            seg->is_trusted ? marker_at(en->tok, (struct str){p + en->at, n - en->at}) : -1;
        if (marker >= 0) {
            if (!finish_run(en))
                break;
            emit_id(en, (uint32_t)marker);
            en->at += tok_piece(en->tok, marker).n_bytes;
            continue;
        }
        int n_char = utf8_char_bytes(p + en->at, n - en->at);
        if (n_char <= 0)
            return err_set(e, ERR_FORMAT, "tok: text segment %zu is not valid UTF-8 at byte %zu",
                           en->i_seg, en->at);
        if (!take_char(en, p + en->at, (size_t)n_char, e))
            return false;
    }
    if (en->at == n && en->state == TOK_ENCODER_SCANNING) {
        en->i_seg++;
        en->at = 0;
    }
    return true;
}

static bool begins_with_bos(const struct tok *t, const struct tok_segment *segs, size_t n_segs)
{
    size_t i = 0;
    while (i < n_segs && segs[i].text.n_bytes == 0)
        i++;
    return i < n_segs && segs[i].is_trusted &&
           str_has_prefix(segs[i].text, tok_piece(t, t->special[TOK_BOS]));
}

void tok_encode_begin(struct tok_encoder *en, const struct tok *t, const struct tok_text *text,
                      struct tok_scratch *scratch, struct tok_ids *ids)
{
    *en = (struct tok_encoder){.tb = t->tables,
                               .tok = t,
                               .scratch = scratch,
                               .ids = ids,
                               .segs = text->segs,
                               .n_segs = text->n_segs,
                               .last_char = NO_CHAR};
    ids->n = 0;
    if (text->add_bos && !begins_with_bos(t, text->segs, text->n_segs))
        emit_id(en, t->tables->special[TOK_BOS]);
}

enum tok_progress tok_encode_step(struct tok_encoder *en, size_t max_steps, struct err *e)
{
    for (size_t n_left = max_steps; n_left > 0;) {
        merge_long_run(en, &n_left);
        if (en->state != TOK_ENCODER_SCANNING)
            break;
        if (en->i_seg < en->n_segs) {
            if (!scan_segment(en, &n_left, e))
                return TOK_FAILED;
        } else if (finish_run(en)) {
            en->ids->n = en->n_ids;
            return TOK_FINISHED;
        }
    }
    return TOK_GOES_ON;
}

bool tok_encode(const struct tok *t, const struct tok_text *text, struct tok_scratch *scratch,
                struct tok_ids *ids, struct err *e)
{
    struct tok_encoder en;
    tok_encode_begin(&en, t, text, scratch, ids);
    enum tok_progress p;
    do
        p = tok_encode_step(&en, SIZE_MAX, e);
    while (p == TOK_GOES_ON);
    if (p == TOK_FINISHED && ids->n > ids->max)
        return err_set(e, ERR_LIMIT, "tok: the text has %zu tokens, there is room for %zu", ids->n,
                       ids->max);
    return p == TOK_FINISHED;
}
