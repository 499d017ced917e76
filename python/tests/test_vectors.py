"""The test vectors of docs/sync.md: whatever they say is taken is, and made again; whatever is refused is."""

import json
import pathlib
import struct
import unittest
from contextlib import nullcontext

from esker import frames, wire
from esker.events import topic
from esker.frames import Frame, Query, operations, operations_bytes
from esker.repair import Comparison
from esker.replica import Replica, Watcher
from esker.talk import Requests
from esker.tree import CLEAR, DEL, DICT, SET, Tree, told
from esker.wire import Malformed, Reader, Record, path_bytes, section_id, value_bytes, varint

GOLDEN = pathlib.Path(__file__).parents[2] / "crates/esker-replica/tests/golden/sync"
OPERATIONS = {"SET": SET, "DEL": DEL, "DICT": DICT, "CLEAR": CLEAR}


def golden(name: str):
    return json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))


def value(told: object) -> object:
    if isinstance(told, list):
        return [value(one) for one in told]
    if not isinstance(told, dict):
        return told
    if "integer" in told:
        return int(told["integer"])
    if "float" in told:
        return struct.unpack(">d", bytes.fromhex(told["float"]))[0]
    if "bytes" in told:
        return bytes.fromhex(told["bytes"])
    return Record((name, value(one)) for name, one in told["record"])


def operation(told: dict) -> tuple:
    return OPERATIONS[told["op"]], tuple(told["path"]), value(told["value"]) if told["op"] == "SET" else None


def section(identity: bytes) -> str:
    return identity[::-1].hex()


class Vectors(unittest.TestCase):
    def refused(self, name: str, read) -> None:
        refused = golden(name)["refused"]
        self.assertTrue(refused)
        for case in refused:
            with self.assertRaises(Malformed, msg=case):
                read(bytes.fromhex(case["hex"]))

    def test_varints(self) -> None:
        for case in golden("varints")["taken"]:
            self.assertEqual(varint(int(case["number"])).hex(), case["hex"])
            self.assertEqual(Reader(bytes.fromhex(case["hex"])).varint(), int(case["number"]))

        self.refused("varints", lambda data: whole(data, Reader.varint))

    def test_values(self) -> None:
        for case in golden("values")["taken"]:
            self.assertEqual(value_bytes(value(case["value"])).hex(), case["hex"])
            again = Reader(bytes.fromhex(case["hex"])).value()
            self.assertEqual(value_bytes(again).hex(), case["hex"])
        self.refused("values", lambda data: whole(data, Reader.value))

    def test_paths(self) -> None:
        for case in golden("paths")["taken"]:
            path = tuple(case["path"])
            self.assertEqual(path_bytes(path).hex(), case["hex"])
            self.assertEqual(Reader(bytes.fromhex(case["hex"])).path(), path)
            self.assertEqual(tuple(json.loads(case["json"])), path)
            self.assertEqual(f"{told(DICT, path, None):032x}", case["dict"])
            self.assertEqual(section(section_id(path)), case["section"])
        if "refused" in golden("paths"):
            self.refused("paths", lambda data: whole(data, Reader.path))

    def test_topics(self) -> None:
        self.assertEqual(topic("project").hex(), golden("topics")["all_of_a_model"])
        for case in golden("topics")["taken"]:
            path = tuple(case["section"])
            made = topic(case["model"], path) + (b"" if path else b"\0")
            self.assertEqual(made.hex(), case["hex"], path)

    def test_operations(self) -> None:
        for case in golden("operations")["taken"]:
            wanted = [operation(one) for one in case["ops"]]
            self.assertEqual(operations_bytes(wanted).hex(), case["hex"], case["name"])
            read = list(operations(bytes.fromhex(case["hex"])))
            self.assertEqual(operations_bytes(read).hex(), case["hex"])
        self.refused("operations", lambda data: list(operations(data)))

    def test_digests(self) -> None:
        self.assertEqual(wire.KEY.hex(), golden("digests")["key"])
        for case in golden("digests")["leaves"]:
            digest = told(SET, tuple(case["path"]), value(case["value"]))
            self.assertEqual(f"{digest:032x}", case["digest"])

    def test_models(self) -> None:
        for case in golden("models"):
            tree = Tree()
            for one in case["ops"]:
                tree.apply(*operation(one), [])
            self.assertEqual(f"{tree.root.digest:032x}", case["digest"], case["name"])
            for there in case["at"]:
                self.assertEqual(f"{tree.digest(tuple(there['path'])):032x}", there["digest"])

    def says(self, frame: Frame, says: dict) -> None:
        for name, found in [
            ("last", frame.last), ("epoch", str(frame.epoch)), ("seq", str(frame.seq)), ("prev", str(frame.prev)),
            ("digest_after", f"{frame.digest:032x}"), ("section", section(frame.section)), ("operations", frame.count),
            ("part", frame.part), ("parts", frame.parts), ("type", TYPES[frame.type]),
        ]:
            self.assertEqual(found, says[name], name)

    def test_frames(self) -> None:
        for case in golden("frames")["headers"]:
            # A header that says its body is compressed is read with one.
            body = bytes.fromhex(golden("frames")["compressed"]["body"]) if case["header"]["compressed"] else b""
            if not body or frames.zstandard:
                self.says(Frame.read(bytes.fromhex(case["hex"]), body), case["header"])
        self.refused("frames", lambda data: Frame.read(data, b""))
        case = golden("frames")["compressed"]
        header, body = bytes.fromhex(case["header"]), bytes.fromhex(case["body"])
        if frames.zstandard:
            self.assertEqual(Frame.read(header, body).body.hex(), case["uncompressed"])
        else:
            with self.assertRaises(Malformed):
                Frame.read(header, body)

    def test_nodes(self) -> None:
        case = golden("nodes")
        queries = [Query(tuple(q["path"]), q["from"], q["to"]) for q in (one["query"] for one in case["told"])]
        self.assertEqual(frames.queries_bytes(queries).hex(), case["queries"])
        answered = Frame(frames.NODES, False, 1, 1, 0, 0, b"", 0, 0, 1, bytes.fromhex(case["answers"]))
        found = frames.answers(answered, len(queries))
        # Of a copy that is the same, nothing is asked further; of one that has nothing, everything differs.
        same, nothing = Tree(), Tree()
        for one in case["ops"]:
            same.apply(*operation(one), [])
        self.assertEqual(f"{same.root.digest:032x}", case["digest"])
        for query, answer, one in zip(queries, found, case["told"]):
            self.assertEqual(answer.kind, ["nothing", "leaf", "dict"].index(one["answer"]["kind"]))
            walk = Comparison(None, same, "1", 1, 1)
            self.assertEqual(walk._compare(query, answer) + walk.gone + walk.wanted, [])
            if answer.kind == 2:
                # The children are what is compared, whatever the digest says.
                answer.digest = 0
                self.assertEqual(walk._compare(query, answer) + walk.gone + walk.wanted, [], query)
            walk = Comparison(None, nothing, "1", 1, 1)
            asked = walk._compare(query, answer) + walk.gone + walk.wanted
            self.assertEqual(asked == [], answer.kind == 0 or query.path == () and answer.children == [], query)
        for refused in case["refused"]:
            answered.body = bytes.fromhex(refused["hex"])
            with self.assertRaises(Malformed, msg=refused):
                frames.answers(answered, 1)

    def test_what_is_published_is_followed(self) -> None:
        case = golden("published")
        junctions = {tuple(path) for path in case["junctions"]}
        paths = [tuple(one["path"]) for transaction in case["transactions"] for one in transaction["ops"]]
        sections = {next(p[:n] for n in range(9) if p[:n] not in junctions) for p in paths}
        for followed in [None, sorted(sections)]:
            replica = Replica(Requests("", "project"), "project", followed, Watcher(nullcontext, lambda _: None, lambda _: None, bool))
            replica.junctions = junctions
            for path in sorted(junctions):
                replica.tree.apply(DICT, path, None, [])
            replica._reached(7, 0)
            self.assertEqual(f"{replica.tree.root.digest:032x}", case["digest"])
            for transaction in case["transactions"]:
                for frame in transaction["frames"]:
                    self.hears(replica, frame)
                self.assertEqual(f"{replica.tree.root.digest:032x}", transaction["digest"])
            for frame in [*case["heartbeats"], case["bye"]]:
                self.hears(replica, frame)
            self.assertEqual((replica.refused, replica.repairs, replica._ahead), (0, 0, set()))

    def test_what_has_another_digest_or_an_older_epoch_changes_nothing(self) -> None:
        case = golden("published")
        first = case["transactions"][0]["frames"][0]
        topic, header, body = (bytes.fromhex(first[name]) for name in ("topic", "header", "body"))
        for wrong, repaired in [
            (header[:32] + bytes([header[32] ^ 1]) + header[33:], 1),
            (header[:8] + (6).to_bytes(8, "little") + header[16:], 0),
        ]:
            replica = Replica(Requests("", "project"), "project", None, Watcher(nullcontext, lambda _: None, lambda _: None, bool))
            replica._reached(7, 0)
            before, repairs = replica.tree.root.digest, []
            # In place of a publisher that could be asked; the frame goes, as it would.
            replica._repair = lambda why: (repairs.append(why), replica.order.restart(1))
            replica._event([topic, wrong, body])
            replica._drain()
            self.assertEqual((replica.refused, len(repairs)), (1, repaired))
            self.assertEqual((replica.tree.root.digest, replica.order.gaps()), (before, []))

    def hears(self, replica: Replica, told: dict) -> None:
        event = [bytes.fromhex(told[name]) for name in ("topic", "header", "body")]
        self.says(Frame.read(*event[1:]), told["says"])
        replica._event(event)
        replica._drain()


TYPES = ["", "DELTA", "HEARTBEAT", "BYE", "CHUNK", "DIFF", "NODES"]


def whole(data: bytes, read) -> object:
    reader = Reader(data)
    found = read(reader)
    if not reader.ended():
        raise Malformed("something is behind it")
    return found
