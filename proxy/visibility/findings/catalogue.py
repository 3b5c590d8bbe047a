"""Every finding that there is, but for those of httplint."""

from __future__ import annotations

from collections.abc import Mapping

from proxy.visibility.findings import explicit, linted, standard, stateless
from proxy.visibility.findings.finding import Declared, declared

__all__ = ["catalogue"]

_MODULES = (stateless, standard, explicit, linted)


def catalogue() -> Mapping[str, Declared]:
    """Every entry by its slug, in the order of the three parts."""
    return declared() if _MODULES else {}
