"""A server that speaks HTTPS: the files of a folder with ETags, for those who know the token.

usage: https_server.py CERTIFICATE KEY FOLDER TOKEN

FOLDER/refuse, if it is there, holds a status and headers that every answer has then. Requests are told in
FOLDER/requests, a line each. Prints its port. /git/NAME is the repository FOLDER/NAME, and /moved/NAME leads there.
"""

import base64
import hashlib
import http.server
import os
import pathlib
import ssl
import subprocess
import sys

CERTIFICATE, KEY, FOLDER, TOKEN = sys.argv[1:]
FOLDER = pathlib.Path(FOLDER)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        refuse = FOLDER / "refuse"
        if refuse.exists():
            status, *headers = refuse.read_text().splitlines()
            return self.answer(int(status), b"not now\n", dict(h.split(": ") for h in headers))
        if not self.knows():
            given = self.headers.get("Authorization", "")
            asks = {"WWW-Authenticate": "Basic realm=git"}
            return self.answer(401, f"nobody knows {given!r}\n".encode(), asks)
        if self.path.startswith("/git/"):
            return self.git(b"")
        if self.path.startswith("/moved/"):
            return self.answer(302, b"", {"Location": self.path.replace("/moved/", "/git/")})
        body = (FOLDER / self.path.lstrip("/")).read_bytes()
        tag = '"' + hashlib.sha256(body).hexdigest() + '"'
        if self.headers.get("If-None-Match") == tag:
            return self.answer(304, b"", {})
        self.answer(200, body, {"ETag": tag, "Content-Type": "text/csv"})

    def do_POST(self):
        if not self.knows():
            return self.answer(401, b"", {"WWW-Authenticate": "Basic realm=git"})
        self.git(self.rfile.read(int(self.headers["Content-Length"])))

    def knows(self):
        basic = base64.b64encode(b"git:" + TOKEN.encode()).decode()
        return self.headers.get("Authorization") in ("Bearer " + TOKEN, "Basic " + basic)

    def git(self, body):
        path, _, query = self.path.partition("?")
        env = {
            **os.environ,
            "GIT_PROJECT_ROOT": str(FOLDER.absolute()),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path.removeprefix("/git"),
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        told = subprocess.run(["git", "http-backend"], env=env, input=body, stdout=subprocess.PIPE)
        head, _, rest = told.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.answer(int(headers.pop("Status", "200").split()[0]), rest, headers)

    def answer(self, status, body, headers):
        with (FOLDER / "requests").open("a") as log:
            print(status, self.path, file=log)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


server = Server(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(CERTIFICATE, KEY)
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
