"""What a replica in plain Python does about losses and damage: sync_mending.py REQUESTS_ADDRESS MODEL. Events are lost and a copy is spoiled on
purpose; a second replica, which loses nothing, says what has to come of it.
"""

import logging
import sys

import esker
from esker.tree import DEL, SET
from esker.wire import Path

PATIENCE_S = 30
SECTIONS = [["a"], ["tasks", "7"], ["nothing"]]


def agree(good: esker.Live, m: esker.Live, what: str) -> None:
    seq = good.put({"a": {"last": what}, "tasks": {"7": {"last": what}}})
    good.wait_for(lambda good: good.seq >= seq, PATIENCE_S)
    wanted = [good.digest_of(path) for path in SECTIONS]
    try:
        m.wait_for(lambda m: [m.digest_of(path) for path in SECTIONS] == wanted, PATIENCE_S)
    except TimeoutError:
        raise AssertionError(f"{what}: {[m.digest_of(path) for path in SECTIONS]}, wanted {wanted}") from None
    replica = m._replica
    print(f"{what}: repairs {replica.repairs}, losses {replica.losses}, refused {replica.refused}")


def spoil(m: esker.Live, *operations: tuple[int, Path, object]) -> None:
    """Changes the copy behind the replica's back."""
    with m._condition:
        for operation in operations:
            m._replica.tree.apply(*operation, [])


def lose(good: esker.Live, m: esker.Live, what: str) -> None:
    """Has transactions come to one replica and not to the other."""
    replica = m._replica
    # What is lost on purpose does not make it too slow.
    replica._lost.clear()
    add, replica.order.add = replica.order.add, lambda frame, limited=True: None
    seq = good.put({"a": {"lost": {str(n): what for n in range(50)}, "0": esker.GONE}, "tasks": {"7": {"lost": what}}})
    good.wait_for(lambda good: good.seq >= seq, PATIENCE_S)
    replica.order.add = add


def deafen(m: esker.Live) -> None:
    """Has the thread that follows end its SUB's connection, which it takes for one that is there."""
    events = m._replica._events
    subscribe = events.subscribe

    def once(address: str, *more: object) -> None:
        events.subscribe = subscribe
        subscribe(address, *more)
        events.socket.disconnect(address)

    events.subscribe = once
    # The next HELLO subscribes.
    m._replica._heard = 0.0
    m.wait_for(lambda m: m.state == "stale", PATIENCE_S)


def mend(good: esker.Live, m: esker.Live) -> None:
    agree(good, m, "nothing")
    lose(good, m, "lost")
    agree(good, m, "lost")
    refuse = m._replica._replay

    def gone(*_: object) -> bool:
        raise esker.Refused("gone", "on purpose")

    m._replica._replay = gone
    lose(good, m, "lost, and gone from the ring")
    agree(good, m, "lost, and gone from the ring")
    assert m._replica.repairs == 0, "REPLAY and DIFF suffice"
    m._replica._replay = refuse
    m._replica._lost.clear()
    # A leaf, a dict, what should not be there, what is of another kind; few of very many children.
    damage = [
        (SET, ("a", "d", "3"), "spoiled"), (DEL, ("a", "wide", "500"), None), (SET, ("a", "wide", "more"), 1),
        (SET, ("a", "wide", ""), 1), (SET, ("a", "e"), "leaf"), (SET, ("a", "b", "below"), 1), (DEL, ("tasks", "7"), None),
    ]
    before = m._replica.repairs
    spoil(m, *damage)
    agree(good, m, "spoiled")
    assert m._replica.repairs == before + 1 and m._replica.copies == 0
    m._replica._lost.extend([0.0] * 3)
    m._replica._pulling = True
    m._replica._subscribe(m._replica._events.address)
    agree(good, m, "too slow")
    m.wait_for(lambda m: not m._replica._pulling, PATIENCE_S)
    agree(good, m, "follows again")
    assert m._replica.repairs == before + 1, "DIFF suffices"
    deafen(m)
    agree(good, m, "deaf")
    m.wait_for(lambda m: m.state == "live", PATIENCE_S)
    assert m._replica.repairs == before + 1, "hearing suffices"


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    address, model = sys.argv[1:]
    with esker.follow(address, model) as good:
        wide = {str(n): n for n in range(3000)}
        good.put({"a": {"wide": wide, "d": {"3": 1}, "e": {}, "b": 1}, "tasks": {str(n): {"s": n} for n in range(20)}})
        for sections in [None, SECTIONS]:
            print("sections:", sections)
            with esker.follow(address, model, sections=sections) as m:
                mend(good, m)
            assert good._replica.repairs == 0


main()
