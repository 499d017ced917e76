"""A model in memory: dicts and leaves that know their digests, and what operations do to them."""

from typing import Iterable, Optional, Union

from .wire import MASK, Path, Record, hash16, key_bytes, path_bytes, value_bytes, varint

SET, DEL, DICT, CLEAR = 1, 2, 3, 4

# What was changed: where, what was there before, what is there now; None is nothing.
Change = tuple


class Leaf:
    """A value with its digest."""

    __slots__ = ("value", "digest")

    def __init__(self, parent: "Dict", key: str, value: object) -> None:
        self.value = value
        place = varint(parent.depth + 1) + parent.keys + key_bytes(key)
        self.digest = hash16(b"\1" + place + value_bytes(value))


class Dict:
    """A dict with the sum of its digest and of all below it."""

    __slots__ = ("children", "depth", "keys", "digest")

    def __init__(self, parent: Optional["Dict"] = None, key: str = "") -> None:
        self.children: dict[str, Node] = {}
        self.depth = parent.depth + 1 if parent else 0
        self.keys: bytes = parent.keys + key_bytes(key) if parent else b""
        self.digest = hash16(b"\2" + varint(self.depth) + self.keys)


Node = Union[Dict, Leaf]


class Tree:
    """A whole model, or the part of one that is followed."""

    def __init__(self) -> None:
        self.root: Node = Dict()

    def find(self, path: Path) -> Optional[Node]:
        """The node at a path, or None."""
        node: Optional[Node] = self.root
        for key in path:
            if not isinstance(node, Dict):
                return None
            node = node.children.get(key)
        return node

    def digest(self, path: Path = ()) -> int:
        """The digest at a path; 0 where nothing is."""
        node = self.find(path)
        return node.digest if node else 0

    def apply(self, operation: int, path: Path, value: object, log: list[Change]) -> None:
        """Does one operation, and logs what it changed so that undo can take it back."""
        chain = self._chain(path)
        parent = chain[-1]
        if not path:
            if operation == CLEAR:
                log.append(((), self.root, Dict()))
                self.root = log[-1][2]
            return
        whole = len(chain) == len(path)
        if operation == DEL:
            if whole and path[-1] in parent.children:
                self._swap(chain, path, None, log)
            return
        if whole and operation == DICT and isinstance(parent.children.get(path[-1]), Dict):
            return
        node = _made(parent, path[len(chain) - 1 :], operation, value)
        there = parent.children.get(path[len(chain) - 1])
        # An operation that changes nothing is not told to anybody.
        if there is None or there.digest != node.digest or type(there) is not type(node):
            self._swap(chain, path[: len(chain)], node, log)

    def undo(self, log: list[Change]) -> None:
        """Takes back everything a log tells."""
        for path, old, _ in reversed(log):
            if path:
                self._swap(self._chain(path), path, old, [])
            else:
                self.root = old

    def _chain(self, path: Path) -> list[Dict]:
        """The dicts that stand above a path, from the root down, as far as there are any."""
        chain = [self.root]
        for key in path[:-1]:
            node = chain[-1].children.get(key)
            if not isinstance(node, Dict):
                break
            chain.append(node)
        return chain

    def _swap(self, chain: list[Dict], path: Path, node: Optional[Node], log: list[Change]) -> None:
        """Puts a node below the last dict of the chain, or nothing."""
        children, key = chain[-1].children, path[-1]
        old = children.get(key)
        if node is None:
            del children[key]
        else:
            children[key] = node
        change = (node.digest if node else 0) - (old.digest if old else 0)
        for above in chain:
            above.digest = (above.digest + change) & MASK
        log.append((path, old, node))


def _made(parent: Dict, keys: Path, operation: int, value: object) -> Node:
    """What is put below a dict so that, after these keys, a new leaf or empty dict is there."""
    dicts = [parent]
    for key in keys[: len(keys) if operation != SET else -1]:
        dicts.append(Dict(dicts[-1], key))
    nodes: list[Node] = list(dicts[1:])
    if operation == SET:
        nodes.append(Leaf(dicts[-1], keys[-1], value))
    for above, key, below in reversed(list(zip(nodes, keys[1:], nodes[1:]))):
        above.children[key] = below
        above.digest = (above.digest + below.digest) & MASK
    return nodes[0]


def plain(node: Node) -> object:
    """A node as plain dicts and values, which share nothing with the model."""
    if isinstance(node, Leaf):
        return _copied(node.value)
    out: dict[str, object] = {}
    # A stack of our own: a model may be deeper than Python's.
    stack = [(node, out)]
    while stack:
        above, copy = stack.pop()
        for key, child in above.children.items():
            if isinstance(child, Dict):
                copy[key] = {}
                stack.append((child, copy[key]))
            else:
                copy[key] = _copied(child.value)
    return out


def _copied(value: object) -> object:
    if isinstance(value, dict):
        return Record((name, _copied(item)) for name, item in value.items())
    return [_copied(item) for item in value] if isinstance(value, list) else value


def differences(old: Node, new: Node) -> Iterable[Change]:
    """What differs between two models, found by their digests."""
    stack = [((), old, new)]
    while stack:
        path, before, after = stack.pop()
        if not (isinstance(before, Dict) and isinstance(after, Dict)):
            yield path, before, after
            continue
        for key in {**before.children, **after.children}:
            was, now = before.children.get(key), after.children.get(key)
            if (was.digest if was else 0) != (now.digest if now else 0):
                stack.append(((*path, key), was, now))


def told(operation: int, path: Path, value: object) -> int:
    """The digest of the one node that an operation of a CHUNK tells."""
    if operation == SET:
        return hash16(b"\1" + path_bytes(path) + value_bytes(value))
    return hash16(b"\2" + path_bytes(path))
