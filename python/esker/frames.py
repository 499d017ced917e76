"""Frames and operations: what publishers send, read and checked; and what a PUT says."""

import struct
from dataclasses import dataclass
from typing import Iterable, Iterator, Optional

from .tree import CLEAR, DEL, DICT, SET, told
from .wire import LEAF_BYTES_MAX, MASK, Malformed, Path, Reader, key_bytes, value_bytes, varint

try:
    import zstandard
except ImportError:  # Then nobody is told that we could read it, and nothing is compressed.
    zstandard = None

DELTA, HEARTBEAT, BYE, CHUNK, DIFF, NODES = 1, 2, 3, 4, 5, 6

_HEADER = struct.Struct("<2sBBHBBQQQ16s8sIHHQ")
_COMPRESSED, _LAST = 1, 2
_OPERATIONS_MAX = 65_536
_BODY_MAX = 16 << 20

Operation = tuple  # of SET, DEL, DICT or CLEAR, a path, and the value of a SET


@dataclass
class Frame:
    """A header and its body, not compressed any more."""

    type: int
    last: bool
    epoch: int
    seq: int
    prev: int
    digest: int
    section: bytes
    count: int
    part: int
    parts: int
    body: bytes

    @classmethod
    def read(cls, header: bytes, body: bytes) -> "Frame":
        """Reads a frame; Malformed if a reader must refuse it."""
        if len(header) != _HEADER.size:
            raise Malformed(f"a header of {len(header)} bytes")
        magic, version, kind, flags, codec, digest, *numbers = _HEADER.unpack(header)
        if (magic, version, codec, digest) != (b"\xe5\x1c", 1, 1, 1) or not DELTA <= kind <= NODES:
            raise Malformed("another magic, version, type, codec or digest than ours")
        if flags & ~(_COMPRESSED | _LAST):
            raise Malformed("flags that nobody knows")
        if flags & _COMPRESSED:
            body = _expanded(body)
        epoch, seq, prev, after, section, count, part, parts, _ = numbers
        if len(body) > _BODY_MAX or count > _OPERATIONS_MAX:
            raise Malformed("a frame is too large")
        after = int.from_bytes(after, "little")
        return cls(kind, bool(flags & _LAST), epoch, seq, prev, after, section, count, part, parts, body)

    @classmethod
    def read_joined(cls, data: bytes) -> "Frame":
        """Reads a frame whose header and body are one."""
        return cls.read(data[: _HEADER.size], data[_HEADER.size :])

    def operations(self) -> list[Operation]:
        """The body's operations, as many as the header says."""
        found = list(operations(self.body))
        if len(found) != self.count:
            raise Malformed(f"{len(found)} operations, and the header says {self.count}")
        return found

    def path(self) -> Path:
        """The path of a heartbeat's section."""
        reader = Reader(self.body)
        path = reader.path()
        if not reader.ended() or self.count:
            raise Malformed("a heartbeat is a path and nothing else")
        return path


def _expanded(body: bytes) -> bytes:
    reader = Reader(body)
    size = reader.varint()
    if size > _BODY_MAX or zstandard is None:
        raise Malformed("a compressed body that is too large, or that nobody asked for")
    try:
        plain = zstandard.ZstdDecompressor().decompress(body[reader.at :], max_output_size=size)
    except zstandard.ZstdError as error:
        raise Malformed(f"a compressed body cannot be read: {error}") from error
    if len(plain) != size:
        raise Malformed(f"a compressed body has {len(plain)} bytes, and says {size}")
    return plain


def operations(body: bytes) -> Iterator[Operation]:
    """Reads operations up to the end of a body."""
    reader, path = Reader(body), ()
    while not reader.ended():
        operation = reader.byte()
        if not SET <= operation <= CLEAR:
            raise Malformed(f"no operation {operation}")
        path = reader.path_after(path, reader.varint())
        if not path and operation in (SET, DEL):
            raise Malformed("the model itself can be no leaf, and cannot be taken away")
        yield operation, path, reader.value() if operation == SET else None


def operations_bytes(wanted: Iterable[Operation]) -> bytes:
    """Operations in bytes."""
    out, before = bytearray(), ()
    for operation, path, value in wanted:
        out.append(operation)
        out += _path_after(before, path)
        before = path
        if operation == SET:
            encoded = value_bytes(value)
            if len(encoded) > LEAF_BYTES_MAX:
                raise ValueError(f"a leaf of {len(encoded)} bytes: {LEAF_BYTES_MAX} are allowed")
            out += encoded
    return bytes(out)


def _path_after(before: Path, path: Path) -> bytes:
    shared = 0
    for ours, theirs in zip(before, path):
        if ours != theirs:
            break
        shared += 1
    return varint(shared) + varint(len(path) - shared) + b"".join(map(key_bytes, path[shared:]))


def checked_chunk(frame: Frame, epoch: int) -> list[Operation]:
    """A CHUNK's operations, whose digests are what its header says."""
    if frame.type != CHUNK or frame.epoch != epoch:
        raise Malformed("not a chunk of this epoch")
    nodes = frame.operations()
    if any(operation not in (SET, DICT) for operation, _, _ in nodes):
        raise Malformed("a chunk tells nodes, and nothing else")
    if sum(told(*node) for node in nodes) & MASK != frame.digest:
        raise Malformed("a chunk's digest is not that of its nodes")
    return nodes


@dataclass
class Query:
    """What a NODES request asks about: a node, and of a dict the children from one key up to another."""

    path: Path
    start: Optional[str] = None
    end: Optional[str] = None


@dataclass
class Answer:
    """What a publisher has there: its kind and digest, and of a dict children or ranges of them."""

    kind: int
    digest: int = 0
    children: Optional[list[tuple[str, int, bytes]]] = None
    ranges: Optional[list[tuple[str, int, bytes]]] = None


def queries_bytes(queries: list[Query]) -> bytes:
    """The body of a NODES request."""
    out, before = bytearray(varint(len(queries))), ()
    for query in queries:
        out += _path_after(before, query.path)
        before = query.path
        out += varint((query.start is not None) | (query.end is not None) << 1)
        out += b"".join(key_bytes(key) for key in (query.start, query.end) if key is not None)
    return bytes(out)


def answers(frame: Frame, count: int) -> list[Answer]:
    """The answers to so many queries."""
    if frame.type != NODES:
        raise Malformed("not an answer to NODES")
    reader = Reader(frame.body)
    found = [_answer(reader) for _ in range(count)]
    if not reader.ended():
        raise Malformed("more answers than queries")
    return found


def _answer(reader: Reader) -> Answer:
    kind = reader.byte()
    if kind == 0:
        return Answer(0)
    answer = Answer(kind, int.from_bytes(reader.take(16), "little"))
    if kind == 2:
        form = reader.byte()
        read = reader.byte if form == 0 else reader.varint
        items = [(reader.key(), read(), reader.take(8)) for _ in range(reader.varint())]
        if form == 0:
            answer.children = items
        elif form == 1 and items:
            answer.ranges = items
        else:
            raise Malformed(f"children told in form {form}")
    elif kind != 1:
        raise Malformed(f"a node of kind {kind}")
    return answer
