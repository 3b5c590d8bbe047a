"""Verdicts on dependence in words, and as they stand in the report."""

from __future__ import annotations

from proxy.visibility.inspecting.candidates import Candidate
from proxy.visibility.inspecting.dependence import Verdict
from proxy.visibility.inspecting.messages import field_of
from proxy.visibility.inspecting.report import Answer, Dependence
from proxy.visibility.inspecting.showing import listed, shown
from proxy.visibility.observation import Observation


def dependence_of(verdict: Verdict) -> Dependence:
    """A verdict as it stands in the report."""
    candidate = verdict.candidate
    examples = tuple(shown(one, _detail(one, candidate)) for one in verdict.examples)
    return Dependence(
        str(candidate),
        verdict.answer,
        round(verdict.confidence, 4),
        verdict.equal,
        verdict.different,
        verdict.values,
        _sentence(verdict),
        tuple(map(str, verdict.together)),
        declared(verdict) if verdict.answer is Answer.DEPENDS else None,
        examples,
    )


def declared(verdict: Verdict) -> bool | None:
    """Whether responses say that they differ by this, or keep shared caches away; None where neither fits."""
    candidate = verdict.candidate
    if candidate.kind not in ("cookie", "field") or not verdict.examples:
        return None
    name = "cookie" if candidate.kind == "cookie" else candidate.name
    return all(_says(one, name) for one in verdict.examples)


def _says(exchange: Observation, name: str) -> bool:
    vary = field_of(exchange.response_fields, "vary") or ""
    names = [member.strip().lower() for member in vary.split(",")]
    said = (field_of(exchange.response_fields, "cache-control") or "").lower()
    directives = {part.strip().partition("=")[0] for part in said.split(",")}
    if name in names or "*" in names or directives & {"private", "no-store", "no-cache"}:
        return True
    return name == "authorization" and not directives & {"public", "s-maxage", "must-revalidate"}


def _sentence(verdict: Verdict) -> str:
    name = _name(verdict.candidate)
    equal, different = verdict.equal, verdict.different
    if verdict.answer is Answer.DEPENDS:
        return (
            f"The content depends on {name}: it differed in {different} of {equal + different} comparisons."
        )
    if verdict.answer is Answer.DOES_NOT:
        if different:
            often = f"it differed in {different} of {equal + different} comparisons"
            return f"The content does not depend on {name}: {often}, no more often than by itself."
        return f"The content does not depend on {name}: it was the same in all {equal} comparisons that tell."
    if verdict.together:
        others = listed([_name(one) for one in verdict.together])
        return f"Not enough seen of {name}: whenever the content differed, {others} had changed too."
    if not equal and not different:
        return f"Not enough seen of {name}: no two answers of the origin can be compared."
    return f"Not enough seen of {name}: {equal} comparisons were equal, {different} were not."


def _name(candidate: Candidate) -> str:
    if candidate.kind == "cookie":
        return f"the cookie {candidate.name}"
    if candidate.kind == "field":
        return candidate.name.title()
    if candidate.kind == "query":
        return f"the parameter {candidate.name}"
    return {
        "replica": "the replica that answers",
        "history": "what the same client did before",
        "time": "the time alone",
    }[candidate.kind]


def _detail(exchange: Observation, candidate: Candidate) -> str:
    digest = exchange.digest.removeprefix("sha-256=:")[:10]
    return f"content {digest}…" if digest and candidate.kind else ""
