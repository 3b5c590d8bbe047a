"""An explanation as text for a terminal, or for a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from proxy.caching.decision import Outcome
from proxy.commands.explaining.durations import duration
from proxy.commands.explaining.shape import Explanation, QueryRule, Reason, Situation, Suggestion
from proxy.commands.plain import text_of
from proxy.server.log.terminal import escaped
from proxy.visibility.findings.finding import Severity

_NARROW = 72
_LABEL = 12
_COLORS = {
    Outcome.HIT: "green",
    Outcome.VALIDATED: "cyan",
    Outcome.STALE: "yellow",
    Outcome.FORWARDED: "blue",
    Outcome.REFUSED: "magenta",
    Outcome.FAILED: "red",
    Outcome.LOCAL: "",
}
_TELLING = frozenset(
    b"""
    age allow cache-control cache-group-invalidation cache-groups cache-status clear-site-data
    content-encoding content-range content-type date etag expires last-modified location no-vary-search pragma
    retry-after set-cookie surrogate-control vary warning
    """.split()
)
"""Response fields that matter to caches; so does every other whose name ends in `-cache-control`."""


def render(explanation: Explanation, console: Console | None = None) -> None:
    """Print the explanation: in colours and as wide as the terminal, plain elsewhere."""
    console = console or Console(highlight=False, markup=False, emoji=False)
    if console.is_terminal:
        console.print(page(explanation, console.width))
        return
    console.file.write(text_of(page(explanation, console.width), console.width, console))


def page(explanation: Explanation, width: int) -> RenderableType:
    """The whole text, for a terminal of that many columns."""
    return Group(
        _title(explanation),
        _section("Request", _request(explanation)),
        _section("Response", _response(explanation)),
        *_perhaps("Credentials", list(_credentials(explanation))),
        _section(f"Stored: {'yes' if explanation.storing.stored else 'no'}", _stored(explanation)),
        _section("Reuse", [_facts(explanation, width)]),
        _section("The next requests", [_situations(explanation, width)]),
        *_perhaps("What the exchange fails to say", list(_findings(explanation))),
        _section("What would help", _suggestions(explanation)),
        *_glossary(explanation, width),
    )


def _section(title: str, body: Iterable[RenderableType]) -> RenderableType:
    return Group(Text(), Text(title, style="bold"), Padding(Group(*body), (0, 0, 0, 2)))


def _perhaps(title: str, body: list[RenderableType]) -> list[RenderableType]:
    return [_section(title, body)] if body else []


def _title(explanation: Explanation) -> RenderableType:
    asked = Text(f"{explanation.request.method} {escaped(explanation.uri)}", style="bold", overflow="fold")
    style = "bold green" if explanation.storing.stored else "bold yellow"
    return Group(asked, Text(explanation.storing.verdict, style=style))


def _request(explanation: Explanation) -> Iterator[RenderableType]:
    request = explanation.request
    yield Text(f"{request.method} {escaped(request.target)} HTTP/1.1", overflow="fold")
    yield from (_line(name, value) for name, value in request.fields)


def _response(explanation: Explanation) -> Iterator[RenderableType]:
    response = explanation.response
    yield Text(f"HTTP/{response.version} {response.status} {escaped(response.reason)}".rstrip())
    telling = [line for line in response.fields if _tells(line[0])]
    yield from (_line(name, value) for name, value in telling)
    others = len(response.fields) - len(telling)
    size = f"{response.content_bytes:,} bytes of content"
    more = "" if response.complete else ", and more to come"
    fields = f"{others} other field{'' if others == 1 else 's'}, " if others else ""
    yield Text(f"({fields}{size}{more})", style="dim")


def _tells(name: str) -> bool:
    lowered = name.lower().encode()
    return lowered in _TELLING or lowered.endswith(b"-cache-control")


def _line(name: str, value: str) -> Text:
    return Text.assemble((f"{escaped(name)}: ", "cyan"), escaped(value), overflow="fold")


def _credentials(explanation: Explanation) -> Iterator[RenderableType]:
    for one in explanation.credentials:
        given = "set by the response" if one.message == "response" else f"{one.where}"
        kind = f"{one.kind}, {one.degree}" if one.kind != "unknown" else "of unknown kind"
        what = "; ".join(one.evidence[:2])
        held = [] if one.payload is None else [Text(escaped(one.payload), overflow="fold")]
        yield _item(Text.assemble((escaped(one.name), "cyan"), f" ({given}): {kind}"), escaped(what), *held)


def _findings(explanation: Explanation) -> Iterator[RenderableType]:
    telling = [one for one in explanation.findings if one.severity != Severity.INFO]
    for one in telling:
        shown = [one.severity, one.slug, one.source, *([escaped(one.evidence)] if one.evidence else [])]
        yield _item(_literals(one.sentence), ", ".join(shown), Text.assemble("→ ", _literals(one.advice)))
    others = len(explanation.findings) - len(telling)
    if others:
        more = f"{others} more" if telling else f"{others}"
        yield Text(f"({more} of little weight: see --format json)", style="dim")


def _item(head: Text, about: str, *more: Text) -> RenderableType:
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(width=1)
    table.add_column(overflow="fold")
    table.add_row("·", head)
    for text in (Text(about, style="dim", overflow="fold"), *more):
        table.add_row("", text)
    return table


def _stored(explanation: Explanation) -> Iterator[RenderableType]:
    storing = explanation.storing
    if storing.note:
        yield Text(storing.note)
    yield from map(_reason, storing.reasons)
    if storing.cache_status:
        yield _line("Cache-Status", storing.cache_status)


def _reason(reason: Reason) -> RenderableType:
    shown = [reason.slug, reason.section, *([escaped(reason.evidence)] if reason.evidence else [])]
    return _item(Text(reason.sentence), ", ".join(shown))


def _facts(explanation: Explanation, width: int) -> RenderableType:
    query = explanation.vary.query
    rows = [
        ("Lifetime", _lifetime(explanation)),
        ("Validators", _validators(explanation)),
        ("Varies by", _vary(explanation)),
        *([] if query is None else [("The query", _query(query))]),
        ("A browser", explanation.private_cache.sentence),
    ]
    return _labelled([(label, Text(text)) for label, text in rows], width, _LABEL)


def _lifetime(explanation: Explanation) -> str:
    freshness = explanation.freshness
    lasting = duration(freshness.lifetime_seconds)
    if freshness.found == "none":
        return "none is given, and nothing tells one"
    how = "stated in" if freshness.found == "explicit" else "estimated from"
    left = freshness.ttl_seconds
    rest = f"{duration(left)} left" if left > 0 else "nothing left of it"
    return f"{lasting}, {how} {escaped(freshness.source)}; {duration(freshness.age_seconds)} old, {rest}"


def _validators(explanation: Explanation) -> str:
    found = explanation.validators
    said = []
    if found.etag is not None:
        said.append(f"ETag {escaped(found.etag)} ({'weak' if found.etag_weak else 'strong'})")
    if found.last_modified is not None:
        strength = "strong" if found.last_modified_strong else "weak"
        said.append(f"Last-Modified {escaped(found.last_modified)} ({strength})")
    return ", ".join(said) or "none, so nobody can ask whether it has changed"


def _vary(explanation: Explanation) -> str:
    vary = explanation.vary
    if not vary.matchable:
        return "Vary is * or can't be read: no other request matches"
    lines = []
    for by in vary.by:
        sent = "not sent" if by.sent is None else f"sent {escaped(by.sent)}"
        lines.append(f"{by.name.title()} ({sent}): {by.variants}")
    return "\n".join(lines) or "nothing: one response for every request for this URI"


def _query(rule: QueryRule) -> str:
    order = "" if rule.ordered else "; their order doesn't"
    if rule.significant is not None:
        listed = ", ".join(map(escaped, rule.significant))
        return f"only these parameters count: {listed}{order}" if listed else "no parameter counts"
    listed = ", ".join(map(escaped, rule.ignored or ()))
    said = f"these parameters don't count: {listed}" if listed else "all parameters count"
    return said + order


def _situations(explanation: Explanation, width: int) -> RenderableType:
    shown = [one for one in explanation.situations if explanation.storing.stored or _worth_a_word(one)]
    if width < _NARROW:
        return Group(*(Group(Text(one.about), Padding(_outcome(one), (0, 0, 0, 2))) for one in shown))
    table = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(3):
        table.add_column(overflow="fold")
    for one in shown:
        table.add_row(Text(one.about), Text(one.brief, style=_COLORS[one.outcome]), Text(one.because, "dim"))
    return table


def _worth_a_word(situation: Situation) -> bool:
    """Whether a situation is worth a word where nothing is stored."""
    return situation.name in ("again", "unreachable") or situation.stored is True


def _outcome(situation: Situation) -> Text:
    why = f" ({situation.because})" if situation.because else ""
    return Text.assemble((situation.brief, _COLORS[situation.outcome]), (why, "dim"))


def _suggestions(explanation: Explanation) -> Iterator[RenderableType]:
    if not explanation.suggestions:
        stored = explanation.storing.stored
        yield Text("Nothing more." if stored else "Nothing in its fields: see the reasons above.")
        return
    for number, suggestion in enumerate(explanation.suggestions, 1):
        table = Table.grid(padding=(0, 1, 0, 0))
        table.add_column(width=2)
        table.add_column(overflow="fold")
        for index, text in enumerate(_suggestion(suggestion)):
            table.add_row("" if index else f"{number}.", text)
        yield table


def _suggestion(suggestion: Suggestion) -> Iterator[Text]:
    for index, step in enumerate(suggestion.steps):
        also = "Also: " if suggestion.also and not index else ""
        yield Text.assemble(also, _literals(step.sentence), overflow="fold")
    if suggestion.provided:
        yield Text(f"Right if {', and '.join(suggestion.provided)}.", style="italic")
    if suggestion.name == "store":
        yield Text(suggestion.verdict, style="green")
        return
    for effect in suggestion.effects:
        yield Text.assemble((f"{effect.about}: {effect.before} → ", "dim"), (effect.after, "green"))


def _literals(sentence: str) -> Text:
    """A sentence with what stands between backticks made to stand out; they stay, for where no colour is."""
    pieces = escaped(sentence).split("`")
    text = Text()
    for index, piece in enumerate(pieces):
        text.append(f"`{piece}`" if index % 2 else piece, style="bold" if index % 2 else "")
    return text


def _glossary(explanation: Explanation, width: int) -> Iterator[RenderableType]:
    """What the reasons say that the table only names."""
    told = {reason.slug for reason in explanation.storing.reasons}
    named = {one.because for one in explanation.situations}
    found = (reason for one in explanation.situations for reason in one.reasons)
    rest = {reason.slug: reason for reason in found if reason.slug in named - told}
    if not explanation.storing.stored or not rest:
        return
    said = [(slug, Text.assemble(one.sentence, (f" {one.section}", "dim"))) for slug, one in rest.items()]
    yield _section("Because", [_labelled(said, width, max(map(len, rest)))])


def _labelled(rows: Iterable[tuple[str, Text]], width: int, column: int) -> RenderableType:
    """Texts beside their labels; after them, where there's no room."""
    if width < _NARROW:
        return Group(*(Text.assemble((f"{label}: ", "dim"), text) for label, text in rows))
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(width=column, style="dim")
    table.add_column(overflow="fold")
    for label, text in rows:
        table.add_row(label, text)
    return table
