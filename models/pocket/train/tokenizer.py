"""Trains the 2048-piece BPE vocabulary and writes vocabulary.json.

usage: tokenizer.py TRAIN.jsonl OUT.json

The result is of the same kind as the real Gemma 4 tokenizer: U+2581 for space, byte pieces, runs of
line feeds, spaces and tabs, no pre-splitting at run time. Merges are learnt inside words only
(a word carries its leading space), a digit merges with nothing, and a line feed merges only with
line feeds. Marker ids differ from the real file on purpose: ids must be looked up by text.
"""

import collections
import json
import re
import sys

N_PIECES = 2048
SPACE = "\u2581"
HEAD = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
MARKERS = [
    "<|turn>",
    "<turn|>",
    "<|channel>",
    "<channel|>",
    "<|think|>",
    "<|tool>",
    "<tool|>",
    "<|tool_call>",
    "<tool_call|>",
    "<|tool_response>",
    "<tool_response|>",
    '<|"|>',
    "<|image>",
    "<image|>",
    "<|image|>",
    "<|audio>",
    "<audio|>",
    "<|audio|>",
    "<|video|>",
]
USER_DEFINED = {
    "<|channel>",
    "<channel|>",
    "<|tool_call>",
    "<tool_call|>",
    "<|tool_response>",
    "<tool_response|>",
    '<|"|>',
}
NORMAL, CONTROL, USER, BYTE = 1, 3, 4, 6
RUNS = [("\n", 31), (SPACE, 31), ("\t", 8)]
EXTRA_CHARS = "äöüÄÖÜßéèàçñ°€–—’‘“”„…·×÷½"
TEMPLATE_WORDS = ["system", "user", "model", "thought"]
WORD = re.compile(SPACE + r"?[^\W\d_]+|" + SPACE + r"|\d|[^\w\s" + SPACE + r"]+|\n+|.", re.S)


def words_of(path):
    """Word -> count, damped so that rare words get pieces too."""
    counts = collections.Counter()
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            for message in json.loads(line)["messages"]:
                for field in ("content", "reasoning_content"):
                    counts.update(WORD.findall(message.get(field, "").replace(" ", SPACE)))
    weights = {word: count**0.6 for word, count in counts.items()}
    weights.update({word: 1e6 for word in TEMPLATE_WORDS})
    return weights


def run_merges(unit, longest):
    """Longest run first, so that runs grow from the left to their full length."""
    return [(unit * (n - 1), unit) for n in range(longest, 1, -1)]


def learn_merges(words, n_merges):
    splits = {word: list(word) for word in words if len(word) > 1 and "\n" not in word}
    pairs, where = collections.Counter(), collections.defaultdict(set)
    for word, parts in splits.items():
        for pair in zip(parts, parts[1:]):
            pairs[pair] += words[word]
            where[pair].add(word)
    merges = []
    while len(merges) < n_merges:
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        for word in list(where[best]):
            parts = splits[word]
            for pair in zip(parts, parts[1:]):
                pairs[pair] -= words[word]
                where[pair].discard(word)
            at = 0
            while at < len(parts) - 1:
                if (parts[at], parts[at + 1]) == best:
                    parts[at : at + 2] = ["".join(best)]
                at += 1
            for pair in zip(parts, parts[1:]):
                pairs[pair] += words[word]
                where[pair].add(word)
        del pairs[best]
    return merges


def build(words):
    tokens, types = [], []

    def add(text, kind):
        tokens.append(text)
        types.append(kind)

    for text in HEAD:
        add(text, CONTROL)
    for text in MARKERS:
        add(text, USER if text in USER_DEFINED else CONTROL)
    for byte in range(256):
        add(f"<0x{byte:02X}>", BYTE)
    merges = []
    for unit, longest in RUNS:
        merges += run_merges(unit, longest)
        for n in range(1, longest + 1):
            add(unit * n, NORMAL)
    for char in [chr(c) for c in range(0x21, 0x7F)] + list(EXTRA_CHARS):
        add(char, NORMAL)
    have = set(tokens)
    known = {w: c for w, c in words.items() if all(ch in have for ch in w)}
    for left, right in learn_merges(known, 2 * N_PIECES):
        if len(tokens) == N_PIECES:
            break
        merges.append((left, right))
        if left + right not in have:
            have.add(left + right)
            add(left + right, NORMAL)
    return tokens, types, merges


def check(tokens, types, merges):
    have = set(tokens)
    assert len(tokens) == N_PIECES == len(have)
    assert len(set(merges)) == len(merges)
    for left, right in merges:
        assert left in have and right in have and left + right in have
        assert len(set(left + right)) == 1 or "\n" not in left + right
        assert not any(ch.isdigit() for ch in left + right)


def main():
    tokens, types, merges = build(words_of(sys.argv[1]))
    check(tokens, types, merges)
    with open(sys.argv[2], "w", encoding="utf-8") as out:
        json.dump({"tokens": tokens, "types": types, "merges": merges}, out, ensure_ascii=False)
    print(f"{len(tokens)} pieces, {len(merges)} merges")


if __name__ == "__main__":
    main()
