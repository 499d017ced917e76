"""Encodings, digests and operations, as docs/sync.md tells them."""

import doctest
import math
import random
import struct
import unittest

import blake3

import esker
from esker import frames, order, wire
from esker.frames import DELTA, Frame, Query, operations, operations_bytes
from esker.tree import CLEAR, DEL, DICT, SET, Dict, Tree, differences, plain
from esker.wire import Malformed, Reader, Record, value_bytes, varint


def header(**fields: object) -> bytes:
    """A DELTA's header."""
    wanted = {"magic": b"\xe5\x1c", "version": 1, "type": DELTA, "flags": 2, "codec": 1, "algorithm": 1, "epoch": 1, "seq": 1, "prev": 0}
    wanted |= {"after": bytes(16), "section": bytes(8), "count": 0, "part": 0, "parts": 1, "time": 0}
    return struct.pack("<2sBBHBBQQQ16s8sIHHQ", *(wanted | fields).values())


class Values(unittest.TestCase):
    def test_every_value_has_its_bytes(self) -> None:
        for value, data in [
            (None, "00"), (False, "01"), (True, "02"), (0, "0300"), (-1, "0301"), (1, "0302"), (64, "038001"),
            (2**63 - 1, "03feffffffffffffffff01"), (-(2**63), "03ffffffffffffffffff01"), (2**63, "0480808080808080808001"),
            (1.5, "05000000000000f83f"), (-0.0, "050000000000000080"), (math.nan, "05000000000000f87f"), ("é", "0602c3a9"),
            (b"\xff", "0701ff"), ([1, [None]], "0802" "0302" "0801" "00"), (Record(b=1, a=True), "0902" "0161" "02" "0162" "0302"),
        ]:
            self.assertEqual(value_bytes(value).hex(), data, value)
            reader = Reader(bytes.fromhex(data))
            self.assertEqual(value_bytes(reader.value()).hex(), data)
            self.assertTrue(reader.ended())

    def test_another_encoding_is_refused(self) -> None:
        for data in ["038000", "0400", "05010000000000f87f", "06", "0602c3", "0601ff", "0a", "0902016102016102", "0902016202016102"]:
            with self.assertRaises(Malformed, msg=data):
                Reader(bytes.fromhex(data)).value()
        with self.assertRaises(Malformed):
            Reader(b"\xff" * 9 + b"\x02").varint()
        with self.assertRaises(Malformed):
            Reader(b"\x08\x01" * 65 + b"\0").value()

    def test_what_no_model_has_cannot_be_put(self) -> None:
        nested: object = 1
        for _ in range(65):
            nested = [nested]
        for value in [2**64, -(2**63) - 1, {}, object(), "\ud800", nested]:
            with self.assertRaises((TypeError, ValueError)):
                value_bytes(value)
        with self.assertRaises(ValueError):
            operations_bytes([(SET, ("k" * 1025,), 1)])


class Operations(unittest.TestCase):
    def test_digests_are_sums(self) -> None:
        key = blake3.blake3(b"esker model v1").digest()

        def h(hexadecimal: str) -> int:
            hashed = blake3.blake3(bytes.fromhex(hexadecimal), key=key).digest(length=16)
            return int.from_bytes(hashed, "little")

        tree = Tree()
        self.assertEqual(tree.root.digest, h("0200"))
        tree.apply(SET, ("a", "é"), 1, [])
        wanted = h("0200") + h("02010161") + h("0102016102c3a90302")
        self.assertEqual(tree.root.digest, wanted % 2**128)
        self.assertEqual(tree.digest(("a", "é", "below")), 0)

    def test_each_makes_sense_in_any_state_and_can_be_undone(self) -> None:
        rng = random.Random(7)
        tree, model = Tree(), {}
        for _ in range(3000):
            path = tuple(rng.choice("abc") for _ in range(rng.choice([1, 2, 3])))
            operation, value = rng.choice([SET, SET, DEL, DICT, CLEAR]), rng.choice([1, 1.0, "x", None])
            before, log = (tree.root.digest, plain(tree.root)), []
            tree.apply(operation, path, value, log)
            tree.undo(log)
            self.assertEqual((tree.root.digest, plain(tree.root)), before)
            tree.apply(operation, path, value, [])
            apply_plainly(model, operation, path, value)
            self.assertEqual(repr_sorted(plain(tree.root)), repr_sorted(model))
            self.assertEqual(tree.root.digest, built(model).root.digest)

    def test_they_are_read_as_they_were_written(self) -> None:
        wanted = [(SET, ("a", "b", ""), [1]), (DEL, ("a", "c"), None), (CLEAR, (), None), (DICT, ("\0",), None)]
        data = operations_bytes(wanted)
        self.assertEqual(list(operations(data)), wanted)
        self.assertEqual(data[:9].hex(), "010003016101620008")
        for cut in range(1, len(data)):
            with self.assertRaises(Malformed):
                if operations_bytes(list(operations(data[:cut]))) == data[:cut]:
                    raise Malformed("it is whole: an operation ends here")

    def test_hostile_bodies_are_refused(self) -> None:
        shared, many, root, unknown = b"\1\1\0\0", b"\3\0" + varint(513) + b"\0" * 513, b"\2\0\0", b"\5\0\0"
        long = b"\3\0" + varint(65) + (varint(1024) + b"k" * 1024) * 65
        for body in [shared, many, root, unknown, long]:
            with self.assertRaises(Malformed):
                list(operations(body))

    def test_differences_are_found_by_digests(self) -> None:
        old, new = built({"a": {"b": 1, "c": 2}, "d": 1}), built({"a": {"b": 1, "c": 3}, "e": {}})
        found = sorted((path, plain(a) if a else a, plain(b) if b else b) for path, a, b in differences(old.root, new.root))
        self.assertEqual(found, [(("a", "c"), 2, 3), (("d",), 1, None), (("e",), None, {})])


class Frames(unittest.TestCase):
    def test_what_nobody_knows_is_refused(self) -> None:
        Frame.read(header(), b"")
        for field, value in [("magic", b"\xe5\x1d"), ("version", 2), ("type", 0), ("type", 7), ("flags", 4), ("codec", 2), ("algorithm", 0)]:
            with self.assertRaises(Malformed, msg=field):
                Frame.read(header(**{field: value}), b"")
        with self.assertRaises(Malformed):
            Frame.read(header()[:-1], b"")
        with self.assertRaises(Malformed):
            Frame.read(header(count=2), operations_bytes([(DEL, ("a",), None)])).operations()

    def test_a_compressed_body_must_be_what_it_says(self) -> None:
        for body in [b"", varint((16 << 20) + 1) + b"x", varint(5) + b"not zstd"]:
            with self.assertRaises(Malformed):
                Frame.read(header(flags=1), body)

    def test_answers_are_read_to_their_end(self) -> None:
        body = b"\0" + b"\1" + b"\5" * 16 + b"\2" + bytes(16) + b"\0\1" + b"\1k" + b"\1" + b"\7" * 8
        found = frames.answers(Frame.read(header(type=6), body), 3)
        self.assertEqual([answer.kind for answer in found], [0, 1, 2])
        self.assertEqual(found[2].children, [("k", 1, b"\7" * 8)])
        for wrong in [body[:-1], body + b"\0"]:
            with self.assertRaises(Malformed):
                frames.answers(Frame.read(header(type=6), wrong), 3)
        queries = frames.queries_bytes([Query(("a",)), Query(("a", "b"), "x", "y")])
        self.assertEqual(queries.hex(), "02" "00010161" "00" "01010162" "03" "0178" "0179")


def frame(seq: int, part: int = 0, parts: int = 1, **fields: object) -> Frame:
    flags = 2 if fields.pop("last", True) else 0
    return Frame.read(header(seq=seq, part=part, parts=parts, flags=flags, **fields), b"")


class TheOrder(unittest.TestCase):
    def test_transactions_follow_one_another_whole(self) -> None:
        here = order.Order(None)
        here.restart(5)
        for one in [frame(5), frame(7), frame(6, 1, 2), frame(7)]:
            here.add(one)
            self.assertIsNone(here.ready())
            self.assertEqual(here.begun(), (6, 0))
        here.add(frame(6, 0, 2))
        self.assertEqual(here.begun(), (6, 2))
        for seq in [6, 7]:
            ready = here.ready()
            self.assertEqual({one.seq for one in ready}, {seq})
            here.done(ready)
        self.assertEqual((here.last(), here.gaps()), (7, []))

    def test_a_section_has_a_chain_of_its_own(self) -> None:
        a = wire.section_id(("a",))
        here = order.Order([("a",)])
        here.restart(5)
        here.add(frame(8, 2, 9, section=a, prev=7, last=False))
        here.add(frame(8, 4, 9, section=a, prev=8))
        here.add(frame(9, section=b"anything"))
        self.assertIsNone(here.ready())
        here.add(frame(8, 3, 9, section=a, prev=8, last=False))
        self.assertIsNone(here.ready(), "transaction 7 is missing")
        here.add(frame(7, 1, 4, section=a, prev=5))
        for seq in [7, 8]:
            here.done(here.ready())
            self.assertEqual(here.last(a), seq)

    def test_what_is_kept_has_a_limit(self) -> None:
        here = order.Order(None)
        for seq in range(2, order.FRAMES_MAX + 10):
            here.add(frame(seq))
        here.reached(8, [None])
        self.assertIsNone(here.ready(), "the oldest went")
        here.reached(order.FRAMES_MAX, [None])
        self.assertEqual(here.ready()[0].seq, order.FRAMES_MAX + 1)


class Examples(unittest.TestCase):
    def test_they_hold(self) -> None:
        for module in [esker, wire, esker.live]:
            self.assertEqual(doctest.testmod(module).failed, 0)


def apply_plainly(model: dict, operation: int, path: tuple, value: object) -> None:
    above = model
    for key in path[:-1]:
        if not isinstance(above.get(key), dict):
            if operation == DEL:
                return
            above[key] = {}
        above = above[key]
    if operation == DEL:
        above.pop(path[-1], None)
    elif operation == SET:
        above[path[-1]] = value
    elif operation == CLEAR or not isinstance(above.get(path[-1]), dict):
        above[path[-1]] = {}


def built(model: dict) -> Tree:
    tree, stack = Tree(), [((), model)]
    while stack:
        path, node = stack.pop()
        for key, value in node.items():
            tree.apply(DICT if isinstance(value, dict) else SET, (*path, key), value, [])
            if isinstance(value, dict):
                stack.append(((*path, key), value))
    return tree


def repr_sorted(model: object) -> str:
    if not isinstance(model, dict):
        return repr(model)
    return repr(sorted((key, repr_sorted(value)) for key, value in model.items()))


if __name__ == "__main__":
    unittest.main()
