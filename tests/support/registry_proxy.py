#!/usr/bin/env python3
"""A server before a registry that makes trouble and asks for tokens.

registry_proxy.py UPSTREAM-PORT FAULTS LOG   listens on a free port of 127.0.0.1, prints it, and ends when its input ends

Requests go to http://127.0.0.1:UPSTREAM-PORT. FAULTS is a JSON file, read again for every request:
{"rules": [RULE...], "auth": AUTH or absent}. The first rule whose "method" and "path" (a regular expression, searched
for) fit, and which was used less than "times" times (default: always), acts:
  {"do": "status", "status": 503, "headers": {...}, "body": TEXT}
  {"do": "cut", "bytes": N}          the response breaks off after N bytes of its body
  {"do": "drop", "bytes": N}         the connection breaks after N bytes of the request's body; nothing is forwarded
  {"do": "hang"}                     takes the request's body, forwards nothing and never answers
  {"do": "forget"}                   forwards the request, and breaks the connection instead of answering
  {"do": "corrupt"}                  another last byte
  {"do": "scramble"}                 another byte everywhere
  {"do": "whole"}                    no ranges: the body from its first byte
  {"do": "append", "text": TEXT}     a longer body
  {"do": "headers", "set": {...}}    other headers
  {"do": "slow", "bytes": N}         the body in pieces of N bytes, a pause after each
  {"do": "redirect", "to": URL}      307; "PATH" in it becomes the path
AUTH asks for tokens: {"user": U, "password": P, "refresh": R, "uses": N, "expires_in": SECONDS, "anonymous": BOOL}; a token is
good for N requests (default: any number).
Every request is a line of LOG: METHOD PATH STATUS BODY-BYTES HEADERS-AS-JSON.
"""

import base64
import http.client
import http.server
import json
import pathlib
import re
import secrets
import sys
import threading
import time
import urllib.parse


class Proxy(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    upstream: int
    faults: pathlib.Path
    log: pathlib.Path
    lock = threading.Lock()
    used: dict = {}
    tokens: dict = {}

    def log_message(self, *_):
        pass

    def note(self, status, size):
        headers = {name.lower(): value for name, value in self.headers.items()}
        with Proxy.lock, open(self.log, "a") as log:
            log.write(f"{self.command} {self.path} {status} {size} {json.dumps(headers)}\n")

    def reply(self, status, body=b"", headers=None, size=None):
        self.note(status, len(body) if self.command != "HEAD" else 0)
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if not any(name.lower() == "content-length" for name in headers or {}):
            self.send_header("Content-Length", str(len(body) if size is None else size))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def hang_up(self, status):
        self.note(status, 0)
        self.close_connection = True
        self.connection.close()

    def config(self):
        return json.loads(self.faults.read_text()) if self.faults.exists() else {}

    def rule(self, config):
        for rule in config.get("rules", []):
            if rule.get("method", self.command) != self.command or not re.search(rule.get("path", ""), self.path):
                continue
            key = json.dumps(rule, sort_keys=True)
            with Proxy.lock:
                if Proxy.used.get(key, 0) >= rule.get("times", 1 << 30):
                    continue
                Proxy.used[key] = Proxy.used.get(key, 0) + 1
            return rule
        return {"do": ""}

    def body(self, limit=None):
        if self.headers.get("Transfer-Encoding", "") == "chunked":
            body = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body
        size = int(self.headers.get("Content-Length", 0))
        return self.rfile.read(size if limit is None else min(size, limit))

    def token(self, auth):
        body = self.body()
        form = dict(urllib.parse.parse_qsl(body.decode()))
        if self.command == "POST":
            known = form.get("grant_type") == "refresh_token" and form.get("refresh_token") == auth.get("refresh")
        else:
            basic = base64.b64encode(f"{auth.get('user')}:{auth.get('password')}".encode()).decode()
            given = self.headers.get("Authorization")
            known = given == "Basic " + basic or (given is None and auth.get("anonymous", False))
        if not known:
            return self.reply(401, b"who are you?")
        token = secrets.token_hex(8)
        with Proxy.lock:
            Proxy.tokens[token] = auth.get("uses", 1 << 30)
        document = {"token": token, "expires_in": auth.get("expires_in", 300)}
        return self.reply(200, json.dumps(document).encode(), {"Content-Type": "application/json"})

    def let_in(self):
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        with Proxy.lock:
            if Proxy.tokens.get(token, 0) <= 0:
                return False
            Proxy.tokens[token] -= 1
        return True

    def serve(self):
        config = self.config()
        auth = config.get("auth")
        if auth and self.path.split("?")[0] == "/token":
            return self.token(auth)
        if auth and not self.let_in():
            self.body()
            origin = f"http://{self.headers['Host']}"
            return self.reply(401, b'{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}',
                              {"WWW-Authenticate": f'Bearer realm="{origin}/token",service="proxy"'})
        rule = self.rule(config)
        if rule["do"] == "drop":
            self.body(rule.get("bytes", 0))
            return self.hang_up(0)
        body = self.body()
        if rule["do"] == "hang":
            self.note(0, 0)
            time.sleep(60)
            return
        if rule["do"] == "status":
            return self.reply(rule["status"], rule.get("body", "").encode(), rule.get("headers"))
        if rule["do"] == "redirect":
            return self.reply(307, b"", {"Location": rule["to"].replace("PATH", self.path)})
        self.forward(rule, body)

    def forward(self, rule, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.upstream)
        headers = {n: v for n, v in self.headers.items()
                   if n.lower() not in ("connection", "expect", "authorization", "transfer-encoding")}
        if rule["do"] == "whole":
            headers.pop("Range", None)
        if body or self.command in ("PUT", "POST", "PATCH"):
            headers["Content-Length"] = str(len(body))
        connection.request(self.command, self.path, body or None, headers)
        answer = connection.getresponse()
        data = answer.read()
        headers = {n: v for n, v in answer.getheaders() if n.lower() not in ("connection", "transfer-encoding", "date")}
        connection.close()
        self.answer(rule, answer.status, data, headers)

    def answer(self, rule, status, data, headers):
        do = rule["do"]
        if do == "forget":
            return self.hang_up(status)
        if do == "corrupt":
            data = data[:-1] + bytes([data[-1] ^ 1])
        if do == "scramble":
            data = bytes(byte ^ 1 for byte in data)
        if do == "append":
            data += rule["text"].encode()
        if do == "headers":
            headers = {n: v for n, v in headers.items() if n.lower() not in {m.lower() for m in rule["set"]}}
            headers |= {n: v for n, v in rule["set"].items() if v is not None}
        if do in ("cut", "append") and self.command != "HEAD":
            headers = {n: v for n, v in headers.items() if n.lower() != "content-length"}
        if do == "cut":
            self.reply(status, data[: rule["bytes"]], headers, len(data))
            self.close_connection = True
            return
        if do == "slow":
            self.note(status, len(data))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            for at in range(0, len(data), rule["bytes"]):
                self.wfile.write(data[at : at + rule["bytes"]])
                time.sleep(0.05)
            return
        self.reply(status, data, headers)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = serve


def main():
    Proxy.upstream, Proxy.faults, Proxy.log = int(sys.argv[1]), pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    server.daemon_threads = True
    server.handle_error = lambda *_: None
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()


main()
