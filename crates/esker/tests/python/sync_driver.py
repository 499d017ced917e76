"""Changes a model at random: sync_driver.py REQUESTS_ADDRESS MODEL SEED FROM TO. Of the seed's deltas it puts those from one number up to
another, and prints the digest that a model has to have to which all of them, from the first on, were applied.
"""

import random
import sys

from esker.frames import operations_bytes
from esker.talk import Requests
from esker.tree import CLEAR, DEL, DICT, SET, Tree
from esker.wire import Record

BATCH = 20
# Empty, control bytes, what looks like a path, two ways to write é, beyond the first plane, as long as a topic tells, longer, the longest.
ODD = ["", "\0", "\1", "\1\3", "a/b", "[]", "\n", " ", "é", "e\u0301", "\U0001f600", "k" * 200, "k" * 201, "ü" * 512]
VALUES = [
    None, True, False, 0, 1, -1, 2**63 - 1, 2**63, 2**64 - 1, -(2**63), 1.0, 0.0, -0.0, float("nan"), float("inf"), 5e-324, "", "1",
    "\0\U0001f600", b"", b"\xff\x00", [], [[], [1, [2.5]]], Record(), Record(b=[1], a={"é": None, "e\u0301": b"x"}), "long" * 5000,
]


def key(rng: random.Random) -> str:
    return rng.choice(ODD) if rng.random() < 0.3 else str(int(rng.paretovariate(0.4)) % 500)


def delta(rng: random.Random) -> list:
    """One to four operations; of `tasks`, which is a junction, only below it."""
    found = []
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        prefix = ("tasks",) if rng.random() < 0.5 else ()
        path = (*prefix, *(key(rng) for _ in range(rng.choice([1, 2, 2, 3, 3, 4, 9]))))
        operation = rng.choices([SET, DEL, DICT, CLEAR], [80, 14, 4, 2])[0]
        value = rng.choice(VALUES) if rng.random() < 0.7 else rng.getrandbits(63)
        found.append((operation, path, value if operation == SET else None))
    return found


def main() -> None:
    address, model, seed, first, end = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
    rng, tree = random.Random(seed), Tree()
    tree.apply(DICT, ("tasks",), None, [])

    def puts():
        for start in range(0, end, BATCH):
            batch = [operation for _ in range(BATCH) for operation in delta(rng)]
            for operation in batch:
                tree.apply(*operation, [])
            if start >= first:
                yield "PUT", [("request-id", f"{seed} {start}")], [operations_bytes(batch)]

    requests = Requests(address, model)
    for reply in requests.ask_all(puts()):
        reply.number("seq")
    requests.close()
    print(f"{tree.root.digest:032x}")


main()
