"""A client of 2013: seed_client.py REQUESTS_PORT EVENTS_PORT NAME. Fails at the first thing that is not as it was."""

import sys
import time

import zmq

PATIENCE_MS = 30_000
QUIET_MS = 1_500


class Client:
    """One REQ socket a request, one frame each, as the first clients did."""

    def __init__(self, requests: int, events: int, name: str) -> None:
        self.context = zmq.Context()
        self.requests = f"tcp://127.0.0.1:{requests}"
        self.name = name
        self.sub = self.context.socket(zmq.SUB)
        self.sub.setsockopt(zmq.SUBSCRIBE, f"====={name}".encode())
        self.sub.connect(f"tcp://127.0.0.1:{events}")

    def ask(self, message: bytes) -> list[bytes]:
        socket = self.context.socket(zmq.REQ)
        socket.setsockopt(zmq.LINGER, 0)
        socket.connect(self.requests)
        socket.send(message)
        assert socket.poll(PATIENCE_MS), f"no answer to {message!r}"
        reply = socket.recv_multipart()
        socket.close()
        return reply

    def get(self, version: str = "") -> bytes:
        lines = f"====={'GET'} {self.name}" + (f"\n\t{version}" if version else "")
        reply = self.ask(lines.encode())
        assert len(reply) == 1, reply
        return reply[0]

    def put(self, lines: list[str]) -> None:
        message = f"=====PUT {self.name}\n" + "\n".join("\t" + line for line in lines)
        reply = self.ask(message.encode())
        assert reply == [b"OK"], reply

    def events(self, wanted: int) -> None:
        """Takes as many events as wanted, and sees that no further one comes."""
        for _ in range(wanted):
            assert self.sub.poll(PATIENCE_MS), "an event is missing"
            event = self.sub.recv_multipart()
            assert event == [f"====={self.name}".encode()], event
        assert not self.sub.poll(QUIET_MS), "an event too many"


def unstack(reply: bytes) -> dict[str, list[str]]:
    """Reads a reply as the first clients' Lua did."""
    streams: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in reply.decode().split("\n"):
        if line.startswith("====="):
            lines = streams[line[5:]] = []
        else:
            lines.append(line[1:])
    return streams


def subscribed(client: Client) -> None:
    """Puts until an event comes: a subscription takes its time."""
    until = time.monotonic() + PATIENCE_MS / 1000
    while time.monotonic() < until:
        client.put(["hello"])
        if client.sub.poll(200):
            while client.sub.poll(200):
                client.sub.recv_multipart()
            return
    raise AssertionError("no event ever came")


def main() -> None:
    client = Client(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
    subscribed(client)
    first = ["first", "=====nested head", "\tinner", "", "last"]
    second = ["second", "field\tfield\t"]
    client.put(first)
    client.events(1)
    reply = client.get()
    assert reply.startswith(f"====={client.name}\n\t".encode()), reply
    assert not reply.endswith(b"\n"), reply
    streams = unstack(reply)
    assert list(streams) == [client.name, "data"], streams
    assert len(streams[client.name]) == 1 and len(streams[client.name][0]) >= 5, streams
    assert streams["data"] == first, streams
    version = streams[client.name][0]
    assert client.ask(f"=====GET {client.name}\n".encode()) == [reply]

    client.put(second)
    client.put(second)
    client.events(2)
    newer = unstack(client.get())
    assert newer["data"] == second and newer[client.name][0] != version, newer
    for text in (version, version[:7], version + "\n", version + "\tmore"):
        assert client.get(text) == reply, text

    bad = [
        b"no header",
        b"=====LIST\n",
        b"=====GET no such thing",
        b"=====PUT no such thing\n\tx",
        b"=====PUTX\n\tx",
        b"",
        f"=====PUT {client.name}\nno tab".encode(),
        f"=====PUT {client.name}\n\ta\n\n\tb".encode(),
        f"=====GET {client.name}\n\tzzzzzzz".encode(),
        f"=====GET {client.name}\n=====GET {client.name}\n".encode(),
        f"=====GET {client.name}\n\t$(touch pwned)".encode(),
        f"=====PUT {client.name}\n\t".encode() + b"\xff\xfe",
        b"=====GET ../../etc/passwd",
        b"=====PUT .git/config\n\tx",
    ]
    for message in bad:
        reply = client.ask(message)
        assert len(reply) == 1 and reply[0].startswith(b"ERROR: "), (message, reply)
        assert b"\n" not in reply[0], reply
    client.events(0)
    assert unstack(client.get())["data"] == second


if __name__ == "__main__":
    main()
