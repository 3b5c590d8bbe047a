"""Lines as batches: each is read in the format of the one before it, or else in the one that it is in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from proxy.visibility.observation import Batch, Held, Observation, Part
from proxy.visibility.reading.faults import Faults
from proxy.visibility.reading.formats import Formats
from proxy.visibility.reading.lineformat import LineFormat, NotRead
from proxy.visibility.reading.lines import LONGEST, Block, blocks
from proxy.visibility.reading.opening import Input

_UNKNOWN = "it is written in no format that is known"
_MET = 8
"""Formats that are tried first, as they were met before."""

_PARTS = 8
"""Into how many parts lines are divided that can't be read together."""

_PATIENCE = 10_000
"""After so many lines one after the other that no format has, only one of `_GLANCE` is looked at closely."""

_GLANCE = 16

_TOO_LONG = f"it is longer than {LONGEST >> 20} MiB"
_NOTHING = Held("", Part(0))
Run = tuple[LineFormat, list[Observation]]
"""Exchanges that were written in one format."""


def read_lines(
    source: Input, chunks: Iterable[bytes], formats: Formats, name: str, *, fixed: bool
) -> Iterator[Batch]:
    """All lines; in the format `name` only where that is `fixed`. Line numbers begin with 1."""
    reader = _Reader(formats, formats.get(name) if name else None, fixed)
    lines = 0
    for block in blocks(chunks):
        lines = block.first + block.count - 1
        if block.too_long:
            reader.faults.add(block.first, _TOO_LONG)
            continue
        for found, observations in reader.read(block):
            few, count = reader.faults.take()
            yield Batch(found.held, observations, few, count, source.done, lines)
    if source.trouble:
        reader.faults.add(lines + 1, source.trouble)
    if reader.faults:
        few, count = reader.faults.take()
        yield Batch(reader.held, [], few, count, source.done, lines)


class _Reader:
    """Remembers the format of the last line that could be read."""

    def __init__(self, formats: Formats, current: LineFormat | None, fixed: bool) -> None:
        self.faults = Faults()
        self._formats = formats
        self._current = current
        self._fixed = fixed
        self._strange = 0
        self._met = [current] if current is not None else []

    @property
    def held(self) -> Held:
        """What the current format holds."""
        return self._current.held if self._current is not None else _NOTHING

    def read(self, block: Block) -> Iterator[Run]:
        """The block's exchanges, those of neighbouring lines in one format together."""
        run: Run | None = None
        for found, observations in self._parts(block.data, block.first, block.count):
            if run is not None and run[0] is found:
                run[1].extend(observations)
                continue
            if run is not None:
                yield run
            run = found, observations
        if run is not None:
            yield run

    def _parts(self, data: bytes, first: int, count: int) -> Iterator[Run]:
        """Where lines can't be read together, one part of them after the other."""
        why = _UNKNOWN
        if self._current is not None:
            try:
                yield self._current, self._current.read(data, count)
                return
            except NotRead as error:
                why = str(error)
        if count == 1:
            if data.strip():
                yield from self._other(data, first, why)
            return
        for part in _divided(data):
            lines = part.count(b"\n") + (not part.endswith(b"\n"))
            yield from self._parts(part, first, lines)
            first += lines

    def _other(self, line: bytes, number: int, why: str) -> Iterator[Run]:
        """A line that is not written in the format of the one before it."""
        for met in self._met if not self._fixed else ():
            observation = self._formats.reads(met, line)
            if observation is not None:
                self._current = met
                yield met, [observation]
                return
        self._strange += 1
        if self._fixed or (self._strange > _PATIENCE and self._strange % _GLANCE):
            found = None
        else:
            found = self._formats.find([line])
        if found is None:
            self.faults.add(number, why)
            return
        self._strange = 0
        self._current = found
        self._met = [found, *self._met][:_MET]
        yield found, found.read(line, 1)


def _divided(data: bytes) -> Iterator[bytes]:
    """Two or more lines in parts of at least one line."""
    begin = 0
    for part in range(1, _PARTS):
        end = data.rfind(b"\n", begin, len(data) * part // _PARTS) + 1
        if end > begin:
            yield data[begin:end]
            begin = end
    if not begin:
        begin = data.find(b"\n") + 1
        yield data[:begin]
    yield data[begin:]
