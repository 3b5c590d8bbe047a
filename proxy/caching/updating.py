"""Updating stored responses from a 304 or a response to HEAD (RFC 9111 §3.2, §4.3.4, §4.3.5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from proxy.caching.decision import Because, Reason
from proxy.caching.policy import Policy
from proxy.caching.reasons import declare
from proxy.caching.stored import StoredResponse
from proxy.caching.storing import NO_STORE, PRIVATE, VARY_STAR, decide_storing
from proxy.caching.vary import nominated, recency, remembered_request
from proxy.message.conditions import Validators, strongly_equal, validators_of, weakly_equal
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response

FRESHENED = declare(
    "freshened",
    "RFC 9111 §4.3.4",
    "The origin server says that the stored response is still good, and its fields were updated.",
)
NOT_IDENTIFIED = declare(
    "not-identified", "RFC 9111 §4.3.4", "The 304 speaks of none of the stored responses, so it updates none."
)
UPDATE_NOT_STORED = declare(
    "update-not-stored",
    "RFC 9111 §3",
    "What the validation brought may not be stored, so it is used for this request alone.",
)
HEAD_FRESHENED = declare(
    "head-freshened",
    "RFC 9111 §4.3.5",
    "The response to HEAD agrees with the stored response and updated it.",
)
HEAD_DISAGREES = declare(
    "head-disagrees",
    "RFC 9111 §4.3.5",
    "The response to HEAD differs in a validator or in length, so the stored response counts as invalid.",
)
OUTDATED = declare(
    "outdated",
    "RFC 9111 §4.3.3",
    "A newer response that isn't stored differs, or may not be, so what is stored has to be validated.",
)

_DEPENDED_UPON = (
    b"content-digest",
    b"content-encoding",
    b"content-length",
    b"content-range",
    b"transfer-encoding",
    b"trailer",
)
"""What describes the stored content as it was received: another value would not fit it (RFC 9111 §3.2)."""

_NOT_FOR_CACHES = frozenset((NO_STORE, PRIVATE, VARY_STAR))


@dataclass(frozen=True, slots=True)
class Update:
    """A stored response as an update leaves it.

    `shown` has the fields to answer the present request with. `kept` is what to store in its place, None
    where it is to be left as it is.
    """

    shown: StoredResponse
    kept: StoredResponse | None
    reasons: tuple[Because, ...]


def merged(held: Fields, provided: Fields) -> Fields:
    """`held` updated with `provided` (RFC 9111 §3.2).

    `Age` and `Date` go where they aren't provided: they told of another moment.
    """
    new = provided.without(*_DEPENDED_UPON)
    names = {*new.names(), b"age", b"date"}
    return held.without(*names).adding(*new)


def identified(
    initial: Sequence[StoredResponse], response: Response, response_time: float, *, ours: bool
) -> tuple[StoredResponse, ...]:
    """Those of the initial set that a 304 identifies for update, by the first match of RFC 9111 §4.3.4.

    One strong validator in common is enough where the conditions were all `ours`. Where the 304 may be about
    a copy of the client's, entity tags outweigh dates: versions of one date are not rare, and to give one
    the other's entity tag would spoil the cache.
    """
    initial = [one for one in initial if can_be_validated(one)]
    new = validators_of(response.fields, response_time)
    dated = b"last-modified" in response.fields
    if (new.etag is not None and not new.etag.weak) or (dated and new.strong_date):
        same = _any_strong_validator if ours else same_strong_validator
        return tuple(one for one in initial if same(_of(one), new))
    if new.etag is not None or dated:
        alike = [one for one in initial if _same_weak_validator(one, new, dated)]
        return tuple(sorted(alike, key=recency)[-1:])
    return tuple(initial) if len(initial) == 1 and not has_validator(initial[0]) else ()


def can_be_validated(stored: StoredResponse) -> bool:
    """Whether a 304 may speak of it: it is successful, and no part that is stored as it came."""
    return 200 <= stored.response.status < 300 and stored.response.status != 206


def has_validator(stored: StoredResponse) -> bool:
    """Whether there is anything by which it could be validated."""
    return _of(stored).etag is not None or b"last-modified" in stored.response.fields


def same_strong_validator(one: Validators, other: Validators) -> bool:
    """Whether both have a strong validator in common (RFC 9110 §8.8.1); entity tags outweigh dates."""
    if one.etag is not None and other.etag is not None:
        return strongly_equal(one.etag, other.etag)
    return one.strong_date and other.strong_date and one.modified == other.modified


def _any_strong_validator(one: Validators, other: Validators) -> bool:
    by_tag = one.etag is not None and other.etag is not None and strongly_equal(one.etag, other.etag)
    return by_tag or (one.strong_date and other.strong_date and one.modified == other.modified)


def freshened(
    stored: StoredResponse,
    request: Request,
    response: Response,
    times: tuple[float, float],
    policy: Policy,
    because: Reason = FRESHENED,
) -> Update:
    """`stored` updated with the fields of `response` to `request`, sent and had at `times`.

    Whether the result may be stored is asked as for any response: what a 304 says to one user alone must not
    reach another. Where it forbids caches to store the response at all, the stored one can only be used
    after validation from now on. Otherwise it counts as the response to `request`, which it is good for: its
    Vary may nominate other fields now than it did before. One that was made stale is so no more, unless
    `request` had been sent by then.
    """
    fields = merged(stored.response.fields, response.fields)
    whole = replace(stored.response, fields=fields)
    names = (*(nominated(fields) or ()), *stored.request.fields.names())
    original = replace(stored.request, fields=remembered_request(request, names).fields)
    fresh = replace(
        stored,
        request=original,
        response=whole,
        request_time=times[0],
        response_time=times[1],
        invalidated=False,
        stale_from=None,
    )
    if stored.stale_from is not None:
        fresh = fresh.softened(stored.stale_from)
    asked = replace(request, method=b"GET") if request.method == b"HEAD" else request
    storing = decide_storing(asked, whole, request_time=times[0], response_time=times[1], policy=policy)
    if storing.allowed:
        return Update(fresh, replace(fresh, response=storing.response), (Because(because),))
    reasons = (Because(because), Because(UPDATE_NOT_STORED), *storing.reasons)
    forbidden = any(found.reason in _NOT_FOR_CACHES for found in storing.reasons)
    return Update(fresh, replace(stored, invalidated=True) if forbidden else None, reasons)


def updated_by_head(
    stored: StoredResponse, request: Request, response: Response, times: tuple[float, float], policy: Policy
) -> Update:
    """What a response to HEAD makes of a stored response that a GET could have been given (§4.3.5)."""
    update = freshened(stored, request, response, times, policy, HEAD_FRESHENED)
    if (stored.response.status, response.status) == (206, 200) and _agrees(stored, response.fields):
        return Update(stored, None, ())  # fields of the whole don't fit a part
    if stored.response.status == response.status and _agrees(stored, response.fields):
        return update
    shared = update.kept is not None or b"authorization" not in request.fields
    return Update(stored, replace(stored, invalidated=True) if shared else None, (Because(HEAD_DISAGREES),))


def outdated_by(
    stored: StoredResponse, request: Request, response: Response, reasons: Sequence[Because]
) -> StoredResponse | None:
    """`stored`, which could have been chosen for a GET, as `response` to that leaves it; None: as it was.

    `reasons` say why that isn't stored itself. A full response shows what one to HEAD would have shown
    (§4.3.5), and as with a 304, what is not for caches any more isn't used as it is: the origin server's
    older word does not outlive its newer one. What was said to one user alone changes nothing for others.
    """
    if stored.invalidated or response.status not in (200, 404, 410) or b"authorization" in request.fields:
        return None
    alike = stored.response.status in (response.status, 206)
    same = alike and _agrees(stored, response.fields)
    forbidden = any(found.reason in _NOT_FOR_CACHES for found in reasons)
    return replace(stored, invalidated=True) if forbidden or not same else None


def _agrees(stored: StoredResponse, received: Fields) -> bool:
    held = stored.response.fields
    if any(name in received and received.all(name) != held.all(name) for name in (b"etag", b"last-modified")):
        return False
    length = received.get(b"content-length")
    return length is None or stored.complete_length is None or length == b"%d" % stored.complete_length


def _same_weak_validator(stored: StoredResponse, new: Validators, dated: bool) -> bool:
    held = _of(stored)
    if held.etag is not None and new.etag is not None:
        return weakly_equal(held.etag, new.etag)
    return dated and b"last-modified" in stored.response.fields and held.modified == new.modified


def _of(stored: StoredResponse) -> Validators:
    return validators_of(stored.response.fields, stored.response_time)
