"""Requests and their answers: messages of ours (docs/protocol.md) over a DEALER."""

import itertools
import json
import time
from dataclasses import dataclass, field
from typing import Callable, Iterable, Iterator, Optional

import zmq

from .frames import Frame, zstandard
from .wire import Malformed, Path

# An answer that has not come by then is not waited for any longer.
ANSWER_S = 3.0
# How many requests are under way at once, of those that may be.
AT_ONCE = 3


class Trouble(Exception):
    """What the publisher cannot be asked, or answers wrongly, now; it is tried again later."""


class Silent(Trouble):
    """Nobody answered in time."""


class Refused(Trouble):
    """The publisher answered with an error; `code` is one of docs/protocol.md, or `gone`."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(f"{code}: {message}" + (f" (hint: {hint})" if hint else ""))
        self.code = code


@dataclass
class Reply:
    """A reply: the fields of its head, each with all its lines, and its body."""

    fields: dict[str, list[str]]
    body: list[bytes] = field(default_factory=list)

    def text(self, name: str) -> str:
        try:
            return self.fields[name][0]
        except KeyError:
            raise Malformed(f"an answer without {name}") from None

    def number(self, name: str) -> int:
        text = self.text(name)
        if not text.isdecimal():
            raise Malformed(f"{name} is no number: {text}")
        return int(text)

    def digest(self, name: str = "digest") -> int:
        text = self.text(name)
        try:
            return int(text, 16)
        except ValueError:
            raise Malformed(f"{name} is no digest: {text}") from None

    def paths(self, name: str) -> list[Path]:
        try:
            return [tuple(json.loads(text)) for text in self.fields.get(name, [])]
        except (ValueError, TypeError) as error:
            raise Malformed(f"{name} is no path: {error}") from error

    def frame(self) -> Frame:
        """The one frame of the body."""
        if len(self.body) != 1:
            raise Malformed(f"{len(self.body)} frames, expected one")
        return Frame.read_joined(self.body[0])


def path_text(path: Path) -> str:
    """A path in a head."""
    return json.dumps(list(path))


def accept() -> list[tuple[str, str]]:
    """The field that lets answers be compressed, if we could read them."""
    return [("accept", "zstd")] if zstandard else []


# A request: its verb, its fields, its body.
Request = tuple


class Requests:
    """A DEALER to a publisher; one thread's."""

    def __init__(self, address: str, model: str) -> None:
        self.address = address
        self.model = model
        self._ids = itertools.count(1)
        self._socket: Optional[zmq.Socket] = None
        # Waits until the socket can be read, or so many seconds; whoever has more to listen to puts another here.
        self.wait: Callable[[zmq.Socket, float], None] = lambda socket, left: socket.poll(left * 1000)

    def close(self) -> None:
        if self._socket:
            self._socket.close(linger=0)
            self._socket = None

    def ask(self, verb: str, fields: Iterable = (), body: Iterable[bytes] = ()) -> Reply:
        """Asks and waits for the answer."""
        return next(self.ask_all([(verb, list(fields), list(body))]))

    def ask_all(self, requests: Iterable[Request]) -> Iterator[Reply]:
        """Asks a few at a time; the answers, in the order of the requests."""
        requests, under_way, came = iter(requests), [], {}
        while True:
            for request in itertools.islice(requests, AT_ONCE - len(under_way)):
                under_way.append(self._send(request))
            if not under_way:
                return
            deadline = time.monotonic() + ANSWER_S
            while under_way[0] not in came:
                number, reply = self._receive(deadline)
                if number in under_way:
                    came[number] = reply
            yield _checked(came.pop(under_way.pop(0)))

    def _send(self, request: Request) -> str:
        verb, fields, body = request
        number = str(next(self._ids))
        lines = [f"=====esker/1 {verb} {self.model}", f"\tid: {number}"]
        lines += [f"\t{name}: {text}" for name, text in fields]
        head = "".join(line + "\n" for line in lines).encode()
        if self._socket is None:
            self._socket = zmq.Context.instance().socket(zmq.DEALER)
            self._socket.connect(self.address)
        try:
            self._socket.send_multipart([b"", head, *body], flags=zmq.DONTWAIT)
        except zmq.Again:
            raise self._silence() from None
        return number

    def _receive(self, deadline: float) -> tuple[str, tuple]:
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise self._silence()
            try:
                frames = self._socket.recv_multipart(flags=zmq.DONTWAIT)
            except zmq.Again:
                self.wait(self._socket, left)
                continue
            if len(frames) >= 2:
                name, fields = _head(frames[1])
                return fields.get("id", [""])[0], (name, fields, frames[2:])

    def _silence(self) -> Silent:
        # A new socket forgets the question: whoever comes back need not answer it.
        self.close()
        return Silent(f"no answer from {self.address}")


def _head(frame: bytes) -> tuple[str, dict[str, list[str]]]:
    """The name of a head's first section, and its fields."""
    try:
        lines = frame.decode().split("\n")
    except UnicodeDecodeError as error:
        raise Malformed(f"a head that is not UTF-8: {error}") from error
    if not lines[0].startswith("====="):
        raise Malformed("a reply without a head")
    fields: dict[str, list[str]] = {}
    for line in lines[1:]:
        if not line.startswith("\t"):
            break
        key, _, text = line[1:].partition(": ")
        fields.setdefault(key, []).append(text)
    return lines[0][len("=====") :], fields


def _checked(reply: tuple) -> Reply:
    name, fields, body = reply
    if name == "esker/1 OK":
        return Reply(fields, body)
    code = name.rpartition(" ")[2]
    message, hint = ("\n".join(fields.get(key, [])) for key in ("message", "hint"))
    raise Refused(code, message, hint)
