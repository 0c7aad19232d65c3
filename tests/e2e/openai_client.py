#!/usr/bin/env python3
"""openai_client.py HEARTH: the public openai Python client against a running box.

Starts the binary on a free port with a state directory of its own. Without the `openai` package everything is skipped:
pip install openai. Last line: the tally.
"""
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

HEARTH = os.path.abspath(sys.argv[1])
tally = {"passed": 0, "failed": 0}

try:
    import openai
except ImportError:
    print("SKIP openai_client: no openai package (pip install openai)")
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(0)


def check(name, held, seen=""):
    tally["passed" if held else "failed"] += 1
    print(("ok " if held else "not ok ") + name, flush=True)
    if not held and seen != "":
        print("    " + repr(seen)[:600], flush=True)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(process, is_there, what):
    for _ in range(600):
        try:
            if is_there():
                return
        except (OSError, openai.APIError):
            pass
        if process.poll() is not None:
            break
        time.sleep(0.1)
    sys.exit("no sign of " + what)


def raises(kind, call):
    try:
        call()
    except kind as e:
        return e
    except Exception as e:  # the wrong kind: shown by the check
        return e
    return None


HELLO = [{"role": "user", "content": "Hello, what are you?"}]


def chat_checks(client, model):
    ask = client.chat.completions.create
    plain = ask(model=model, messages=HELLO, temperature=0, max_tokens=24)
    text = plain.choices[0].message.content
    check("chat answers", bool(text) and plain.object == "chat.completion" and plain.model == model, plain)
    check("usage adds up", plain.usage.total_tokens == plain.usage.prompt_tokens + plain.usage.completion_tokens, plain.usage)
    chunks = list(ask(model=model, messages=HELLO, temperature=0, max_tokens=24, stream=True, stream_options={"include_usage": True}))
    joined = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    check("a stream gives the same text", joined == text, joined)
    check("its usage comes last", not chunks[-1].choices and chunks[-1].usage == plain.usage, chunks[-1])
    check("one role, one finish_reason", sum(bool(c.choices and c.choices[0].delta.role) for c in chunks) == 1 and
          [c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason] == [plain.choices[0].finish_reason])
    with client.chat.completions.stream(model=model, messages=HELLO, temperature=0, max_tokens=24) as s:
        final = s.get_final_completion()
    check("the client's own accumulator agrees", final.choices[0].message.content == text, final)
    words = text.split()
    if len(words) > 2:
        cut = ask(model=model, messages=HELLO, temperature=0, max_tokens=24, stop=words[2])
        check("stop cuts before the string", cut.choices[0].finish_reason == "stop" and words[2] not in cut.choices[0].message.content, cut)
    a, b = (ask(model=model, messages=HELLO, temperature=1.0, seed=11, max_tokens=24) for _ in range(2))
    check("a seed repeats", a.choices[0].message.content == b.choices[0].message.content and
          a.system_fingerprint == b.system_fingerprint, (a, b))
    lp = ask(model=model, messages=HELLO, temperature=0, max_tokens=4, logprobs=True, top_logprobs=3)
    check("logprobs", all(i.logprob <= 0 and len(i.top_logprobs) == 3 for i in lp.choices[0].logprobs.content), lp)
    check("the greedy token is the most likely", all(i.top_logprobs[0].token == i.token for i in lp.choices[0].logprobs.content), lp)
    thought = ask(model=model, messages=HELLO, temperature=0, max_tokens=48, extra_body={"chat_template_kwargs": {"enable_thinking": True}})
    check("thinking is accepted", thought.choices[0].finish_reason in ("stop", "length"), thought)


def error_checks(client, model, base_url, http_client):
    ask = client.chat.completions.create
    e = raises(openai.AuthenticationError, lambda: openai.OpenAI(base_url=base_url, api_key="sk-wrong", http_client=http_client, max_retries=0).models.list())
    check("bad key: AuthenticationError", isinstance(e, openai.AuthenticationError) and e.code == "invalid_api_key", e)
    e = raises(openai.NotFoundError, lambda: ask(model="gpt-4", messages=HELLO))
    check("unknown model: NotFoundError", isinstance(e, openai.NotFoundError) and e.code == "model_not_found", e)
    for is_stream in (False, True):
        e = raises(openai.BadRequestError, lambda: ask(model=model, messages=[{"role": "user", "content": "word " * 60000}], stream=is_stream))
        check("too long, stream=%s: BadRequestError" % is_stream, isinstance(e, openai.BadRequestError) and
              e.code == "context_length_exceeded" and e.param == "messages", e)
    e = raises(openai.BadRequestError, lambda: ask(model=model, messages=HELLO, tools=[{"type": "function", "function": {"name": "f"}}]))
    check("tools: BadRequestError", isinstance(e, openai.BadRequestError) and e.code == "unsupported_parameter", e)
    raw = client.chat.completions.with_raw_response.create(model=model, messages=HELLO, max_tokens=1, user="anna")
    check("request id and ignored names are in the headers", re.fullmatch(r"req_\w{24}", raw.headers["x-request-id"]) and
          raw.headers["x-ignored-params"] == "user", dict(raw.headers))


def main():
    with tempfile.TemporaryDirectory() as directory:
        port, plain_port, key_file = free_port(), free_port(), os.path.join(directory, "key")
        process = subprocess.Popen(
            [HEARTH, "serve", "--state-dir", os.path.join(directory, "state"), "--listen", "127.0.0.1", "--port", str(port),
             "--plain-port", str(plain_port), "--key-file", key_file], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for(process, lambda: os.path.getsize(key_file) > 50, "the key file")
            ca = os.path.join(directory, "ca.crt")
            wait_for(process, lambda: urllib.request.urlretrieve("http://localhost:%d/ca.crt" % plain_port, ca), "the CA")
            with open(key_file) as f:
                key = f.read().strip()
            import ssl
            http_client = openai.DefaultHttpxClient(verify=ssl.create_default_context(cafile=ca))
            base_url = "https://localhost:%d/v1" % port
            client = openai.OpenAI(base_url=base_url, api_key=key, http_client=http_client, max_retries=0)
            wait_for(process, lambda: client.models.list().data, "the model")
            model = client.models.list().data[0].id
            check("models.retrieve", client.models.retrieve(model).id == model)
            chat_checks(client, model)
            error_checks(client, model, base_url, http_client)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)
    print("%d passed, %d failed, 0 skipped" % (tally["passed"], tally["failed"]))
    return 1 if tally["failed"] else 0


sys.exit(main())
