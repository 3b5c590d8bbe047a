"""What a measurement gets, and how it tells of its progress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from proxy.commands.comparing.contenders.contract import Found
from proxy.commands.comparing.state.book import Book
from proxy.commands.comparing.state.results import Settings
from proxy.commands.comparing.state.stage.stage import Workshop
from proxy.commands.comparing.state.variants import Variant

Told = Callable[[str, str], None]
"""Told before each step: the part's title, and what comes."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where and with what one variant is measured: an empty folder, the cores, the store's program."""

    variant: Variant
    folder: Path
    cores: tuple[int, ...]
    store: Found | None
    settings: Settings
    book: Book
    number: int
    """The round, from 0."""

    def workshop(self, rate: float = 0.0, fill: int = 0) -> Workshop:
        """With each replica held to so many requests per second, 0 for no limit; `fill` as there."""
        return Workshop(self.folder, self.cores, self.store, rate, fill)

    def put(self, figure: str, value: float, at: float | None = None) -> None:
        """A sample of this variant."""
        self.book.put(figure, self.variant.name, value, at)

    @property
    def seed(self) -> int:
        """The same for all variants, another in each round."""
        return self.settings.seed * 1000 + self.number
