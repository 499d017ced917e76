"""A server that speaks HTTPS: the files of a folder with ETags, for those who know the token.

usage: https_server.py CERTIFICATE KEY FOLDER TOKEN

FOLDER/refuse, if it is there, holds a status and headers that every answer has then. Requests are told in
FOLDER/requests, a line each. Prints its port.
"""

import hashlib
import http.server
import pathlib
import ssl
import sys

CERTIFICATE, KEY, FOLDER, TOKEN = sys.argv[1:]
FOLDER = pathlib.Path(FOLDER)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        refuse = FOLDER / "refuse"
        given = self.headers.get("Authorization", "")
        if refuse.exists():
            status, *headers = refuse.read_text().splitlines()
            return self.answer(int(status), b"not now\n", dict(h.split(": ") for h in headers))
        if given != "Bearer " + TOKEN:
            return self.answer(401, f"nobody knows {given!r}\n".encode(), {})
        body = (FOLDER / self.path.lstrip("/")).read_bytes()
        tag = '"' + hashlib.sha256(body).hexdigest() + '"'
        if self.headers.get("If-None-Match") == tag:
            return self.answer(304, b"", {})
        self.answer(200, body, {"ETag": tag, "Content-Type": "text/csv"})

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
