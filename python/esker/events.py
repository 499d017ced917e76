"""Where a replica hears its publisher's events: "Sockets" of docs/sync.md."""

from typing import Optional

import zmq

from .order import FRAMES_MAX
from .wire import Malformed, Path, hash16, path_bytes


class Events:
    """A SUB of a model's events; one thread's."""

    def __init__(self, model: str) -> None:
        self.model = model
        self.socket: Optional[zmq.Socket] = None
        self.address = ""

    def hang_up(self) -> None:
        """Hears nothing any more."""
        if self.socket:
            self.socket.close(linger=0)
        self.socket, self.address = None, ""

    def receive(self) -> Optional[list[bytes]]:
        """An event's frames, if one has come."""
        try:
            return self.socket.recv_multipart(zmq.DONTWAIT) if self.socket else None
        except zmq.Again:
            return None

    def _connect(self, address: str) -> None:
        self.hang_up()
        self.socket = zmq.Context.instance().socket(zmq.SUB)
        self.socket.setsockopt(zmq.RCVHWM, FRAMES_MAX)
        try:
            self.socket.connect(address)
        except zmq.ZMQError as error:
            # The next HELLO may tell a better one.
            self.hang_up()
            raise Malformed(f"no events can be heard at {address!r}: {error}") from error
        self.address = address

    def subscribe(self, address: str, sections: Optional[list[Path]], only_heartbeats: bool) -> None:
        """Hears what is published there, of these sections or all of them; or of the whole model's heartbeats alone."""
        if self.socket is None or address != self.address:
            self._connect(address)
        option = zmq.UNSUBSCRIBE if only_heartbeats else zmq.SUBSCRIBE
        # Without the heartbeats nobody would know that the publisher is there.
        heartbeats = topic(self.model) + b"\0"
        if sections is None and not only_heartbeats:
            self.socket.setsockopt(zmq.SUBSCRIBE, topic(self.model))
            return
        self.socket.setsockopt(zmq.SUBSCRIBE, heartbeats)
        for section in [()] if sections is None else sections:
            self.socket.setsockopt(option, topic(self.model, section))


def topic(model: str, section: Path = ()) -> bytes:
    """The beginning of the topics of a section's events."""
    return b"esker-sync/1 " + b"".join(part + b"\0" for part in (model.encode(), *map(_topic_key, section)))


def _topic_key(key: str) -> bytes:
    data = key.encode()
    if not data:
        return b"\1\3"
    if len(data) > 200:
        digest = hash16(b"\2" + path_bytes((key,)))
        return b"\1\4" + f"{digest:032x}".encode()
    return data.replace(b"\1", b"\1\2").replace(b"\0", b"\1\1")
