"""`pellucid compare state`, from what was wanted to its report."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from proxy.commands.comparing.children import end_all
from proxy.commands.comparing.errors import ComparisonError
from proxy.commands.comparing.machine import describe, require_linux
from proxy.commands.comparing.state.book import Book
from proxy.commands.comparing.state.figures import PART_TITLES, SCENARIOS
from proxy.commands.comparing.state.parts import downside, reliability, scalability, visibility
from proxy.commands.comparing.state.parts.contract import Place, Told
from proxy.commands.comparing.state.results import Described, Report, Settings
from proxy.commands.comparing.state.variants import (
    DOWNSIDE,
    PARTS,
    RELIABILITY,
    SCALABILITY,
    VARIANTS,
    VISIBILITY,
    Chosen,
    Variant,
    choose,
)
from proxy.message.errors import ConfigurationError, PellucidError

_STORE = "valkey://127.0.0.1:PORT"
"""How the report shows the store's address: it is another each time."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asks for; `styles` and `only` are empty for all."""

    styles: tuple[str, ...]
    only: tuple[str, ...]
    settings: Settings
    command: tuple[str, ...]


@dataclass(slots=True)
class Measurement:
    """A measurement under way. `report` may be asked for at any moment, and holds what there is by then."""

    wanted: Wanted
    chosen: Chosen
    parts: tuple[str, ...]
    book: Book = field(default_factory=Book)
    began: float = field(default_factory=time.monotonic)

    def run(self, told: Told, begun: Callable[[int], None]) -> None:
        """All of it. `begun` hears how many steps there will be. Raises ComparisonError where all fails."""
        settings = self.wanted.settings
        begun(len(self._taking_part()) * settings.repeats)
        try:
            with tempfile.TemporaryDirectory(prefix="pellucid-state-", ignore_cleanup_errors=True) as name:
                for number in range(settings.repeats):
                    for part, variant in self._taking_part(number):
                        step = f"{variant.title}, round {number + 1}"
                        told(PART_TITLES[part][0], step)
                        self._measure(part, variant, number, Path(name), told)
        except OSError as error:
            raise ConfigurationError(
                "no folder for what is written meanwhile", evidence=str(error)
            ) from error
        if not self.book.figures():
            raise ComparisonError("nothing could be measured", evidence="; ".join(self.book.complaints[:3]))

    def _taking_part(self, number: int = 0) -> list[tuple[str, Variant]]:
        """Each part with each variant that takes part in it; each round begins with another variant."""
        found = []
        for part in self.parts:
            variants = [one for one in self.chosen.variants if part in one.parts]
            start = number % max(1, len(variants))
            found += [(part, one) for one in variants[start:] + variants[:start]]
        return found

    def _measure(self, part: str, variant: Variant, number: int, parent: Path, told: Told) -> None:
        """One variant in one part. What goes wrong with it is complained of, and the others go on."""
        folder = parent / f"{part}-{variant.name}-{number}"
        folder.mkdir()
        place = Place(
            variant=variant,
            folder=folder,
            cores=tuple(sorted(os.sched_getaffinity(0))),
            store=self.chosen.store,
            settings=self.wanted.settings,
            book=self.book,
            number=number,
        )
        title = PART_TITLES[part][0]
        try:
            if part == RELIABILITY:
                reliability.measure(
                    place, lambda name: told(title, f"{variant.title}: {SCENARIOS[name].title.lower()}")
                )
            else:
                _MEASURES[part](place)
        except PellucidError as error:
            end_all()
            self.book.complain(f"{variant.name} in {part}, round {number + 1}: {error}")

    def report(self, *, interrupted: bool = False) -> Report:
        """What there is."""
        store = self.chosen.store
        return Report(
            made=datetime.now(UTC).isoformat(timespec="seconds"),
            command=list(self.wanted.command),
            seconds=round(time.monotonic() - self.began, 1),
            interrupted=interrupted,
            machine=describe(),
            store=f"Valkey {store.version} ({store.source})" if store else "records in a SQLite file",
            settings=self.wanted.settings,
            variants=described(self.chosen),
            figures=self.book.figures(),
            hidden=self.book.hidden,
            runs=self.book.runs,
            complaints=self.book.complaints,
            warnings=_warnings(),
        )


_MEASURES: dict[str, Callable[[Place], None]] = {
    VISIBILITY: visibility.measure,
    SCALABILITY: scalability.measure,
    DOWNSIDE: downside.measure,
}


def prepare(wanted: Wanted) -> Measurement:
    """Check that it can be done. Raises ConfigurationError."""
    require_linux()
    for name in wanted.only:
        if name not in PARTS:
            raise ConfigurationError(f"there is no such part (there are {', '.join(PARTS)})", evidence=name)
    parts = tuple(part for part in PARTS if not wanted.only or part in wanted.only)
    chosen = choose(wanted.styles)
    if not any(part in one.parts for part in parts for one in chosen.variants):
        raise ConfigurationError("none of these styles takes part in that", evidence=", ".join(wanted.only))
    return Measurement(wanted, chosen, parts)


def described(chosen: Chosen) -> list[Described]:
    """The variants, those left out with the reason."""
    names: Sequence[str] = [one for one in VARIANTS if one in chosen.left_out or _named(one, chosen)]
    return [
        Described(
            name=one.name,
            title=one.title,
            where=one.where,
            stateless=one.stateless,
            balance=one.balance if one.replicas > 1 else "",
            command=["python", "-m", "backend", *one.command(_STORE)],
            left_out=chosen.left_out.get(one.name),
        )
        for one in (VARIANTS[name] for name in names)
    ]


def _warnings() -> list[str]:
    if len(os.sched_getaffinity(0)) > 1:
        return []
    return ["only one core: shoppers, proxy and replicas take their processor time from each other"]


def _named(name: str, chosen: Chosen) -> bool:
    return any(one.name == name for one in chosen.variants)
