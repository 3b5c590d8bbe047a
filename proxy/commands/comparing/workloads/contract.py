"""What a workload is."""

from __future__ import annotations

from typing import ClassVar

from proxy.commands.comparing.bench import Bench
from proxy.commands.comparing.contenders.contract import Part
from proxy.commands.comparing.results import BASE, Run
from proxy.commands.comparing.standing import Standing


class Workload:
    """One thing that is asked of each contender, in turn, in several rounds.

    `part` says who takes part; `shown` are the measures that tell something here, `main` the one that it is
    about. `always_own` says that the load is always made by the generator of ours: wrk can't make it. `fresh`
    says that each round starts the contender anew. `base` is whom the others are related to.
    `everywhere` says that a contender may run on the load's cores too.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    sentence: ClassVar[str]
    part: ClassVar[Part]
    main: ClassVar[str]
    shown: ClassVar[tuple[str, ...]]
    always_own: ClassVar[bool] = False
    fresh: ClassVar[bool] = False
    base: ClassVar[str] = BASE
    everywhere: ClassVar[bool] = False

    def prepare(self, bench: Bench, standing: Standing) -> None:
        """Bring a contender to where rounds can begin. Raises ComparisonError."""

    def run(self, bench: Bench, standing: Standing, number: int) -> Run:
        """One round with one contender. Raises ComparisonError."""
        raise NotImplementedError

    def warnings(self, bench: Bench) -> list[str]:
        """What has to be said of all of it."""
        return []
