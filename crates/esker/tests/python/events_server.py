"""A server that takes events over HTTPS and tells them in FOLDER/events, a JSON object a line.

usage: events_server.py CERTIFICATE KEY FOLDER SECRET PORT

FOLDER/behave, if it is there, says what it does: a status and headers that every answer has, `hang`, or `slow`.
FOLDER/requests has a line for each request. Prints its port; PORT 0 is any.
"""

import hashlib
import hmac
import http.server
import json
import pathlib
import ssl
import sys
import threading
import time

CERTIFICATE, KEY, FOLDER, SECRET, PORT = sys.argv[1:]
FOLDER = pathlib.Path(FOLDER)
LOCK = threading.Lock()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        behave = FOLDER / "behave"
        words = behave.read_text().splitlines() if behave.exists() else ["200"]
        self.note("requests", f"{words[0]} {self.path}")
        if words[0] == "hang":
            time.sleep(3600)
        status = 200
        if words[0] == "slow":
            time.sleep(0.3)
        elif words[0] == "once":
            behave.unlink()
            status = int(words[1])
        else:
            status = int(words[0])
        if status == 200:
            signature = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
            event = {
                "path": self.path,
                "signed": self.headers.get("X-Esker-Signature") == signature,
                "token": self.headers.get("Authorization"),
                "type": self.headers.get("Content-Type"),
                "event": json.loads(body),
            }
            self.note("events", json.dumps(event))
        self.send_response(status)
        for header in words[1:] if words[0].isdigit() else []:
            self.send_header(*header.split(": "))
        said = f"said of {self.headers.get('Authorization')} {self.path}\n".encode()
        self.send_header("Content-Length", str(len(said)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(said)

    def do_GET(self):
        self.note("requests", f"GET {self.path}")
        self.send_error(404)

    def note(self, name, line):
        with LOCK, (FOLDER / name).open("a") as file:
            print(line, file=file)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


server = Server(("127.0.0.1", int(PORT)), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(CERTIFICATE, KEY)
# The handshake is each connection's own affair: one that hangs keeps nobody else out.
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
print(server.server_port, flush=True)
server.serve_forever()
