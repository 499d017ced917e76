"""Follows the suite that driver.py publishes, and shows how many of its tasks are in which state.

On a terminal the line is always the newest, elsewhere there is one a second. Ctrl-C ends it with the digest of what it has: the publisher's, if it
was in step.
"""

import argparse
import signal
import sys
import threading
from collections import Counter

import esker

STATES = ["waiting", "ready", "submitted", "running", "succeeded", "failed"]
COLOURS = {"running": "36", "succeeded": "32", "failed": "31"}
BAR = 30


class Screen:
    """Shows where the suite is."""

    def __init__(self, m: esker.Live) -> None:
        self.m = m
        self.is_terminal = sys.stdout.isatty()
        self.changes = 0
        m.on_change(self.changed)

    def changed(self, changes: list) -> None:
        self.changes += len(changes)

    def show(self) -> None:
        model = self.m.snapshot()
        tasks = [task for cycle in model.get("cycles", {}).values() for task in cycle.values()]
        counts = Counter(task["state"] for task in tasks)
        told = "  ".join(self.coloured(state, f"{state} {counts[state]}") for state in STATES)
        if self.is_terminal:
            done = round(BAR * counts["succeeded"] / max(len(tasks), 1))
            line = f"{'█' * done}{'·' * (BAR - done)}  {told}  {self.m.state}  {self.m.digest[:8]}"
            print(f"\r\x1b[K{line}", end="", flush=True)
        else:
            print(f"{told}  {self.m.state}  seq {self.m.seq}  {self.changes} changes  {self.m.digest}", flush=True)

    def coloured(self, state: str, text: str) -> str:
        colour = COLOURS.get(state)
        return f"\x1b[{colour}m{text}\x1b[0m" if colour and self.is_terminal else text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--at", default="tcp://127.0.0.1:5200", help="where the model is asked for (%(default)s)")
    parser.add_argument("--cycle", help="follow this cycle alone")
    options = parser.parse_args()
    over = threading.Event()
    for number in [signal.SIGINT, signal.SIGTERM]:
        signal.signal(number, lambda *_: over.set())
    sections = [["cycles", options.cycle]] if options.cycle else None
    with esker.follow(options.at, "suite", sections=sections) as m:
        screen = Screen(m)
        pause = 0.1 if screen.is_terminal else 1
        while not over.wait(pause):
            screen.show()
        screen.show()
        print("\n" * screen.is_terminal + f"ended {m.state} at {m.digest}, transaction {m.seq} of epoch {m.epoch}")


if __name__ == "__main__":
    main()
