"""Pages as they are read: whole, harmless, and by themselves."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "br", "link", "img", "hr", "input"}


class Page(HTMLParser):
    """Notes elements and text, and fails where elements aren't nested."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    @property
    def tags(self) -> list[str]:
        return [tag for tag, _ in self.seen]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> ends nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.text += data


def read(html: str) -> Page:
    """A page all of whose elements have ended."""
    page = Page()
    page.feed(html)
    page.close()
    assert page.open == []
    return page


def read_alone(html: str) -> Page:
    """The same of one that needs nothing else, runs nothing, and whose links lead to places in it."""
    page = read(html)
    assert not set(page.tags) & {"script", "link", "img", "iframe", "object"}
    ids = {attributes.get("id") for _, attributes in page.seen} - {None}
    for _, attributes in page.seen:
        assert not any(name.startswith("on") or name == "src" for name in attributes)
        link = attributes.get("href") or "#"
        assert link == "#" or (link[0] == "#" and link[1:] in ids)
    assert "url(" not in html
    assert "@import" not in html
    return page
