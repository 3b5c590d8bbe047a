"""What logs show to be asked for most."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from proxy.visibility.reading import Reading, open_source
from proxy.visibility.redaction import DIGEST

_MOST = 1_000_000


@dataclass(frozen=True, slots=True)
class Top:
    """The most frequent URLs (paths, where the log names no hosts), and how much was left out.

    `hidden` are the requests with something in them that is hidden in the log, `unread` the lines that can't
    be read.
    """

    urls: list[str]
    hidden: int
    unread: int


def most_asked_for(path: str, top: int, log_format: str = "") -> Top:
    """What a log shows to be asked for most by GET, with success.

    Raises ConfigurationError and what else reading a log raises (`PellucidError`).
    """
    counted: Counter[str] = Counter()
    hidden = unread = 0
    with open_source(path, Reading(format=log_format, reveal=True)) as source:
        for batch in source.batches():
            unread += batch.left_out
            for one in batch.observations:
                if one.method != "GET" or not 200 <= one.status < 400 or not one.target:
                    continue
                if DIGEST.search(one.target):
                    hidden += 1
                    continue
                url = f"http://{one.authority}{one.target}" if one.authority else one.target
                if url in counted or len(counted) < _MOST:
                    counted[url] += 1
    return Top([url for url, _ in counted.most_common(top)], hidden, unread)
