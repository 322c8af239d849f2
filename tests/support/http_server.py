#!/usr/bin/env python3
"""A loopback HTTP server for tests: files of a directory, git repositories, and every kind of trouble.

    http_server.py ROOT LOG [CERTIFICATE]   prints its port, then serves until its standard input ends; with TLS if
                                            there is a certificate (PEM, with its key)

/files/PATH   a file of ROOT, with ETag, Last-Modified, ranges and conditional requests. The query makes trouble:
              fail=N&status=S   the first N requests for the path get status S   retry-after=T   with that header
              cut=BYTES         the first request breaks off after BYTES         redirect=URL    303 to URL
              no-etag, no-date, no-ranges   without these headers               hang            never answers
              loop            303 to itself                                      stall=BYTES     sends so many, then nothing
              drop            hangs up after the answer, without saying so
PUT, POST     answer with the SHA-256 of what they are sent; redirect=URL is 307, drop as above
/git/PATH     ROOT/PATH by git-http-backend (the smart protocol)
If there is a file ROOT.authorization, requests must have a header Authorization with what is in it; others get 401 and
read what they sent.
ROOT.connections has a byte for every connection that was made.
Every request is a line of LOG: METHOD PATH STATUS BODY-BYTES HEADERS-AS-JSON.
"""

import collections
import email.utils
import hashlib
import http.server
import json
import os
import pathlib
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    root: pathlib.Path
    log: pathlib.Path
    lock = threading.Lock()
    seen: collections.Counter = collections.Counter()

    def setup(self):
        with Handler.lock, open(f"{self.root}.connections", "ab") as connections:
            connections.write(b".")
        super().setup()

    def log_message(self, *_):
        pass

    def note(self, status, size):
        headers = {name.lower(): value for name, value in self.headers.items()}
        with Handler.lock, open(self.log, "a") as log:
            log.write(f"{self.command} {self.path} {status} {size} {json.dumps(headers)}\n")

    def reply(self, status, body=b"", headers=(), size=None):
        self.note(status, len(body) if self.command != "HEAD" else 0)
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body) if size is None else size))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def count(self):
        with Handler.lock:
            Handler.seen[self.path] += 1
            return Handler.seen[self.path]

    def admits(self):
        wanted = pathlib.Path(f"{self.root}.authorization")
        sent = self.headers.get("Authorization", "")
        if not wanted.exists() or sent == wanted.read_text():
            return True
        self.reply(401, f"not you: {sent}".encode())
        return False

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        if not self.admits():
            return
        if url.path.startswith("/git/"):
            return self.git(url)
        if not url.path.startswith("/files/"):
            return self.reply(404, b"no such place")
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        number = self.count()
        if "hang" in query:
            self.note(0, 0)
            time.sleep(60)
            return
        if number <= int(query.get("fail", 0)):
            headers = [("Retry-After", query["retry-after"])] if "retry-after" in query else []
            return self.reply(int(query.get("status", 503)), b"come back later", headers)
        if "loop" in query:
            return self.reply(303, b"elsewhere", [("Location", self.path)])
        if "redirect" in query:
            return self.reply(303, b"elsewhere", [("Location", query["redirect"])])
        self.file(self.root / urllib.parse.unquote(url.path[len("/files/"):]), query, number)

    do_HEAD = do_GET

    def do_POST(self):
        url = urllib.parse.urlsplit(self.path)
        if not self.admits():
            return
        if url.path.startswith("/git/"):
            return self.git(url)
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        body = self.body()
        if "redirect" in query:
            return self.reply(307, b"elsewhere", [("Location", query["redirect"])])
        self.reply(200, hashlib.sha256(body).hexdigest().encode())
        self.close_connection = "drop" in query

    do_PUT = do_POST

    def file(self, path, query, number):
        if not path.is_file():
            return self.reply(404, b"no such file")
        data = path.read_bytes()
        etag = '"' + hashlib.sha256(data).hexdigest() + '"'
        date = email.utils.formatdate(path.stat().st_mtime, usegmt=True)
        headers = []
        if "no-etag" not in query:
            headers.append(("ETag", etag))
        if "no-date" not in query:
            headers.append(("Last-Modified", date))
        if "no-ranges" not in query:
            headers.append(("Accept-Ranges", "bytes"))
        match = self.headers.get("If-None-Match")
        since = self.headers.get("If-Modified-Since")
        if ("no-etag" not in query and match == etag) or (match is None and "no-date" not in query and since == date):
            return self.reply(304, headers=headers)
        if number == 1 and "cut" in query:
            self.reply(200, data[: int(query["cut"])], headers, len(data))
            self.close_connection = True
            return
        if "stall" in query:
            self.reply(200, data[: int(query["stall"])], headers, len(data))
            self.wfile.flush()
            time.sleep(60)
            return
        wanted = self.headers.get("Range", "")
        if wanted.startswith("bytes=") and "no-ranges" not in query and self.headers.get("If-Range", etag) == etag:
            start, last = wanted[len("bytes="):].split("-")
            part = data[int(start) : int(last) + 1 if last else len(data)]
            headers.append(("Content-Range", f"bytes {start}-{int(start) + len(part) - 1}/{len(data)}"))
            if number == 1 and "cut-part" in query:
                self.reply(206, part[: int(query["cut-part"])], headers, len(part))
                self.close_connection = True
                return
            return self.reply(206, part, headers)
        self.reply(200, data, headers)
        self.close_connection = "drop" in query

    def body(self):
        if self.headers.get("Transfer-Encoding", "") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def git(self, url):
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": "/nonexistent",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": urllib.parse.unquote(url.path[len("/git"):]),
            "QUERY_STRING": url.query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_ADDR": "127.0.0.1",
        }
        body = self.body()
        environment["CONTENT_LENGTH"] = str(len(body))
        answer = subprocess.run(["git", "http-backend"], input=body, env=environment, stdout=subprocess.PIPE).stdout
        head, _, content = answer.partition(b"\r\n\r\n")
        status, headers = 200, []
        for line in head.decode().split("\r\n"):
            name, _, value = line.partition(": ")
            if name.lower() == "status":
                status = int(value.split()[0])
            elif name:
                headers.append((name, value))
        self.reply(status, content, headers)


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 256


def main():
    Handler.root, Handler.log = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # clients that hang up are part of the game
    if len(sys.argv) > 3:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(sys.argv[3])
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()


main()
