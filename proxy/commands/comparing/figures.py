"""The summary: what the workloads say about Pellucid beside the others, one figure each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from proxy.commands.comparing.measures import MEASURES, Better
from proxy.commands.comparing.results import Figure, Result
from proxy.commands.comparing.spread import Spread, ratios

OURS = "pellucid"
_PROCESSOR = "processor_microseconds"
_UNITS = ("ms", "×")


@dataclass(frozen=True, slots=True)
class Aim:
    """A figure: a measure in a workload, of Pellucid or `whose`, itself or as a ratio to that of `beside`.

    The ratio is given `factor` times. `told` explains it, where the measure's own sentence does not; `more`
    says whether more of it is better, where that is otherwise than of the measure.
    """

    name: str
    title: str
    workload: str
    measure: str
    beside: str | None
    limit: float | None
    whose: str = OURS
    factor: float = 1.0
    told: str = ""
    more: bool | None = None

    @property
    def sentence(self) -> str:
        """The figure explained."""
        measured = MEASURES[self.measure]
        if self.told or self.beside is None:
            return self.told or measured.sentence
        wanted = "more" if self.wants_more else "less"
        return f"{measured.sentence} As a ratio to {self.beside}'s in the same rounds; {wanted} is better."

    @property
    def wants_more(self) -> bool:
        """Whether more of it is better."""
        return MEASURES[self.measure].better is Better.MORE if self.more is None else self.more


AIMS = (
    Aim("hot/nginx", "processor time per hit, hot object, to nginx", "hot", _PROCESSOR, "nginx", 0.75),
    Aim("zipf/nginx", "processor time per hit, Zipf × agents, to nginx", "zipf", _PROCESSOR, "nginx", 0.80),
    Aim(
        "traced/nginx", "processor time per hit, new trace ids, to nginx", "traced", _PROCESSOR, "nginx", 0.85
    ),
    Aim("hot/varnish", "processor time per hit, hot object, to Varnish", "hot", _PROCESSOR, "varnish", 0.65),
    Aim(
        "zipf/varnish",
        "processor time per hit, Zipf × agents, to Varnish",
        "zipf",
        _PROCESSOR,
        "varnish",
        0.65,
    ),
    Aim(
        "traced/varnish",
        "processor time per hit, new trace ids, to Varnish",
        "traced",
        _PROCESSOR,
        "varnish",
        0.65,
    ),
    Aim("passing/caddy", "processor time per pass-through, to Caddy", "passing", _PROCESSOR, "caddy", 0.5),
    Aim("passing/nginx", "processor time per pass-through, to nginx", "passing", _PROCESSOR, "nginx", 2.0),
    Aim("large/nginx", "throughput of 10 MiB hits, to nginx", "large", "megabytes_per_second", "nginx", 0.8),
    Aim("half/nginx", "p99 of hits at half of full load, to nginx", "half", "p99_milliseconds", "nginx", 1.2),
    Aim("stampede", "origin requests in a stampede of 1,000", "stampede", "origin_requests", None, 1),
    Aim("start", "from start to first answer", "start", "start_milliseconds", None, 600),
)


def figures(results: list[Result], contenders: Collection[str], aims: Sequence[Aim] = AIMS) -> list[Figure]:
    """The figures whose workload and contenders were wanted, unmeasured where one of these took no part."""
    by_name = {result.workload: result for result in results}
    wanted = [aim for aim in aims if {aim.whose, aim.beside or aim.whose} <= set(contenders)]
    return [_figure(aim, by_name[aim.workload]) for aim in wanted if aim.workload in by_name]


def _figure(aim: Aim, result: Result) -> Figure:
    found = _found(aim, result)
    measure = MEASURES[aim.measure]
    return Figure(
        name=aim.name,
        title=aim.title,
        sentence=aim.sentence,
        workload=aim.workload,
        contenders=[aim.whose] if aim.beside is None else [aim.whose, aim.beside],
        unit="×" if aim.beside is not None else measure.unit if measure.unit in _UNITS else "",
        value=found.median if found else None,
        low=found.low if found else None,
        high=found.high if found else None,
        at_most=None if aim.wants_more else aim.limit,
        at_least=aim.limit if aim.wants_more else None,
    )


def _found(aim: Aim, result: Result) -> Spread | None:
    ours = result.row(aim.whose)
    if ours is None or aim.measure not in ours.measures:
        return None
    if aim.beside is None:
        measured = ours.measures[aim.measure]
        return Spread(measured.median, measured.low, measured.high)
    beside = result.row(aim.beside)
    found = ratios(ours.values(aim.measure), beside.values(aim.measure)) if beside is not None else None
    if found is None:
        return None
    return Spread(*(aim.factor * value for value in (found.median, found.low, found.high)))
