"""What differs between what is here and a cut of the publisher's, found by NODES and brought by GET."""

from dataclasses import dataclass, field
from itertools import islice
from typing import Optional

from .frames import Operation, Query, answers, checked_chunk, queries_bytes
from .talk import Requests, accept, path_text
from .tree import DEL, Dict, Tree
from .wire import MASK, Malformed, Path

QUERIES_MAX = 1000
GETS_MAX = 200


class TooMuch(Exception):
    """So much differs that a whole copy is cheaper."""


@dataclass
class Comparison:
    """A walk down from the roots that are followed, while they differ."""

    requests: Requests
    tree: Tree
    cut: str
    epoch: int
    # Of how many nodes a third may be asked for.
    nodes: int
    gone: list[Path] = field(default_factory=list)
    wanted: list[Path] = field(default_factory=list)
    fetched: int = 0

    def operations(self, roots: list[Path]) -> list[Operation]:
        """The operations that make what is here the cut."""
        queries = [Query(root) for root in roots]
        while queries:
            asked, queries = queries[:QUERIES_MAX], queries[QUERIES_MAX:]
            fields = [("cut", self.cut), ("epoch", self.epoch)]
            reply = self.requests.ask("NODES", fields, [queries_bytes(asked)])
            frame = reply.frame()
            if frame.epoch != self.epoch:
                raise Malformed("an answer of another epoch")
            for query, answer in zip(asked, answers(frame, len(asked))):
                queries += self._compare(query, answer)
        taken = [(DEL, path, None) for path in self.gone + self.wanted]
        return taken + self._fetch()

    def _compare(self, query: Query, answer) -> list[Query]:
        """What is to be asked next because of an answer."""
        node = self.tree.find(query.path)
        if answer.kind == 0:
            self.gone += [query.path] if node else []
            return []
        if node and node.digest == answer.digest:
            return []
        if answer.kind == 1 or not isinstance(node, Dict):
            self.wanted.append(query.path)
            return []
        if answer.children is not None:
            return self._children(query, node, answer.children)
        return self._ranges(query, node, answer.ranges)

    def _children(self, query: Query, node: Dict, children: list) -> list[Query]:
        asked = []
        ours = {key: node.children[key] for key in _between(node, query.start, query.end)}
        for key, kind, low in children:
            child = ours.pop(key, None)
            if child and _low(child.digest) == low and isinstance(child, Dict) == (kind == 2):
                continue
            if kind == 2 and isinstance(child, Dict):
                asked.append(Query((*query.path, key)))
            else:
                self.wanted.append((*query.path, key))
        self.gone += [(*query.path, key) for key in ours]
        return asked

    def _ranges(self, query: Query, node: Dict, ranges: list) -> list[Query]:
        # What is here before the first range is not there: it belongs to that range's comparison.
        starts = [query.start] + [first for first, _, _ in ranges[1:]]
        asked = []
        for start, end, (_, count, low) in zip(starts, starts[1:] + [query.end], ranges):
            ours = _between(node, start, end)
            total = sum(node.children[key].digest for key in ours) & MASK
            if len(ours) != count or _low(total) != low:
                asked.append(Query(query.path, start, end))
        return asked

    def _fetch(self) -> list[Operation]:
        wanted, brought = iter(self.wanted), []
        while paths := list(islice(wanted, GETS_MAX)):
            asked = [("cut", self.cut), ("epoch", self.epoch), *accept()]
            asked += [("path", path_text(path)) for path in paths]
            after: list = []
            while True:
                reply = self.requests.ask("GET", asked + after)
                brought += checked_chunk(reply.frame(), self.epoch)
                if 3 * len(brought) > max(self.nodes, 100):
                    raise TooMuch
                if "next" not in reply.fields:
                    break
                after = [("after", reply.text("next"))]
        return brought


def _low(digest: int) -> bytes:
    return (digest & MASK).to_bytes(16, "little")[:8]


def _between(node: Dict, start: Optional[str], end: Optional[str]) -> list[str]:
    """A dict's keys from one on and up to another."""
    return [
        key
        for key in node.children
        if (start is None or key >= start) and (end is None or key < end)
    ]
