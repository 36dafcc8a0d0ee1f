#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An OpenAI-compatible judge that fails on purpose, for the tests of the judge metrics. Standard library only.

    misbehaving_server.py [--port N] [--faults LIST] [--rest FAULT] [--log FILE] [--tls CERT KEY]

Prints "port N" and serves POST .../v1/chat/completions until it is killed. Request k (from 0, by arrival) gets the
k-th fault of the comma-separated LIST; requests beyond it get FAULT, 'ok' by default. Faults:

  ok            an answer in the form the prompt asks for, its counts drawn from the request's SHA-256
  slow:S        the same after S seconds
  429[:S]       with "Retry-After: S" (default 0); 429-date:S gives it as an HTTP date; 503:S likewise
  NNN           that status, with an OpenAI error object (400, 401, 404, 408, 500, ...)
  echo-key      401 whose message repeats the Authorization header
  echo-ok       an answer that repeats the Authorization header
  redirect      302 to /elsewhere of this server
  cut           the connection is closed without an answer
  short         a body shorter than its Content-Length
  huge          a body of 8 MB
  not-json, schema, null, list    a body that is no JSON, no chat completion, has no content, has ill-typed content
  deep          a chat completion whose usage is 100,000 nested lists
  usage         one whose usage holds more than numbers
  long          one of more than 64 kB, with a long name
  wrong         a chat completion whose text is nothing a parser can read

Each request is logged when it arrives as a JSON line: k, path, fault, sha256 of the body, the model it names,
key_sha256 of the Authorization header ("" without one), at_once (requests under way, this one included), seconds
since the start; never the header or the body itself.
"""

import argparse
import email.utils
import hashlib
import http.server
import json
import ssl
import sys
import threading
import time

TYPES = "abcdef"


def digits(body, n):
    """n numbers 0..3 that depend on the body alone."""
    return [b % 4 for b in hashlib.sha256(body).digest()[:n]]


def green(body):
    n = digits(body, 13)
    lines = lambda part: "\n".join(f"({t}) some error: {c}. x" for t, c in zip(TYPES, part))
    return (f"[Explanation]:\nThey differ.\n\n[Clinically Significant Errors]:\n{lines(n[:6])}\n\n"
            f"[Clinically Insignificant Errors]:\n{lines(n[6:12])}\n\n[Matched Findings]:\n{n[12]}. y")


def chexprompt(body):
    n = digits(body, 12)
    pairs = lambda part: "[" + ", ".join(f"({t.upper()}, {c})" for t, c in zip(TYPES, part)) + "]"
    return (f"Number of clinically significant errors by type: {pairs(n[:6])}\n"
            f"Number of clinically insignificant errors by type: {pairs(n[6:])}")


def completion(text, model):
    return {"id": "x", "object": "chat.completion", "model": f"served-{model}",
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}}


class State:
    def __init__(self, args):
        self.faults = [f for f in args.faults.split(",") if f]
        self.rest = args.rest
        self.log = open(args.log, "a", encoding="utf-8") if args.log else None
        self.lock = threading.Lock()
        self.count = 0
        self.at_once = 0
        self.begin = time.monotonic()

    def enter(self, path, body, key):
        with self.lock:
            k = self.count
            self.count += 1
            self.at_once += 1
            fault = self.faults[k] if k < len(self.faults) else self.rest
            try:
                model = json.loads(body).get("model", "")
            except ValueError:
                model = ""
            entry = {"k": k, "path": path, "fault": fault, "sha256": hashlib.sha256(body).hexdigest(), "model": model,
                     "key_sha256": hashlib.sha256(key.encode()).hexdigest() if key else "", "at_once": self.at_once,
                     "seconds": round(time.monotonic() - self.begin, 3)}
            if self.log:
                self.log.write(json.dumps(entry) + "\n")
                self.log.flush()
            return fault, model

    def leave(self):
        with self.lock:
            self.at_once -= 1


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state = None

    def log_message(self, *args):
        pass

    def send(self, status, body, headers=(), length=None):
        body = body if isinstance(body, bytes) else body.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        if length is not None:
            self.close_connection = True

    def error(self, status, message, headers=()):
        self.send(status, json.dumps({"error": {"message": message, "type": "test"}}), headers)

    def do_GET(self):  # whoever follows a redirect would come here
        fault, _ = self.state.enter(self.path, b"", self.headers.get("Authorization", ""))
        self.state.leave()
        self.error(404, f"GET after {fault}")

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        key = self.headers.get("Authorization", "")
        fault, model = self.state.enter(self.path, body, key)
        try:
            self.answer(fault, model, body, key)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            self.state.leave()

    def answer(self, fault, model, body, key):
        name, _, value = fault.partition(":")
        text = chexprompt(body) if b"Number of clinically significant" in body else green(body)
        if name == "slow":
            time.sleep(float(value))
        if name in ("ok", "slow"):
            self.send(200, json.dumps(completion(text, model)))
        elif name == "429-date":
            self.error(429, "slow down", [("Retry-After", email.utils.formatdate(time.time() + float(value), usegmt=True))])
        elif name in ("429", "503"):
            self.error(int(name), "slow down", [("Retry-After", value or "0")])
        elif name.isdigit():
            self.error(int(name), f"this is a {name}\nof the test")
        elif name == "echo-key":
            self.error(401, f"bad key: {key}")
        elif name == "echo-ok":
            self.send(200, json.dumps(completion(f"{text}\nExplanation {key}", model)))
        elif name == "redirect":
            self.send(302, "", [("Location", "/elsewhere")])
        elif name == "cut":
            self.close_connection = True
        elif name == "short":
            self.send(200, json.dumps(completion(text, model))[:40], length=4000)
        elif name == "huge":
            self.send(200, json.dumps(completion("x" * 8_000_000, model)))
        elif name == "not-json":
            self.send(200, "<html>busy</html>")
        elif name == "schema":
            self.send(200, json.dumps({"choices": []}))
        elif name == "null":
            self.send(200, json.dumps(completion(None, model)))
        elif name == "deep":  # usage nested as deep as a body can hold
            usage = '"usage": ' + "[" * 100_000 + "]" * 100_000
            self.send(200, json.dumps(completion(text, model))[:-1] + ", " + usage + "}")
        elif name == "usage":
            self.send(200, json.dumps(dict(completion(text, model), usage={"total_tokens": 7, "note": "content"})))
        elif name == "long":
            self.send(200, json.dumps(completion(text + " x" * 40_000, "n" * 192 + "\u00e4" * 9)))
        elif name == "list":
            self.send(200, json.dumps(completion([1], model)))
        elif name == "wrong":
            self.send(200, json.dumps(completion("I cannot say.", model)))
        else:
            self.error(500, f"unknown fault {fault}")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # clients that time out or are killed are what this is for


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--faults", default="")
    parser.add_argument("--rest", default="ok")
    parser.add_argument("--log", default="")
    parser.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"))
    args = parser.parse_args()
    Handler.state = State(args)
    server = Server(("127.0.0.1", args.port), Handler)
    if args.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*args.tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    print(f"port {server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
