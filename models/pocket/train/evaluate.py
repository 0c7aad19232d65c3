"""Scores the held-out dialogues, greedily, by rule.

usage: evaluate.py HELDOUT.jsonl --gguf POCKET.gguf          (transformers, float32)
       evaluate.py HELDOUT.jsonl --checkpoint FILE.pt        (the same, before export)
       evaluate.py HELDOUT.jsonl --url https://host:8443/v1 --ca ca.crt --key KEY

The last form asks any OpenAI-compatible server. --show prints the failures.
"""

import argparse
import collections
import json
import ssl
import sys
import urllib.request

import rules


class Server:
    def __init__(self, url, ca, key):
        self.url, self.key = url.rstrip("/"), key
        self.tls = ssl.create_default_context(cafile=ca)
        self.model = self._post("GET", "/models")["data"][0]["id"]

    def _post(self, method, path, body=None):
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        request = urllib.request.Request(
            self.url + path, json.dumps(body).encode() if body else None, headers, method=method
        )
        with urllib.request.urlopen(request, context=self.tls, timeout=120) as response:
            return json.load(response)

    def answer(self, messages, thinking):
        reply = self._post(
            "POST",
            "/chat/completions",
            {
                "model": self.model,
                "messages": messages,
                "temperature": 0,
                "max_tokens": 220,
                "chat_template_kwargs": {"enable_thinking": thinking},
            },
        )
        message = reply["choices"][0]["message"]
        return message.get("content") or "", message.get("reasoning_content") or ""


class Local:
    """The public model classes; imported late, so that the server form needs only Python."""

    def __init__(self, args):
        import chat
        import export
        import shape
        import torch
        import train

        torch.set_num_threads(1)
        if args.gguf:
            vocabulary, self.model = export.read_vocabulary(args.gguf), export.read(args.gguf)
        else:
            vocabulary, self.model = chat.Vocabulary.from_json(args.vocabulary), shape.load_model(
                args.checkpoint
            )
        self.run = lambda messages, thinking: train.answer(
            self.model, vocabulary, messages, thinking, 220
        )

    def answer(self, messages, thinking):
        text = self.run(messages, thinking)
        thought = ""
        if "<channel|>" in text:
            thought, text = text.split("<channel|>", 1)
            thought = thought.replace("<|channel>thought\n", "").strip()
        return text, thought


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("heldout")
    for name in ("--gguf", "--checkpoint", "--vocabulary", "--url", "--ca", "--key"):
        parser.add_argument(name)
    parser.add_argument("--limit", type=int, default=0)
    parser.add_argument("--show", action="store_true")
    args = parser.parse_args()
    asked = Server(args.url, args.ca, args.key) if args.url else Local(args)
    good, total, thought_kept, thought_asked = collections.Counter(), collections.Counter(), 0, 0
    with open(args.heldout, encoding="utf-8") as lines:
        entries = [json.loads(line) for line in lines][: args.limit or None]
    for entry in entries:
        said, thought = asked.answer(entry["messages"][:-1], entry["thinking"])
        ok = rules.passes(entry["rule"], said)
        total[entry["kind"]] += 1
        good[entry["kind"]] += ok
        thought_asked += entry["thinking"]
        thought_kept += entry["thinking"] and bool(thought)
        if args.show and not ok:
            print(
                f"{entry['kind']}: {entry['messages'][-2]['content']!r}\n  said {thought!r} {said!r}\n"
                f"  want {entry['messages'][-1]['content']!r}",
                flush=True,
            )
    for kind in sorted(total):
        print(f"{kind:10} {good[kind]:4} of {total[kind]}")
    n_good, n_total = sum(good.values()), sum(total.values())
    print(
        f"{'all':10} {n_good:4} of {n_total} = {100 * n_good / n_total:.1f} %; a thought where asked: "
        f"{thought_kept} of {thought_asked}"
    )
    return 0 if n_good >= 0.9 * n_total else 1


if __name__ == "__main__":
    sys.exit(main())
