"""Sitemaps (sitemaps.org): the URLs in one, and the further sitemaps that an index names.

They come from elsewhere: nothing outside a document is ever read, no entities are declared, and what is
packed is unpacked no further than a bound.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from xml.parsers import expat

from proxy.message.errors import PellucidError

LARGEST = 64 << 20
"""Bytes of a sitemap, unpacked. The protocol allows 50 MB."""

_LONGEST = 8192
_AT_ONCE = 1 << 16


class BadSitemap(PellucidError):  # noqa: N818 - as MalformedMessage
    """A document that can't be read as a sitemap."""


@dataclass(frozen=True, slots=True)
class Sitemap:
    """The URLs of pages and of further sitemaps, in their order."""

    pages: list[str] = field(default_factory=list)
    sitemaps: list[str] = field(default_factory=list)


def read_sitemap(content: bytes) -> Sitemap:
    """A sitemap, a sitemap index, or a list with a URL in each line; any of them may be packed by gzip.

    Raises BadSitemap.
    """
    unpacked = _unpacked(content)
    beginning = unpacked[:512].removeprefix(b"\xef\xbb\xbf").lstrip()
    if beginning.startswith(b"<"):
        return _Reader().read(unpacked)
    lines = unpacked.decode("utf-8", "replace").removeprefix("\ufeff").splitlines()
    pages = [line.strip() for line in lines if line.strip()]
    if not all(page.startswith(("http://", "https://")) for page in pages):
        raise BadSitemap("neither XML nor a list of URLs")
    return Sitemap(pages)


def _unpacked(content: bytes) -> bytes:
    if content[:2] != b"\x1f\x8b":
        if len(content) > LARGEST:
            raise BadSitemap(f"larger than {LARGEST >> 20} MiB")
        return content
    unpacking = zlib.decompressobj(wbits=31)
    try:
        found = unpacking.decompress(content, LARGEST + 1)
    except zlib.error as error:
        raise BadSitemap("can't be unpacked", evidence=str(error)) from error
    if len(found) > LARGEST:
        raise BadSitemap(f"larger than {LARGEST >> 20} MiB unpacked")
    if not unpacking.eof:
        raise BadSitemap("the packed content is cut short")
    return found


class _Reader:
    """Reads one document."""

    def __init__(self) -> None:
        self._found = Sitemap()
        self._within: list[str] = []
        self._text: list[str] = []

    def read(self, document: bytes) -> Sitemap:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        parser.StartDoctypeDeclHandler = _refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._data
        try:
            for at in range(0, len(document), _AT_ONCE):
                parser.Parse(document[at : at + _AT_ONCE], False)
            parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise BadSitemap("not well-formed XML", evidence=str(error)) from error
        return self._found

    def _start(self, name: str, _: dict[str, str]) -> None:
        self._within.append(name.rpartition(" ")[2])
        if len(self._within) == 1 and self._within[0] not in ("urlset", "sitemapindex"):
            raise BadSitemap("no sitemap", evidence=f"<{self._within[0][:40]}>")
        self._text.clear()

    def _data(self, text: str) -> None:
        if self._within[-1:] == ["loc"] and sum(map(len, self._text)) < _LONGEST:
            self._text.append(text)

    def _end(self, _: str) -> None:
        match self._within:
            case ["urlset", "url", "loc"]:
                self._found.pages.append("".join(self._text).strip())
            case ["sitemapindex", "sitemap", "loc"]:
                self._found.sitemaps.append("".join(self._text).strip())
        self._within.pop()


def _refuse(*_: object) -> None:
    raise BadSitemap("it has a document type, which no sitemap needs")
