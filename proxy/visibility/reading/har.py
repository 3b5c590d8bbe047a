"""A HAR as batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from proxy.visibility.observation import Batch, Held, Observation, Part
from proxy.visibility.reading.faults import Faults
from proxy.visibility.reading.harentry import observation
from proxy.visibility.reading.harscan import Entry, Scanner
from proxy.visibility.reading.hiding import Hiding
from proxy.visibility.reading.lineformat import NotRead
from proxy.visibility.reading.opening import Input

_AT_ONCE = 128
_PARTS = (
    Part.TIME
    | Part.AUTHORITY
    | Part.REQUEST_FIELDS
    | Part.RESPONSE_FIELDS
    | Part.REQUEST_BYTES
    | Part.RESPONSE_BYTES
    | Part.DURATION
)


def read(source: Input, chunks: Iterable[bytes], hiding: Hiding) -> Iterator[Batch]:
    """The entries that are whole. Where the HAR breaks off is a fault, with how many those were."""
    scanner, faults, whole = Scanner(), Faults(), 0
    waiting: list[Observation] = []
    for chunk in chunks:
        for entry in scanner.feed(chunk):
            found = _read(entry, hiding, faults)
            if found is not None:
                waiting.append(found)
                whole += 1
            if len(waiting) >= _AT_ONCE:
                yield _batch(waiting, faults, source, scanner)
                waiting = []
    if not scanner.ended:
        why = source.trouble or "the HAR breaks off"
        faults.add(scanner.line, f"{why}; {whole} entries before that were read")
    if waiting or faults:
        yield _batch(waiting, faults, source, scanner)


def _read(entry: Entry, hiding: Hiding, faults: Faults) -> Observation | None:
    if not entry.data:
        faults.add(entry.line, "the entry is too large")
        return None
    try:
        return observation(entry.data, hiding)
    except NotRead as why:
        faults.add(entry.line, str(why))
        return None


def _batch(observations: list[Observation], faults: Faults, source: Input, scanner: Scanner) -> Batch:
    few, count = faults.take()
    return Batch(_held(observations), observations, few, count, source.done, scanner.line)


def _held(observations: list[Observation]) -> Held:
    """What a HAR holds beyond what all do depends on what wrote it."""
    parts = _PARTS
    if any(each.content is not None for each in observations):
        parts |= Part.CONTENT | Part.DIGEST
    if any(each.upstream for each in observations):
        parts |= Part.UPSTREAM
    if any(each.outcome for each in observations):
        parts |= Part.OUTCOME
    return Held("har", parts)
