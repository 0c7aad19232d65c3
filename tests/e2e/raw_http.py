#!/usr/bin/env python3
"""raw_http.py HEARTH: the served API as hostile and ordinary clients see it, over real TLS sockets.

Starts the binary on a free port with a state directory of its own. Python's standard library only.
One line per check: "ok NAME" or "not ok NAME" with what was seen; the last line is the tally.
"""
import http.client
import json
import os
import re
import select
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

HEARTH = os.path.abspath(sys.argv[1])
tally = {"passed": 0, "failed": 0}


def check(name, held, seen=""):
    tally["passed" if held else "failed"] += 1
    print(("ok " if held else "not ok ") + name, flush=True)
    if not held and seen != "":
        print("    " + repr(seen)[:600], flush=True)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Box:
    def __init__(self, directory, extra=(), limit=None):
        self.port, self.plain_port = free_port(), free_port()
        self.state = os.path.join(directory, "state")
        self.log_path = os.path.join(directory, "log")
        key_file = os.path.join(directory, "key")
        self.log = open(self.log_path, "wb")
        self.arguments = ["--state-dir", self.state, "--listen", "127.0.0.1", "--port", str(self.port),
                          "--plain-port", str(self.plain_port), "--key-file", key_file, "--body-mib", "1",
                          "--head-timeout-ms", "1500", "--body-timeout-ms", "1500", "--max-connections", "64",
                          "--connections-per-address", "48", *extra]
        self.process = subprocess.Popen(
            [HEARTH, "serve", *self.arguments],
            stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL, preexec_fn=limit)
        self.wait_for(lambda: os.path.exists(key_file) and os.path.getsize(key_file) > 50, "the key file")
        with open(key_file) as f:
            self.key = f.read().strip()
        self.wait_for(lambda: self.try_connect(), "the plain port")
        pem = self.plain("GET /ca.crt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").split(b"\r\n\r\n", 1)[1]
        self.ca = os.path.join(directory, "ca.crt")
        with open(self.ca, "wb") as f:
            f.write(pem)
        self.context = ssl.create_default_context(cafile=self.ca)
        self.wait_for(lambda: self.ask("GET", "/health/ready")[0] == 200, "the model")

    def try_connect(self):
        try:
            socket.create_connection(("127.0.0.1", self.plain_port), 1).close()
            return True
        except OSError:
            return False

    def wait_for(self, is_there, what):
        for _ in range(600):
            if is_there():
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        with open(self.log_path, "rb") as f:
            print(f.read().decode(errors="replace"))
        self.stop()
        sys.exit("no sign of " + what)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self.process.returncode

    def connect(self):
        plain = socket.create_connection(("127.0.0.1", self.port), 20)
        return self.context.wrap_socket(plain, server_hostname="localhost")

    def plain(self, text):
        with socket.create_connection(("127.0.0.1", self.plain_port), 10) as s:
            s.sendall(text.encode())
            return read_all(s)

    def raw(self, data, timeout_s=15):
        """Everything the server says to these bytes, until it closes or is quiet."""
        with self.connect() as s:
            s.settimeout(timeout_s)
            s.sendall(data.encode() if isinstance(data, str) else data)
            return read_all(s)

    def ask(self, method, path, body=None, key=True, headers=None):
        c = http.client.HTTPSConnection("localhost", self.port, context=self.context, timeout=120)
        fields = {"Authorization": "Bearer " + self.key} if key else {}
        if body is not None:
            fields["Content-Type"] = "application/json"
        fields.update(headers or {})
        c.request(method, path, body if body is None or isinstance(body, (str, bytes)) else json.dumps(body), fields)
        r = c.getresponse()
        text = r.read()
        c.close()
        try:
            return r.status, json.loads(text), r
        except ValueError:
            return r.status, text, r

    def chat(self, **fields):
        body = {"messages": [{"role": "user", "content": "Hello, what are you?"}], "temperature": 0, "max_tokens": 24}
        body.update(fields)
        return self.ask("POST", "/v1/chat/completions", body)

    def running(self):
        """Generations the edge counts, running and waiting; needs a metrics key."""
        text = self.ask("GET", "/metrics", headers={"Authorization": "Bearer " + self.metrics_key})[1].decode()
        return sum(float(re.search(r"^hearth_requests_%s (\S+)$" % w, text, re.M).group(1)) for w in ("running", "waiting"))


def read_all(s):
    out = b""
    try:
        while True:
            piece = s.recv(65536)
            if not piece:
                break
            out += piece
    except (socket.timeout, TimeoutError, ConnectionError, ssl.SSLError):
        pass
    return out


def status_of(answer):
    m = re.match(rb"HTTP/1\.1 (\d+) ", answer)
    return int(m.group(1)) if m else 0


HEAD = "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"


def framing(box):
    post = HEAD % box.key
    cases = [
        ("two framings", post + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("two lengths", post + "Content-Length: 4\r\nContent-Length: 4\r\n\r\n{}  ", 400),
        ("bare line feeds", "GET /health HTTP/1.1\nHost: localhost\n\n", 400),
        ("folded field", "GET /health HTTP/1.1\r\nHost: localhost\r\nA: b\r\n c\r\n\r\n", 400),
        ("blank before colon", "GET /health HTTP/1.1\r\nHost : localhost\r\n\r\n", 400),
        ("NUL in a field", b"GET /health HTTP/1.1\r\nHost: localhost\r\nA: b\0\r\n\r\n", 400),
        ("no host", "GET /health HTTP/1.1\r\n\r\n", 400),
        ("foreign host", "GET /health HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
        ("gzip coding", post + "Transfer-Encoding: gzip\r\n\r\n", 501),
        ("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        ("line of 9000 bytes", "GET /" + "a" * 9000 + " HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
        ("200 fields", "GET /health HTTP/1.1\r\nHost: localhost\r\n" + "A: b\r\n" * 200 + "\r\n", 431),
        ("body over the limit", post + "Content-Length: 2000000\r\n\r\n{", 413),
        ("body over the limit, chunked", post + "Transfer-Encoding: chunked\r\n\r\n" + ("8000\r\n" + "x" * 32768 + "\r\n") * 40, 413),
        ("bad chunk size", post + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        ("no length", post + "\r\n", 411),
        ("form type", "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}" % box.key, 415),
    ]
    for name, data, want in cases:
        seen = box.raw(data, 5)
        check("framing: " + name, status_of(seen) == want, seen[:300])
    seen = box.raw("GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n" * 3 + "GET /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    check("pipelined requests are answered in order", re.findall(rb"HTTP/1\.1 (\d+)", seen) == [b"200"] * 3 + [b"404"], seen[:300])
    with box.connect() as s:
        s.sendall((post + "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n").encode())
        first = s.recv(100)
        s.sendall(b"{}")
        check("Expect gets 100, then the answer", first == b"HTTP/1.1 100 Continue\r\n\r\n" and status_of(s.recv(4096)) == 400, first)


def answers(box):
    status, body, _ = box.chat()
    message = body["choices"][0]["message"] if status == 200 else {}
    check("a plain answer", status == 200 and message.get("content"), body)
    check("its members stand in order", list(body) == ["id", "object", "created", "model", "choices", "usage", "system_fingerprint", "timings"], list(body))
    status, again, _ = box.chat()
    check("temperature 0 repeats", status == 200 and again["choices"][0]["message"] == message, again)
    status, seeded, _ = box.chat(temperature=1, seed=7)
    status2, seeded2, _ = box.chat(temperature=1, seed=7)
    check("a seed repeats", (status, status2) == (200, 200) and seeded["choices"][0] == seeded2["choices"][0], seeded2)
    status, text, r = box.chat(stream=True, stream_options={"include_usage": True})
    lines = text.decode().split("\n\n") if isinstance(text, bytes) else []
    chunks = [json.loads(line[6:]) for line in lines if line.startswith("data: {")]
    joined = "".join(c["choices"][0]["delta"].get("content", "") for c in chunks if c["choices"])
    check("a stream put together is the plain answer", joined == message.get("content"), joined)
    check("the stream ends as documented", lines[-2:] == ["data: [DONE]", ""] and chunks[-1]["choices"] == [] and
          chunks[-1]["usage"]["completion_tokens"] == body["usage"]["completion_tokens"], lines[-3:])
    check("its type is text/event-stream", r.getheader("Content-Type") == "text/event-stream; charset=utf-8", r.getheaders())
    status, body, _ = box.chat(logprobs=True, top_logprobs=2)
    items = body["choices"][0]["logprobs"]["content"] if status == 200 else []
    check("logprobs spell the answer", "".join(bytes(i["bytes"]).decode(errors="ignore") for i in items).strip() ==
          body["choices"][0]["message"]["content"].strip(), body)
    word = message.get("content", "x y").split()[1] if len(message.get("content", "").split()) > 1 else "zzz"
    status, body, _ = box.chat(stop=[word])
    check("a stop string is not shown", status == 200 and word not in body["choices"][0]["message"]["content"] and
          body["choices"][0]["finish_reason"] == "stop", body)
    status, body, _ = box.chat(max_tokens=1)
    check("max_tokens ends with length", status == 200 and body["choices"][0]["finish_reason"] == "length" and
          body["usage"]["completion_tokens"] == 1, body)
    think = {"chat_template_kwargs": {"enable_thinking": True}, "max_tokens": 200}
    status, body, _ = box.chat(**think)
    thought = body["choices"][0]["message"].get("reasoning_content", "") if status == 200 else ""
    n_thought = body["usage"]["completion_tokens_details"]["reasoning_tokens"] if status == 200 else 0
    check("thinking gives a thought and an answer", thought and n_thought > 6 and body["choices"][0]["message"]["content"], body)
    status, body, _ = box.chat(thinking_budget_tokens=4, **think)
    short = body["choices"][0]["message"].get("reasoning_content", "") if status == 200 else ""
    check("a thinking budget cuts the thought short and leaves the answer", status == 200 and len(short) < len(thought) and
          thought.startswith(short) and body["usage"]["completion_tokens_details"]["reasoning_tokens"] <= 4 + 2 and
          body["choices"][0]["message"]["content"], body)
    status, body, _ = box.chat(thinking_budget_tokens=0, **think)
    check("a budget of 0 leaves no thought", status == 200 and "reasoning_content" not in body["choices"][0]["message"], body)
    for name, fields, status, code in [
            ("unknown model", {"model": "gpt-4"}, 404, "model_not_found"), ("tools", {"tools": [{"type": "function", "function": {"name": "f"}}]}, 400, "unsupported_parameter"),
            ("response format", {"response_format": {"type": "json_object"}}, 400, "unsupported_value"), ("n = 2", {"n": 2}, 400, "unsupported_value"),
            ("text as a number", {"temperature": "1"}, 400, "invalid_type"), ("no messages", {"messages": []}, 400, "invalid_value"),
            ("long prompt", {"messages": [{"role": "user", "content": "word " * 60000}]}, 400, "context_length_exceeded")]:
        got, body, _ = box.chat(**fields)
        check("refused: " + name, got == status and body["error"]["code"] == code, body)
    got, body, _ = box.ask("POST", "/v1/chat/completions", "{", headers={"Authorization": "Bearer sk-wrong"})
    check("refused: wrong key", got == 401 and body["error"]["code"] == "invalid_api_key", body)
    got, body, _ = box.ask("GET", "/v1/models")
    check("the model list names the model", got == 200 and len(body["data"]) == 1, body)
    got, body, _ = box.ask("POST", "/v1/chat/completions/input_tokens", {"messages": [{"role": "user", "content": "Hi"}]})
    check("input tokens are counted", got == 200 and body["input_tokens"] > 0, body)


def stream_request(box, n_tokens):
    body = json.dumps({"messages": [{"role": "user", "content": "Tell a long story about a lighthouse."}], "stream": True,
                       "max_tokens": n_tokens, "temperature": 1})
    return (HEAD % box.key + "Content-Length: %d\r\n\r\n%s" % (len(body), body)).encode()


def endings(box):
    """A client that goes, in each way, frees its place within 250 ms and a little."""
    def shut(s):
        s.unwrap()

    def reset(s):
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        s.close()

    for name, leave in (("close_notify", shut), ("FIN", lambda s: socket.socket.shutdown(s, socket.SHUT_WR)), ("RST", reset)):
        s = box.connect()
        s.sendall(stream_request(box, 4000))
        s.recv(400)
        try:
            leave(s)
        except (OSError, ssl.SSLError, ValueError):
            pass
        began, n = time.time(), 1
        while n and time.time() - began < 5:
            n = box.running()
        check("gone by %s: freed in %.0f ms" % (name, (time.time() - began) * 1000), n == 0)
        s.close()


def slow_clients(box):
    """Forty that drip, stall or say nothing do not keep one ordinary client waiting."""
    lazy = []
    for i in range(40):
        plain = socket.create_connection(("127.0.0.1", box.port), 10)
        if i % 4 == 0:
            lazy.append(plain)  # never shakes hands
            continue
        s = box.context.wrap_socket(plain, server_hostname="localhost")
        s.sendall([b"", b"GET /health", (HEAD % box.key + "Content-Length: 60000\r\n\r\n{").encode(), stream_request(box, 50)][i % 4])
        lazy.append(s)
    began = time.time()
    status, _, _ = box.chat(max_tokens=2)
    check("forty slow clients: an ordinary one is served", status == 200, time.time() - began)
    drip, seen = lazy[1], b""
    drip.settimeout(10)
    seen = read_all(drip)
    check("a head that never ends gets 408", status_of(seen) == 408, seen[:200])
    for s in lazy:
        s.close()
    began = time.time()
    while box.running() and time.time() - began < 30:
        time.sleep(0.1)
    check("nothing is left running", box.running() == 0)


def many(box):
    results = []

    def one(i):
        status, body, _ = box.chat(messages=[{"role": "user", "content": "Hello %d" % i}], max_tokens=8)
        results.append(status)

    threads = [threading.Thread(target=one, args=(i,)) for i in range(16)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    check("sixteen at once are all answered", results.count(200) == 16, results)


def main():
    with tempfile.TemporaryDirectory() as directory:
        box = Box(directory)
        try:
            out = subprocess.run([HEARTH, "key", "add", "meter", "--scope", "metrics", "--state-dir", box.state],
                                 capture_output=True, text=True, check=True).stdout
            box.metrics_key = re.search(r"sk-hearth-\w{8}-\w{43}", out).group(0)
            box.wait_for(lambda: box.ask("GET", "/metrics", headers={"Authorization": "Bearer " + box.metrics_key})[0] == 200, "the new key")
            framing(box)
            answers(box)
            endings(box)
            slow_clients(box)
            many(box)
            check("the server ends cleanly", box.stop() == 0, box.process.returncode)
        finally:
            box.stop()
            if tally["failed"]:
                with open(box.log_path, "rb") as f:
                    print(f.read().decode(errors="replace")[-3000:])
    print("%d passed, %d failed, 0 skipped" % (tally["passed"], tally["failed"]))
    return 1 if tally["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
