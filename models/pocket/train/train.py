"""Trains the pocket model on CPU.

usage: train.py TRAIN.jsonl VOCABULARY.json OUT_DIR [--minutes 85 | --steps N] [--workers 2] [--resume]

One dialogue is one row, right-padded; rows of similar length share a step. The loss counts the
model's own turns fully and the rest of the text a little. Matrices learn with Muon, the embedding
and the norm weights with AdamW; the rate warms up and then falls linearly to zero over the budget.
Workers are processes of one thread each that average their gradients every step: on a machine that
other work shares, threads that wait for each other inside every operation are far slower.
"""

import argparse
import json
import math
import os
import random
import tempfile
import time

import numpy as np
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import torch.nn.functional as F

import chat
import norm
import shape
from muon import Muon

PROMPT_WEIGHT = 0.1
WARM_STEPS = 60
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


def batches(samples, n_tokens, rng):
    """One pass over the samples in steps of about n_tokens, rows of similar length together."""
    order = list(range(len(samples)))
    rng.shuffle(order)
    for start in range(0, len(order), 2048):
        group = sorted(order[start : start + 2048], key=lambda i: len(samples[i][0]))
        cuts, at = [], 0
        while at < len(group):
            end = at + 1
            while end < len(group) and (end - at + 1) * len(samples[group[end]][0]) <= n_tokens:
                end += 1
            cuts.append(group[at:end])
            at = end
        rng.shuffle(cuts)
        for rows in cuts:
            width = max(len(samples[i][0]) for i in rows)
            width += -width % 16
            ids = torch.zeros(len(rows), width, dtype=torch.long)
            weights = torch.zeros(len(rows), width)
            for row, i in enumerate(rows):
                ids[row, : len(samples[i][0])] = torch.from_numpy(samples[i][0])
                weights[row, : len(samples[i][1])] = torch.from_numpy(samples[i][1])
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


def load(args, rank, vocabulary):
    """This worker's share of the dialogues, and a few to watch."""
    with open(args.data, encoding="utf-8") as lines:
        entries = [json.loads(line) for line in lines]
    for entry in entries[:200]:
        check_sample(entry, vocabulary)
    return [
        sample(entry, vocabulary) for entry in entries[rank : -N_WATCHED : args.workers]
    ], entries[-N_WATCHED:]


def work(rank, args, meeting):
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", init_method=f"file://{meeting}", rank=rank, world_size=args.workers
    )
    vocabulary = chat.Vocabulary.from_json(args.vocabulary)
    norm.install()
    samples, watched = load(args, rank, vocabulary)
    model = shape.new_model(args.seed)
    if rank == 0:
        print(
            f"{sum(p.numel() for p in model.parameters())} parameters, {len(samples)} dialogues and "
            f"{sum(len(s[0]) for s in samples)} tokens per worker",
            flush=True,
        )
    optimizers = make_optimizers(model, args.rate)
    state = {"step": 0, "seconds": 0.0, "n_tokens": 0}
    if args.resume:
        saved = torch.load(checkpoint_path(args), weights_only=True)
        model.load_state_dict(saved["model"])
        for optimizer, part in zip(optimizers, saved["optimizers"]):
            optimizer.load_state_dict(part)
        state = saved["state"]
    watch = (lambda: show(model, vocabulary, watched)) if rank == 0 else None
    run(args, rank, model, optimizers, state, samples, watch)


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


def backward(model, ids, weights):
    """Gradients of the weighted loss; returns the plain loss on the model's own turns."""
    hidden = model.model(input_ids=ids[:, :-1], use_cache=False).last_hidden_state
    counted = weights[:, 1:] > 0
    targets, share = ids[:, 1:][counted], weights[:, 1:][counted]
    logits = F.linear(hidden[counted], model.lm_head.weight)
    logits = torch.tanh(logits / shape.SOFTCAP) * shape.SOFTCAP
    each = F.cross_entropy(logits, targets, reduction="none")
    ((each * share).sum() / share.sum()).backward()
    return float(each.detach()[share == 1].mean())


def exchange(model, notes):
    """Averages gradients and notes (a few numbers) over the workers."""
    grads = [p.grad for p in model.parameters()]
    flat = torch.cat([g.flatten() for g in grads] + [torch.tensor(notes)])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    at = 0
    for g in grads:
        g.copy_(flat[at : at + g.numel()].view_as(g))
        at += g.numel()
    return flat[at:].tolist()


def run(args, rank, model, optimizers, state, samples, watch):
    rng = random.Random(args.seed + state["step"] * args.workers + rank)
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
            loss = backward(model, ids, weights)
            loss, seconds, n_tokens = exchange(
                model, [loss, before + time.time() - began, float(ids.numel())]
            )
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            for optimizer in optimizers:
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
            state["step"] += 1
            state["n_tokens"] += int(n_tokens * args.workers)
            state["seconds"] = seconds
            average = loss if not average else 0.95 * average + 0.05 * loss
            assert math.isfinite(loss)
            if watch and state["step"] % 20 == 0:
                print(
                    f"step {state['step']} loss {average:.4f} tokens {state['n_tokens']} seconds {seconds:.0f} "
                    f"done {done:.3f}",
                    flush=True,
                )
            if watch and time.time() - last_save > SAVE_SECONDS:
                save(checkpoint_path(args), model, optimizers, state)
                watch()
                last_save = time.time()
    if watch:
        save(checkpoint_path(args), model, optimizers, state)
        watch()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("data", "vocabulary", "out"):
        parser.add_argument(name)
    parser.add_argument("--minutes", type=float, default=0)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--tokens", type=int, default=2048, help="tokens per step and worker")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rate", type=float, default=4e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resume", action="store_true")
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        mp.spawn(work, (args, os.path.join(folder, "meeting")), nprocs=args.workers)


if __name__ == "__main__":
    main()
