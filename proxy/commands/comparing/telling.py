"""What benchmarks of proxies have in common as commands: they measure or read again, and write a report."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from proxy.commands.comparing import output
from proxy.message.errors import ConfigurationError, PellucidError

if TYPE_CHECKING:
    from proxy.commands.comparing.comparison import Wanted
    from proxy.commands.comparing.results import Report
    from proxy.commands.comparing.running import Told

    Compare = Callable[[Wanted, Told, Callable[[int], None]], Report]


def told(
    compare: Compare, wanted: Wanted, *, form: str | None, place: str | None, earlier: str | None
) -> int:
    """Measure what is `wanted`, or read the `earlier` report, and write it; the exit status.

    Raises ConfigurationError.
    """
    from proxy.commands.comparing.children import end_all
    from proxy.commands.comparing.interruption import ending
    from proxy.commands.comparing.reports.progress import progress

    form = output.form_of(form, place)
    output.require_place(place)
    try:
        if earlier is not None:
            report = _read(earlier)
        else:
            with ending(), progress() as (tell, begun):
                try:
                    report = compare(wanted, tell, begun)
                finally:
                    end_all()
    except ConfigurationError:
        raise
    except PellucidError as error:
        print("pellucid:", " ".join(str(error).split()), file=sys.stderr)
        return 1
    output.write(_rendered(report, form, colors=place is None), place)
    return 0


def _rendered(report: Report, form: str, *, colors: bool) -> str:
    from proxy.commands.comparing.reports import markdown, page, text

    if form == "json":
        return msgspec.json.format(msgspec.json.encode(report), indent=1).decode() + "\n"
    if form == "text":
        return text.render(report, colors=colors)
    return {"html": page.render, "markdown": markdown.render}[form](report)


def _read(path: str) -> Report:
    from proxy.commands.comparing.results import Report

    try:
        return msgspec.json.decode(output.read(path), type=Report)
    except msgspec.DecodeError as error:
        raise ConfigurationError("not the JSON of a comparison", evidence=f"{path} ({error})") from error
