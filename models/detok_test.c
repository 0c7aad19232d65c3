#include "models/detok.h"
#include "tests/t.h"
#include "tests/tok_small.h"

static void *open_small(struct tok *t)
{
    struct err e = {0};
    void *image = tok_small_open(t, &e);
    MUST_TRUE(image, e.msg);
    return image;
}

static int32_t byte_id(const struct tok *t, unsigned byte)
{
    char text[8];
    snprintf(text, sizeof text, "<0x%02X>", byte);
    return tok_find(t, str_of(text));
}

TEST(detok_prints_pieces_with_spaces_and_hides_markers)
{
    struct tok t;
    void *image = open_small(&t);
    struct detok d;
    char out[DETOK_OUT_BYTES];
    detok_init(&d);
    size_t n = detok_push(&d, &t, tok_find(&t, STR("\xe2\x96\x81the")), false, out);
    CHECK_EQ(n, 4);
    CHECK_BYTES(out, " the", 4);
    CHECK_EQ(detok_push(&d, &t, t.special[TOK_TURN_CLOSE], false, out), 0);
    n = detok_push(&d, &t, t.special[TOK_TURN_CLOSE], true, out);
    CHECK_EQ(n, 7);
    CHECK_BYTES(out, "<turn|>", 7);
    n = detok_push(&d, &t, t.special[TOK_QUOTE], false, out); /* user-defined: text */
    CHECK_EQ(n, 5);
    CHECK_EQ(detok_push(&d, &t, -5, false, out), 0);
    CHECK_EQ(detok_push(&d, &t, (int32_t)t.n_vocab, false, out), 0);
    CHECK_EQ(detok_flush(&d, out), 0);
    free(image);
}

/* What the ids of these bytes print, for every byte its own token. */
static size_t print_bytes(const struct tok *t, const unsigned char *bytes, size_t n_bytes,
                          char *all)
{
    struct detok d;
    size_t n_all = 0;
    detok_init(&d);
    for (size_t i = 0; i < n_bytes; i++) {
        n_all += detok_push(&d, t, byte_id(t, bytes[i]), false, all + n_all);
        CHECK_TRUE(str_is_utf8((struct str){all, n_all})); /* never half a character */
    }
    return n_all + detok_flush(&d, all + n_all);
}

static void check_bytes_print(const struct tok *t, const char *bytes, const char *want)
{
    char got[4 * DETOK_OUT_BYTES];
    size_t n = print_bytes(t, (const unsigned char *)bytes, strlen(bytes), got);
    got[n] = 0;
    CHECK_STR(got, want);
}

TEST(detok_holds_half_characters_and_replaces_broken_ones)
{
    struct tok t;
    void *image = open_small(&t);
    check_bytes_print(&t, "\xf0\x9f\xa6\x99", "\xf0\x9f\xa6\x99");
    check_bytes_print(&t, "a\xc3\xa9z", "a\xc3\xa9z");
    check_bytes_print(&t,
                      "\xf0\x9f\xa6"
                      "a",
                      "\xef\xbf\xbd"
                      "a");                                /* one U+FFFD for the whole start */
    check_bytes_print(&t, "\xf0\x9f\xa6", "\xef\xbf\xbd"); /* so at the end */
    check_bytes_print(&t, "\xe2\x96\xc3\xa9", "\xef\xbf\xbd\xc3\xa9");
    check_bytes_print(&t, "\x80\x80",
                      "\xef\xbf\xbd\xef\xbf\xbd"); /* nothing these could be the start of */
    check_bytes_print(&t, "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd");
    check_bytes_print(&t, "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* a surrogate */
    check_bytes_print(&t, "\xf0\x9f\xf0\x9f\xa6\x99", "\xef\xbf\xbd\xf0\x9f\xa6\x99");
    free(image);
}

TEST(detok_restores_text_whatever_the_tokens)
{
    static const char text[] =
        "the thought \xc3\xa9\xc3\xa4\xf0\x9f\xa6\x99 aabb\n\n\nabc\t<0x41> x";
    struct tok t;
    void *image = open_small(&t);
    struct tok_scratch *scratch = malloc(tok_scratch_bytes());
    struct tok_segment seg = {STR(text), false};
    struct err e = {0};
    int32_t at[256];
    struct tok_ids ids = {at, 256, 0};
    size_t n = 0;
    char all[4096];
    struct detok d;
    MUST_TRUE(scratch && tok_encode(&t, &(struct tok_text){&seg, 1, false}, scratch, &ids, &e),
              e.msg);
    detok_init(&d);
    for (size_t i = 0; i < ids.n; i++)
        n += detok_push(&d, &t, ids.at[i], false, all + n);
    n += detok_flush(&d, all + n);
    all[n] = 0;
    CHECK_STR(all, text);
    free(scratch);
    free(image);
}

TEST(detok_bytes_are_raw_and_cut_to_the_room)
{
    struct tok t;
    void *image = open_small(&t);
    char out[16];
    CHECK_EQ(detok_bytes(&t, byte_id(&t, 0xc3), out, sizeof out), 1);
    CHECK_EQ((unsigned char)out[0], 0xc3);
    CHECK_EQ(detok_bytes(&t, byte_id(&t, 0xc3), out, 0), 0);
    CHECK_EQ(detok_bytes(&t, tok_find(&t, STR("\xe2\x96\x81the")), out, sizeof out), 4);
    CHECK_BYTES(out, " the", 4);
    CHECK_EQ(detok_bytes(&t, tok_find(&t, STR("thought")), out, 3), 3);
    CHECK_BYTES(out, "tho", 3);
    CHECK_EQ(detok_bytes(&t, -1, out, sizeof out), 0);
    free(image);
}
