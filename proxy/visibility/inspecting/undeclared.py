"""Content that differs between users without saying so: a cache in front would mix them up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from proxy.visibility.inspecting.report import Answer, Finding, Severity
from proxy.visibility.inspecting.showing import shown
from proxy.visibility.inspecting.whereabouts import Found
from proxy.visibility.inspecting.wording import declared, dependence_of

_SOURCE = "RFC 9110 §12.5.5, RFC 9111 §4.1"


def undeclared_cookies(endpoint: Found) -> list[str]:
    """The cookies by which content differs without any response saying so."""
    return [
        one.candidate.name
        for one in endpoint.verdicts
        if one.candidate.kind == "cookie" and one.answer is Answer.DEPENDS and declared(one) is False
    ]


def undeclared(endpoints: Sequence[Found]) -> Iterator[Finding]:
    """A finding for each endpoint and each cookie or field by which its content differs undeclared."""
    for endpoint in endpoints:
        for verdict in endpoint.verdicts:
            if verdict.answer is not Answer.DEPENDS or declared(verdict) is not False:
                continue
            personal = verdict.candidate.personal
            field = "Cookie" if verdict.candidate.kind == "cookie" else verdict.candidate.name.title()
            harm = "give one user's content to another" if personal else "answer with the wrong variant"
            yield Finding(
                "undeclared-variance",
                Severity.CRITICAL if personal else Severity.HIGH,
                f"The content differs by {verdict.candidate}, but no response says so: a cache would {harm}.",
                f"Say `Cache-Control: private` (or no-store), or `Vary: {field}`."
                if personal
                else f"Say `Vary: {field}`.",
                _SOURCE,
                endpoint.tally.weight,
                dependence_of(verdict).sentence,
                (endpoint.name,),
                tuple(shown(one) for one in verdict.examples),
                "explicit",
            )
