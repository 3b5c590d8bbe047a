"""docs/explain.md and its schema: what `pellucid explain` prints."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from rich.console import Console

from docs.pages import NOTICE
from docs.story import BEGINNING, POLICY, read_request, read_response
from proxy.caching.effects import Arrived
from proxy.commands.explaining.explanation import explain
from proxy.commands.explaining.origins import Had
from proxy.commands.explaining.rendering import render
from proxy.commands.explaining.shape import FORMAT, Explanation
from proxy.visibility.redaction import Redaction
from proxy.visibility.schemas import schema_of, text_of

_INTRODUCTION = """
`pellucid explain URL` sends one request, and says what a shared cache makes of the response: whether it
is stored and why, how long it may be used, what would happen to the next requests, what a browser would
do, and what would help. It runs the rules that the proxy runs, on the response as it came; every next
request, and every change that it proposes, is an exchange that those rules were run on. It also says what
kind of state each credential carries, and [what the exchange fails to say of itself](findings.md).

```
pellucid explain https://api.example.org/things
pellucid explain http://127.0.0.1:8090/ --header 'Cookie: sid=1' --header 'Accept: text/html'
pellucid explain http://127.0.0.1:8090/ --method HEAD --set cache.stale_limit=1h --format json
```

It asks with GET, HEAD or OPTIONS, which change nothing, and follows no redirects. A field that `--header`
gives takes the place of the one that would be sent otherwise; with an empty value none is sent.
Credentials are sent, but a digest stands in their place wherever they would be shown; so it does for
every given field that isn't known to hold none. `--reveal` shows what can be read out of their values where
these are neither encrypted nor a key to something elsewhere. At most `storage.object_limit` bytes of content
are read, and for ten seconds.

The exit status is 0 where there was a response, whatever it was; 1 where there was none, and 2 where the
command line can't be carried out. One line on standard error then says why.
"""
_JSON = """
`--format json` prints one object, of the form `{}`: all that the text says and more. What is only added to
the form doesn't change its name. The words for a reader may change, and so may the sentences.
[explain.schema.json](explain.schema.json) is its JSON Schema. Bytes of messages are shown as ISO-8859-1.
"""
_SAMPLE = (
    "GET /things?page=2 | Host: example.org | Accept: application/json | Cookie: sid=31d4d96e407aad42",
    "200 | Content-Type: application/json | Cache-Control: private, max-age=60 | Vary: Accept, Cookie"
    ' | ETag: "5d8c72a5edda8"',
)


def page() -> str:
    """The text of the page."""
    parts = ["# What `pellucid explain` says", NOTICE, _INTRODUCTION.strip()]
    parts += ["## As text", "For example:", f"```\n{_text()}```"]
    parts += ["## As JSON", _about_json(), *_shapes()]
    return "\n\n".join(parts) + "\n"


def sample() -> Explanation:
    """What there is to say of an exchange that is always the same."""
    response = read_response(_SAMPLE[1], BEGINNING)
    arrived = Arrived(response, BEGINNING, BEGINNING, 1234)
    had = Had(read_request(_SAMPLE[0]), arrived, 1234, True, 32 << 20)
    return explain(had, POLICY, Redaction("a key for the examples"))


def _text() -> str:
    file = io.StringIO()
    console = Console(file=file, width=96, force_terminal=False, highlight=False, markup=False, emoji=False)
    render(sample(), console)
    return file.getvalue()


def _about_json() -> str:
    return _JSON.format(FORMAT).strip()


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of an explanation."""
    return schema_of(Explanation, "What pellucid explain says", FORMAT)


def schema_text() -> str:
    """The text of the schema's file."""
    return text_of(schema())


def _shapes() -> Iterator[str]:
    defined = schema()["$defs"]
    names = ["Explanation", *(name for name in defined if name != "Explanation")]
    for name in names:
        shape = defined[name]
        if "properties" not in shape:
            continue
        rows = "\n".join(
            f"| `{key}` | {_kind(value, defined)} | {_meaning(value, defined)} |"
            for key, value in shape["properties"].items()
        )
        head = f"### {name}\n\n{shape['description']}"
        yield f"{head}\n\n| name | what | meaning |\n|---|---|---|\n{rows}"


def _meaning(value: dict[str, Any], defined: dict[str, Any]) -> str:
    """What is said of a property, or else of the form that it has."""
    if "description" in value:
        return str(value["description"])
    named = [one for one in (value, *value.get("anyOf", ())) if "$ref" in one]
    return str(defined[_name(named[0])]["description"]) if named else ""


def _name(value: dict[str, Any]) -> str:
    return str(value["$ref"].rpartition("/")[2])


def _kind(value: dict[str, Any], defined: dict[str, Any]) -> str:
    if "anyOf" in value:
        return " or ".join(_kind(one, defined) for one in value["anyOf"])
    if "$ref" in value:
        name = _name(value)
        return (
            f"[{name}](#{name.lower()})" if "properties" in defined[name] else _kind(defined[name], defined)
        )
    if "enum" in value:
        return ", ".join(f"`{one}`" for one in value["enum"])
    if "prefixItems" in value:
        return f"[{', '.join(_kind(one, defined) for one in value['prefixItems'])}]"
    if value.get("type") == "array":
        return f"list of {_kind(value['items'], defined)}"
    return str(value["type"])
