"""Drives a suite of tasks, as a workflow engine would, and publishes it as a live model.

Thousands of tasks in cycles go from waiting over ready, submitted and running to succeeded, or fail and are tried again; a
cycle that is done goes, and a new one comes. What changes is written, a line of JSON each, to `esker model serve --stdin`, which
runs as a child of this program; killed, it is started again with the model as it is by then. Ctrl-C brings all to rest, and again, to an end.
"""

import argparse
import contextlib
import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from typing import Iterator, Optional

MODEL = "suite"
STATES = ["waiting", "ready", "submitted", "running", "succeeded", "failed"]
HOSTS = ["ada", "babbage", "curie", "darwin", "euler"]
#: A task waits for the one before it by this.
FAN_OUT = 3
#: The messages of a task that are kept.
MESSAGES_MAX = 3
#: The changes after which it says how many they were.
TOLD_EACH = 5000
#: Of so many tasks that run, one fails.
FAILS_ONE_OF = 12


class Suite:
    """The tasks, and what happens to them: nested dicts, and the operations that change them."""

    def __init__(self, tasks: int, cycles: int, seed: int) -> None:
        self.random = random.Random(seed)
        self.cycles_max = cycles
        self.names = [f"task_{number:03}" for number in range(max(tasks // cycles, 1))]
        self.model: dict = {"about": {"seed": seed, "cycle": 0}, "cycles": {}}
        self.job = 0
        # Those that something can happen to, as (cycle, number of the task).
        self.active: list[tuple[str, int]] = []
        self.left: Counter = Counter()
        while len(self.model["cycles"]) < cycles:
            self.add_cycle()

    def set(self, path: list, value: object) -> dict:
        """Sets a leaf or a dict, and says so."""
        *above, last = path
        node = self.model
        for key in above:
            node = node[key]
        node[last] = value
        return {"op": "set", "path": path, "value": value}

    def remove(self, path: list) -> dict:
        *above, last = path
        node = self.model
        for key in above:
            node = node[key]
        del node[last]
        return {"op": "remove", "path": path}

    def add_cycle(self) -> list[dict]:
        number = self.model["about"]["cycle"] + 1
        cycle = f"{number:04}"
        tasks = {name: {"state": "waiting", "tries": 0} for name in self.names}
        said = [self.set(["about", "cycle"], number), self.set(["cycles", cycle], tasks)]
        self.left[cycle] = len(self.names)
        self.active.append((cycle, 0))
        return said

    def change(self) -> list[dict]:
        """Something that happens next: one transaction."""
        at = self.random.randrange(len(self.active))
        cycle, number = self.active[at]
        path = ["cycles", cycle, self.names[number]]
        task = self.model["cycles"][cycle][self.names[number]]
        said = getattr(self, "from_" + task["state"])(path, task)
        if task["state"] == "succeeded":
            self.active[at] = self.active[-1]
            self.active.pop()
            said += self.succeeded(cycle, number)
        return said

    def from_waiting(self, path: list, task: dict) -> list[dict]:
        return [self.set([*path, "state"], "ready")]

    def from_ready(self, path: list, task: dict) -> list[dict]:
        self.job += 1
        job = {"id": self.job, "host": self.random.choice(HOSTS)}
        return [self.set([*path, "state"], "submitted"), self.set([*path, "job"], job)]

    def from_submitted(self, path: list, task: dict) -> list[dict]:
        said = [self.set([*path, "state"], "running"), self.set([*path, "tries"], task["tries"] + 1)]
        return [*said, self.set([*path, "progress"], 0.0), self.set([*path, "messages"], {})]

    def from_running(self, path: list, task: dict) -> list[dict]:
        if self.random.randrange(FAILS_ONE_OF * 3) == 0:
            return [self.set([*path, "state"], "failed"), self.set([*path, "job", "exit"], self.random.choice([1, 2, 137]))]
        progress = round(task["progress"] + self.random.uniform(0.2, 0.5), 2)
        if progress >= 1:
            return [self.set([*path, "state"], "succeeded"), self.remove([*path, "progress"])]
        said = [self.set([*path, "progress"], progress)]
        messages = task["messages"]
        text = f"{path[-1]} on {task['job']['host']}: {progress:.0%} done"
        said.append(self.set([*path, "messages", str(task["tries"] * 100 + int(progress * 100))], text))
        if len(messages) > MESSAGES_MAX:
            said.append(self.remove([*path, "messages", next(iter(messages))]))
        return said

    def from_failed(self, path: list, task: dict) -> list[dict]:
        """It is tried again."""
        gone = [self.remove([*path, key]) for key in ["job", "progress", "messages"]]
        return [*gone, self.set([*path, "state"], "waiting")]

    def succeeded(self, cycle: str, number: int) -> list[dict]:
        """Those that waited for it go on; when all of its cycle are done, that goes and a new one comes."""
        below = range(number * FAN_OUT + 1, min(number * FAN_OUT + FAN_OUT + 1, len(self.names)))
        self.active += [(cycle, one) for one in below]
        self.left[cycle] -= 1
        if self.left[cycle]:
            return []
        del self.left[cycle]
        return [self.remove(["cycles", cycle]), *self.add_cycle()]

    def counts(self) -> Counter:
        cycles = self.model["cycles"].values()
        return Counter(task["state"] for cycle in cycles for task in cycle.values())

    def whole(self) -> list[dict]:
        """What makes the whole model out of nothing."""
        about = [{"op": "set", "path": ["about"], "value": self.model["about"]}]
        cycles = self.model["cycles"].items()
        return about + [{"op": "set", "path": ["cycles", cycle], "value": tasks} for cycle, tasks in cycles]


class Publisher:
    """`esker model serve` as a child that is told what changes."""

    def __init__(self, requests: str, events: str) -> None:
        serve = ["esker", "model", "serve", MODEL, "--stdin", "--junction", '["cycles"]']
        self.command = [*serve, "--requests", requests, "--events", events]
        self.child: Optional[subprocess.Popen] = None

    def start(self, suite: Suite) -> None:
        """With what there is already, so that nobody ever sees less."""
        # In a session of its own, where Ctrl-C does not reach it: it ends with its input.
        self.child = subprocess.Popen(self.command, stdin=subprocess.PIPE, start_new_session=True)
        print(f"the publisher is process {self.child.pid}", flush=True)
        self.say(suite, [json.dumps(suite.whole())])

    def say(self, suite: Suite, lines: list[str]) -> None:
        try:
            self.child.stdin.writelines(f"{line}\n".encode() for line in lines)
            self.child.stdin.flush()
        except BrokenPipeError:
            self.ended(suite)

    def ended(self, suite: Suite) -> None:
        """What was not published yet is part of what the next one begins with."""
        code = self.child.wait()
        if code >= 0:
            sys.exit(code or "the publisher has ended")
        print(f"the publisher was ended by signal {-code}; it is started again", flush=True)
        self.start(suite)

    def watch(self, suite: Suite) -> None:
        """Until it ends."""
        while True:
            self.child.wait()
            self.ended(suite)

    def close(self) -> None:
        if self.child:
            with contextlib.suppress(BrokenPipeError):
                self.child.stdin.close()
            self.child.wait()


def paced(rate: float, changes: Optional[int], rest: threading.Event) -> Iterator[int]:
    """How many changes to make at once, so that there are so many a second; as many as can be for 0."""
    begun, made = time.monotonic(), 0
    while not rest.is_set() and (changes is None or made < changes):
        due = made + 50 if rate == 0 else int((time.monotonic() - begun) * rate) + 1
        now = min(due - made, 1000, made + 1000 if changes is None else changes - made)
        if now > 0:
            made += now
            yield now
        else:
            time.sleep(1 / rate)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--tasks", type=int, default=3000, help="how many there are at a time (%(default)s)")
    parser.add_argument("--cycles", type=int, default=10, help="how many cycles they are in (%(default)s)")
    parser.add_argument("--rate", type=float, default=500, help="changes a second, 0 for as many as can be (%(default)s)")
    parser.add_argument("--changes", type=int, help="how many changes until it comes to rest; it does not if not given")
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same changes (%(default)s)")
    parser.add_argument("--requests", default="tcp://127.0.0.1:5200", help="where the model is asked for (%(default)s)")
    parser.add_argument("--events", default="tcp://127.0.0.1:5300", help="where changes are published (%(default)s)")
    options = parser.parse_args()
    suite = Suite(options.tasks, options.cycles, options.seed)
    publisher = Publisher(options.requests, options.events)
    rest = threading.Event()

    def interrupted(*_: object) -> None:
        if rest.is_set():
            raise KeyboardInterrupt
        rest.set()

    signal.signal(signal.SIGINT, interrupted)
    try:
        publisher.start(suite)
        made = 0
        for now in paced(options.rate, options.changes, rest):
            publisher.say(suite, [json.dumps(suite.change()) for _ in range(now)])
            told, made = made // TOLD_EACH, made + now
            if made // TOLD_EACH > told:
                print(f"{made // TOLD_EACH * TOLD_EACH} changes", flush=True)
        rest.set()
        counts = suite.counts()
        print(f"at rest after {made} changes:", ", ".join(f"{counts[state]} {state}" for state in STATES), flush=True)
        publisher.watch(suite)
    except KeyboardInterrupt:
        pass
    finally:
        publisher.close()


if __name__ == "__main__":
    main()
