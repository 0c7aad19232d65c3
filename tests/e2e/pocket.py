#!/usr/bin/env python3
"""pocket.py HEARTH: the built-in model says what an independent implementation says, and knows its lines.

Golden positions: models/pocket/golden.json, from the public Gemma 4 classes (provenance in the file).
Held-out dialogues: models/pocket/heldout.jsonl, asked through the server, judged by models/pocket/train/rules.py.
One line per check: "ok NAME" or "not ok NAME" with what was seen; the last line is the tally.
"""
import hashlib
import json
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # the tree stays as it is
POCKET = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "models", "pocket")
sys.path.insert(0, os.path.join(POCKET, "train"))
import rules
from raw_http import HEARTH, Box, check, tally

# Activations in 8 bits move the logits of these rows by up to 0.06 (measured, of a range of 40).
LOGIT_BOUND = 0.15
CLEAR_LEAD = 2 * LOGIT_BOUND
HELD_OUT_SHARE = 0.9
STRANGER_SHARE = 0.75


def logits(ids, *flags):
    out = subprocess.run([HEARTH, "logits", "--tokens", ",".join(map(str, ids)), *flags],
                         capture_output=True, text=True, check=True).stdout
    return [line.split() for line in out.splitlines()]


def golden():
    with open(os.path.join(POCKET, "golden.json"), encoding="utf-8") as f:
        record = json.load(f)
    with open(os.path.join(POCKET, "pocket.gguf"), "rb") as f:
        digest = hashlib.sha256(f.read()).hexdigest()
    check("golden: the figures belong to the committed weights", digest == record["gguf_sha256"], digest)
    n_clear = 0
    for number, case in enumerate(record["cases"]):
        rows = logits(case["tokens"], "--all")
        clear = [i for i, row in enumerate(rows) if float(row[4]) > CLEAR_LEAD]
        wrong = [i for i in clear if int(rows[i][2]) != case["argmax"][i]]
        n_clear += len(clear)
        check(f"golden {number}: the same best token at every clear position", len(clear) > 0 and not wrong, wrong)
        last = {int(row[1]): float(row[2]) for row in logits(case["tokens"], "--top", "1000")[2:]}
        worst = max(abs(last[i] - want) for i, want in case["last_top5"])
        check(f"golden {number}: the last row's logits", worst < LOGIT_BOUND, worst)
    check("golden: enough positions are clear", n_clear >= 90, n_clear)


def answers(box, name):
    """Entries of a file, and whether each answer keeps its rule."""
    with open(os.path.join(POCKET, name), encoding="utf-8") as f:
        entries = [json.loads(line) for line in f]
    held, thoughts = 0, 0
    asked = [e for e in entries if e["thinking"]]
    for entry in entries:
        status, reply, _ = box.chat(messages=entry["messages"][:-1], max_tokens=220,
                                    chat_template_kwargs={"enable_thinking": entry["thinking"]})
        message = reply["choices"][0]["message"] if status == 200 else {}
        held += rules.passes(entry["rule"], message.get("content") or "")
        thoughts += entry["thinking"] and bool(message.get("reasoning_content"))
    return held / len(entries), thoughts, len(asked)


def main():
    golden()
    with tempfile.TemporaryDirectory() as directory:
        box = Box(directory)
        try:
            share, thoughts, n_asked = answers(box, "heldout.jsonl")
            check("nine of ten held-out dialogues keep their rule", share >= HELD_OUT_SHARE, share)
            check("a thought wherever thinking was asked for", thoughts == n_asked > 0, (thoughts, n_asked))
            share, _, _ = answers(box, os.path.join("train", "stranger.jsonl"))
            check("three of four questions of strangers do", share >= STRANGER_SHARE, share)
        finally:
            box.stop()
    print("%(passed)d passed, %(failed)d failed, 0 skipped" % tally)
    return 1 if tally["failed"] else 0


sys.exit(main())
