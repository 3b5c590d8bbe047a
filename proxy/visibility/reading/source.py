"""A log as batches of observations, or as parts that several processes read at the same time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, pairwise
from types import TracebackType

from proxy.visibility.observation import Batch
from proxy.visibility.reading import har
from proxy.visibility.reading.formats import HAR, Formats
from proxy.visibility.reading.harscan import START
from proxy.visibility.reading.hiding import Hiding, Reading
from proxy.visibility.reading.lines import blocks
from proxy.visibility.reading.log import read_lines
from proxy.visibility.reading.opening import Input, Span, UnreadableSource

__all__ = ["Reading", "Source", "Span", "UnreadableSource", "open_source", "read_span"]

_SAMPLE = 64 << 10
"""Bytes by which the format is told."""


class Source:
    """A log that is open. `format` is the name of its format, or a format string; empty: none was recognized.

    `size` is the number of bytes as they are stored; None where that is not known, as of a pipe. To be used
    with `with`, which closes it.
    """

    def __init__(self, path: str, reading: Reading) -> None:
        self.path = path
        self._reading = reading
        self._hiding = Hiding(reading)
        self._formats = Formats(self._hiding)
        self._input = Input(path)
        self.name = self._input.name
        self.size = self._input.size
        try:
            if reading.format and reading.format != HAR:
                self._formats.get(reading.format)
            self._chunks = self._input.chunks()
            self._sample = self._begin()
            self.format = reading.format or self._find()
        except BaseException:
            self._input.close()
            raise

    def __enter__(self) -> Source:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._input.close()

    def _begin(self) -> bytes:
        sample = b""
        for chunk in self._chunks:
            sample += chunk
            if len(sample) >= _SAMPLE:
                break
        return sample

    def _find(self) -> str:
        if START.match(self._sample):
            return HAR
        lines = [
            line
            for block in blocks([self._sample[:_SAMPLE]])
            for line in block.data.splitlines()
            if not block.too_long
        ]
        found = self._formats.find(lines[:-1] or lines)
        return found.name if found is not None else ""

    def batches(self) -> Iterator[Batch]:
        """All of it. To be called once."""
        chunks = chain((self._sample,), self._chunks)
        self._sample = b""
        if self.format == HAR:
            return har.read(self._input, chunks, self._hiding)
        return read_lines(self._input, chunks, self._formats, self.format, fixed=bool(self._reading.format))

    def spans(self, parts: int) -> list[Span]:
        """Up to `parts` parts of about one size, of whole lines; empty where it can only be read whole."""
        if self.path == "-" or not self.size or not self._input.plain or self.format == HAR:
            return []
        ends = [0]
        for part in range(1, parts):
            near = max(self.size * part // parts - 1, ends[-1])
            ends.append(min(self._input.line_after(near), self.size))
        ends.append(self.size)
        return [Span(self.path, first, last, self.format) for first, last in pairwise(ends) if last > first]


def open_source(path: str, reading: Reading) -> Source:
    """The log at `path`, `-` being standard input.

    Raises UnreadableSource, and ConfigurationError where the format of `reading` is none.
    """
    return Source(path, reading)


def read_span(span: Span, reading: Reading) -> Iterator[Batch]:
    """One part of a log, in any process; lines are counted from its beginning. Raises UnreadableSource."""
    source = Input(span.path, span.first, span.last)
    try:
        formats = Formats(Hiding(reading))
        yield from read_lines(source, source.chunks(), formats, span.format, fixed=bool(reading.format))
    finally:
        source.close()
