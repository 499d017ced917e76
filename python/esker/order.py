"""Which frames are next: "A replica", step 3, of docs/sync.md. Nothing here knows sockets or clocks."""

from itertools import count
from typing import Optional

from .frames import Frame
from .wire import Path, section_id

FRAMES_MAX = 4096
BYTES_MAX = 16 << 20


class Order:
    """Keeps frames until they are next. Transactions of the whole model follow one another; of some sections, each has its own chain."""

    def __init__(self, sections: Optional[list[Path]]) -> None:
        # A chain is that of all sections, None, or of one.
        self.chains = [None] if sections is None else [section_id(path) for path in sections]
        self.restart(0)

    def restart(self, last: int) -> None:
        """Everything up to this transaction is there; nothing is kept, and who touched what last is not known."""
        self._kept: dict[Optional[bytes], dict[int, dict[int, Frame]]] = {c: {} for c in self.chains}
        self._lasts = {chain: last for chain in self.chains}
        self._touched: dict[bytes, int] = {}
        self._count = self._bytes = 0

    def reached(self, last: int, chains: list) -> None:
        """Everything of these chains up to this transaction is there."""
        for chain in chains:
            self._lasts[chain] = max(last, self._lasts[chain])
            for seq in [seq for seq in self._kept[chain] if seq <= last]:
                self._forget(chain, seq)

    def keeps(self, last: int, chains: list) -> bool:
        """Whether something of these chains up to this transaction is still kept, and so something before it missing."""
        return any(seq <= last for chain in chains for seq in self._kept[chain])

    def chain(self, section: bytes) -> Optional[bytes]:
        """The chain a section is in."""
        return None if None in self._lasts else section

    def follows(self, section: bytes) -> bool:
        """Whether a section is one of those that are followed."""
        return self.chain(section) in self._lasts

    def last(self, chain: Optional[bytes] = None) -> int:
        """The last transaction of a chain that is there."""
        return self._lasts[chain]

    def lowest(self) -> int:
        """The last transaction that is there of all chains."""
        return min(self._lasts.values())

    def highest(self) -> int:
        """The last transaction that is there of any chain."""
        return max(self._lasts.values())

    def touched(self, section: bytes) -> int:
        """The last transaction that touched a section; 0 if none did since everything came."""
        return self._touched.get(section, 0)

    def add(self, frame: Frame, limited: bool = True) -> None:
        """Takes a DELTA; one that is there already, or not followed, is dropped. Within limits, the oldest kept goes."""
        chain = self.chain(frame.section)
        if chain not in self._lasts or frame.seq <= self._lasts[chain]:
            return
        parts = self._kept[chain].setdefault(frame.seq, {})
        if frame.part in parts:
            return
        parts[frame.part] = frame
        self._count += 1
        self._bytes += len(frame.body)
        while limited and (self._count > FRAMES_MAX or self._bytes > BYTES_MAX):
            fullest = max(self._kept, key=lambda chain: len(self._kept[chain]))
            self._forget(fullest, min(self._kept[fullest]))

    def gaps(self) -> list:
        """The chains of which something is kept; when nothing is ready, something before it is missing."""
        return [chain for chain in self.chains if self._kept[chain]]

    def begun(self) -> Optional[tuple[int, int]]:
        """Of the whole model, the next transaction, and how many of its frames are there, one behind the other: while that changes, it goes on."""
        if None not in self._kept:
            return None
        seq = self._lasts[None] + 1
        parts = self._kept[None].get(seq, {})
        return seq, next(part for part in count() if part not in parts)

    def ready(self) -> Optional[list[Frame]]:
        """The frames that are to be applied next, together."""
        for chain in self.chains if self._count else []:
            kept = self._kept[chain]
            if not kept:
                continue
            seq = min(kept)
            frames = [kept[seq][part] for part in sorted(kept[seq])]
            if _whole(frames) if chain is None else _group(frames):
                before = seq - 1 if chain is None else frames[0].prev
                if before <= self._lasts[chain]:
                    return frames
        return None

    def done(self, frames: list[Frame]) -> None:
        """These frames, which were ready, are applied."""
        chain = self.chain(frames[0].section)
        self._lasts[chain] = frames[0].seq
        for frame in frames:
            self._touched[frame.section] = frame.seq
        self._forget(chain, frames[0].seq)

    def refuse(self, frames: list[Frame]) -> None:
        """These frames, which were ready, are not what they say: what is in their place has to be asked for."""
        self._forget(self.chain(frames[0].section), frames[0].seq)

    def _forget(self, chain: Optional[bytes], seq: int) -> None:
        for frame in self._kept[chain].pop(seq).values():
            self._count -= 1
            self._bytes -= len(frame.body)


def _whole(frames: list[Frame]) -> bool:
    """Whether these are all parts of a transaction."""
    return [frame.part for frame in frames] == list(range(frames[0].parts))


def _group(frames: list[Frame]) -> bool:
    """Whether these are all parts of one section in a transaction."""
    first = frames[0]
    goes_on = all(
        frame.prev == frame.seq and frame.part == first.part + index
        for index, frame in enumerate(frames)
        if index
    )
    return goes_on and first.prev != first.seq and frames[-1].last
