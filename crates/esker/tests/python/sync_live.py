"""What docs/python.md says of `esker.follow`: sync_live.py REQUESTS_ADDRESS MODEL."""

import sys
import threading

import esker
from esker.frames import operations_bytes
from esker.talk import Requests
from esker.tree import SET

PATIENCE_S = 30


def put(m: esker.Live, changes: dict, **more: object) -> int:
    seq = m.put(changes, **more)
    m.wait_for(lambda m: m.seq >= seq, PATIENCE_S)
    return seq


def reads(m: esker.Live) -> None:
    put(m, {"stages": {"plan": {"state": "fresh", "n": [1, {"a": None}]}}, "é\0\1": 1.5, "": b"x", "e": {}, "r": esker.Record(b=1, a=2)})
    stages = m["stages"]
    assert stages["plan"]["state"] == "fresh" and list(stages) == ["plan"]
    assert set(m) == {"stages", "é\0\1", "", "e", "r", "tasks"} and len(m) == 6, "`tasks` is a junction"
    assert "stages" in m and "plan" not in m and "" in m and m.get("nothing") is None
    assert m["e"] == {} and m["r"] == esker.Record(a=2, b=1) and m[""] == b"x"
    before = m.snapshot()
    assert before["stages"] == stages.snapshot() == {"plan": {"state": "fresh", "n": [1, {"a": None}]}} == stages
    stages["plan"]["n"].append("mine")
    before["stages"]["plan"]["state"] = "mine"
    put(m, {"stages": {"plan": {"n": esker.GONE}, "new": 1}})
    assert stages == {"plan": {"state": "fresh"}, "new": 1}, "a view is what is there now"
    plan = stages["plan"]
    put(m, {"stages": {"plan": "leaf"}})
    try:
        plan["state"]
        raise AssertionError("there is no dict any longer")
    except KeyError:
        pass
    put(m, {"stages": esker.Whole(plan={"state": "again"})})
    assert plan["state"] == "again" and m["stages"] == {"plan": {"state": "again"}}


def hears(m: esker.Live) -> None:
    heard, both = [], threading.Event()

    def failing(_: list) -> None:
        raise RuntimeError("a callback that fails harms nobody")

    def reading(changes: list) -> None:
        # Another thread reads while the callback waits for it: nothing is locked.
        reader = threading.Thread(target=lambda: heard.append((changes, m.snapshot()["c"])))
        reader.start()
        reader.join(PATIENCE_S)
        if len(heard) == 2:
            both.set()

    stops = [m.on_change(failing), m.on_change(reading)]
    put(m, {"c": {"x": 1, "y": {"z": 2}}})
    put(m, {"c": {"x": 3, "y": esker.GONE}})
    assert both.wait(PATIENCE_S)
    assert heard[0] == ([esker.Change(("c",), esker.GONE, {"x": 1, "y": {"z": 2}})], {"x": 1, "y": {"z": 2}}), heard
    changes = {change.path: change[1:] for change in heard[1][0]}
    assert changes == {("c", "x"): (1, 3), ("c", "y"): ({"z": 2}, esker.GONE)} and heard[1][1] == {"x": 3}, heard
    for stop in stops:
        stop()
    put(m, {"c": {"x": 4}})
    assert len(heard) == 2


def waits(m: esker.Live) -> None:
    later = threading.Timer(0.05, lambda: m.put({"w": {"done": "yes"}}))
    later.start()
    assert m.wait_for(lambda m: m["w"]["done"], PATIENCE_S) == "yes"
    for timeout in [0, 0.01]:
        try:
            m.wait_for(lambda m: "never" in m, timeout)
            raise AssertionError("it never is")
        except TimeoutError:
            pass


def expects(m: esker.Live) -> None:
    put(m, {"count": 1, "deep": {"a": 1, "b": 2}})
    seq = m.seq
    for expect in [{("count",): esker.GONE}, {("count",): "0" * 31 + "1"}, {("deep",): esker.GONE, ("count",): m.digest_of(["count"])}]:
        try:
            m.put({"count": 2}, expect=expect)
            raise AssertionError("it was expected otherwise")
        except esker.Conflict as conflict:
            if ("deep",) in expect:
                assert (conflict.paths, conflict.found) == ([("deep",)], {"deep": {"a": 1, "b": 2}}), conflict.found
    assert m.seq == seq and m["count"] == 1
    put(m, {"count": 2}, expect=[["count"], ["nothing"], ["deep"]])
    counted = [threading.Thread(target=count, args=(m, 5)) for _ in range(4)]
    for thread in counted:
        thread.start()
    for thread in counted:
        thread.join(PATIENCE_S)
    m.wait_for(lambda m: m["count"] == 22, PATIENCE_S)


def means(address: str, model: str, m: esker.Live) -> None:
    """A request that names another epoch is for another publisher."""
    requests = Requests(address, model)
    for verb, body in [("HELLO", []), ("CUT", []), ("AUDIT", []), ("PUT", [operations_bytes([(SET, ("no",), 1)])])]:
        try:
            requests.ask(verb, [("epoch", m.epoch - 1)], body)
            raise AssertionError(f"{verb} is answered by another publisher")
        except esker.Refused as refused:
            assert refused.code == "gone", refused
        requests.ask(verb, [("epoch", m.epoch)], [operations_bytes([(SET, ("yes",), 1)])] if body else [])
    requests.close()
    m.wait_for(lambda m: m["yes"], PATIENCE_S)
    assert "no" not in m


def count(m: esker.Live, times: int) -> None:
    """Adds one so often, however many others do."""
    while times:
        with m._condition:
            now, digest = m["count"], m.digest_of(["count"])
        try:
            put(m, {"count": now + 1}, expect={("count",): digest})
            times -= 1
        except esker.Conflict:
            m.wait_for(lambda m: m["count"] != now, PATIENCE_S)


def ends(address: str, model: str, m: esker.Live) -> None:
    assert (m.state, len(m.digest)) == ("live", 32) and m.epoch > 0
    m.close()
    m.close()
    assert m.state == "closed" and m["count"] == 22
    # What is not there is known long before the time is over.
    wrong = [
        ((address, "no such model", None, 600), LookupError, "not-found: there is no model"),
        (("tcp://127.0.0.1:9", model, None, 0.5), TimeoutError, "no answer"),
    ]
    for arguments, kind, why in wrong:
        try:
            esker.follow(*arguments)
            raise AssertionError("there is no such model")
        except kind as error:
            assert why in str(error), error
    with esker.follow("tcp://127.0.0.1:9", model, timeout=0) as nobody:
        assert nobody.state == "syncing" and len(nobody) == 0


def main() -> None:
    address, model = sys.argv[1:]
    with esker.follow(address, model) as m:
        for part in [reads, hears, waits, expects]:
            part(m)
        means(address, model, m)
        ends(address, model, m)


main()
