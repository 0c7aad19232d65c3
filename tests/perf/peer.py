"""Decode and prefill speed beside llama.cpp's, on the same files and machine, in one run.

    python3 tests/perf/peer.py LLAMA_BENCH WORK_FOLDER [--types Q8_0,Q4_K_M] [--threads 1,2] [--repeat 3]

LLAMA_BENCH is a llama-bench built with its defaults. Missing files are made with `hearth synth 1b TYPE`
in WORK_FOLDER. Each repeat runs both programs one after the other; medians are compared, so that
whatever else the machine does falls on both. Ends with the geometric means of the ratios. README.md
beside this file has the method and results.
"""
import argparse
import json
import math
import os
import re
import statistics
import subprocess
import sys

ALL_TYPES = "Q8_0,Q4_K_M,Q5_K_S,Q6_K,IQ4_XS,IQ3_M,IQ2_M,NVFP4,MXFP4"
N_PROMPT, N_DECODE = 256, 32


def run(words):
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"peer.py: {' '.join(words)}: exit {done.returncode}\n{done.stderr}")
    return done.stdout


def ours(hearth, path, n_threads, scratch):
    run([hearth, "bench", "-m", path, "--prompt", str(N_PROMPT), "--generate", str(N_DECODE),
         "--threads", str(n_threads), "--users", "1", "--repeat", "1", "--json", scratch])
    with open(scratch) as f:
        at = json.load(f)["threads"][0]
    verify = {v["rows"]: v["seconds"]["median"] for v in at["verify"]}
    return {"prefill": at["prefill"][0]["tokens_per_s"]["median"],
            "decode": at["decode"]["tokens_per_s"]["median"],
            "read_share": at["decode"]["read_frac"], "verify_16": verify[16] / verify[1]}


def theirs(peer, path, n_threads):
    out = run([peer, "-m", path, "-p", str(N_PROMPT), "-n", str(N_DECODE), "-t", str(n_threads), "-r", "1"])
    found = dict(re.findall(r"(pp|tg)\d+ *\| *([0-9.]+)", out))
    return {"prefill": float(found["pp"]), "decode": float(found["tg"])}


def medians(samples):
    return {key: statistics.median(s[key] for s in samples) for key in samples[0]}


def geometric_mean(values):
    return math.exp(statistics.fmean(math.log(v) for v in values))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("peer")
    parser.add_argument("folder")
    parser.add_argument("--hearth", default="build/hearth")
    parser.add_argument("--types", default=ALL_TYPES)
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--repeat", type=int, default=3)
    args = parser.parse_args()
    print(f"{'type':8} threads | decode tok/s ours  peer ratio | of read, 16:1 | prefill tok/s ours  peer ratio")
    ratios = {"decode": [], "prefill": []}
    for name in args.types.split(","):
        path = os.path.join(args.folder, name + ".gguf")
        if not os.path.exists(path):
            run([args.hearth, "synth", "1b", name, path])
        for n_threads in map(int, args.threads.split(",")):
            pairs = [(ours(args.hearth, path, n_threads, os.path.join(args.folder, "ours.json")),
                      theirs(args.peer, path, n_threads)) for _ in range(args.repeat)]
            us, them = medians([p[0] for p in pairs]), medians([p[1] for p in pairs])
            ratio = {key: us[key] / them[key] for key in ratios}
            for key in ratios:
                ratios[key].append(ratio[key])
            print(f"{name:8} {n_threads:7} | {us['decode']:17.2f} {them['decode']:5.2f} {ratio['decode']:5.2f} | "
                  f"{us['read_share']:7.2f} {us['verify_16']:5.2f} | {us['prefill']:18.1f} {them['prefill']:5.1f} "
                  f"{ratio['prefill']:5.2f}", flush=True)
    print(f"geometric means: decode {geometric_mean(ratios['decode']):.2f}, "
          f"prefill {geometric_mean(ratios['prefill']):.2f}")


if __name__ == "__main__":
    main()
