"""The findings on one message: of our own catalogue, and of httplint."""

from __future__ import annotations

from functools import lru_cache

from proxy.visibility.findings.explicit import explicit
from proxy.visibility.findings.finding import Finding, Severity
from proxy.visibility.findings.linted import linted
from proxy.visibility.findings.signature import Signature, signature
from proxy.visibility.findings.standard import standard
from proxy.visibility.findings.stateless import stateless
from proxy.visibility.observation import Held, Observation, Part

_RECENT = 1024
_ORDER = {severity: place for place, severity in enumerate(Severity)}


def findings(observation: Observation, held: Held, *, lint: bool = True) -> tuple[Finding, ...]:
    """What an exchange fails to say of itself, the worst first; each once for each piece that shows it.

    What the log does not hold, as `held` tells, yields nothing. Answers of the proxy itself are left out.
    Without `lint` httplint isn't asked, which takes a millisecond or two. Pure; what has the same `signature`
    is worked out once while it is remembered.
    """
    seen = signature(observation, held)
    return () if seen is None else of_signature(seen, lint)


@lru_cache(_RECENT)
def of_signature(seen: Signature, lint: bool = True) -> tuple[Finding, ...]:
    """The findings on every exchange that has this signature."""
    found = [*stateless(seen), *standard(seen), *explicit(seen)]
    if lint and Part.RESPONSE_FIELDS in seen.held.parts:
        found += linted(seen)
    return tuple(sorted(dict.fromkeys(found), key=lambda one: _ORDER[one.severity]))
