"""A client written from docs/protocol.md alone: plain_client.py REQUESTS_PORT EVENTS_PORT.

DEALER for requests, many under way at once; SUB for events, following the chain.
"""

import sys
import time

import zmq

PATIENCE_MS = 30_000


def head(name: str, *fields: str) -> bytes:
    return "".join([f"====={name}\n", *(f"\t{field}\n" for field in fields)]).encode()


def read(frame: bytes) -> list[tuple[str, list[tuple[str, str]]]]:
    sections: list[tuple[str, list[tuple[str, str]]]] = []
    for line in frame.decode().rstrip("\n").split("\n"):
        if line.startswith("====="):
            sections.append((line[5:], []))
        else:
            key, _, value = line[1:].partition(": ")
            sections[-1][1].append((key, value))
    return sections


class Client:
    def __init__(self, requests: int, events: int) -> None:
        context = zmq.Context()
        self.dealer = context.socket(zmq.DEALER)
        self.dealer.setsockopt(zmq.LINGER, 0)
        self.dealer.connect(f"tcp://127.0.0.1:{requests}")
        self.sub = context.socket(zmq.SUB)
        self.sub.setsockopt(zmq.SUBSCRIBE, b"esker/1 ")
        self.sub.connect(f"tcp://127.0.0.1:{events}")

    def send(self, *frames: bytes) -> None:
        self.dealer.send_multipart([b"", *frames])

    def receive(self) -> list[bytes]:
        assert self.dealer.poll(PATIENCE_MS), "no reply"
        empty, *frames = self.dealer.recv_multipart()
        assert empty == b""
        return frames

    def ask(self, *frames: bytes) -> tuple[str, dict[str, str], list, list[bytes]]:
        self.send(*frames)
        reply = self.receive()
        sections = read(reply[0])
        name, fields = sections[0]
        return name, dict(fields), sections[1:], reply[1:]


def puts_and_gets(client: Client) -> str:
    content = bytes(range(256)) * 10
    name, fields, rest, _ = client.ask(
        head("esker/1 PUT raw/any bytes", "id: 1", "if-head: none", "message: two", "message: lines"),
        content,
    )
    assert name == "esker/1 OK" and fields["id"] == "1", (name, fields)
    assert rest[0][0] == "stored raw/any bytes" and dict(rest[0][1])["changed"] == "yes", rest
    revision = fields["revision"]
    assert len(revision) == 40

    name, fields, rest, body = client.ask(head("esker/1 GET raw/any bytes"))
    entry = dict(rest[0][1])
    assert name == "esker/1 OK" and body == [content]
    assert rest[0][0] == "entry" and entry["size"] == "2560" and entry["summary"] == "two", entry
    assert entry["revision"] == revision and entry["previous"] == "none"

    for fields, expected in [
        (["offset: 1", "length: 3"], b"\x01\x02\x03"),
        (["length: 2"], b"\x00\x01"),
        (["offset: 2559"], b"\xff"),
        (["offset: 2558", "length: 100"], b"\xfe\xff"),
        (["offset: 9999", "length: 1"], b""),
    ]:
        _, _, rest, body = client.ask(head("esker/1 GET raw/any bytes", *fields))
        assert body == [expected] and dict(rest[0][1])["size"] == "2560", (fields, body)
    _, fields, _, body = client.ask(head("esker/1 GET raw/any bytes", f"unless: {revision}"))
    assert fields["unchanged"] == "yes" and body == [], (fields, body)

    name, _, _, _ = client.ask(head("esker/1 PUT raw/any bytes", "if-head: none"), b"late")
    assert name == "esker/1 ERROR conflict", name
    return revision


def several_are_one_commit(client: Client) -> None:
    frames = [head("esker/1 PUT raw/a", "id: m") + head("and raw/b"), b"one", b"two"]
    _, fields, rest, _ = client.ask(*frames)
    assert [name for name, _ in rest] == ["stored raw/a", "stored raw/b"], rest
    assert all(dict(item)["revision"] == fields["revision"] for _, item in rest), rest
    name, _, rest, body = client.ask(head("esker/1 LOG", "limit: 2"))
    assert name == "esker/1 OK" and body == []
    assert {dict(entry)["resource"] for _, entry in rest} == {"raw/a", "raw/b"}, rest


def logs_and_lists_come_in_pages(client: Client) -> None:
    for number in range(7):
        client.ask(
            head(f"esker/1 PUT pages/{number}", f"author: {'Ann' if number % 2 else 'Bob'} <a@b>", f"message: page {number}"),
            b"x",
        )
    fields, found = {"next": ""}, []
    while "next" in fields:
        after = [f"after: {fields['next']}"] if fields["next"] else []
        name, fields, rest, _ = client.ask(head("esker/1 LIST", "prefix: pages/", "limit: 3", *after))
        assert name == "esker/1 OK" and len(rest) <= 3, (name, fields)
        found += [dict(entry)["resource"] for _, entry in rest]
    assert found == [f"pages/{number}" for number in range(7)], found

    fields, found = {"next": ""}, []
    while "next" in fields:
        after = [f"after: {fields['next']}"] if fields["next"] else []
        name, fields, rest, _ = client.ask(head("esker/1 LOG", "author: ann", "grep: PAGE", "limit: 1", *after))
        assert name == "esker/1 OK" and len(rest) <= 1, (name, fields)
        found += [dict(entry)["summary"] for _, entry in rest]
    assert found == ["page 5", "page 3", "page 1"], found

    _, fields, rest, _ = client.ask(head("esker/1 LOG pages/4", "since: yesterday", "until: now"))
    assert len(rest) == 1 and "next" not in fields, (fields, rest)
    _, fields, rest, _ = client.ask(head("esker/1 LOG pages/4", "until: 2001-01-01"))
    assert rest == [], rest


def dates_are_resolved(client: Client) -> None:
    _, newest, _, _ = client.ask(head("esker/1 RESOLVE"))
    for fields in [["at: today"], ["at: now", "zone: Asia/Tokyo"], ["at: 2199-01-01T17:00[Europe/Berlin]"]]:
        name, resolved, _, _ = client.ask(head("esker/1 RESOLVE", *fields))
        assert name == "esker/1 OK" and resolved == newest, (fields, name, resolved)
    name, fields, _, _ = client.ask(head("esker/1 RESOLVE", "at: 03/04/2025"))
    assert name == "esker/1 ERROR ambiguous" and "year first" in fields["hint"], (name, fields)
    name, fields, _, _ = client.ask(head("esker/1 RESOLVE", "at: now", "zone: Mars/Base"))
    assert name == "esker/1 ERROR bad-request", (name, fields)


def many_are_under_way(client: Client) -> None:
    count = 500
    for number in range(count):
        client.send(head("esker/1 PUT load/a", f"id: {number}"), str(number).encode())
    answered = set()
    for _ in range(count):
        name, fields = read(client.receive()[0])[0]
        assert name == "esker/1 OK", (name, fields)
        answered.add(int(dict(fields)["id"]))
    assert answered == set(range(count))


def faults_are_named(client: Client) -> None:
    cases = [
        (head("esker/1 GET raw/aa"), "not-found"),
        (head("esker/1 GET raw/a", "at: zzzz"), "not-found"),
        (head("esker/1 GET raw/a", "at: 2001-01-01"), "not-found"),
        (head("esker/1 GET ../../etc/passwd"), "bad-request"),
        (head("esker/1 PUT raw/.git"), "bad-request"),
        (head("esker/1 DANCE"), "bad-request"),
        (head("esker/2 GET raw/a"), "bad-request"),
        (b"=====esker/1 GET raw/a\nno tab", "bad-request"),
    ]
    for frame, code in cases:
        name, fields, _, _ = client.ask(frame)
        assert name == f"esker/1 ERROR {code}", (frame, name, fields)
        assert fields["message"], fields


def events_follow_the_chain(client: Client) -> None:
    """Waits for the subscription by the heartbeat, then puts and sees every link."""
    assert client.sub.poll(PATIENCE_MS), "no heartbeat"
    last = None
    until = time.monotonic() + PATIENCE_MS / 1000
    while time.monotonic() < until:
        topic, frame = client.sub.recv_multipart()
        name, fields = read(frame)[0]
        fields = dict(fields)
        last = (int(fields["epoch"]), int(fields["seq"]))
        if name == "esker/1 HEARTBEAT":
            assert topic == b"esker/1 ", topic
            break
    for number in range(20):
        client.ask(head("esker/1 PUT raw/chain"), str(number // 2).encode())
    seen = []
    while len(seen) < 20:
        assert client.sub.poll(PATIENCE_MS), "an event is missing"
        topic, frame = client.sub.recv_multipart()
        name, fields = read(frame)[0]
        fields = dict(fields)
        if name == "esker/1 HEARTBEAT":
            continue
        assert topic == b"esker/1 raw/chain" and name == "esker/1 EVENT raw/chain", (topic, name)
        assert (int(fields["epoch"]), int(fields["seq"])) == (last[0], last[1] + 1), (last, fields)
        last = (last[0], last[1] + 1)
        seen.append(fields["kind"])
    assert seen == ["put", "unchanged"] * 10, seen


def main() -> None:
    client = Client(int(sys.argv[1]), int(sys.argv[2]))
    revision = puts_and_gets(client)
    several_are_one_commit(client)
    events_follow_the_chain(client)
    logs_and_lists_come_in_pages(client)
    dates_are_resolved(client)
    many_are_under_way(client)
    faults_are_named(client)
    _, fields, _, _ = client.ask(head("esker/1 RESOLVE", f"at: {revision[:8]}"))
    assert fields["revision"] == revision, fields


if __name__ == "__main__":
    main()
