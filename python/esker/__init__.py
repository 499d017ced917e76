"""Follow a live model of esker from Python: a mapping that is always the newest, and can prove it.

>>> import esker
>>> m = esker.follow("tcp://127.0.0.1:5200", model="project")       # doctest: +SKIP
>>> m["stages"]["plan"]["state"]                                    # doctest: +SKIP
'done'
>>> m.on_change(print)                                              # doctest: +SKIP
>>> m.close()                                                       # doctest: +SKIP

The copy is the publisher's to the last bit: everything that comes is checked against the digest that is sent with it, what is
missed is asked for, and what differs is mended. What is said on the wire is docs/sync.md; everything here was written from it.
"""

import time
from collections.abc import Iterable
from typing import Optional, Union

from .live import GONE, Change, Conflict, Live, View, Whole, as_path
from .talk import Refused, Silent, Trouble
from .wire import Malformed, Record

__all__ = [
    "GONE", "Change", "Conflict", "Live", "Malformed", "Record", "Refused", "Silent", "Trouble", "View", "Whole", "follow",
]
__version__ = "0.1.0"

LOOK_S = 0.5
"""How often who waits for a first copy looks whether there can be one."""


def follow(
    address: str,
    model: str = "project",
    sections: Optional[Iterable[Union[str, Iterable[str]]]] = None,
    timeout: Optional[float] = 30.0,
) -> Live:
    """Follows a model: `address` is that of its publisher's requests. Waits until the first copy is there, as new as the model was when it was asked for.

    With `sections`, only those are followed: each is a key, or a path where there are junctions. Each of them is
    then as it is after one transaction, all of them together need not be.

    LookupError if another model is published there; TimeoutError if there is no copy by then; `timeout=0` does not wait: `m.state` is `syncing` until there is one.

    >>> with esker.follow("tcp://127.0.0.1:5200", sections=["stages"]) as m:     # doctest: +SKIP
    ...     print(m.snapshot())
    """
    if "://" not in address:
        raise ValueError(f"an address is tcp://HOST:PORT, such as tcp://127.0.0.1:5200, and not {address!r}")
    paths = None
    if sections is not None:
        paths = [as_path(section) for section in sections]
        if not paths:
            raise ValueError("no section to follow")
    live = Live(address, model, paths)
    try:
        if timeout != 0:
            _wait(live, timeout)
    except (TimeoutError, LookupError) as error:
        live.close()
        why = live._replica.trouble or "no answer yet"
        raise type(error)(f"cannot follow {model} at {address}: {why}") from None
    except BaseException:
        live.close()
        raise
    return live


def _wait(live: Live, timeout: Optional[float]) -> None:
    """Waits for the first copy, as long as one may come: what a publisher publishes does not get another name."""
    until = float("inf") if timeout is None else time.monotonic() + timeout
    while True:
        try:
            live.wait_for(lambda m: m._replica.current, max(0.0, min(LOOK_S, until - time.monotonic())))
            return
        except TimeoutError:
            trouble = live._replica.trouble
            if isinstance(trouble, Refused) and trouble.code == "not-found":
                raise LookupError from None
            if time.monotonic() >= until:
                raise
