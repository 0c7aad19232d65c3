/* tok: any text gives the same ids whole and in segments, and its ids print it again; any damage to
 * a tokenizer image is refused or leaves every look-up inside the image. */
#include "models/detok.h"
#include "tests/tok_small.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

enum { MAX_TEXT_BYTES = 4096, MAX_IDS = MAX_TEXT_BYTES + 1 };

static void must(bool held)
{
    if (!held)
        abort();
}

struct fixture {
    struct tok tok;
    void *image, *damaged;
    struct tok_scratch *scratch;
    int32_t whole[MAX_IDS], pieces[MAX_IDS];
    char text[MAX_TEXT_BYTES + 16];
};

static struct fixture *shared; /* made once: building it costs more than a round */

static struct fixture *fixture_get(void)
{
    struct err e;
    if (shared)
        return shared;
    shared = malloc(sizeof *shared);
    must(shared);
    shared->image = tok_small_open(&shared->tok, &e);
    shared->scratch = malloc(tok_scratch_bytes());
    shared->damaged = malloc(shared->tok.image_bytes);
    must(shared->image && shared->scratch && shared->damaged);
    return shared;
}

/* A space mark is indistinguishable from a space once it is encoded. */
static size_t with_spaces(struct str text, char *out)
{
    size_t n = 0;
    for (size_t at = 0; at < text.n_bytes; n++) {
        bool is_mark = text.n_bytes - at >= 3 && memcmp(text.p + at, "\xe2\x96\x81", 3) == 0;
        out[n] = is_mark ? ' ' : text.p[at];
        at += is_mark ? 3 : 1;
    }
    return n;
}

static void check_prints_again(struct fixture *f, struct str text, size_t n_ids)
{
    struct detok d;
    char piece[DETOK_OUT_BYTES];
    size_t at = 0, n_want = with_spaces(text, f->text);
    detok_init(&d);
    for (size_t i = 0; i < n_ids; i++) {
        size_t n = detok_push(&d, &f->tok, f->whole[i], false, piece);
        must(n <= n_want - at && memcmp(f->text + at, piece, n) == 0);
        at += n;
    }
    must(at == n_want && detok_flush(&d, piece) == 0);
}

static void try_text(struct fixture *f, struct str text, size_t cut)
{
    struct tok_segment one = {text, false}, two[2];
    struct tok_ids whole = {f->whole, MAX_IDS, 0}, pieces = {f->pieces, MAX_IDS, 0};
    struct err e;
    bool ok = tok_encode(&f->tok, &(struct tok_text){&one, 1, false}, f->scratch, &whole, &e);
    must(ok == str_is_utf8(text));
    if (!ok)
        return;
    cut = text.n_bytes ? cut % text.n_bytes : 0;
    while (cut > 0 && ((unsigned char)text.p[cut] & 0xc0) == 0x80)
        cut--;
    two[0] = (struct tok_segment){{text.p, cut}, false};
    two[1] = (struct tok_segment){{text.p + cut, text.n_bytes - cut}, false};
    must(tok_encode(&f->tok, &(struct tok_text){two, 2, false}, f->scratch, &pieces, &e));
    must(whole.n == pieces.n && memcmp(f->whole, f->pieces, whole.n * sizeof *f->whole) == 0);
    check_prints_again(f, text, whole.n);
    one.is_trusted = true;
    must(tok_encode(&f->tok, &(struct tok_text){&one, 1, true}, f->scratch, &whole, &e));
}

/* Each six bytes: where, and what to write there. */
static void try_image(struct fixture *f, const uint8_t *bytes, size_t n_bytes)
{
    static const char text[] = "<|turn>the aabbcc\n\n\xc3\xa9\xf0\x9f\xa6\x99<turn|>";
    struct tok t;
    struct err e;
    char *image = f->damaged;
    memcpy(image, f->image, f->tok.image_bytes);
    for (; n_bytes >= 6; bytes += 6, n_bytes -= 6) {
        size_t at = ((size_t)bytes[0] << 8 | bytes[1]) * 4;
        at = bytes[0] & 1 ? at * 61 % f->tok.image_bytes
                          : at % f->tok.image_bytes; /* the header, or anywhere */
        for (size_t k = 0; k < 4 && at + k < f->tok.image_bytes; k++)
            image[at + k] = (char)bytes[2 + k];
    }
    if (!tok_open(&t, image, f->tok.image_bytes, &e))
        return;
    struct tok_segment seg = {STR(text), true};
    struct tok_ids ids = {f->whole, MAX_IDS, 0};
    struct detok d;
    char piece[DETOK_OUT_BYTES];
    detok_init(&d);
    tok_encode(&t, &(struct tok_text){&seg, 1, true}, f->scratch, &ids, &e);
    for (size_t i = 0; i < ids.n && i < MAX_IDS; i++)
        must(detok_push(&d, &t, f->whole[i], true, piece) <= sizeof piece);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    if (n_bytes < 2 || n_bytes > MAX_TEXT_BYTES)
        return 0;
    struct fixture *f = fixture_get();
    if (bytes[0] & 1)
        try_text(f, (struct str){(const char *)bytes + 2, n_bytes - 2}, bytes[1]);
    else
        try_image(f, bytes + 2, n_bytes - 2);
    return 0;
}
