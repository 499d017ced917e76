"""What a replica does with a publisher that says what is not so."""

import logging
import struct
import threading
import time
import unittest
from contextlib import contextmanager
from typing import Callable, Iterable, Iterator

import zmq

from esker.frames import CHUNK, DELTA, DIFF, HEARTBEAT, operations_bytes
from esker.replica import MEND_APART_S, PAGES_MAX, Differs, DiffersAgain, Replica, Watcher
from esker.talk import Refused, Reply
from esker.tree import DICT, SET, Tree
from esker.wire import path_bytes, section_id

ROOT = Tree().root.digest
WAIT_S = 20


def frame(kind: int, seq: int, digest: int = 0, body: bytes = b"", count: int = 0) -> bytes:
    head = struct.pack("<2sBBHBBQQQ", b"\xe5\x1c", 1, kind, 2, 1, 1, 1, seq, seq - 1)
    return head + digest.to_bytes(16, "little") + section_id(()) + struct.pack("<IHHQ", count, 0, 1, 0) + body


class Publisher:
    """Answers in place of a socket: as the publisher of an empty model, but where a test has it say something else."""

    def __init__(self) -> None:
        self.wait: Callable = lambda socket, seconds: None
        self.says: dict[str, Callable[[dict], Reply]] = {}
        self.asked: list[str] = []
        self.events = "inproc://events of nobody"
        self.seq, self.digest = 1, ROOT

    def close(self) -> None:
        pass

    def ask(self, verb: str, fields: Iterable = (), body: Iterable[bytes] = ()) -> Reply:
        self.wait(None, 0)
        self.asked.append(verb)
        if self.asked.count(verb) > PAGES_MAX:
            raise AssertionError(f"it asks {verb} for ever")
        if verb in self.says:
            return self.says[verb](dict(fields))
        if verb == "CHUNK":
            return self.reply(body=[frame(CHUNK, 1, ROOT, operations_bytes([(DICT, (), None)]), 1)])
        return self.reply(events=self.events)

    def ask_all(self, requests: Iterable) -> Iterator[Reply]:
        return (self.ask(*request) for request in requests)

    def reply(self, body: Iterable[bytes] = (), **fields: object) -> Reply:
        told = {"epoch": 1, "seq": self.seq, "digest": f"{self.digest:032x}", "cut": 1, "nodes": 1} | fields
        return Reply({name: [str(value)] for name, value in told.items()}, list(body))


class Hostile(unittest.TestCase):
    def setUp(self) -> None:
        self.publisher = Publisher()
        self.ends = threading.Event()
        self.states: list[str] = []
        self.changed = threading.Condition()
        watcher = Watcher(self.locked, lambda _: None, self.state, self.ends.is_set)
        self.replica = Replica(self.publisher, "m", None, watcher)
        logging.getLogger("esker").addFilter(self.quiet)
        self.logged: list[str] = []

    def tearDown(self) -> None:
        logging.getLogger("esker").removeFilter(self.quiet)
        self.replica._events.hang_up()

    def quiet(self, record: logging.LogRecord) -> bool:
        self.logged.append(record.getMessage())
        return False

    @contextmanager
    def locked(self) -> Iterator[None]:
        yield

    def state(self, state: str) -> None:
        with self.changed:
            self.states.append(state)
            self.changed.notify_all()

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self.replica.run, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self.ends.set()
            thread.join(WAIT_S)
        self.assertFalse(thread.is_alive())

    def wait_for(self, holds: Callable[[], object]) -> None:
        with self.changed:
            self.assertTrue(self.changed.wait_for(holds, WAIT_S), (self.states, self.logged))

    def test_an_address_that_cannot_be_heard_is_asked_for_again(self) -> None:
        right = zmq.Context.instance().socket(zmq.PUB)
        right.bind("inproc://right")
        addresses = iter(["", "nowhere", "tcp://127.0.0.1", "inproc://right"])
        self.publisher.says["HELLO"] = lambda _: self.publisher.reply(events=next(addresses, "inproc://right"))
        with self.running():
            self.wait_for(lambda: "live" in self.states)
            self.assertNotIn("closed", self.states)
        self.assertEqual(self.states[-1], "closed")
        self.assertFalse([said for said in self.logged if "failed" in said], "it was foreseen")
        right.close(linger=0)

    def test_what_nobody_foresaw_is_logged_and_does_not_end_it(self) -> None:
        answers = iter([KeyError("unforeseen"), RecursionError("this neither")])

        def hello(_: dict) -> Reply:
            for error in answers:
                raise error
            return self.publisher.reply(events="inproc://right")

        self.publisher.says["HELLO"] = hello
        with self.running():
            self.wait_for(lambda: "live" in self.states)
        self.assertEqual(self.logged.count("following m failed"), 2)

    def joined(self) -> None:
        self.replica._join()
        self.replica._may_lag = False

    def hear(self, kind: int, seq: int, digest: int, body: bytes, count: int = 0) -> None:
        """An event of the publisher comes, and is taken."""
        sent = frame(kind, seq, digest, body, count)
        self.replica._event([b"topic", sent[:72], sent[72:]])
        self.replica._drain()

    def test_what_differs_again_soon_waits_longer_each_time(self) -> None:
        self.joined()
        wrong = (HEARTBEAT, 1, ROOT + 1, path_bytes(()))
        self.hear(*wrong)
        self.assertEqual(self.replica.repairs, 1)
        for waited in [0.1, 0.2, 0.4]:
            with self.assertRaises(DiffersAgain):
                self.hear(*wrong)
            self.assertEqual(self.replica._mended[1], waited)
            self.replica._pause(DiffersAgain("it differs"))
            self.joined()
        self.assertEqual(self.replica.repairs, 1, "HELLO said that all is well")
        self.replica._mended = (self.replica._mended[0] - MEND_APART_S - 1, 0.4)
        self.hear(*wrong)
        self.assertEqual((self.replica.repairs, self.replica._mended[1]), (2, 0.0))

    def test_what_differed_is_asked_for_after_the_pause(self) -> None:
        self.joined()
        self.replica._mended = (time.monotonic(), 0.0)
        with self.assertRaises(DiffersAgain):
            self.hear(HEARTBEAT, 1, ROOT + 1, path_bytes(()))
        self.publisher.digest = ROOT + 1
        self.publisher.says["CUT"] = lambda _: self.publisher.reply(digest=f"{ROOT:032x}")
        self.joined()
        self.assertEqual((self.replica.repairs, self.replica._wrong), (1, False))

    def test_a_refused_transaction_is_not_tried_again(self) -> None:
        self.joined()
        self.publisher.says["CUT"] = lambda _: self.publisher.reply(digest=f"{ROOT:032x}")
        self.hear(DELTA, 2, 5, operations_bytes([(SET, ("a",), 1)]), 1)
        self.assertEqual((self.replica.refused, self.replica.repairs, self.replica.order.gaps()), (1, 1, []))
        self.assertEqual(self.replica.tree.root.digest, ROOT)

    def test_a_difference_without_an_end_is_given_up(self) -> None:
        self.joined()
        self.publisher.seq = 2
        body = operations_bytes([(SET, ("a",), n) for n in range(60_000)])
        page = lambda _: self.publisher.reply(body=[frame(DIFF, 2, 0, body, 60_000)], next='["a"]')
        self.publisher.says = {"DIFF": page, "CUT": lambda _: self.publisher.reply()}
        self.replica._diff_or_repair(1)
        self.assertEqual((self.publisher.asked.count("DIFF"), self.replica.repairs), (2, 1))

    def test_a_difference_of_pages_without_an_end_is_given_up(self) -> None:
        self.joined()
        empty = self.publisher.reply(body=[frame(DIFF, 2)], next='["a"]')
        self.publisher.says["DIFF"] = lambda _: empty
        self.replica._diff_or_repair(1)
        self.assertEqual((self.publisher.asked.count("DIFF"), self.replica.repairs), (PAGES_MAX, 1))

    def test_a_copy_without_an_end_is_given_up(self) -> None:
        for operations in [[], [(SET, ("a",), 1)]]:
            tree = Tree()
            for operation in operations:
                tree.apply(*operation, [])
            chunk = bytearray(frame(CHUNK, 1, (tree.root.digest - ROOT) % 2**128, operations_bytes(operations), len(operations)))
            chunk[4] = 0
            self.publisher.says["CHUNK"] = lambda _: self.publisher.reply(body=[bytes(chunk)])
            with self.assertRaisesRegex(Differs, "other nodes"):
                self.replica._join()


if __name__ == "__main__":
    unittest.main()
