"""A model as a mapping that is always the newest: what `esker.follow` gives."""

import logging
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Callable, Iterable, NamedTuple, Optional, Union

from .frames import Operation, checked_chunk, operations_bytes
from .replica import Replica, Watcher
from .talk import Refused, Reply, Requests, Silent, path_text
from .tree import CLEAR, DEL, DICT, SET, Dict, Tree, plain
from .wire import Path, Record

log = logging.getLogger("esker")


class _Nothing:
    """What is not there."""

    def __repr__(self) -> str:
        return "esker.GONE"

    def __bool__(self) -> bool:
        return False


#: In a `put`, takes away what is there; in a change, nothing was there, or is any longer.
GONE = _Nothing()


class Whole(dict):
    """In a `put`, a dict that takes the place of whatever was there, instead of being added to it."""


class Change(NamedTuple):
    """What a callback is told: where, what was there, what is there now. Either may be `GONE`."""

    path: tuple
    old: object
    new: object


class Conflict(Exception):
    """A `put` did not find what it expected, and did nothing.

    `paths` are where it did not, `found` is what is there instead: nested dicts of those paths only.
    """

    def __init__(self, paths: list, found: dict) -> None:
        super().__init__(f"something else is at {paths}")
        self.paths = paths
        self.found = found


class View(Mapping):
    """A dict of the model, read only, at a path: always as it is now. Of a path where no dict is any longer, KeyError."""

    def __init__(self, live: "Live", path: Path) -> None:
        self._live = live
        self._path = path

    def __getitem__(self, key: str) -> object:
        with self._live._condition:
            return self._live._shown((*self._path, key), self._dict().children[key])

    def __iter__(self) -> Iterator[str]:
        with self._live._condition:
            return iter(list(self._dict().children))

    def __len__(self) -> int:
        with self._live._condition:
            return len(self._dict().children)

    def __contains__(self, key: object) -> bool:
        with self._live._condition:
            return key in self._dict().children

    def __repr__(self) -> str:
        return f"<esker model at {list(self._path)}>"

    def snapshot(self) -> dict:
        """A plain dict of all that is here, as it is after one transaction."""
        with self._live._condition:
            return plain(self._dict())

    def _dict(self) -> Dict:
        node = self._live._replica.tree.find(self._path)
        if not isinstance(node, Dict):
            raise KeyError(self._path)
        return node


def as_path(path: Union[str, Iterable[str]]) -> tuple:
    """A path; a text is one of one key."""
    return (path,) if isinstance(path, str) else tuple(path)



class Live(View):
    """A model that is followed in the background. Any thread may read it, and put.

    >>> with esker.follow("tcp://127.0.0.1:5200") as m:         # doctest: +SKIP
    ...     m["stages"]["plan"]["state"]
    ...     m.put({"stages": {"plan": {"state": "done"}}})
    ...     m.wait_for(lambda m: m["stages"]["plan"]["state"] == "done", timeout=5)
    """

    def __init__(self, address: str, model: str, sections: Optional[list[Path]]) -> None:
        super().__init__(self, ())
        # Of a thread that has it, callbacks and predicates may read as they like.
        self._condition = threading.Condition(threading.RLock())
        self._closing = threading.Event()
        self._callbacks: list[Callable] = []
        self._state = "syncing"
        # What is to be told when the thread that follows leaves its outermost `_locked`.
        self._changes: list = []
        self._depth = 0
        watcher = Watcher(self._locked, self._changed, self._said, self._closing.is_set)
        self._replica = Replica(Requests(address, model), model, sections, watcher)
        self._putter = Requests(address, model)
        self._putting = threading.Lock()
        self._thread = threading.Thread(target=self._follow, name=f"esker {model}", daemon=True)
        self._thread.start()

    # ── what it is ──

    @property
    def state(self) -> str:
        """`syncing` until the first copy is there, `live`, `catching-up`, `stale` (three seconds of silence: what is here may be old), `closed`."""
        return self._state

    @property
    def digest(self) -> str:
        """The digest of all that is followed: the publisher has the same when it has the same, to the last bit."""
        with self._condition:
            return f"{self._replica.tree.root.digest:032x}"

    @property
    def seq(self) -> int:
        """The last transaction that is there."""
        return self._replica.seq

    @property
    def epoch(self) -> int:
        """Which start of the publisher `seq` counts from."""
        return self._replica.epoch

    # ── waiting and hearing ──

    def on_change(self, callback: Callable[[list[Change]], None]) -> Callable[[], None]:
        """Calls back after each transaction with a list of `Change`; what it returns ends that.

        Callbacks are called in the thread that follows, one after the other: whoever takes long should hand over to another.

        >>> stop = m.on_change(lambda changes: print(changes[0].path, changes[0].new))   # doctest: +SKIP
        """
        with self._condition:
            # A list of its own each time: one being walked is never changed.
            self._callbacks = [*self._callbacks, callback]

        def stop() -> None:
            with self._condition:
                self._callbacks = [one for one in self._callbacks if one is not callback]

        return stop

    def wait_for(self, predicate: Callable[["Live"], object], timeout: Optional[float] = None) -> object:
        """Waits until `predicate(m)` is true, and returns what it said; a KeyError in it is a no. TimeoutError if it takes too long.

        It is asked after every transaction, and when the state changes, while nothing else can change.

        >>> m.wait_for(lambda m: m["stages"]["plan"]["state"] == "done", timeout=60)     # doctest: +SKIP
        True
        """

        def holds() -> object:
            try:
                return predicate(self)
            except KeyError:
                return False

        until = None if timeout is None else time.monotonic() + timeout
        with self._condition:
            while not (said := holds()):
                left = None if until is None else until - time.monotonic()
                if self._state == "closed" or left is not None and left <= 0:
                    raise TimeoutError("what was waited for has not come")
                self._condition.wait(left)
        return said

    def close(self) -> None:
        """Follows no longer. What is there stays readable."""
        self._closing.set()
        if self._thread is not threading.current_thread():
            self._thread.join()
        with self._putting:
            self._putter.close()

    def __enter__(self) -> "Live":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ── changing ──

    def put(
        self,
        changes: Mapping,
        expect: Union[Mapping, Iterable, None] = None,
        timeout: float = 30.0,
    ) -> int:
        """Changes the publisher's model, all at once or not at all; returns the transaction's number.

        Dicts are added to what is there, everything else takes its place: values, `esker.Whole({...})`; `esker.GONE` takes away.
        What was put is here as soon as `m.seq` is that number.

        With `expect`, nothing is done, and `Conflict` raised, if at those paths (a text is a path of one key) is not what this copy has now; or, if it is a
        mapping, not what has that digest (`m.digest_of(path)`), `GONE` for nothing.

        >>> m.put({"stages": {"plan": {"state": "done", "error": esker.GONE}}})          # doctest: +SKIP
        17
        >>> m.put({"count": m["count"] + 1}, expect=[["count"]])                         # doctest: +SKIP
        18
        """
        wanted = operations_bytes(_operations(changes, ()))
        if not isinstance(expect, Mapping):
            with self._condition:
                expect = {as_path(path): self.digest_of(path) for path in ([expect] if isinstance(expect, str) else expect or [])}
        fields = [("request-id", uuid.uuid4().hex)]
        for path, digest in expect.items():
            fields.append(("if", f"{'absent' if digest is GONE else digest} {path_text(as_path(path))}"))
        deadline = time.monotonic() + timeout
        with self._putting:
            while True:
                try:
                    return _put(self._putter.ask("PUT", fields, [wanted]))
                except Refused as refused:
                    if refused.code != "busy" or time.monotonic() > deadline:
                        raise
                    self._closing.wait(0.1)
                except Silent:
                    # The same request-id: if it was done and only the answer was lost, it is not done again.
                    if time.monotonic() > deadline or self._closing.is_set():
                        raise

    def digest_of(self, path: Iterable[str]) -> Union[str, _Nothing]:
        """The digest of what is at a path, `GONE` if nothing is: for `expect`."""
        with self._condition:
            node = self._replica.tree.find(as_path(path))
            return f"{node.digest:032x}" if node else GONE

    # ── what the replica says ──

    def _follow(self) -> None:
        try:
            self._replica.run()
        except Exception:
            log.exception("following %s ended", self._replica.model)
            self._said("closed")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._condition:
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
        # Without the lock: a callback may wait for somebody who reads.
        if not self._depth and self._changes:
            changes, self._changes = self._changes, []
            self._tell(_summed(changes))

    def _said(self, state: str) -> None:
        if state != self._state:
            with self._condition:
                self._state = state
                self._condition.notify_all()

    def _changed(self, changes: list) -> None:
        self._condition.notify_all()
        if self._callbacks:
            self._changes += changes

    def _tell(self, changes: list[Change]) -> None:
        for callback in self._callbacks:
            try:
                callback(changes)
            except Exception:
                log.exception("a callback failed")

    def _shown(self, path: Path, node: object) -> object:
        return View(self, path) if isinstance(node, Dict) else plain(node)


def _summed(changes: list) -> list[Change]:
    """A change for each path, from what was there first to what is there last; what is below a new dict is told with it."""
    told: dict[Path, tuple] = {}
    for path, old, new in changes:
        if path in told:
            told[path] = (told[path][0], new)
        elif not any(isinstance(told.get(path[:n], (0, 0))[1], Dict) for n in range(len(path))):
            told[path] = (old, new)
    return [Change(path, _plain(old), _plain(new)) for path, (old, new) in told.items()]


def _plain(node: object) -> object:
    return GONE if node is None else plain(node)


def _operations(changes: Mapping, prefix: Path) -> list[Operation]:
    wanted = []
    for key, value in changes.items():
        path = (*prefix, key)
        if value is GONE:
            wanted.append((DEL, path, None))
        elif isinstance(value, Mapping) and not isinstance(value, Record):
            below = _operations(value, path)
            if isinstance(value, Whole):
                wanted.append((CLEAR, path, None))
            elif not below:
                wanted.append((DICT, path, None))
            wanted += below
        else:
            wanted.append((SET, path, value))
    return wanted


def _put(reply: Reply) -> int:
    paths = reply.paths("conflict")
    if not paths:
        return reply.number("seq")
    tree = Tree()
    for operation in checked_chunk(reply.frame(), reply.number("epoch")):
        tree.apply(*operation, [])
    raise Conflict(paths, plain(tree.root))
