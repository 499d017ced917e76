"""Numbers, values and paths in bytes, and their digests: "Numbers and values in bytes" and "The digest" of docs/sync.md."""

import math
import struct

import blake3

Path = tuple  # of texts: the keys from the root down

PATH_KEYS_MAX = 512
KEY_BYTES_MAX = 1024
PATH_BYTES_MAX = 65_536
LEAF_BYTES_MAX = (16 << 20) - (128 << 10)
LISTS_MAX = 64

MASK = (1 << 128) - 1
KEY = blake3.blake3(b"esker model v1").digest()

_NULL, _FALSE, _TRUE, _INT, _LARGE, _FLOAT, _TEXT, _BYTES, _LIST, _RECORD = range(10)
_NAN = struct.pack("<Q", 0x7FF8000000000000)


class Malformed(ValueError):
    """What was read is not what docs/sync.md says."""


class Record(dict):
    """Values by name that are one leaf, and replaced as a whole; a dict in a list is one without being called so.

    >>> Record(name="plan", tries=2)
    Record({'name': 'plan', 'tries': 2})
    """

    def __repr__(self) -> str:
        return f"Record({super().__repr__()})"


def hash16(data: bytes) -> int:
    """H of docs/sync.md."""
    return int.from_bytes(blake3.blake3(data, key=KEY).digest(length=16), "little")


def varint(number: int) -> bytes:
    """An unsigned integer, seven bits a byte, the lowest first."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def counted(data: bytes) -> bytes:
    """Bytes with their length before them."""
    return varint(len(data)) + data


def key_bytes(key: str) -> bytes:
    """A key as a text; ValueError if no model can have it."""
    data = key.encode()
    if len(data) > KEY_BYTES_MAX:
        raise ValueError(f"a key of {len(data)} bytes: {KEY_BYTES_MAX} are allowed")
    return counted(data)


def path_bytes(path: Path) -> bytes:
    """A path as digests and heartbeats have it."""
    return varint(len(path)) + b"".join(map(key_bytes, path))


def section_id(path: Path) -> bytes:
    """What a frame's header calls a section by."""
    return blake3.blake3(b"\2" + path_bytes(path), key=KEY).digest(length=8)


def value_bytes(value: object, lists: int = 0) -> bytes:
    """The one encoding of a value; TypeError or ValueError if it has none."""
    if value is None:
        return bytes([_NULL])
    if isinstance(value, bool):
        return bytes([_TRUE if value else _FALSE])
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, float):
        return bytes([_FLOAT]) + (_NAN if math.isnan(value) else struct.pack("<d", value))
    if isinstance(value, str):
        return bytes([_TEXT]) + counted(value.encode())
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes([_BYTES]) + counted(bytes(value))
    if lists == LISTS_MAX and isinstance(value, (list, tuple, dict)):
        raise ValueError(f"more than {LISTS_MAX} lists and records in one another")
    if isinstance(value, Record) or lists and isinstance(value, dict):
        # Texts are ordered by their code points, as their bytes in UTF-8 are.
        items = b"".join(
            counted(name.encode()) + value_bytes(value[name], lists + 1) for name in sorted(value)
        )
        return bytes([_RECORD]) + varint(len(value)) + items
    if isinstance(value, (list, tuple)):
        items = b"".join(value_bytes(item, lists + 1) for item in value)
        return bytes([_LIST]) + varint(len(value)) + items
    raise TypeError(f"a model has no {type(value).__name__}")


def _integer(value: int) -> bytes:
    if not -(1 << 63) <= value < 1 << 64:
        raise ValueError(f"{value} is no integer of a model: they are from -2^63 to 2^64-1")
    if value >= 1 << 63:
        return bytes([_LARGE]) + varint(value)
    return bytes([_INT]) + varint(2 * value if value >= 0 else -2 * value - 1)


class Reader:
    """Reads bytes from the front, and refuses what has another encoding than the one it should have."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def ended(self) -> bool:
        return self.at == len(self.data)

    def take(self, count: int) -> bytes:
        end = self.at + count
        if end > len(self.data):
            raise Malformed("it ends too early")
        taken = self.data[self.at : end]
        self.at = end
        return taken

    def byte(self) -> int:
        return self.take(1)[0]

    def varint(self) -> int:
        number = shift = 0
        while True:
            byte = self.byte()
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        if number >> 64 or (byte == 0 and shift > 7):
            raise Malformed("an integer of more than 64 bits, or longer than needed")
        return number

    def text(self) -> str:
        try:
            return self.take(self.varint()).decode()
        except UnicodeDecodeError as error:
            raise Malformed(f"a text that is not UTF-8: {error}") from error

    def key(self) -> str:
        begun = self.at
        key = self.text()
        if self.at - begun > KEY_BYTES_MAX + 2:
            raise Malformed("a key is too long")
        return key

    def path(self) -> Path:
        return self.path_after(())

    def path_after(self, before: Path, shared: int = 0) -> Path:
        """A path of which so many keys are those of the path before."""
        if shared > len(before):
            raise Malformed("a path shares more keys than the path before it has")
        count = self.varint()
        if shared + count > PATH_KEYS_MAX:
            raise Malformed("a path has too many keys")
        path = before[:shared] + tuple(self.key() for _ in range(count))
        if sum(map(len, path)) * 4 > PATH_BYTES_MAX and len("".join(path).encode()) > PATH_BYTES_MAX:
            raise Malformed("a path is too long")
        return path

    def value(self, lists: int = 0) -> object:
        kind = self.byte()
        if kind == _INT:
            number = self.varint()
            return -(number >> 1) - 1 if number & 1 else number >> 1
        if kind == _TEXT:
            return self.text()
        if kind <= _TRUE:
            return (None, False, True)[kind]
        if kind == _FLOAT:
            data = self.take(8)
            (number,) = struct.unpack("<d", data)
            if math.isnan(number) and data != _NAN:
                raise Malformed("another NaN than the one")
            return number
        if kind == _BYTES:
            return self.take(self.varint())
        if kind == _LIST and lists < LISTS_MAX:
            return [self.value(lists + 1) for _ in range(self.varint())]
        if kind == _RECORD and lists < LISTS_MAX:
            return self._record(lists + 1)
        if kind == _LARGE:
            number = self.varint()
            if number >= 1 << 63:
                return number
        raise Malformed(f"no value begins with byte {kind} here")

    def _record(self, lists: int) -> Record:
        record, before = Record(), None
        for _ in range(self.varint()):
            name = self.text()
            if before is not None and name <= before:
                raise Malformed("a record's names are out of order")
            record[name] = self.value(lists)
            before = name
        return record
