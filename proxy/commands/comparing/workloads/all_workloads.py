"""All workloads, in the order in which they are run and shown."""

from __future__ import annotations

from proxy.commands.comparing.workloads.contract import Workload
from proxy.commands.comparing.workloads.special import Half, Idle, Stampede, Start
from proxy.commands.comparing.workloads.steady import Hot, Large, Passing, Traced, Zipf

WORKLOADS: dict[str, type[Workload]] = {
    kind.name: kind for kind in (Hot, Zipf, Traced, Passing, Stampede, Large, Half, Idle, Start)
}
