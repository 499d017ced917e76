"""A JIRA Cloud site over HTTPS, as its REST API (versions 2 and 3) is published, as far as searching goes.

usage: jira_server.py CERTIFICATE KEY FOLDER TOKEN

FOLDER/issues.json holds the issues, each with the `minutes` since it was updated. FOLDER/refuse.json, if it is there,
says what is refused: {"status", "headers", "page": only later pages, "times"}. Requests are told in FOLDER/requests,
a line of JSON each. Prints its port. Pages have two issues, or three numbers. A user is me@example.org with the token.
"""

import base64
import http.server
import json
import pathlib
import re
import ssl
import sys
import urllib.parse

CERTIFICATE, KEY, FOLDER, TOKEN = sys.argv[1:]
FOLDER = pathlib.Path(FOLDER)
KNOWN = "Basic " + base64.b64encode(f"me@example.org:{TOKEN}".encode()).decode()
CHANGED = re.compile(r"\(project = (\w+)( and status != Done)?\)(?: and updated >= -(\d+)m)? order by key asc")
SINCE = re.compile(r"updated >= '([\d :-]+)' order by updated asc")
NAMED = re.compile(r"id in \(([\d, ]+)\) order by key asc")


class Refused(Exception):
    pass


def find(jql):
    issues = json.loads((FOLDER / "issues.json").read_text())
    issues.sort(key=lambda issue: issue["key"])
    if named := NAMED.fullmatch(jql):
        ids = named[1].split(", ")
        for one in set(ids) - {issue["id"] for issue in issues}:
            raise Refused(f"A value with ID '{one}' does not exist for the field 'id'.")
        return [issue for issue in issues if issue["id"] in ids]
    if since := SINCE.fullmatch(jql):
        return [issue for issue in issues if issue["fields"]["updated"].replace("T", " ")[:16] >= since[1]]
    changed = CHANGED.fullmatch(jql)
    if not changed:
        raise Refused(f"Error in the JQL Query: {jql}")
    project, undone, minutes = changed.groups()
    found = [issue for issue in issues if issue["key"].startswith(project + "-")]
    if undone:
        found = [issue for issue in found if issue["fields"].get("status") != "Done"]
    if minutes:
        found = [issue for issue in found if issue["minutes"] <= int(minutes)]
    return found


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    count = 0

    def do_GET(self):
        Handler.count += 1
        path, _, query = self.path.partition("?")
        self.query = dict(urllib.parse.parse_qsl(query, strict_parsing=True)) if query else {}
        if refusal := self.refusal():
            return self.answer(refusal["status"], {"errorMessages": ["not now"]}, refusal.get("headers", {}))
        answers = {"myself": self.myself, "search/jql": self.search, "serverInfo": lambda: {"deploymentType": "Cloud"}}
        try:
            self.answer(200, answers[re.sub(r"^/rest/api/[23]/", "", path)](), {})
        except PermissionError:
            given = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic ")).decode()
            self.answer(401, {"errorMessages": [f"nobody knows {given}"]}, {})
        except Refused as why:
            self.answer(400, {"errorMessages": [str(why)], "errors": {}}, {})

    def refusal(self):
        file = FOLDER / "refuse.json"
        if not file.exists():
            return None
        refusal = json.loads(file.read_text())
        if refusal.get("page") and "nextPageToken" not in self.query:
            return None
        if refusal.get("times"):
            refusal["times"] -= 1
            file.write_text(json.dumps(refusal)) if refusal["times"] else file.unlink()
        return refusal

    def myself(self):
        if self.headers.get("Authorization") != KNOWN:
            raise PermissionError
        return {"accountId": "5", "emailAddress": "me@example.org", "timeZone": "Etc/UTC"}

    def search(self):
        # As JIRA does: who is not known sees what anyone may see, which is nothing here.
        jql, fields = self.query["jql"], self.query["fields"].split(",")
        found = find(jql) if self.headers.get("Authorization") == KNOWN else []
        size = min(int(self.query.get("maxResults", 50)), 3 if fields == ["id"] else 2)
        start = 0
        if token := self.query.get("nextPageToken"):
            of, start = json.loads(base64.b64decode(token))
            if of != jql:
                raise Refused("The provided next page token is invalid.")
        page = [self.show(issue, fields) for issue in found[start:start + size]]
        if start + size >= len(found):
            return {"issues": page, "isLast": True}
        token = base64.b64encode(json.dumps([jql, start + size]).encode()).decode()
        return {"issues": page, "nextPageToken": token, "isLast": False}

    def show(self, issue, fields):
        if fields == ["id"]:
            return {"id": issue["id"]}
        values = dict(issue["fields"], lastViewed=Handler.count)
        every = {"*navigable", "*all"} & set(fields)
        wanted = {name: value for name, value in values.items() if every or name in fields}
        more = {name: {"histories": []} if name == "changelog" else [] for name in self.query.get("expand", "").split(",") if name}
        if "*all" in fields:
            wanted["comment"] = {"comments": []}
        for field in fields:
            wanted.pop(field.removeprefix("-") if field.startswith("-") else None, None)
        link = f"https://example.org/rest/api/3/issue/{issue['id']}?{Handler.count}"
        return {**more, "expand": "renderedFields", "id": issue["id"], "self": link, "key": issue["key"], "fields": wanted}

    def answer(self, status, value, headers):
        with (FOLDER / "requests").open("a") as log:
            print(json.dumps({"status": status, "path": self.path.partition("?")[0], **self.query}), file=log)
        body = json.dumps(value).encode()
        self.send_response(status)
        for name, text in {"Content-Type": "application/json;charset=UTF-8", **headers}.items():
            self.send_header(name, text)
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
