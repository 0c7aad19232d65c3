"""Trains the pocket model on CPU.

usage: train.py TRAIN.jsonl VOCABULARY.json OUT_DIR [--minutes 60 | --steps N] [--resume | --start FILE.pt]

One dialogue is one row, right-padded; rows of similar length share a step. The loss counts the
model's own turns fully and the rest of the text a little. Matrices learn with Muon, the embedding
and the norm weights with AdamW; the rate warms up and then falls linearly to zero over the budget.
The forward pass is the public class's, compiled; where the CPU multiplies bfloat16 tiles (AMX) the
products run in bfloat16 under autocast, five to ten times faster than float32, and the weights,
the residual stream and the optimizer stay in float32. Rows are padded to one of a few widths, so
that each is compiled once.
"""

import argparse
import json
import math
import os
import random
import time

import numpy as np
import torch
import torch.nn.functional as F

import chat
import shape
from muon import Muon

PROMPT_WEIGHT = 0.1
WARM_STEPS = 60
WIDTHS = (96, 160, 224, 320, 448)
N_WATCHED = 4
SAVE_SECONDS = 420


def sample(entry, vocabulary):
    """Token ids, and per token the weight of predicting it."""
    ids, weights = [], []

    def put(text, weight, marked=True):
        more = vocabulary.encode(text) if marked else vocabulary.encode_text(text)
        ids.extend(more)
        weights.extend([weight] * len(more))

    messages, thinking = entry["messages"], entry["thinking"]
    rest = list(messages)
    put("<bos>", 0)
    system = rest.pop(0)["content"] if rest[0]["role"] == "system" else ""
    if thinking or system:
        put("<|turn>system\n" + ("<|think|>\n" if thinking else "") + system, PROMPT_WEIGHT)
        put("<turn|>\n", 0)
    for message in rest[:-1]:
        if message["role"] == "user":
            put("<|turn>user\n", 0)
            put(message["content"], PROMPT_WEIGHT)
            put("<turn|>\n", PROMPT_WEIGHT)
        else:
            put("<|turn>model\n", 0)
            put(message["content"] + "<turn|>", PROMPT_WEIGHT if thinking else 1)
            put("\n", 0)
    put("<|turn>model\n" + ("" if thinking else chat.EMPTY_THOUGHT), 0)
    put(chat.reply(rest[-1], thinking), 1)
    return np.array(ids, dtype=np.int16), np.array(weights, dtype=np.float32)


def check_sample(entry, vocabulary):
    """The pieces of a sample are the ids that a server would feed for the same conversation."""
    messages, thinking = entry["messages"], entry["thinking"]
    whole = chat.render(messages[:-1], thinking) + chat.reply(messages[-1], thinking)
    assert sample(entry, vocabulary)[0].tolist() == vocabulary.encode(whole)


def width_of(sample):
    """The narrowest width that holds the sample; None if it is longer than all."""
    return next((width for width in WIDTHS if len(sample[0]) <= width), None)


def batches(samples, n_tokens, rng):
    """One pass over the samples in steps of n_tokens (padding included), one width a step."""
    order = list(range(len(samples)))
    rng.shuffle(order)
    waiting = {width: [] for width in WIDTHS}
    for i in order:
        width = width_of(samples[i])
        rows = waiting[width]
        rows.append(i)
        if (len(rows) + 1) * width <= n_tokens:
            continue
        ids = torch.zeros(len(rows), width, dtype=torch.long)
        weights = torch.zeros(len(rows), width)
        for row, j in enumerate(rows):
            ids[row, : len(samples[j][0])] = torch.from_numpy(samples[j][0])
            weights[row, : len(samples[j][1])] = torch.from_numpy(samples[j][1])
        waiting[width] = []
        yield ids, weights


def make_optimizers(model, rate):
    matrices = [p for p in model.model.layers.parameters() if p.ndim == 2]
    chosen = {id(p) for p in matrices}
    others = [p for p in model.parameters() if id(p) not in chosen]
    return [
        Muon(matrices, lr=rate),
        torch.optim.AdamW(others, lr=rate, betas=(0.9, 0.97), weight_decay=0.0),
    ]


def rate_share(step, done):
    return min(1.0, (step + 1) / WARM_STEPS) * min(1.0, (1.0 - done) / 0.7 + 0.002)


@torch.no_grad()
def answer(model, vocabulary, messages, thinking, n_max):
    ids = torch.tensor([vocabulary.encode(chat.render(messages, thinking))])
    stops = {vocabulary.id_of[t] for t in ("<eos>", "<turn|>", "<|tool_response>")}
    out, cache, feed = [], None, ids
    while len(out) < n_max:
        result = model(input_ids=feed, past_key_values=cache, use_cache=True, logits_to_keep=1)
        cache = result.past_key_values
        token = int(result.logits[0, -1].argmax())
        if token in stops:
            break
        out.append(token)
        feed = torch.tensor([[token]])
    return "".join(
        vocabulary.tokens[i] if vocabulary.types[i] in (3, 4) else vocabulary.decode([i])
        for i in out
    )


def show(model, vocabulary, entries):
    for entry in entries:
        said = answer(model, vocabulary, entry["messages"][:-1], entry["thinking"], 60)
        print(
            f"  Q {entry['messages'][-2]['content']!r}\n  A {said!r}\n  = {entry['messages'][-1]['content']!r}",
            flush=True,
        )


def load(args, vocabulary):
    """The dialogues, and a few to watch."""
    with open(args.data, encoding="utf-8") as lines:
        entries = [json.loads(line) for line in lines]
    for entry in entries[:200]:
        check_sample(entry, vocabulary)
    samples = [sample(entry, vocabulary) for entry in entries[:-N_WATCHED]]
    return [s for s in samples if width_of(s)], entries[-N_WATCHED:]


def checkpoint_path(args):
    return os.path.join(args.out, "checkpoint.pt")


def save(path, model, optimizers, state):
    torch.save(
        {
            "model": model.state_dict(),
            "optimizers": [o.state_dict() for o in optimizers],
            "state": state,
        },
        path + ".part",
    )
    os.replace(path + ".part", path)


class Loss:
    """Weighted loss of a step, and beside it the plain loss on the model's own turns."""

    def __init__(self, model):
        self.in_bfloat16 = torch.cpu._is_amx_tile_supported()
        self.model = model
        self.compiled = torch.compile(self._loss, dynamic=False)

    def _loss(self, ids, weights):
        hidden = self.model.model(input_ids=ids[:, :-1], use_cache=False).last_hidden_state
        logits = F.linear(hidden, self.model.lm_head.weight).float()
        logits = torch.tanh(logits / shape.SOFTCAP) * shape.SOFTCAP
        each = F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
        share = weights[:, 1:].flatten()
        own = share == 1
        return (each * share).sum() / share.sum(), (each.detach() * own).sum() / own.sum()

    def backward(self, ids, weights):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.in_bfloat16):
            loss, own = self.compiled(ids, weights)
        loss.backward()
        return own.item()


def run(args, model, optimizers, state, samples, watch):
    rng = random.Random(args.seed + state["step"])
    loss = Loss(model)
    began, before, last_save = time.time(), state["seconds"], time.time()
    average, done = 0.0, 0.0
    while done < 1:
        for ids, weights in batches(samples, args.tokens, rng):
            done = (
                state["seconds"] / 60 / args.minutes if args.minutes else state["step"] / args.steps
            )
            if done >= 1:
                break
            for optimizer in optimizers:
                for group in optimizer.param_groups:
                    group["lr"] = args.rate * rate_share(state["step"], done)
            own = loss.backward(ids, weights)
            assert math.isfinite(own)
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            for optimizer in optimizers:
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
            state["step"] += 1
            state["n_tokens"] += ids.numel()
            state["seconds"] = before + time.time() - began
            average = own if not average else 0.98 * average + 0.02 * own
            if state["step"] % 50 == 0:
                print(
                    f"step {state['step']} loss {average:.4f} tokens {state['n_tokens']} "
                    f"seconds {state['seconds']:.0f} done {done:.3f}",
                    flush=True,
                )
            if time.time() - last_save > SAVE_SECONDS:
                save(checkpoint_path(args), model, optimizers, state)
                watch()
                last_save = time.time()
    save(checkpoint_path(args), model, optimizers, state)
    watch()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("data", "vocabulary", "out"):
        parser.add_argument(name)
    parser.add_argument("--minutes", type=float, default=0)
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--tokens", type=int, default=8192, help="tokens per step")
    parser.add_argument("--rate", type=float, default=4e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--start", help="weights of an earlier run to begin with")
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    vocabulary = chat.Vocabulary.from_json(args.vocabulary)
    samples, watched = load(args, vocabulary)
    model = shape.new_model(args.seed)
    # at these widths one product over all scores beats the blocked kernel
    model.set_attn_implementation("eager")
    optimizers = make_optimizers(model, args.rate)
    state = {"step": 0, "seconds": 0.0, "n_tokens": 0}
    if args.resume or args.start:
        saved = torch.load(args.start or checkpoint_path(args), weights_only=True)
        model.load_state_dict(saved["model"])
    if args.resume:
        for optimizer, part in zip(optimizers, saved["optimizers"]):
            optimizer.load_state_dict(part)
        state = saved["state"]
    print(
        f"{sum(p.numel() for p in model.parameters())} parameters, {len(samples)} dialogues, "
        f"{sum(len(s[0]) for s in samples)} tokens",
        flush=True,
    )
    run(args, model, optimizers, state, samples, lambda: show(model, vocabulary, watched))


if __name__ == "__main__":
    main()
