"""An audit as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from proxy.commands.plain import text_of
from proxy.server.log.terminal import escaped
from proxy.visibility.auditing import planning
from proxy.visibility.auditing.choosing import Chosen
from proxy.visibility.auditing.judging import sent
from proxy.visibility.auditing.shape import Audit, Dependence, Endpoint, Exhibit

_PLAIN_WIDTH = 100
_STYLES = {
    Dependence.SERVER_HELD: "red",
    Dependence.CLIENT_HELD: "cyan",
    Dependence.PERSONALISED: "yellow",
    Dependence.CHANGING: "magenta",
    Dependence.STATELESS: "green",
    Dependence.UNCLEAR: "dim",
}


def render(audit: Audit, *, colors: bool = True) -> str:
    """The whole text: in colours and as wide as the terminal, plain elsewhere and where that is wanted."""
    return text_of(Group(*_parts(audit)), _PLAIN_WIDTH, colors=colors)


def _parts(audit: Audit) -> Iterator[RenderableType]:
    counts = Counter(one.verdict for one in audit.endpoints)
    told = ", ".join(f"{counts[each]} {each}" for each in Dependence if counts[each])
    places = " and ".join(audit.replicas)
    yield Text(f"{_number(len(audit.endpoints), 'endpoint')}: {told}", style="bold")
    yield Text(f"{_number(audit.sent, 'request')} sent to {places} in {audit.took:.1f} s.")
    yield Text()
    yield _table(audit)
    for one in audit.endpoints:
        yield from _details(one)
    yield from _left_out(audit)


def _table(audit: Audit) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False)
    table.add_column("endpoint", overflow="fold")
    table.add_column("verdict", no_wrap=True)
    table.add_column("on", overflow="fold")
    table.add_column("requests", justify="right")
    for one in audit.endpoints:
        verdict = Text(str(one.verdict), style=_STYLES[one.verdict])
        agree = f"{one.agree} of {one.requests}"
        table.add_row(Text(escaped(one.endpoint)), verdict, Text(escaped(one.on)), agree)
    return table


def _details(one: Endpoint) -> Iterator[RenderableType]:
    yield Text()
    title = Text(escaped(one.endpoint), style="bold", overflow="fold")
    title.append(f": {one.verdict}", style=_STYLES[one.verdict])
    yield title
    lines = [Text(escaped(one.because))]
    lines += [Text(line, overflow="fold") for line in map(_exhibit, one.proof)]
    if one.gives:
        lines.append(Text(f"It hands out a key to state that servers keep: {escaped(', '.join(one.gives))}."))
    if one.also:
        lines.append(Text(f"Other requests to it are: {', '.join(one.also)}."))
    yield from (Padding(line, (0, 0, 0, 2)) for line in lines)


def _exhibit(one: Exhibit) -> str:
    place = f"{one.at:8.3f} s  replica {one.replica}  "
    if one.error:
        return f"{place}{escaped(one.sent)} → {escaped(one.error)}"
    extra = f", to {escaped(one.location)}" if one.location else ""
    cookies = f", sets {escaped(', '.join(one.sets_cookies))}" if one.sets_cookies else ""
    digest = one.digest.removeprefix("sha-256=:")[:10]
    return f"{place}{escaped(one.sent)} → {one.status}, {one.content_bytes} bytes, {digest}…{extra}{cookies}"


def _left_out(audit: Audit) -> Iterator[RenderableType]:
    if audit.left_out:
        yield Text()
        yield Text("Not replayed", style="bold")
        for one in audit.left_out:
            yield Padding(Text(f"{one.count:6}  {one.why}"), (0, 0, 0, 2))
    if audit.hidden:
        yield Text()
        names = escaped(", ".join(audit.hidden))
        yield Text(f"The log hides the values of {names}: requests were sent without. A HAR would hold them.")


def plan_text(chosen: Chosen, replicas: Sequence[str], *, pause: bool) -> str:
    """What an audit would send, one line for each request."""
    lines: list[str] = []
    total = 0
    for one in chosen.asked:
        probes = list(planning.close(one, len(replicas)))
        total += len(probes) + 1 + pause
        lines += [f"{replicas[probe.replica]}  {escaped(sent(probe))}" for probe in probes]
    lines.append("")
    lines.append(f"Then all {_number(len(chosen.asked), 'request')} in another order at {replicas[0]}")
    if pause:
        lines[-1] += ", and once more after a pause"
    lines[-1] += "; what sets cookies is also asked for with these."
    most = planning.most(chosen.asked, len(replicas))
    lines.append(f"{total} to {most} requests in all. Nothing was sent.")
    return "".join(f"{line}\n" for line in lines)


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
