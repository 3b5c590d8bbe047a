"""Logs of any program, read as exchanges."""

from proxy.visibility.reading.formats import NAMES
from proxy.visibility.reading.hiding import Reading
from proxy.visibility.reading.opening import Span, UnreadableSource
from proxy.visibility.reading.source import Source, open_source, read_span

__all__ = ["NAMES", "Reading", "Source", "Span", "UnreadableSource", "open_source", "read_span"]
