"""The first way to keep a model in step, as a peer to measure against: seed_model.py WIDTH CHANGES.

A publisher that sends every change as JSON over PUB and answers `update` over REP with all of it, and a subscriber in a process
of its own that applies them; the pauses of the experiment are left out, and nothing is verified on the way. The model has three
levels of WIDTH keys. Prints one line: changes a second, the seconds of a late joiner, with one checksum of all on either side, and
the seconds of one checksum.
"""

import hashlib
import json
import multiprocessing
import random
import sys
import time

import zmq


def apply(model: dict, delta: dict) -> None:
    """Sets the leaves of a delta breadth first, making what is missing above them."""
    level = [(model, delta)]
    while level:
        deeper = []
        for ours, theirs in level:
            for key, value in theirs.items():
                if isinstance(value, dict):
                    deeper.append((ours.setdefault(key, {}), value))
                else:
                    ours[key] = value
        level = deeper


def whole(width: int) -> dict:
    def fields(first: int) -> dict:
        return {f"field {c}": f"waiting {(first + c) * 7919 % 1_000_003}" for c in range(width)}

    return {
        f"section {a}": {f"task {b}": fields((a * width + b) * width) for b in range(width)}
        for a in range(width)
    }


def checksum(model: dict) -> str:
    return hashlib.sha256(json.dumps(model).encode()).hexdigest()


def subscribe(ports: tuple, width: int, changes: int, told) -> None:
    context = zmq.Context()
    events, requests = context.socket(zmq.SUB), context.socket(zmq.REQ)
    events.set_hwm(0)
    events.connect(f"tcp://127.0.0.1:{ports[0]}")
    events.setsockopt(zmq.SUBSCRIBE, b"")
    requests.connect(f"tcp://127.0.0.1:{ports[1]}")
    model = whole(width)
    # Until the subscription is known, what is sent is lost.
    while not events.poll(10):
        requests.send(b"hello")
        requests.recv()
    told.send("ready")
    applied = 0
    while applied < changes:
        apply(model, json.loads(events.recv())[1])
        applied += 1
    told.send(time.perf_counter())
    begun = time.perf_counter()
    requests.send(b"update")
    model = json.loads(requests.recv())[1]
    requests.send(b"verify")
    assert json.loads(requests.recv())[1] == checksum(model)
    told.send(time.perf_counter() - begun)
    begun = time.perf_counter()
    checksum(model)
    told.send(time.perf_counter() - begun)


def main() -> None:
    width, changes = int(sys.argv[1]), int(sys.argv[2])
    context = zmq.Context()
    events, requests = context.socket(zmq.PUB), context.socket(zmq.REP)
    events.set_hwm(0)
    ports = tuple(one.bind_to_random_port("tcp://127.0.0.1") for one in (events, requests))
    hear, told = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.Process(target=subscribe, args=(ports, width, changes, told))
    child.start()
    model = whole(width)
    while not hear.poll():
        if requests.poll(10):
            requests.recv()
            requests.send(b"here")
            events.send(json.dumps([0, {}]).encode())
    hear.recv()
    dice = random.Random(7)
    begun = time.perf_counter()
    for number in range(changes):
        a, b, c = (dice.randrange(width) for _ in range(3))
        delta = {f"section {a}": {f"task {b}": {f"field {c}": f"running {number}"}}}
        apply(model, delta)
        events.send(json.dumps([time.time(), delta]).encode())
    ended = hear.recv()
    for answer in (lambda: model, lambda: checksum(model)):
        requests.recv()
        requests.send(json.dumps([time.time(), answer()]).encode())
    print(changes / (ended - begun), hear.recv(), hear.recv(), flush=True)
    child.join()


if __name__ == "__main__":
    main()
