"""docs/findings.md: what messages can fail to say of themselves, and what a credential's value tells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from docs.pages import NOTICE
from proxy.visibility.findings.catalogue import catalogue
from proxy.visibility.findings.finding import Declared, Part, Severity
from proxy.visibility.sessions.form import FORMATS, Format, Holds

_INTRODUCTION = """
A message describes itself when anybody on the way can understand it from itself alone. Fielding names
[three parts](https://ics.uci.edu/~fielding/pubs/dissertation/rest_arch_style.htm#sec_5_3_1) of that: the
interaction is stateless between requests, standard methods and media types say what is meant, and responses
say explicitly whether they may be cached. `pellucid explain` tells what one exchange lacks of them, and
`pellucid inspect` what those in a log do. Where a log doesn't hold what a finding would need, it isn't made.

Beside those below there are the findings of [httplint](https://github.com/mnot/httplint) on the fields of
responses, under its own names with `httplint:` before them. Its errors are of medium severity here, its
warnings of low, its remarks of none. Left out are those on the security of browsers, and what Pellucid
decides by rules of its own.
"""
_PARTS = {
    Part.STATELESS: "Stateless: nothing outside of the message is needed",
    Part.STANDARD: "Standard: method, status and media type mean what they say",
    Part.EXPLICIT: "Explicit: it says how it may be cached",
}
_CREDENTIALS = """
In a record each credential is replaced by `~`, a keyed digest, its length in bytes, and the form of its
value: what anybody on the way can see in it without a key. So `sid=~0123456789abcdef.32.hex` has 32
hexadecimal digits. Of what is signed or encrypted the times of issue (`i`) and expiry (`e`) are told too, in
seconds since the epoch; of what can be read, how many things it holds (`n`), and the names of those that say
nothing of a person: `~0123456789abcdef.142.jwt:i1700000000:e1700003600:n4:sub:iat:exp`. No value is told.

From the form, the name, the place and the behaviour over the traffic follows what kind of state it carries:
a key to state that a server holds, or the state itself.
"""
_HOLDS = {
    Holds.STATE: "state",
    Holds.KEY: "a key",
    Holds.SERVER: "the name of a server",
    Holds.IDENTITY: "who asks",
    Holds.ANYTHING: "it isn't known",
}
_SECTION = re.compile(r"RFC (\d+) §([0-9.]+)")


def page() -> str:
    """The text of the page."""
    parts = ["# Findings", NOTICE, _INTRODUCTION.strip()]
    for part, title in _PARTS.items():
        entries = sorted(
            (one for one in catalogue().values() if one.part is part),
            key=lambda one: (list(Severity).index(one.severity), one.slug),
        )
        parts.append(
            f"## {title}\n\n{_table('finding', 'severity', 'what it says', 'what to do')}\n{_rows(entries)}"
        )
    parts += ["## Credentials", _CREDENTIALS.strip()]
    forms = "\n".join(_form(name, form) for name, form in FORMATS.items())
    parts.append(f"{_table('form', 'what it is', 'signed', 'encrypted', 'what is in it')}\n{forms}")
    return "\n\n".join(parts) + "\n"


def _table(*titles: str) -> str:
    return f"| {' | '.join(titles)} |\n{'|---' * len(titles)}|"


def _rows(entries: Iterable[Declared]) -> str:
    return "\n".join(_row(entry) for entry in entries)


def _row(entry: Declared) -> str:
    name = f'<a id="{entry.slug}"></a>`{entry.slug}`'
    return f"| {name} | {entry.severity} | {entry.sentence} {_linked(entry.source)} | {entry.advice} |"


def _linked(source: str) -> str:
    return _SECTION.sub(r"[RFC \1 §\2](https://www.rfc-editor.org/rfc/rfc\1#section-\2)", source)


def _form(name: str, form: Format) -> str:
    return "| " + " | ".join(_cells(name, form)) + " |"


def _cells(name: str, form: Format) -> Iterator[str]:
    yield f"`{name}`"
    yield form.label
    yield "yes" if form.signed else ""
    yield "yes" if form.encrypted else ""
    yield _HOLDS[form.holds]
