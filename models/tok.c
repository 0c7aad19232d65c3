/* tok: opening and questioning a tokenizer image. Built in tok_build.c, used to encode in
 * tok_encode.c. */
#include "models/tok.h"

#include "models/tok_image.h"

const char tok_magic[8] = {'H', 'T', 'O', 'K', 'I', 'M', 'G', '\n'};

static bool check_layout(const struct tok_tables *tb, size_t image_bytes, struct err *e)
{
    if (memcmp(tb->magic, tok_magic, sizeof tok_magic) != 0)
        return err_set(e, ERR_FORMAT, "tok: this is no tokenizer image");
    if (tb->version != TOK_IMAGE_VERSION)
        return err_set(e, ERR_FORMAT, "tok: image version %u, this program reads %d", tb->version,
                       TOK_IMAGE_VERSION);
    if (tb->image_bytes != image_bytes || tb->n_vocab == 0 || tb->n_vocab > TOK_MAX_VOCAB ||
        tb->n_merges > TOK_MAX_MERGES || tb->piece_slots_log2 > 31 || tb->merge_slots_log2 > 31 ||
        tb->piece_slots_log2 == 0 || tb->merge_slots_log2 == 0)
        return err_set(e, ERR_FORMAT, "tok: image header has sizes that cannot be");
    uint64_t end = sizeof *tb;
    for (int sec = 0; sec < TOK_N_SECTIONS; sec++) {
        uint64_t off = tb->off_bytes[sec], n = tok_section_bytes(tb, (enum tok_section)sec);
        if (off % TOK_ALIGN_BYTES != 0 || off < end || off > image_bytes || n > image_bytes - off)
            return err_set(e, ERR_FORMAT, "tok: image section %d does not fit the image", sec);
        end = off + n;
    }
    if (tb->template_rev != 1 && tb->template_rev != 2)
        return err_set(e, ERR_FORMAT, "tok: image names template revision %u", tb->template_rev);
    return true;
}

static bool check_pieces(const struct tok_tables *tb, struct err *e)
{
    const uint32_t *pieces = tok_section_at(tb, TOK_SEC_PIECES);
    const uint8_t *classes = tok_section_at(tb, TOK_SEC_CLASSES);
    if (pieces[0] != 0 || pieces[tb->n_vocab] != tb->n_blob_bytes)
        return err_set(e, ERR_FORMAT, "tok: image pieces do not cover their text");
    for (uint32_t i = 0; i < tb->n_vocab; i++) {
        if (pieces[i + 1] < pieces[i] || pieces[i + 1] - pieces[i] > TOK_MAX_PIECE_BYTES)
            return err_set(e, ERR_FORMAT, "tok: image piece %u has a bad length", i);
        if (classes[i] < TOK_NORMAL || classes[i] > TOK_BYTE)
            return err_set(e, ERR_FORMAT, "tok: image piece %u has class %u", i, classes[i]);
    }
    const char *blob = tok_section_at(tb, TOK_SEC_BLOB);
    bool is_bad = !str_is_utf8((struct str){blob, tb->n_blob_bytes});
    for (uint32_t i = 0; i < tb->n_vocab; i++) /* no piece begins inside a character */
        is_bad |= pieces[i] < tb->n_blob_bytes && ((unsigned char)blob[pieces[i]] & 0xc0) == 0x80;
    if (is_bad)
        return err_set(e, ERR_FORMAT, "tok: image pieces are not valid UTF-8");
    return true;
}

static bool check_ids(const struct tok_tables *tb, const uint32_t *ids, uint32_t n_ids,
                      bool may_lack)
{
    for (uint32_t i = 0; i < n_ids; i++) {
        if (ids[i] >= tb->n_vocab && !(may_lack && ids[i] == TOK_NO_ID))
            return false;
    }
    return true;
}

static bool check_maps(const struct tok_tables *tb, struct err *e)
{
    const uint64_t *slots = tok_section_at(tb, TOK_SEC_PIECE_MAP);
    const uint32_t id_mask = (1u << TOK_ID_BITS) - 1, rank_mask = (1u << TOK_RANK_BITS) - 1;
    bool is_bad = false; /* no early way out: these loops see millions of slots at every start */
    for (uint64_t i = 0; i < UINT64_C(1) << tb->piece_slots_log2; i++)
        is_bad |= (slots[i] != TOK_EMPTY_SLOT) & (((uint32_t)slots[i] & id_mask) >= tb->n_vocab);
    if (is_bad)
        return err_set(e, ERR_FORMAT, "tok: image piece map holds an id out of range");
    const uint64_t *merges = tok_section_at(tb, TOK_SEC_MERGES);
    for (uint64_t i = 0; i < UINT64_C(1) << tb->merge_slots_log2; i++)
        is_bad |=
            (merges[i] != TOK_EMPTY_SLOT) & (((uint32_t)merges[i] & rank_mask) >= tb->n_merges);
    if (is_bad)
        return err_set(e, ERR_FORMAT, "tok: image merge table holds a rank out of range");
    if (!check_ids(tb, tok_section_at(tb, TOK_SEC_RESULTS), tb->n_merges, false) ||
        !check_ids(tb, tok_section_at(tb, TOK_SEC_CHAR_IDS), TOK_N_CHAR_IDS, true) ||
        !check_ids(tb, tb->special, TOK_N_SPECIAL, false) ||
        !check_ids(tb, tb->byte_ids, 256, false))
        return err_set(e, ERR_FORMAT, "tok: image holds an id out of range");
    return true;
}

bool tok_open(struct tok *t, const void *image, size_t image_bytes, struct err *e)
{
    memset(t, 0, sizeof *t);
    if (image_bytes < sizeof(struct tok_tables) ||
        (uintptr_t)image % _Alignof(struct tok_tables) != 0)
        return err_set(e, ERR_FORMAT, "tok: image of %zu bytes is too short or misaligned",
                       image_bytes);
    const struct tok_tables *tb = image;
    if (!check_layout(tb, image_bytes, e) || !check_pieces(tb, e) || !check_maps(tb, e))
        return false;
    t->image = image;
    t->image_bytes = image_bytes;
    t->tables = tb;
    t->n_vocab = tb->n_vocab;
    for (int i = 0; i < TOK_N_SPECIAL; i++)
        t->special[i] = (int32_t)tb->special[i];
    const uint32_t *pieces = tok_section_at(tb, TOK_SEC_PIECES);
    t->max_piece_bytes = 1; /* a divisor */
    for (uint32_t i = 0; i < tb->n_vocab; i++)
        t->max_piece_bytes = pieces[i + 1] - pieces[i] > t->max_piece_bytes
                                 ? pieces[i + 1] - pieces[i]
                                 : t->max_piece_bytes;
    t->template_rev = tb->template_rev;
    t->has_empty_thought = tb->has_empty_thought != 0;
    return true;
}

struct str tok_piece(const struct tok *t, int32_t id)
{
    if (id < 0 || (uint32_t)id >= t->n_vocab)
        return (struct str){NULL, 0};
    const uint32_t *pieces = tok_section_at(t->tables, TOK_SEC_PIECES);
    const char *blob = tok_section_at(t->tables, TOK_SEC_BLOB);
    return (struct str){blob + pieces[id], pieces[id + 1] - pieces[id]};
}

enum tok_class tok_class_of(const struct tok *t, int32_t id)
{
    if (id < 0 || (uint32_t)id >= t->n_vocab)
        return TOK_UNUSED;
    const uint8_t *classes = tok_section_at(t->tables, TOK_SEC_CLASSES);
    return (enum tok_class)classes[id];
}

int32_t tok_find(const struct tok *t, struct str piece)
{
    const struct tok_tables *tb = t->tables;
    const uint64_t *slots = tok_section_at(tb, TOK_SEC_PIECE_MAP);
    const uint32_t mask = (uint32_t)((UINT64_C(1) << tb->piece_slots_log2) - 1);
    if (piece.n_bytes > TOK_MAX_PIECE_BYTES)
        return -1;
    uint64_t hash = tok_hash(piece), tag = tok_piece_slot(hash, 0);
    for (uint32_t n_probes = 0; n_probes < TOK_MAX_PROBES; n_probes++) {
        uint64_t slot = slots[(hash + n_probes) & mask];
        if (slot == TOK_EMPTY_SLOT)
            return -1;
        if ((slot ^ tag) >> TOK_ID_BITS == 0 && str_eq(tok_piece(t, (int32_t)(slot ^ tag)), piece))
            return (int32_t)(slot ^ tag);
    }
    return -1;
}

bool tok_is_stop(const struct tok *t, int32_t id)
{
    return id == t->special[TOK_EOS] || id == t->special[TOK_TURN_CLOSE] ||
           id == t->special[TOK_TOOL_RESP_OPEN];
}
