#!/usr/bin/env python3
"""box.py HEARTH: what boot keeps around the served API: audit log, certificates, addresses, memory, limits.

Starts the binary on free ports with state directories of its own. Python's standard library only.
One line per check: "ok NAME" or "not ok NAME" with what was seen; the last line is the tally.
"""
import ctypes
import fcntl
import hashlib
import http.client
import json
import os
import re
import resource
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # the tree stays as it is
from raw_http import HEARTH, Box, check, free_port, tally

tally["skipped"] = 0


def skip(name, reason):
    tally["skipped"] += 1
    print("SKIP %s: %s" % (name, reason), flush=True)


def children_of(pid):
    """The roles of a server, by name."""
    with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
        pids = [int(p) for p in f.read().split()]
    roles = {}
    for p in pids:
        with open("/proc/%d/cmdline" % p, "rb") as f:
            words = f.read().split(b"\0")
        if b"-x" in words:
            roles[words[words.index(b"-x") + 1].decode()] = p
    return roles


def audit_lines(state):
    directory = os.path.join(state, "audit")
    text = b""
    for name in sorted(os.listdir(directory)):
        with open(os.path.join(directory, name), "rb") as f:
            text += f.read()
    return text


def wait_for_line(state, n_lines):
    """A line is written when the last byte of an answer has gone out: a moment after the client has it."""
    for _ in range(200):
        text = audit_lines(state)
        if text.count(b"\n") >= n_lines:
            return text
        time.sleep(0.05)
    return text


def chain_holds(lines):
    before = "0" * 64
    for line in lines:
        if json.loads(line)["prev"] != before:
            return False
        before = hashlib.blake2b(line, digest_size=32).hexdigest()
    return True


def audit(box):
    n = audit_lines(box.state).count(b"\n")
    status, body, r = box.chat(messages=[{"role": "user", "content": "My secret word is xylophone."}], user="anna")
    request_id = r.getheader("x-request-id")
    box.ask("GET", "/v1/models", headers={"Authorization": "Bearer sk-hearth-wrong"})
    text = wait_for_line(box.state, n + 2)
    last = json.loads(text.splitlines()[n])
    check("audit: a line for a finished request", status == 200 and last["request"] == request_id and last["status"] == 200 and
          last["path"] == "/v1/chat/completions" and last["finish"] in ("stop", "length") and
          last["prompt"] == body["usage"]["prompt_tokens"] and last["completion"] == body["usage"]["completion_tokens"] and
          last["key"] == box.key.split("-")[2] and last["address"] == "127.0.0.1" and last["tls"] == "TLSv1.3", last)
    refused = json.loads(text.splitlines()[n + 1])
    check("audit: a line for a refused one", refused["status"] == 401 and refused["error"] == "invalid_api_key" and refused["key"] is None, refused)
    answer = body["choices"][0]["message"]["content"].encode()
    check("audit: no prompt, answer, user or key in it",
          not any(word in text for word in (b"xylophone", b"anna", answer, box.key.split("-")[3].encode(), b"sk-hearth")), text[-600:])
    directory = os.path.join(box.state, "audit")
    modes = [stat.S_IMODE(os.lstat(os.path.join(directory, name)).st_mode) for name in os.listdir(directory)]
    check("audit: files are the owner's alone", modes and set(modes) == {0o600} and stat.S_IMODE(os.lstat(directory).st_mode) == 0o700, modes)

    old = children_of(box.process.pid)["edge"]
    os.kill(old, signal.SIGKILL)
    box.wait_for(lambda: children_of(box.process.pid).get("edge", old) != old, "a new edge")
    box.wait_for(lambda: is_ready(box), "the API again")
    n = audit_lines(box.state).count(b"\n")
    box.chat(max_tokens=1)
    text = wait_for_line(box.state, n + 1)
    check("audit: goes on after a restart of the edge", text.count(b"\n") == n + 1 and json.loads(text.splitlines()[-1])["status"] == 200, text[-600:])
    check("audit: the chain of hashes is whole", chain_holds(text.splitlines()), text[-600:])


def cut(path):
    with open(path, "rb+") as f:
        f.truncate(os.path.getsize(path) // 2)


def refused(name, words, arguments, state, limit=None, table=False):
    """A start that ends at once with status 1 and one line that holds the words, below the memory table if there is one."""
    command = [HEARTH, "serve", "--state-dir", state, "--listen", "127.0.0.1", "--port", str(free_port()), *arguments]
    try:
        p = subprocess.run(command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, preexec_fn=limit)
    except subprocess.TimeoutExpired as running:
        p = subprocess.CompletedProcess(command, 0, "", str(running))
    lines = [line for line in p.stderr.splitlines() if line.startswith("hearth: ") or not table]
    check(name, p.returncode == 1 and len(lines) == 1 and lines[0].startswith("hearth: ") and all(w in lines[0] for w in words) and
          p.stdout == "", (p.returncode, p.stderr))
    return p


def starts(directory):
    """What is wrong with the settings is found before anything is made."""
    state, cut_model, folder = (os.path.join(directory, name) for name in ("untouched", "cut.gguf", "folder"))
    with open(cut_model, "wb") as f:
        f.write(b"GGUF\3\0\0\0")
    os.mkdir(folder)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for name, words, arguments in [
                ("a model that is not there", ["none.gguf", "No such file"], ["-m", os.path.join(directory, "none.gguf")]),
                ("a model that is cut", ["cut.gguf"], ["-m", cut_model]),
                ("a model that is none", ["folder"], ["-m", folder]),
                ("a context beyond the model's", ["context"], ["--context-tokens", "16777216"]),
                ("a port in use", [port, "--port"], ["--port", port]),
                ("an address that is none", ["listen", "box.local"], ["--listen", "box.local"]),
                ("a key file without its directory", ["key_file", "none/key"], ["--key-file", os.path.join(directory, "none", "key")]),
                ("a key file that is a directory", ["key_file", "folder"], ["--key-file", folder])]:
            refused("start: %s is refused" % name, words, arguments, state)
            check("start: and nothing is made for it", not os.path.exists(state))
    os.mkdir(state, 0o700)
    with open(os.path.join(state, "keys"), "wb") as f:
        f.write(b"no table")
    refused("start: a damaged key table is refused", [os.path.join(state, "keys"), "damaged"], [], state)


def certificates(directory, first):
    """What a power cut may leave of the pairs, on the state of a box that has stopped."""
    cut(os.path.join(first.state, "leaf.key"))
    box = Box(directory)
    with open(box.ca, "rb") as f, open(os.path.join(first.state, "ca.crt"), "rb") as g:
        check("certificates: a cut leaf key is made anew under the same CA", box.chat(max_tokens=1)[0] == 200 and f.read() == g.read())
    box.stop()
    open(os.path.join(first.state, "leaf.crt"), "wb").close()
    box = Box(directory)
    check("certificates: an empty leaf is made anew", box.chat(max_tokens=1)[0] == 200)
    box.stop()
    cut(os.path.join(first.state, "ca.key"))
    refused("certificates: a cut CA key is refused", ["ca.key", "hearth cert renew --ca"], [], first.state)
    p = subprocess.run([HEARTH, "cert", "renew", "--ca", "--state-dir", first.state], capture_output=True, text=True)
    box = Box(directory)
    check("certificates: a new CA when asked for", p.returncode == 0 and box.chat(max_tokens=1)[0] == 200, p.stderr)
    box.stop()


def plan_of(arguments):
    """The memory table of a configuration: MiB by name, and what the program said."""
    p = subprocess.run([HEARTH, "plan", *arguments], capture_output=True, text=True, timeout=60)
    table = {}
    for name, mib in re.findall(r"^  (\S.*?) +(\d+\.\d\d) MiB", p.stdout.split("of it for the edge:")[0], re.M):
        table[name] = float(mib)
    return table, p


def pss_mib(pid):
    with open("/proc/%d/smaps_rollup" % pid) as f:
        return int(re.search(r"^Pss: +(\d+) kB", f.read(), re.M).group(1)) / 1024


def memory(directory):
    """The plan is the whole box's, and what runs stays within it."""
    sizes = ["--users", "2", "--context-tokens", "2048"]
    small, _ = plan_of([*sizes, "--body-mib", "1"])
    large, _ = plan_of([*sizes, "--body-mib", "64"])
    check("plan: the edge is a line of the table and part of the total",
          large["edge"] > small["edge"] + 500 and abs(large["total"] - small["total"] - large["edge"] + small["edge"]) < 0.1, (small, large))
    room = int(small["total"]) - 20
    table, p = plan_of([*sizes, "--body-mib", "1", "--memory-mib", str(room)])
    check("plan: what does not fit with the edge is refused with table and shortfall",
          p.returncode == 1 and table["edge"] == small["edge"] and re.search(r"^hearth: memory: .* short$", p.stderr, re.M), p.stderr)
    p = refused("plan: so is the start", ["memory", "MiB short"], [*sizes, "--body-mib", "1", "--memory-mib", str(room)],
                os.path.join(directory, "refused"), table=True)
    check("plan: and it shows the table", re.search(r"^  edge .* MiB", p.stderr, re.M) and "  total  " in p.stderr, p.stderr)

    box = Box(directory, sizes)
    try:
        idle = [box.connect() for _ in range(40)]
        box.chat(messages=[{"role": "user", "content": "word " * 190000}])  # refused, but read, parsed and tokenised
        for i in range(4):
            box.chat(messages=[{"role": "user", "content": "Tell me about number %d. " % i * 40}], max_tokens=60)
        total = plan_of(box.arguments)[0]["total"]
        try:
            used = [pss_mib(p) for p in (box.process.pid, *children_of(box.process.pid).values())]
        except PermissionError:
            skip("plan: what runs stays within it", "only root reads the memory of the roles")
        else:
            check("plan: %.1f MiB are used by 3 processes, %.1f MiB are planned" % (sum(used), total),
                  len(used) == 3 and sum(used) <= total * 1.1, used)
        for s in idle:
            s.close()
    finally:
        box.stop()


def descriptors(directory):
    """Many connections under a low limit of open files: raised where that is allowed, else refused."""
    def limit(soft, hard):
        return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    many = ["--max-connections", "300", "--connections-per-address", "300", "--body-mib", "1", "--users", "1", "--context-tokens", "512"]
    refused("descriptors: a hard limit that is too low", ["max_connections needs", "hard limit is 256"], many,
            os.path.join(directory, "refused"), limit(64, 256))
    check("descriptors: and nothing is made for it", not os.path.exists(os.path.join(directory, "refused")))
    box = Box(directory, ["--max-connections", "300", "--connections-per-address", "300"], limit(64, 4096))
    try:
        held = [socket.create_connection(("127.0.0.1", box.port), 10) for _ in range(250)]
        check("descriptors: a low soft limit is raised", box.chat(max_tokens=1)[0] == 200)
        for s in held:
            s.close()
    finally:
        box.stop()


def own_network():
    """This process moves to a network of its own, where it may change addresses."""
    libc, new_user, new_net = ctypes.CDLL(None, use_errno=True), 0x10000000, 0x40000000
    return libc.unshare(new_net) == 0 or libc.unshare(new_user | new_net) == 0


def set_interface(request, name, value):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, request, struct.pack("16s16s", name.encode(), value))


def certified(box):
    with box.connect() as s:
        return {value for _, value in s.getpeercert()["subjectAltName"]}


def addresses(directory):
    """A new address gets into the certificate; what is connected stays so. Last: it leaves the network."""
    if not own_network():
        skip("addresses: a new one is certified", "no network namespaces here")
        return
    set_interface(0x8914, "lo", struct.pack("H", 0x49))  # SIOCSIFFLAGS: up, loopback, running
    box = Box(directory, ["--listen", "::"])
    try:
        before = certified(box)
        held = http.client.HTTPSConnection("localhost", box.port, context=box.context, timeout=60)
        held.request("GET", "/health/live")
        held.getresponse().read()
        held_socket = held.sock
        set_interface(0x8916, "lo:1", struct.pack("HH4s", socket.AF_INET, 0, socket.inet_aton("10.77.0.1")))  # SIOCSIFADDR
        box.wait_for(lambda: "10.77.0.1" in certified(box), "the new address in the certificate")
        check("addresses: a new one is certified", "10.77.0.1" not in before and certified(box) == before | {"10.77.0.1"}, before)
        held.request("GET", "/health/live")
        check("addresses: a connection from before goes on", held.getresponse().status == 200 and held.sock is held_socket)
        direct = http.client.HTTPSConnection("10.77.0.1", box.port, context=box.context, timeout=60)
        direct.request("GET", "/health/live")
        check("addresses: it is verified and served by the new one", direct.getresponse().status == 200)
    finally:
        box.stop()


def is_ready(box):
    try:
        return box.ask("GET", "/health/ready")[0] == 200
    except OSError:
        return False


def main():
    with tempfile.TemporaryDirectory() as directory:
        box = Box(directory)
        try:
            audit(box)
            check("the server ends cleanly", box.stop() == 0, box.process.returncode)
            certificates(directory, box)
            starts(directory)
            memory(directory)
            descriptors(directory)
            addresses(directory)
        finally:
            box.stop()
            if tally["failed"]:
                with open(box.log_path, "rb") as f:
                    print(f.read().decode(errors="replace")[-3000:])
    print("%(passed)d passed, %(failed)d failed, %(skipped)d skipped" % tally)
    return 1 if tally["failed"] else 0


sys.exit(main())
