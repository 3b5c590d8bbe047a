"""Where measurements write what they find, sample by sample; a report can be made of it at any moment."""

from __future__ import annotations

from proxy.commands.comparing.state.figures import KINDS
from proxy.commands.comparing.state.results import Figure, Hidden, Row, Run
from proxy.commands.comparing.state.shopping.outcome import Outcome


class Book:
    """Samples by figure, variant and place; the runs with their accounts; what went wrong."""

    def __init__(self) -> None:
        self._samples: dict[str, dict[tuple[str, float | None], list[float]]] = {}
        self.runs: list[Run] = []
        self.hidden: list[Hidden] = []
        self.complaints: list[str] = []

    def put(self, figure: str, variant: str, value: float, at: float | None = None) -> None:
        """One more sample of a figure of the catalogue."""
        self._samples.setdefault(KINDS[figure].name, {}).setdefault((variant, at), []).append(value)

    def keep(
        self,
        outcome: Outcome,
        *,
        part: str,
        scenario: str,
        variant: str,
        number: int,
        blow: float | None = None,
        healed: float | None = None,
    ) -> None:
        """A run, with the errors of its account, which are complained about."""
        faults = outcome.account.faults()
        self.runs.append(
            Run(
                part=part,
                scenario=scenario,
                variant=variant,
                round=number,
                account=outcome.account,
                timeline=outcome.timeline,
                traffic=outcome.traffic,
                seconds=outcome.seconds,
                faults=faults,
                blow=blow,
                healed=healed,
            )
        )
        for fault in faults:
            self.complain(
                f"{variant}, {scenario or part}, round {number + 1}: the account doesn't balance: {fault}"
            )

    def complain(self, text: str) -> None:
        """Something that is to be said of the whole."""
        self.complaints.append(text)

    def figures(self) -> list[Figure]:
        """All that has samples so far, in the catalogue's order."""
        found = []
        for name, kind in KINDS.items():
            if name not in self._samples:
                continue
            rows = [Row.of(variant, at, values) for (variant, at), values in self._samples[name].items()]
            found.append(
                Figure(
                    name=name,
                    part=kind.part,
                    title=kind.title,
                    unit=kind.unit,
                    better=kind.better,
                    sentence=kind.sentence,
                    axis=kind.axis,
                    rows=rows,
                )
            )
        return found
