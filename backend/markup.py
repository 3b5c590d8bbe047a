"""HTML put together from elements, so that text is always escaped and never by hand."""

from __future__ import annotations

from html import escape

from backend.hypermedia import Action, Field

EMPTY = {"img", "input", "link", "meta", "br"}


class Html(str):
    """Text that is already HTML; any other text is escaped where it is put in."""

    __slots__ = ()


def el(element: str, /, *children: str | None, **attributes: str | int | bool | None) -> Html:
    """One element; None children and None or False attributes are left out, `class_` is written `class`."""
    written = "".join(
        f" {key.strip('_').replace('_', '-')}" + ("" if value is True else f'="{escape(str(value))}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if element in EMPTY:
        return Html(f"<{element}{written}>")
    return Html(f"<{element}{written}>{join(*children)}</{element}>")


def join(*children: str | None) -> Html:
    """Pieces one after the other, escaped unless they are HTML."""
    return Html("".join(each if isinstance(each, Html) else escape(each) for each in children if each))


def form(action: Action, *, compact: bool = False, quiet: bool = False) -> Html:
    """A form that performs the action. `compact` hides its labels from sight, `quiet` makes its button plain.

    Forms only know GET and POST and set no header fields: other methods and fields go in the content.
    """
    get = action.method == "GET"
    hidden = [] if get else [*_hidden("_method", action.method), *_headers(action)]
    return el(
        "form",
        *hidden,
        *(_input(field, compact=compact) for field in action.fields),
        el("button", action.title, type="submit", class_="quiet" if quiet else None),
        method="get" if get else "post",
        action=action.href,
        class_="compact" if compact else None,
    )


def _hidden(name: str, value: str) -> list[Html]:
    return [] if value == "POST" else [el("input", type="hidden", name=name, value=value)]


def _headers(action: Action) -> list[Html]:
    return [
        el("input", type="hidden", name=f"_{name}", value=value) for name, value in action.headers.items()
    ]


def _input(field: Field, *, compact: bool) -> Html:
    box = el(
        "input",
        type=field.type,
        name=field.name,
        value=field.value,
        min=field.min,
        max=field.max,
        required=field.type in ("number", "password"),
        autocomplete=_autocomplete(field),
        placeholder=field.label if field.type == "search" else None,
    )
    if field.type == "hidden":
        return box
    caption = el("span", field.label or field.name, class_="unseen" if compact else None)
    return el("label", caption, box)


def _autocomplete(field: Field) -> str | None:
    if field.type == "password":
        return "current-password"
    return "off" if field.type == "number" else None
