"""What can go wrong in a comparison."""

from __future__ import annotations

from proxy.message.errors import PellucidError


class ComparisonError(PellucidError):
    """A contender, the origin or the load generator did not do its part; the evidence is in its own words."""
