"""The catalogue of reasons: each declared once, beside the rule that finds it, and gathered here.

A rule's module says `NAME = declare("slug", "RFC 9111 §3", "One sentence.")`. The slug is what `Cache-Status`
shows as `detail`, so it is stable and is a token (RFC 9211 §2.8).
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from types import MappingProxyType

import proxy.caching
from proxy.caching.decision import Reason

_declared: dict[str, Reason] = {}


def declare(slug: str, section: str, sentence: str) -> Reason:
    """Add a reason to the catalogue. Raises ValueError where the slug is taken."""
    if slug in _declared:
        raise ValueError(f"the reason {slug!r} is declared twice")
    reason = Reason(slug, section, sentence)
    _declared[slug] = reason
    return reason


def catalogue() -> Mapping[str, Reason]:
    """Every reason by its slug, in the order of the rules' files."""
    for module in sorted(pkgutil.iter_modules(proxy.caching.__path__), key=lambda found: found.name):
        importlib.import_module(f"{proxy.caching.__name__}.{module.name}")
    return MappingProxyType(_declared)
