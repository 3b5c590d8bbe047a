"""Purging: what whoever runs the proxy wants to have gone, or to count as stale, and what became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from time import time

import msgspec

from proxy.caching.groups import group_label
from proxy.caching.key import get_key, uri_label
from proxy.caching.no_vary_search import label, rules_among, rules_label
from proxy.caching.tags import LONGEST_TAG, tag_label
from proxy.engine.performer import LABEL_LIMIT
from proxy.engine.reach import Reach
from proxy.message.errors import PellucidError
from proxy.message.request import Request
from proxy.message.uri import Uri, typed_uri
from proxy.storage.selection import Selection
from proxy.storage.turns import Turns

MOST = 10_000
"""How many things may be named at one time."""

LONGEST = 16 << 10
"""Characters of a URL."""

_SCHEMES = (b"http", b"https")
_OWN_TIERS = ("memory",)


class BadWish(PellucidError):  # noqa: N818 - as the other refusals are called
    """What is to be purged can't be understood."""

    status = 400


class Wish(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What is to be purged.

    `urls` as clients ask for them, all their variants with them; `prefixes` are beginnings of URLs; `tags` as
    responses name them; `groups` those of RFC 9875, of the origin of `origin`, which tags need as well where
    they are kept by origin; `match` are patterns that are searched in URLs; `all` is all. `soft`: they stay,
    but count as stale. `dry`: they are only counted.
    """

    urls: list[str] = []
    prefixes: list[str] = []
    tags: list[str] = []
    groups: list[str] = []
    match: list[str] = []
    all: bool = False
    origin: str = ""
    soft: bool = False
    dry: bool = False

    @property
    def count(self) -> int:
        """How many things are named."""
        named = (self.urls, self.prefixes, self.tags, self.groups, self.match)
        return sum(map(len, named)) + self.all


class Item(msgspec.Struct):
    """One thing that was named, and how many entries were found of it, by tier."""

    kind: str
    value: str
    entries: dict[str, int]

    @property
    def found(self) -> bool:
        """Whether any tier had anything of it."""
        return any(self.entries.values())


class Report(msgspec.Struct):
    """What became of a wish, item by item."""

    items: list[Item]
    soft: bool
    dry: bool

    @property
    def entries(self) -> Mapping[str, int]:
        """How many entries there were by tier: one that is in several tiers is counted in each."""
        total: Counter[str] = Counter()
        for item in self.items:
            for tier, count in item.entries.items():
                total[tier] += count
        return dict(total)

    @property
    def missing(self) -> list[Item]:
        """What was not there."""
        return [item for item in self.items if not item.found]


class Answer(msgspec.Struct):
    """A report as it is told: the sums, what was not there, and each item."""

    entries: dict[str, int]
    missing: list[str]
    items: list[Item]
    soft: bool
    dry: bool

    @classmethod
    def of(cls, items: list[Item], *, soft: bool, dry: bool) -> Answer:
        """What became of these things, with the sums."""
        report = Report(items, soft, dry)
        missing = [f"{item.kind} {item.value}".strip() for item in report.missing]
        return cls(dict(report.entries), missing, items, soft, dry)


def merged(reports: Sequence[Report]) -> Report:
    """One report of several processes' on the same wish: each has a memory, and all share the other tiers."""
    items = []
    for alike in zip(*(report.items for report in reports), strict=True):
        entries: dict[str, int] = {}
        for item in alike:
            for tier, count in item.entries.items():
                before = entries.get(tier, 0)
                entries[tier] = before + count if tier in _OWN_TIERS else max(before, count)
        items.append(Item(alike[0].kind, alike[0].value, entries))
    return Report(items, reports[0].soft, reports[0].dry)


async def purge(reach: Reach, wish: Wish) -> Report:
    """Do it: from the return on nothing of it is found any more, or only as stale.

    Nothing is done where anything in it can't be understood. Raises `BadWish` and `BadPattern`.
    """
    by_origin = reach.policy.tags_by_origin
    checked(wish, tags_by_origin=by_origin)
    soft = time() if wish.soft else None
    items, turns = [], Turns()
    for kind, value, selection in _selections(wish, by_origin):
        if kind == "url":
            selection = await _with_equivalent(reach, selection)
        entries = await reach.purge(selection, soft=soft, dry=wish.dry)
        shown = value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        items.append(Item(kind, shown, dict(entries)))
        await turns.pause()
    return Report(items, wish.soft, wish.dry)


def checked(wish: Wish, *, tags_by_origin: bool = False, bounded: bool = True) -> None:
    """Raises `BadWish` or `BadPattern` where a wish can't be understood, or where `bounded`, is too much."""
    if not wish.count:
        raise BadWish("nothing is named to be purged")
    if bounded and wish.count > MOST:
        raise BadWish(f"more than {MOST} things are named at one time", status=413)
    for _ in _selections(wish, tags_by_origin):
        pass


def _selections(wish: Wish, tags_by_origin: bool) -> Iterator[tuple[str, str, Selection]]:
    origins = list(_both(_uri(wish.origin))) if wish.origin else []
    for url in wish.urls:
        uris = list(_both(_uri(url)))
        yield "url", url, Selection(tuple(map(get_key, uris)), tuple(map(uri_label, uris)))
    for prefix in wish.prefixes:
        yield "prefix", prefix, Selection(prefixes=tuple(map(bytes, _both(_uri(prefix)))))
    for tag in wish.tags:
        encoded = _tag(tag)
        if not tags_by_origin:
            yield "tag", tag, Selection(labels=(tag_label(encoded),))
        elif origins:
            yield "tag", tag, Selection(labels=tuple(tag_label(encoded, origin) for origin in origins))
        else:
            raise BadWish("tags are kept by origin here: say of which", evidence=tag[:80])
    for group in wish.groups:
        if not origins:
            raise BadWish("a group belongs to an origin (RFC 9875 §2.1): say to which", evidence=group[:80])
        yield "group", group, Selection(labels=tuple(group_label(origin, group) for origin in origins))
    for pattern in wish.match:
        yield "match", pattern, Selection(patterns=(pattern.encode("utf-8", "surrogateescape"),))
    if wish.all:
        yield "all", "", Selection(everything=True)


def _uri(url: str) -> Uri:
    if len(url) > LONGEST:
        raise BadWish(f"a URL is longer than {LONGEST} characters", evidence=url[:80])
    found = typed_uri(url)
    if found is None:
        raise BadWish("not a URL of the form http://HOST/PATH", evidence="" if "@" in url else url[:80])
    return found


def _both(uri: Uri) -> Iterable[Uri]:
    """The same with http and https: a proxy has only one of them, and may stand behind one with the other."""
    default = {b"http": b":80", b"https": b":443"}
    for scheme in _SCHEMES:
        authority = uri.authority.removesuffix(default[scheme])
        yield Uri(scheme, authority, uri.path, uri.query).normalised()


def _tag(tag: str) -> bytes:
    encoded = tag.encode("utf-8", "surrogateescape")
    if not tag or len(encoded) > LONGEST_TAG:
        raise BadWish(f"a tag has from 1 to {LONGEST_TAG} bytes", evidence=tag[:80])
    return encoded


async def _with_equivalent(reach: Reach, wanted: Selection) -> Selection:
    """With all that is stored for other queries, but may answer for these URLs by its No-Vary-Search."""
    labels: list[bytes] = []
    for key in wanted.keys:
        scheme, _, rest = key.removeprefix(b"GET ").partition(b"://")
        authority, slash, target = rest.partition(b"/")
        alike = Request(b"GET", slash + target, scheme=scheme, authority=authority)
        entries = await reach.store.labelled(rules_label(alike), LABEL_LIMIT)
        labels += [label(alike, rule) for rule in rules_among(entry.stored for entry in entries)]
    return Selection(wanted.keys, (*wanted.labels, *labels)) if labels else wanted
