"""A subscriber and a publisher that keep the rules of the Cylc experiment's, and the tests of ours with them:

cylc_experiment.py subscribe MODEL_REQUESTS REQUESTS EVENTS    follows what ours publishes
cylc_experiment.py publish REQUESTS EVENTS                     publishes for ours, and prints the digest that has to come of it
"""

import collections
import hashlib
import json
import random
import sys
import time

import zmq

import esker
from esker.tree import SET, Tree

PATIENCE_MS = 30_000
VALUES = ["AIDS", "é\u2028\x7f\x1f\"\\/", "\U0001f600", None, True, 1e16, 1e22, 1e-5, 100.0, -0.0, 0.1, float("inf"), 7, -1, 2**64 - 1, [], ["z", [1.0, {"a": None}]]]


def leaves_breadth_first(delta: dict) -> list:
    found, dicts = [], collections.deque([((), delta)])
    while dicts:
        path, below = dicts.popleft()
        for key, value in below.items():
            if isinstance(value, dict):
                dicts.append(((*path, key), value))
            else:
                found.append(((*path, key), value))
    return found


def apply(data: dict, delta: dict) -> None:
    for path, value in leaves_breadth_first(delta):
        below = data
        for key in path[:-1]:
            # A leaf here: TypeError, and the experiment's task would have ended.
            below = below.setdefault(key, {})
        below[path[-1]] = value


def checksum(data: dict) -> str:
    return hashlib.sha256(json.dumps(data).encode()).hexdigest()


def delta(rng: random.Random) -> dict:
    """Keys that begin with a capital nest, others never do: so no leaf becomes a dict."""
    found = {}
    for _ in range(rng.choice([1, 1, 2, 5])):
        value = rng.choice(VALUES) if rng.random() < 0.8 else rng.random() * 10 ** rng.randrange(-30, 30)
        below = found
        for _ in range(rng.choice([0, 0, 1, 2, 3])):
            below = below.setdefault("N" + rng.choice("zaéb\U0001f600"), {})
        below["l" + rng.choice("zayxé\"\n")] = value
    return found


class Subscriber:
    def __init__(self, requests: str, events: str) -> None:
        context = zmq.Context.instance()
        self.req = context.socket(zmq.REQ)
        self.req.connect(requests)
        self.sub = context.socket(zmq.SUB)
        self.sub.setsockopt(zmq.SUBSCRIBE, b"")
        self.sub.connect(events)
        self.data: dict = {}
        self.time: float = 0

    def ask(self, text: str) -> list:
        self.req.send_string(text)
        assert self.req.poll(PATIENCE_MS), f"no answer to {text}"
        (answer,) = self.req.recv_multipart()
        return json.loads(answer)

    def update(self) -> None:
        self.time, self.data = self.ask("update")

    def hear(self, timeout_ms: int) -> bool:
        if not self.sub.poll(timeout_ms):
            return False
        (message,) = self.sub.recv_multipart()
        then, delta = json.loads(message)
        if then > self.time:
            apply(self.data, delta)
            self.time = then
        return True

    def verify(self) -> str:
        then, theirs = self.ask("verify")
        while self.time < then:
            assert self.hear(PATIENCE_MS), "the change of that time has not come"
        if checksum(self.data) == theirs:
            return "Verification successful"
        return "Verification failed!"


def put(m: esker.Live, changes: dict) -> None:
    seq = m.put(changes)
    m.wait_for(lambda m: m.seq >= seq, PATIENCE_MS / 1000)


def settle(m: esker.Live, subscriber: Subscriber) -> None:
    """Waits until their publisher has what was put, and hears what it told of that."""
    wanted = m.snapshot()
    for _ in range(PATIENCE_MS // 20):
        if subscriber.ask("update")[1] == wanted:
            break
        subscriber.hear(20)
    else:
        raise AssertionError("what was put has not come")


def subscribe(model: str, requests: str, events: str) -> None:
    rng = random.Random(3)
    with esker.follow(model, "suite") as m:
        early = Subscriber(requests, events)
        assert early.verify() == "Verification successful" and repr(early.time) == "0"
        # A change that is heard shows that it is connected.
        while not early.hear(20):
            put(m, {"lz": rng.random()})
        early.update()
        late = Subscriber(requests, events)
        for _ in range(300):
            put(m, delta(rng))
        settle(m, early)
        print("early:", early.verify())
        late.update()
        print("late:", late.verify())

        put(m, {"lz": esker.GONE, "ly": {"leaf": "branch"}, "lx": "said"})
        settle(m, early)
        print("left out:", early.verify())
        early.update()
        put(m, {"lx": "again", "ly": {"never": "said"}})
        settle(m, early)
        print("again left out:", early.verify())
        early.update()
        put(m, {"ly": "leaf"})
        settle(m, early)
        print("updated:", early.verify())
        print("unknown:", early.ask("status"), early.ask(""))


def publish(requests: str, events: str) -> None:
    context = zmq.Context.instance()
    rep, pub = context.socket(zmq.REP), context.socket(zmq.PUB)
    rep.bind(requests)
    pub.bind(events)
    rng, data, last = random.Random(4), {}, 0
    print("publishing", flush=True)
    left = 300
    poller = zmq.Poller()
    poller.register(rep, zmq.POLLIN)
    poller.register(sys.stdin, zmq.POLLIN)
    while True:
        ready = dict(poller.poll(5 if left else PATIENCE_MS))
        if sys.stdin.fileno() in ready:
            return
        if rep in ready:
            request = rep.recv_string()
            said = {"update": data, "verify": checksum(data)}[request]
            rep.send_string(json.dumps([last, said]))
        elif left:
            left -= 1
            change = delta(rng)
            apply(data, change)
            last = time.time()
            # Some are lost, the last among them: only `verify` can tell.
            if left % 7:
                pub.send_string(json.dumps([last, change]))
            if not left:
                tree = Tree()
                for path, value in leaves_breadth_first(data):
                    tree.apply(SET, path, value, [])
                print(f"{tree.root.digest:032x}", flush=True)


if __name__ == "__main__":
    {"subscribe": subscribe, "publish": publish}[sys.argv[1]](*sys.argv[2:])
