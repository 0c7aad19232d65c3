"""Golden token ids on a synthetic 262,144-piece vocabulary, from the public tokenizers library.

Usage: make_tokenizer.py OUT.jsonl        3,000 texts with their ids
       make_tokenizer.py --gguf OUT.gguf  the vocabulary alone as GGUF

The vocabulary is a function of the tables below; tokenizer.md states it so that C can rebuild it.
"""

import hashlib
import json
import random
import sys

N_PIECES = 262144
N_RUN = 31
LINE_FEED, SPACE, TAB = "\n", "\u2581", "\t"
SPACE_ID = 236743
FIRST_CHAR_ID, END_CHAR_ID = 236744, 255968
FIRST_WORD_ID, END_WORD_ID = 494, 236743
MAX_WORD_CHARS = 16
SEED = 0x48656172746800

NORMAL, CONTROL, USER_DEFINED, BYTE = 1, 3, 4, 6
CONTROL_TEXTS = {
    0: "<pad>", 1: "<eos>", 2: "<bos>", 3: "<unk>", 4: "<mask>",
    46: "<|tool>", 47: "<tool|>", 98: "<|think|>", 105: "<|turn>", 106: "<turn|>",
    255999: "<|image>", 256000: "<|audio>", 258880: "<|image|>", 258881: "<|audio|>",
    258882: "<image|>", 258883: "<audio|>", 258884: "<|video|>",
}  # fmt: skip
USER_TEXTS = {
    48: "<|tool_call>", 49: "<tool_call|>", 50: "<|tool_response>", 51: "<tool_response|>",
    52: '<|"|>', 100: "<|channel>", 101: "<channel|>",
}  # fmt: skip
PLAIN_TEXTS = {168: "<table>", 169: "</table>", 170: "<tr>", 171: "</tr>", 172: "<td>", 173: "</td>",
               174: "<h1>", 175: "</h1>", 176: "<b>", 177: "</b>", 212: "</s>"}  # fmt: skip

# Code points that are pieces of their own, first and last, in id order; the last range fills the rest.
CHAR_RANGES = [
    (0x21, 0x7E), (0xA1, 0x17F), (0x0300, 0x036F), (0x0370, 0x03FF), (0x0400, 0x045F),
    (0x05D0, 0x05EA), (0x0621, 0x064A), (0x0901, 0x096F), (0x0E01, 0x0E3A), (0x1780, 0x17B3),
    (0x1E00, 0x1EFF), (0x200D, 0x200D), (0x2010, 0x2027), (0x20A0, 0x20BF), (0x2190, 0x22FF),
    (0x2500, 0x257F), (0x2700, 0x27BF), (0x3001, 0x3003), (0x3041, 0x3096), (0x30A1, 0x30FA),
    (0xAC00, 0xB5C3), (0xFE0F, 0xFE0F), (0xFF01, 0xFF5E), (0x1F600, 0x1F64F), (0x1F680, 0x1F6C5),
    (0x4E00, 0x9FFF),
]  # fmt: skip


class Syllables:
    """A script whose syllable is onset + nucleus + coda; `_` in a table is the empty string."""

    def __init__(self, onsets, nuclei, codas):
        self.tables = [[c.replace("_", "") for c in t.split()] for t in (onsets, nuclei, codas)]

    def syllable(self, r):
        onsets, nuclei, codas = self.tables
        onset = onsets[min((r & 0xFFF) % len(onsets), (r >> 12 & 0xFFF) % len(onsets))]
        nucleus = nuclei[min((r >> 24 & 0xFFF) % len(nuclei), (r >> 36 & 0xFFF) % len(nuclei))]
        return onset + nucleus + codas[(r >> 48) % len(codas)]


class Range:
    """A script whose syllable is one of n consecutive code points, low ones more often."""

    def __init__(self, first, n):
        self.first, self.n = first, n

    def syllable(self, r):
        return chr(self.first + min((r & 0xFFFFF) % self.n, (r >> 20 & 0xFFFFF) % self.n))


LATIN = Syllables(
    "t s r n l d c m p b f _ st th w h g pr tr v ch sh br gr cl k pl fr sp j qu",
    "e a i o u ea io ou y ee ai au",
    "_ _ _ _ n r s t l d ng st nt m ck ll",
)
GERMAN = Syllables(
    "_ s d n b g w r m k f z sch st h l ge ver t p",
    "e i a u ei ä ie o ü ö au eu",
    "n r _ t s ch _ nd ß l cht m ng tz",
)
CYRILLIC = Syllables(
    "п с н т к в р д м л з б г ч пр ст х ш",
    "о а е и у ы я ю ё",
    "_ _ т н л в й м с ль ть х к",
)
GREEK = Syllables("τ κ π σ μ ν λ δ γ θ ρ φ", "α ο ε ι η υ ω ου ά ί", "_ _ ς ν ρ ις")
DEVANAGARI = Syllables("क न र स त म प ह व ल य द", "ा ि ी े ो ु ्", "_ _ न र त ं")
MARKS = Syllables("- = . / * # _ < > ! ( [ { : ; & |", "- = . * / ! ) ] } > ? \" ' ; ,", "_ _ = > ) ;")
HAN, KANA, HANGUL = Range(0x4E00, 3000), Range(0x3041, 86), Range(0xAC00, 2000)
# The script of a word is entry (r & 31) of this list.
SCRIPTS = [LATIN] * 20 + [GERMAN] * 3 + [CYRILLIC] * 3 + [HAN, HAN, KANA, HANGUL, GREEK, DEVANAGARI]
MARKS_ONE_IN = 64


def splitmix64(state):
    """Endless 64-bit numbers."""
    mask = (1 << 64) - 1
    while True:
        state = (state + 0x9E3779B97F4A7C15) & mask
        z = state
        z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ z >> 27) * 0x94D049BB133111EB) & mask
        yield z ^ z >> 31


def drawn_word(draw):
    """One word: optional space mark, 1 to 4 syllables, sometimes a capital; at most 16 code points."""
    r = next(draw)
    script = MARKS if (r >> 24) % MARKS_ONE_IN == 0 else SCRIPTS[r & 31]
    has_space = (r >> 5) % 8 < 5
    is_capital = (r >> 8) % 8 == 0
    n_syllables = 1 + min((r >> 16) & 3, (r >> 18) & 3)
    word = "".join(script.syllable(next(draw)) for _ in range(n_syllables))
    if is_capital and "a" <= word[0] <= "z":
        word = chr(ord(word[0]) - 32) + word[1:]
    return ((SPACE if has_space else "") + word)[:MAX_WORD_CHARS]


class Vocab:
    """pieces, types and merges (left, right) of the synthetic vocabulary."""

    def __init__(self):
        self.pieces = [None] * N_PIECES
        self.types = [NORMAL] * N_PIECES
        self._place_fixed()
        self._place_chars()
        self.id_of = {p: i for i, p in enumerate(self.pieces) if p is not None}
        self._place_words()
        for i, piece in enumerate(self.pieces):
            if piece is None:
                self.pieces[i] = f"<unused{i}>"
        self.id_of = {p: i for i, p in enumerate(self.pieces)}
        assert len(self.id_of) == N_PIECES
        self._make_merges()

    def _place_fixed(self):
        for texts, kind in ((CONTROL_TEXTS, CONTROL), (USER_TEXTS, USER_DEFINED), (PLAIN_TEXTS, NORMAL)):
            for i, text in texts.items():
                self.pieces[i], self.types[i] = text, kind
        for n in range(1, N_RUN + 1):
            self.pieces[106 + n] = LINE_FEED * n
            self.pieces[255967 + n] = TAB * n
            self.pieces[136 + n if n > 1 else SPACE_ID] = SPACE * n
        for b in range(256):
            self.pieces[238 + b], self.types[238 + b] = f"<0x{b:02X}>", BYTE

    def _place_chars(self):
        next_id = FIRST_CHAR_ID
        for first, last in CHAR_RANGES:
            for code in range(first, last + 1):
                if next_id < END_CHAR_ID:
                    self.pieces[next_id] = chr(code)
                    next_id += 1
        assert next_id == END_CHAR_ID

    def _place_words(self):
        """Every prefix of two or more code points of a drawn word is a piece, short ones first."""
        draw = splitmix64(SEED)
        next_id = FIRST_WORD_ID
        while next_id < END_WORD_ID:
            word = drawn_word(draw)
            for n in range(2, len(word) + 1):
                if word[:n] not in self.id_of and next_id < END_WORD_ID:
                    self.pieces[next_id] = word[:n]
                    self.id_of[word[:n]] = next_id
                    next_id += 1

    def _make_merges(self):
        self.merges = [(LINE_FEED * n, LINE_FEED) for n in range(N_RUN - 1, 0, -1)]
        self.merges += [(SPACE * n, SPACE) for n in range(N_RUN - 1, 0, -1)]
        tab_splits = [(n, k) for n in range(N_RUN, 1, -1) for k in range(n - 1, 0, -1)]
        self.merges += [(TAB * k, TAB * (n - k)) for n, k in tab_splits]
        for piece in self.pieces[FIRST_WORD_ID:END_WORD_ID]:
            for k in range(len(piece) - 1, 0, -1):
                if piece[:k] in self.id_of and piece[k:] in self.id_of:
                    self.merges.append((piece[:k], piece[k:]))

    def sha256(self):
        """Pieces by id, then merges by rank, each as UTF-8 and a zero byte."""
        digest = hashlib.sha256()
        for piece in self.pieces:
            digest.update(piece.encode() + b"\0")
        for left, right in self.merges:
            digest.update(f"{left} {right}".encode() + b"\0")
        return digest.hexdigest()


def library_tokenizer(vocab, with_markers):
    """The tokenizers form of this kind of vocabulary: no pre-tokenizer, byte fallback."""
    from tokenizers import AddedToken, Tokenizer, models, normalizers

    model = models.BPE(
        vocab=vocab.id_of,
        merges=vocab.merges,
        unk_token="<unk>",
        byte_fallback=True,
        fuse_unk=False,
        ignore_merges=False,
    )
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Replace(" ", SPACE)
    if with_markers:
        texts = list(CONTROL_TEXTS.values()) + list(USER_TEXTS.values())
        tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in texts])
    return tokenizer


ENGLISH = (
    "the of and to in is was for on that with as it by at from his her they this have are not but had one all"
    " which you were when we there can an your said if do will each about how up out them then she many some so"
    " these would other into has more two like him see time could no make than first been its who now people my"
    " made over did down only way find use may water long little very after words called just where most know"
).split()
GERMAN_TEXT = "Über Größe und Maß, schöne Grüße an Frau Weiß; fünf Äpfel für die Öffnung um 9:30 Uhr.".split()
CODE = ["if (x == 0) {", "\treturn n_tokens;", "}", "for (int i = 0; i < n; i++)", "#include <stdio.h>",
        "a[i] += b->c * 0x1F;", "// ----", "def f(x):", "    pass", "</div>", '{"k": [1, 2.5e-3, null]}']  # fmt: skip
ODD = ["\u0301", "\u00a0", "\r", "\r\n", "\u200b", "\u2028", "\ufeff", "\U0001f999", "\U0001f636\u200d\U0001f32b\ufe0f",
       "\U0001f1e9\U0001f1ea", "\U00020000", "\U0010ffff", "\x01", "\x7f", "\u2581", "\u2581\u2581", "\ufffd", "\u0e33",
       "\uac01", "\u1780\u17b6", "e\u0308", "\u05e9\u05dc", "\u0645\u0631", "\x0b", "\x1b[0m"]  # fmt: skip


class Texts:
    """3,000 random texts of many kinds."""

    def __init__(self, vocab):
        self.rng = random.Random(20260401)
        self.vocab = vocab
        self.markers = list(CONTROL_TEXTS.values()) + list(USER_TEXTS.values())

    def piece(self):
        """A piece with its space mark shown as a space."""
        while True:
            i = self.rng.randrange(FIRST_WORD_ID, END_WORD_ID)
            if self.rng.random() < 0.5:
                i = FIRST_WORD_ID + (i - FIRST_WORD_ID) // 50
            return self.vocab.pieces[i].replace(SPACE, " ")

    def run(self):
        kind = self.rng.choice(["\n", " ", "\t", "\n", " "])
        return kind * self.rng.choice([1, 2, 3, 4, 7, 15, 16, 30, 31, 32, 33, 40, 62, 63, 70])

    def words(self, n):
        return " ".join(self.rng.choice(ENGLISH) for _ in range(n))

    def char(self):
        top = self.rng.choice([0x7F, 0x7F, 0x17F, 0x45F, 0x30FF, 0x9FFF, 0xD7FF, 0x1FAFF])
        code = self.rng.randrange(1, top)
        return chr(code if code < 0xD800 or code > 0xDFFF else 0x1F600)

    def digits(self):
        return "".join(self.rng.choice("0123456789.,- ") for _ in range(self.rng.randrange(1, 12)))

    def part(self):
        rng = self.rng
        kind = rng.randrange(14)
        if kind < 4:
            return "".join(self.piece() for _ in range(rng.randrange(1, 5)))
        if kind == 4:
            return self.words(rng.randrange(1, 9)) + rng.choice([".", ", ", "!", "?\n", " "])
        if kind == 5:
            return self.run()
        if kind == 6:
            return "".join(self.char() for _ in range(rng.randrange(1, 8)))
        if kind == 7:
            return self.digits()
        if kind == 8:
            return rng.choice(ODD) + rng.choice(["", " ", "a"])
        if kind == 9:
            return rng.choice(CODE) + rng.choice(["", "\n", " "])
        if kind == 10:
            return " ".join(rng.choice(GERMAN_TEXT) for _ in range(rng.randrange(1, 6)))
        if kind == 11:
            rare, common = rng.randrange(0x4E00, 0x9FFF), rng.randrange(0x4E00, 0x5400)
            return chr(rare) + chr(common) * rng.randrange(1, 4)
        if kind == 12:
            return "".join(rng.choice("etaoinshrdlu ") for _ in range(rng.randrange(1, 30)))
        return rng.choice("aeAZ.-=_\u00fc\u4e00") * rng.randrange(1, 40)

    def marked(self):
        """Text with marker strings, whole, broken and nested."""
        out = []
        for _ in range(self.rng.randrange(1, 5)):
            out.append(self.part())
            marker = self.rng.choice(self.markers)
            if self.rng.random() < 0.2:
                cut = self.rng.randrange(1, len(marker))
                marker = self.rng.choice([marker[:cut], marker[cut:], "<" + marker, marker[:cut] + marker])
            out.append(marker)
        return "".join(out)

    def all(self):
        fixed = ["", " ", "  ", "\n", "\t", "\n" * 31, "\n" * 32, " " * 31, " " * 32, "\t" * 31, "\t" * 32,
                 "<0x41>", "<unused9>", "<table>", "</s>", " \n \n", "\n ", "a\nb", "\u2581"]  # fmt: skip
        texts = dict.fromkeys(fixed + ODD)  # a set that keeps order
        while len(texts) < 2500:
            texts["".join(self.part() for _ in range(self.rng.choice([1, 1, 1, 2, 2, 3, 4])))] = None
        while len(texts) < 2990:
            texts[self.marked()] = None
        while len(texts) < 3000:
            texts["".join(self.part() for _ in range(60))] = None
        return texts


def write_texts(vocab, path):
    plain, marked = library_tokenizer(vocab, False), library_tokenizer(vocab, True)
    n_ids = 0
    with open(path, "w", encoding="utf-8", newline="\n") as out:
        for text in Texts(vocab).all():
            ids = plain.encode(text, add_special_tokens=False).ids
            line = {"text": text, "ids": ids}
            marked_ids = marked.encode(text, add_special_tokens=False).ids
            if marked_ids != ids:
                line["marked_ids"] = marked_ids
            n_ids += len(ids)
            out.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
    print(f"{n_ids} ids")


def write_gguf(vocab, path):
    import gguf

    writer = gguf.GGUFWriter(path, "gemma4")
    writer.add_type("vocab")
    writer.add_tokenizer_model("gemma4")
    writer.add_token_list(vocab.pieces)
    writer.add_token_scores([-1000.0] * N_PIECES)
    writer.add_token_types(vocab.types)
    writer.add_token_merges([f"{left} {right}" for left, right in vocab.merges])
    writer.add_bos_token_id(2)
    writer.add_eos_token_id(1)
    writer.add_unk_token_id(3)
    writer.add_pad_token_id(0)
    writer.add_mask_token_id(4)
    writer.add_add_bos_token(True)
    writer.add_add_space_prefix(False)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()


def main():
    if len(sys.argv) == 2 and not sys.argv[1].startswith("-"):
        vocab = Vocab()
        write_texts(vocab, sys.argv[1])
    elif len(sys.argv) == 3 and sys.argv[1] == "--gguf":
        vocab = Vocab()
        write_gguf(vocab, sys.argv[2])
    else:
        sys.exit(__doc__)
    print(f"{len(vocab.pieces)} pieces, {len(vocab.merges)} merges, sha256 {vocab.sha256()}")


if __name__ == "__main__":
    main()
