"""How far each encoding moves the built-in model's predictions, with and without an importance matrix.

    python3 tests/perf/quantize_kl.py WORK_FOLDER [--hearth build/hearth]

The reference is models/pocket/pocket.gguf with its matrices as F32. Half of models/pocket/heldout.jsonl
collects the matrix, the other half is scored. Prints a table: Kullback-Leibler divergence per token with
its standard error, its 99th percentile, how often the likeliest token is the same, bytes of the file.
"""
import argparse
import json
import os
import re
import subprocess
import sys

TYPES = "Q8_0 Q6_K Q5_K_M Q5_K_S Q5_K Q4_K_M Q4_K_S Q4_K IQ4_XS IQ4_NL Q4_0 NVFP4".split()
UNGUIDED = ("Q8_0",)


class Run:
    def __init__(self, hearth, folder):
        self.hearth, self.folder = os.path.abspath(hearth), folder

    def __call__(self, *words):
        done = subprocess.run([self.hearth, *words], capture_output=True, text=True, cwd=self.folder)
        if done.returncode != 0:
            sys.exit(f"quantize_kl.py: hearth {' '.join(words)}: exit {done.returncode}\n{done.stderr}")
        return done.stdout

    def text_of(self, line):
        entry = json.loads(line)
        request = {"model": "x", "messages": entry["messages"], "add_generation_prompt": False,
                   "chat_template_kwargs": {"enable_thinking": entry["thinking"]}}
        with open(os.path.join(self.folder, "request.json"), "w") as f:
            json.dump(request, f)
        return self("render", "request.json")


def measured(told):
    def number(pattern):
        found = re.search(pattern, told, re.M)
        if not found:
            sys.exit(f"quantize_kl.py: no line {pattern!r} in\n{told}")
        return found.groups()

    mean, error = number(r"^kl mean +(\S+) \+- (\S+)")
    (p99,) = number(r"^kl 99\.0 \S+ +(\S+)")
    (same,) = number(r"^same \S+ \S+ +(\S+)")
    return float(mean), float(error), float(p99), float(same)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--hearth", default="build/hearth")
    args = parser.parse_args()
    pocket = os.path.join(os.path.dirname(__file__), "../../models/pocket")
    run = Run(args.hearth, args.folder)
    lines = open(os.path.join(pocket, "heldout.jsonl"), encoding="utf-8").read().splitlines()
    half = len(lines) // 2
    for name, part in (("guide.txt", lines[:half]), ("test.txt", lines[half:])):
        with open(os.path.join(args.folder, name), "w", encoding="utf-8") as f:
            f.write("".join(run.text_of(line) for line in part))
    run("quantize", os.path.abspath(os.path.join(pocket, "pocket.gguf")), "f32.gguf", "F32")
    run("imatrix", "guide.txt", "--markers", "-m", "f32.gguf", "-o", "imatrix.gguf")
    run("score", "test.txt", "--markers", "-m", "f32.gguf", "--ctx", "512", "--save-logits", "test.logits")
    print(f"{'type':7} {'MiB':>6} | {'KL mean':>8} +- error, 99 %, same token | with importance matrix")
    for name in TYPES:
        cells = []
        for guide in ((), ("--imatrix", "imatrix.gguf"))[: 1 if name in UNGUIDED else 2]:
            run("quantize", "f32.gguf", "type.gguf", name, *guide)
            mean, error, p99, same = measured(
                run("score", "test.txt", "--markers", "-m", "type.gguf", "--against", "test.logits"))
            cells.append(f"{mean:8.1e} +- {error:.0e} {p99:8.1e} {same:6.2f} %")
        size = os.path.getsize(os.path.join(args.folder, "type.gguf")) / 2**20
        print(f"{name:7} {size:6.2f} | " + " | ".join(cells), flush=True)


if __name__ == "__main__":
    main()
