"""A replica: it copies a model, follows it, and mends what it missed, as "A replica" of docs/sync.md says. One thread's."""

import logging
import random
import time
from collections import deque
from dataclasses import dataclass, field
from itertools import count
from typing import Callable, Optional

import zmq

from .events import Events
from .frames import BYE, DELTA, DIFF, HEARTBEAT, Frame, checked_chunk
from .order import BYTES_MAX, FRAMES_MAX, Order
from .repair import Comparison, TooMuch
from .talk import Refused, Requests, Silent, Trouble, accept, path_text
from .tree import Change, Tree, differences
from .wire import Malformed, Path, section_id

log = logging.getLogger("esker")

STALE_S = 3.0
DISORDER_S = 0.02
WAIT_FIRST_S, WAIT_MAX_S = 0.1, 30.0
# Who finds that something differs this soon after the last time waits before it asks again.
MEND_APART_S = 10.0
# Who loses events so often within a minute is too slow for them.
LOSSES_MAX = 3
PULL_EVERY_S = 0.5
# A DIFF of so few operations is one that shows a slow replica has caught up.
PULL_LITTLE = 1000
# A DIFF of more pages than this, or of more operations than this and twice the model's nodes, is none: comparing costs less.
PAGES_MAX, OPERATIONS_MORE = 10_000, 100_000


class Differs(Trouble):
    """What came does not have the digest it should have."""


class DiffersAgain(Differs):
    """It is too soon to ask for what differs, as it did a moment ago."""


class Closed(Exception):
    """The replica is to end."""


@dataclass
class Watcher:
    """What the owner of a replica hears; the tree is only changed within `locked`."""

    locked: Callable
    changed: Callable[[list[Change]], None]
    state: Callable[[str], None]
    closing: Callable[[], bool]


@dataclass
class Replica:
    """The copy and what is known of it."""

    requests: Requests
    model: str
    sections: Optional[list[Path]]
    watcher: Watcher
    tree: Tree = field(default_factory=Tree)
    epoch: int = 0
    seq: int = 0
    refused: int = 0
    repairs: int = 0
    losses: int = 0
    trouble: Optional[Exception] = None
    copies: int = -1  # The first is none too many.

    def __post_init__(self) -> None:
        self.order = Order(self.sections)
        self.junctions: set[Path] = {()}
        self.copied = False
        # What was newer than the first copy is here, too.
        self.current = False
        self._events = Events(self.model)
        self._inbox: deque = deque()
        self._inbox_bytes = 0
        self._heard = 0.0
        self._missing_since: Optional[float] = None
        self._begun: Optional[tuple] = None
        self._ahead: set = set()
        # A cut may have been made for others before: what came since is asked for too.
        self._may_lag = False
        self._lost: deque = deque(maxlen=LOSSES_MAX)
        self._pulling = False
        self._waits = 0
        # Something differs and is not put right yet; when something last did, and how long that waited.
        self._wrong = False
        self._mended = (float("-inf"), 0.0)
        self.requests.wait = self._listen

    # ── the loop ──

    def run(self) -> None:
        """Copies and follows until it is told to end."""
        trouble: Optional[Exception] = None
        joined = False
        try:
            while True:
                try:
                    if trouble:
                        self._pause(trouble)
                        trouble = None
                    if not joined:
                        self._join()
                        joined = True
                    self._step()
                except Closed:
                    return
                except Exception as error:
                    joined, trouble = False, error
                    if not isinstance(error, (Trouble, Malformed)):
                        # Of what nobody thought of, somebody has to hear; but a replica ends only when it is told to.
                        log.exception("following %s failed", self.model)
                        self._events.hang_up()
        finally:
            self.requests.close()
            self._events.hang_up()
            self.watcher.state("closed")

    def _pause(self, trouble: Exception) -> None:
        if isinstance(trouble, DiffersAgain):
            wait = self._mended[1]
        else:
            wait = min(WAIT_FIRST_S * 2**self._waits, WAIT_MAX_S)
            self._waits = min(self._waits + 1, 10)
        wait *= random.uniform(0.5, 1)
        self.trouble = trouble.with_traceback(None)
        log.info("cannot follow %s: %s; asking again in %.1f s", self.model, trouble, wait)
        until = time.monotonic() + wait
        while (left := until - time.monotonic()) > 0:
            self._listen(None, left)
            if isinstance(trouble, Silent) and self._inbox:
                return
        if isinstance(trouble, DiffersAgain):
            # What is asked for now is newer than all that came meanwhile.
            self._inbox.clear()
            self._inbox_bytes = 0

    def _step(self) -> None:
        """Does what is next: an event, what is ready, what is missing, or waiting."""
        while self._inbox:
            self._event(self._taken())
            self._drain()
        now = time.monotonic()
        if now - self._heard > STALE_S:
            raise Silent("no heartbeat for three seconds")
        if self._pulling:
            self._pull()
        elif self._may_lag:
            self._ahead.update(self.order.chains)
            self._may_lag = False
            try:
                self._catch_up()
            except Exception:
                self._may_lag = True
                raise
            with self.watcher.locked():
                self.current = True
                self.watcher.changed([])
        elif self.order.gaps() or self._ahead:
            begun = self.order.begun()
            if not self._missing_since or self._begun != begun:
                self._begun, self._missing_since = begun, now
            if now - self._missing_since >= DISORDER_S:
                self._lose(now)
                self._catch_up()
        else:
            self._missing_since = None
        self._listen(None, DISORDER_S if self._missing_since else PULL_EVERY_S)

    def _listen(self, socket: Optional[zmq.Socket], seconds: float) -> None:
        """Waits for a reply or events, and keeps the events."""
        if self.watcher.closing():
            raise Closed
        if self.copied and time.monotonic() - self._heard > STALE_S:
            self.watcher.state("stale")
        poller = zmq.Poller()
        for one in (socket, self._events.socket):
            if one is not None:
                poller.register(one, zmq.POLLIN)
        # Never long: whoever closes the replica waits for this.
        poller.poll(min(seconds, 0.1) * 1000)
        # So many at once, that a reply is not kept waiting by a flood of them.
        for _ in range(1000):
            if (frames := self._events.receive()) is None:
                return
            self._keep(frames)
            while len(self._inbox) > FRAMES_MAX or self._inbox_bytes > BYTES_MAX and len(self._inbox) > 1:
                self._taken()

    def _keep(self, frames: list[bytes], first: bool = False) -> None:
        (self._inbox.appendleft if first else self._inbox.append)(frames)
        self._inbox_bytes += sum(map(len, frames))

    def _taken(self) -> list[bytes]:
        frames = self._inbox.popleft()
        self._inbox_bytes -= sum(map(len, frames))
        return frames

    # ── events ──

    def _event(self, frames: list[bytes]) -> None:
        try:
            if len(frames) != 3:
                raise Malformed(f"an event of {len(frames)} frames")
            frame = Frame.read(frames[1], frames[2])
        except Malformed as error:
            self._refuse(error)
            return
        if frame.epoch < self.epoch:
            self._refuse("a publisher that has been followed by another")
        elif frame.epoch > self.epoch:
            # Kept until then: a cut may be older than it, and nothing tells soon of the last that is missing in a section.
            self._keep(frames, first=True)
            self._join()
            if frame.epoch > self.epoch:
                self._taken()
                raise Trouble("events come from another publisher than answers")
        elif frame.type == DELTA and not self._pulling:
            self.order.add(frame)
        elif frame.type in (HEARTBEAT, BYE):
            self._heartbeat(frame)

    def _refuse(self, why: object) -> None:
        self.refused += 1
        log.info("refused a frame of %s: %s", self.model, why)

    def _heartbeat(self, frame: Frame) -> None:
        self._heard = time.monotonic()
        path = frame.path()
        if not path and self.sections is None:
            here, theirs = self.order.last(), self.tree.root.digest
        elif path and self.order.follows(frame.section):
            here, theirs = self.order.last(self.order.chain(frame.section)), self.tree.digest(path)
        else:
            here, theirs = frame.seq, frame.digest
        if frame.seq > here:
            self._ahead.add(self.order.chain(frame.section))
        # Level is only what nothing has touched since.
        elif theirs == frame.digest or self._pulling:
            self.watcher.state("live")
        elif self.order.touched(frame.section) <= frame.seq if path else here == frame.seq:
            self._mend("a heartbeat has another digest")
        if frame.type == BYE:
            self._heard = 0.0
            self.watcher.state("stale")

    def _drain(self) -> None:
        """Applies everything that is ready."""
        while frames := self.order.ready():
            try:
                self._apply(frames)
            except (Differs, Malformed) as error:
                self._refuse(error)
                self.order.refuse(frames)
                self._mend(str(error))

    def _apply(self, frames: list[Frame]) -> None:
        """Applies a transaction whole, or nothing of it."""
        log_of_changes: list[Change] = []
        decoded = [(frame, frame.operations()) for frame in frames]
        with self.watcher.locked():
            try:
                for frame, operations in decoded:
                    section = self._section_of(frame, operations)
                    for operation in operations:
                        self.tree.apply(*operation, log_of_changes)
                    if self.tree.digest(section) != frame.digest:
                        raise Differs(f"transaction {frame.seq} has another digest")
            except Exception:
                self.tree.undo(log_of_changes)
                raise
            self.order.done(frames)
            self.seq = self.order.last() if self.sections is None else max(self.seq, frames[0].seq)
            self._waits = 0
            self.watcher.changed(log_of_changes)

    def _section_of(self, frame: Frame, operations: list) -> Path:
        """The section that a frame is of, and all its operations have to be."""
        if not operations:
            raise Malformed("a DELTA without operations")
        first = operations[0][1]
        depth = next((n for n in count() if first[:n] not in self.junctions or n > len(first)), 0)
        section = first[:depth]
        if len(section) < depth or section_id(section) != frame.section:
            raise Malformed("an operation outside of the frame's section")
        if any(path[:depth] != section for _, path, _ in operations):
            raise Malformed("operations of several sections in a frame")
        return section

    # ── getting a copy, and mending it ──

    def _join(self) -> None:
        """HELLO; then a copy, or, if there is one already, what has to be done to go on with it."""
        hello = self.requests.ask("HELLO")
        epoch = hello.number("epoch")
        if epoch < self.epoch:
            raise Trouble("the publisher is one that has been followed by another")
        self.junctions = {(), *hello.paths("junction")}
        if time.monotonic() - self._heard > STALE_S:
            # The publisher answers and nothing of it is heard: a SUB does not always connect again (seen of libzmq 4.3.5 under load).
            self._events.hang_up()
        self._subscribe(hello.text("events"))
        self._heard = time.monotonic()
        if epoch == self.epoch and self.copied and not self._wrong:
            return
        if not self.copied:
            self._copy(epoch)
        elif self.sections is None and hello.digest() == self.tree.root.digest:
            self._reached(epoch, hello.number("seq"))
        else:
            self._repair("what differed" if epoch == self.epoch else "another epoch", epoch)
        self._waits = 0

    def _subscribe(self, address: str) -> None:
        self._events.subscribe(address, self.sections, self._pulling)

    def _sections_fields(self, chains: Optional[list] = None) -> list[tuple[str, str]]:
        wanted = [path for path in self.sections or [] if chains is None or section_id(path) in chains]
        return [("section", path_text(path)) for path in wanted]

    def _copy(self, epoch: int) -> None:
        """A whole copy of a cut, put in the place of what is there."""
        self.watcher.state("syncing" if not self.copied else "catching-up")
        cut = self.requests.ask("CUT", [("epoch", epoch), *self._sections_fields()])
        fields = [("cut", cut.text("cut")), ("epoch", epoch), *accept()]
        tree = Tree()
        nodes = cut.number("nodes")
        chunks = self.requests.ask_all(("CHUNK", [*fields, ("index", n)], []) for n in count())
        for reply in chunks:
            frame = reply.frame()
            operations = checked_chunk(frame, epoch)
            nodes -= len(operations)
            if nodes < 0 or not (operations or frame.last):
                raise Differs("a copy has other nodes than its cut")
            for operation in operations:
                tree.apply(*operation, [])
            if frame.last:
                break
        if tree.root.digest != cut.digest():
            raise Differs("a copy has another digest than its cut")
        changes = list(differences(self.tree.root, tree.root)) if self.copied else []
        with self.watcher.locked():
            self.tree.root = tree.root
            self._reached(epoch, cut.number("seq"), changes)
        self.copies += 1
        self._may_lag = True

    def _reached(self, epoch: int, seq: int, changes: Optional[list[Change]] = None) -> None:
        """The copy is that of a transaction, in all sections."""
        with self.watcher.locked():
            if epoch != self.epoch:
                self.order.restart(seq)
            self.order.reached(seq, self.order.chains)
            self.epoch, self.seq, self.copied = epoch, seq, True
            self._ahead.clear()
            self._wrong = False
            self.watcher.state("live")
            self.watcher.changed(changes or [])

    def _mend(self, why: str) -> None:
        """Puts right what differs; whoever says again and again that something does is not believed more often than now and then."""
        now = time.monotonic()
        at, waited = self._mended
        self._wrong = True
        if now >= at + waited + MEND_APART_S:
            self._mended = (now, 0.0)
            self._repair(why)
            return
        self._mended = (now, min(max(2 * waited, WAIT_FIRST_S), WAIT_MAX_S))
        self.watcher.state("catching-up")
        raise DiffersAgain(why)

    def _repair(self, why: str, epoch: Optional[int] = None) -> None:
        """Finds what differs from a cut, and brings it."""
        epoch = self.epoch if epoch is None else epoch
        log.info("repairing %s: %s", self.model, why)
        self.repairs += 1
        self.watcher.state("catching-up")
        since = [("from", self.order.highest())] if epoch == self.epoch else []
        cut = self.requests.ask("CUT", [("epoch", epoch), *since, *self._sections_fields()])
        digest, seq = cut.digest(), cut.number("seq")
        walk = Comparison(self.requests, self.tree, cut.text("cut"), epoch, cut.number("nodes"))
        try:
            roots = [()] if self.sections is None else self.sections
            wanted = [] if self.tree.root.digest == digest else walk.operations(roots)
            self._take(wanted, lambda: self.tree.root.digest == digest, epoch, seq)
            self._may_lag = True
        except (TooMuch, Differs):
            self._copy(epoch)

    def _take(self, wanted: list, is_right: Callable[[], bool], epoch: int, seq: int) -> None:
        """Applies what makes the copy that of a transaction, or nothing if it does not."""
        changes: list[Change] = []
        with self.watcher.locked():
            for operation in wanted:
                self.tree.apply(*operation, changes)
            if not is_right():
                self.tree.undo(changes)
                raise Differs("what was asked for does not make the digest right")
            self._reached(epoch, seq, changes)

    # ── what is missing ──

    def _lose(self, now: float) -> None:
        self.losses += 1
        self._lost.append(now)
        if len(self._lost) == LOSSES_MAX and now - self._lost[0] < 60:
            log.info("too slow for all events of %s: asking for what has changed instead", self.model)
            self._lost.clear()
            self._pulling = True
            self._subscribe(self._events.address)

    def _catch_up(self) -> None:
        """What is missing: by REPLAY, else by DIFF, else by comparing."""
        chains = sorted({*self.order.gaps(), *self._ahead}, key=lambda chain: chain or b"")
        self._ahead.clear()
        self._missing_since = None
        after = min(self.order.last(chain) for chain in chains)
        try:
            if self._replay(chains, after):
                self.watcher.state("live")
                return
        except Refused as refused:
            if refused.code != "gone":
                raise
        self._diff_or_repair(after)

    def _replay(self, chains: list, after: int) -> bool:
        """Whether REPLAY brought everything."""
        while True:
            fields = [("epoch", self.epoch), ("after", after), *self._sections_fields(chains)]
            reply = self.requests.ask("REPLAY", fields)
            for data in reply.body:
                frame = Frame.read_joined(data)
                if frame.type != DELTA or frame.epoch != self.epoch:
                    raise Malformed("REPLAY answers with DELTAs of its epoch")
                self.order.add(frame, limited=False)
                self._drain()
            if "next" not in reply.fields:
                break
            if reply.number("next") <= after:
                raise Malformed("REPLAY does not get on")
            after = reply.number("next")
        seq = reply.number("seq")
        if self.sections is None:
            return self.order.last() >= seq
        if self.order.keeps(seq, chains):
            return False
        self.order.reached(seq, chains)
        return True

    def _diff_or_repair(self, after: int) -> int:
        """What has changed since, whatever it takes; about how many operations it took."""
        try:
            return self._diff(after)
        except Refused as refused:
            if refused.code != "gone":
                raise
            self._repair("what is missing is no longer there")
        except Differs as error:
            self._mend(str(error))
        return PULL_LITTLE

    def _diff(self, after: int) -> int:
        # Of all that is followed, from where the section that lags most is.
        fields = [("epoch", self.epoch), ("from", after), *self._sections_fields(), *accept()]
        page, wanted = [], []
        for pages in count(1):
            reply = self.requests.ask("DIFF", fields + page)
            frame = reply.frame()
            if frame.type != DIFF or frame.epoch != self.epoch:
                raise Malformed("not a DIFF of this epoch")
            wanted += frame.operations()
            if "next" not in reply.fields:
                break
            if pages >= PAGES_MAX or len(wanted) > 2 * reply.number("nodes") + OPERATIONS_MORE:
                raise Differs("a DIFF of more than there can be")
            page = [("cut", reply.text("cut")), ("after", reply.text("next"))]
        digest = reply.digest()
        if reply.number("seq") < self.order.highest():
            raise Trouble("the cut is older than some of the sections here")
        self._take(wanted, lambda: self.tree.root.digest == digest, self.epoch, reply.number("seq"))
        return len(wanted)

    def _pull(self) -> None:
        """At its own pace: what has changed since, until that is little."""
        changed = self._diff_or_repair(self.order.lowest())
        if changed < PULL_LITTLE:
            self._pulling = False
            self._subscribe(self._events.address)
