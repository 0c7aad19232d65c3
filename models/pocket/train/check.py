"""Checks that what the dialogues answer is in their prompts.

usage: check.py DIALOGUES.jsonl [--vocabulary vocabulary.json] [--stranger stranger.jsonl]

For answers from a prompt: every number, day and name in the answer is in the prompt or the question,
and every text of the rule is in the answer. Sums are computed again. Prints what it doubts, then counts;
with a vocabulary the lengths in tokens, with the strangers' questions how many occur word for word.
"""

import argparse
import collections
import json
import re
import sys

import rules
from turn import DAYS

WORDS = re.compile(r"[^\W\d_]+", re.UNICODE)
NUMBER = re.compile(r"\d+")
# Words that answers may start a sentence with, or bring along, without a prompt that has them.
OWN = set("on an we the you your entry bus buses it a yes there parking food dogs photos tours my this i please ones and if late books tram that free wifi".split())


def days_of(prompt):
    """Days that a prompt names, also shortened, as ends of a run, or as all but one."""
    if re.search(r"daily|every ?day|each day|seven days|week", prompt.lower()):
        return set(DAYS)
    named = [i for i, day in enumerate(DAYS) if re.search(rf"\b({day}s?|{day[:3]})\b", prompt)]
    return set(DAYS) if named else set()


def doubts(entry):
    messages = entry["messages"]
    answer, question = messages[-1]["content"], messages[-2]["content"]
    prompt = messages[0]["content"] if messages[0]["role"] == "system" else ""
    if not rules.passes(entry["rule"], answer):
        yield "the rule"
    for left, op, right, result in re.findall(r"(?<![\d.])(\d+(?:\.\d)?) ([-+x/]) (\d+(?:\.\d)?) = (-?\d+(?:\.\d)?)\b(?! with)", answer):
        a, b = round(float(left) * 10), round(float(right) * 10)
        want = {"+": a + b, "-": a - b, "x": a * b / 10, "/": a * 10 / b if b else 0}[op]
        if abs(want - float(result) * 10) > 0.01:
            yield f"the sum {left} {op} {right}"
    if entry["kind"] != "kiosk" or "= " in answer:
        return
    known = prompt + " " + question
    for number in NUMBER.findall(answer):
        if number not in NUMBER.findall(known):
            yield f"the number {number}"
    lower = known.lower()
    for found in WORDS.finditer(answer):
        word = found[0]
        if word in DAYS:
            if word not in days_of(prompt) and word.lower() not in lower:
                yield f"the day {word}"
        elif word[0].isupper() and word.lower() not in OWN and word.lower()[:-1] not in lower:
            yield f"the word {word}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dialogues")
    parser.add_argument("--vocabulary")
    parser.add_argument("--stranger")
    args = parser.parse_args()
    with open(args.dialogues, encoding="utf-8") as lines:
        entries = [json.loads(line) for line in lines]
    n_doubts = 0
    for number, entry in enumerate(entries):
        found = list(dict.fromkeys(doubts(entry)))
        n_doubts += bool(found)
        if found:
            print(f"line {number + 1}: {', '.join(found)}\n  {json.dumps(entry['messages'], ensure_ascii=False)}")
    print(dict(collections.Counter(entry["kind"] for entry in entries)))
    if args.vocabulary:
        import chat

        vocabulary = chat.Vocabulary.from_json(args.vocabulary)
        lengths = sorted(
            len(vocabulary.encode(chat.render(e["messages"][:-1], e["thinking"]) + chat.reply(e["messages"][-1], e["thinking"])))
            for e in entries
        )
        share = [lengths[len(lengths) * part // 100] for part in (5, 50, 95, 99)]
        print(f"tokens: mean {sum(lengths) / len(lengths):.0f}, at 5, 50, 95, 99 %: {share}, most {lengths[-1]}")
    if args.stranger:
        said = {m["content"].lower().strip(" ?.!") for e in entries for m in e["messages"] if m["role"] == "user"}
        with open(args.stranger, encoding="utf-8") as lines:
            asked = [json.loads(line)["messages"][-2]["content"] for line in lines]
        same = [text for text in asked if text.lower().strip(" ?.!") in said]
        print(f"word for word: {len(same)} of {len(asked)}: {same}")
    print(f"{n_doubts} doubts in {len(entries)} dialogues")
    return 1 if n_doubts else 0


if __name__ == "__main__":
    sys.exit(main())
