"""What kind of state one credential carries, from its name, its place and the form of its value."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache
from math import exp

from proxy.visibility.sessions.form import Form, Holds
from proxy.visibility.sessions.kinds import Clue, Kind, Verdict, Where
from proxy.visibility.sessions.known import bare, named
from proxy.visibility.sessions.reading import form_of

_DOUBT = 1.0
"""The weight of there being no clue: what weighs less is not known."""

_NOTHING = "neither its name nor its value tells what it is for"
_FEW = 8
_LONG_KEY = 128
_SHORT = 16
_ENVELOPED_KEY = 420
_SCHEMES = {
    "basic": (Kind.IDENTITY, 6.0, "Basic sends user-id and password with each request (RFC 7617)"),
    "digest": (Kind.IDENTITY, 4.0, "Digest proves a password with each request (RFC 7616)"),
    "aws4-hmac-sha256": (Kind.IDENTITY, 6.0, "each request is signed by itself, as AWS does"),
    "negotiate": (Kind.IDENTITY, 2.5, "Negotiate proves who asks; some servers do so once per connection"),
    "ntlm": (Kind.SERVER_HELD, 3.0, "NTLM proves who uses a connection, which the server has to remember"),
    "hoba": (Kind.IDENTITY, 4.0, "the request is signed (RFC 7486)"),
    "vapid": (Kind.IDENTITY, 4.0, "the request is signed (RFC 8292)"),
}
_IDS = frozenset(("sid", "session_id", "sessionid", "sessionId"))
_OF_TOKENS = frozenset(("sign", "signature", "iat", "exp", "nbf", "jti", "iss", "aud", "typ"))
_OPAQUE = {"uuid", "hex", "alnum", "base64"}


def clues(name: str, where: Where, form: Form | None, length: int = -1, scheme: str = "") -> tuple[Clue, ...]:
    """All that name, place and form tell. `length` is that of the value in bytes, -1 where it's not known."""
    plain = None if form is None else Form(form.name, keys=_telling(form), held=form.held)
    return _clues(name, where, plain, length, scheme)


@lru_cache(4096)
def _clues(name: str, where: Where, form: Form | None, length: int, scheme: str) -> tuple[Clue, ...]:
    found = list(named(name, where)) if where is not Where.AUTHORIZATION else list(_of_scheme(scheme, form))
    if form is not None:
        found += _of_form(form, where, length, bare(name))
    if where in (Where.PATH, Where.QUERY) and any(clue.kind is Kind.SERVER_HELD for clue in found):
        found.append(
            Clue(Kind.SERVER_HELD, 0.5, "it stands in the URI, which so names a session, not a thing")
        )
    return tuple(found)


def classify(
    name: str,
    value: bytes | None,
    where: Where,
    length: int = -1,
    form: Form | None = None,
    scheme: str = "",
    beside: Collection[str] = (),
) -> Verdict:
    """The verdict on one credential. Pure; the work is bounded, whatever the value.

    `value` is None where only its `form` and `length` in bytes are known, or not even they. `beside` are the
    names of the other cookies of the message. `scheme` is that of an `Authorization` field.
    """
    if value is not None:
        form, length = form_of(value), len(value)
    return decide((*clues(name, where, form, length, scheme.lower()), *_of_neighbours(name, beside)), form)


def decide(found: Iterable[Clue], form: Form | None = None) -> Verdict:
    """The kind that the clues speak for most. Those that speak against it have no part in the evidence."""
    totals: dict[Kind, float] = {}
    clues = list(found)
    for clue in clues:
        totals[clue.kind] = totals.get(clue.kind, 0.0) + clue.weight
    totals[Kind.UNKNOWN] = _DOUBT
    best = max(totals, key=lambda kind: totals[kind])
    if best is Kind.UNKNOWN:
        return _verdict(Kind.UNKNOWN, 0.0, (_NOTHING,), form)
    confidence = exp(totals[best]) / sum(map(exp, totals.values()))
    supporting = sorted(
        (clue for clue in clues if clue.kind is best and clue.weight > 0), key=lambda clue: -clue.weight
    )
    evidence = tuple(dict.fromkeys(clue.sentence for clue in supporting))
    return _verdict(best, confidence, evidence, form)


def _verdict(kind: Kind, confidence: float, evidence: tuple[str, ...], form: Form | None) -> Verdict:
    if form is None:
        return Verdict(kind, confidence, evidence)
    return Verdict(
        kind, confidence, evidence, form.name, form.format.signed, form.format.encrypted,
        form.issued, form.expires, form.keys, form.held,
    )  # fmt: skip


def _of_scheme(scheme: str, form: Form | None) -> Iterator[Clue]:
    known = _SCHEMES.get(scheme)
    if known is not None:
        yield Clue(*known)
    elif form is None or form.format.holds is not Holds.STATE:
        called = f"{scheme.title()} sends a token" if scheme else "it is sent to say who asks"
        yield Clue(Kind.IDENTITY, 4.0, f"{called}, the same in every request")
    else:
        yield Clue(Kind.CLIENT_HELD, 1.0, "each request has the whole token")


def _of_form(form: Form, where: Where, length: int, name: str) -> Iterator[Clue]:
    told = form.format
    if told.holds is Holds.STATE and _only_a_key(form):
        yield Clue(
            Kind.SERVER_HELD, 4.0, f"its value is {told.label}, and all it holds is the key to a session"
        )
    elif told.holds is Holds.STATE:
        weight = 4.5 if told.signed else 3.0 if form.name != "query" else 2.0
        yield Clue(Kind.CLIENT_HELD, weight, f"its value is {told.label}{_held(form)}")
        yield Clue(Kind.SERVER_HELD, -weight, "what is written out in a value need not be looked up")
        yield Clue(Kind.IDENTITY, -2.0, "it holds more than who asks")
    elif told.holds is Holds.SERVER:
        yield Clue(Kind.AFFINITY, 4.5, f"its value is {told.label}")
    elif form.name in ("laravel", "aspnet"):
        yield from _sealed(form, length, name)
    elif where is Where.AUTHORIZATION:
        return
    elif form.name in _OPAQUE:
        yield from _opaque(form, where, length, name)
    elif told.holds is Holds.KEY:
        yield Clue(Kind.SERVER_HELD, 3.5, f"its value is {told.label}")
        yield Clue(Kind.CLIENT_HELD, -2.5, "a key holds nothing")
    elif form.name == "basic" and where is Where.COOKIE:
        yield Clue(Kind.CLIENT_HELD, 1.5, "its value is text in Base64")
    elif form.name == "text" and 0 <= length < _SHORT and where is Where.COOKIE:
        yield Clue(Kind.PREFERENCE, 1.2, f"its {length} bytes are too few for a key that can't be guessed")
        yield Clue(Kind.SERVER_HELD, -1.2, "a key that can be guessed is none")


def _opaque(form: Form, where: Where, length: int, name: str) -> Iterator[Clue]:
    if length > _LONG_KEY:
        sentence = f"its {length} bytes without visible meaning are more than a key needs: state, encrypted"
        yield Clue(Kind.CLIENT_HELD, 1.6, sentence)
        yield Clue(Kind.SERVER_HELD, -1.6, "a key needs fewer bytes")
        return
    weight = (1.2 if form.name == "uuid" else 1.8) * (1.0 if where is Where.COOKIE else 0.5)
    weight += 0.8 if "sess" in name else 0.0
    sentence = f"its value is {form.format.label}: only a server that knows it can use it"
    yield Clue(Kind.SERVER_HELD, weight, sentence)
    yield Clue(Kind.CLIENT_HELD, -2.5, "a key without visible meaning holds nothing")


def _sealed(form: Form, length: int, name: str) -> Iterator[Clue]:
    """An envelope that may hold a key or state: what is short, and named for a session, holds a key."""
    if 0 <= length <= _ENVELOPED_KEY and "sess" in name:
        yield Clue(
            Kind.SERVER_HELD, 2.5, f"its value is {form.format.label}, no longer than a key in it needs"
        )
    else:
        yield Clue(Kind.CLIENT_HELD, 2.5, f"its value is {form.format.label}")


def _telling(form: Form) -> tuple[str, ...]:
    """The keys, where they may tell of a session's id."""
    return form.keys if form.held <= _FEW and not _IDS.isdisjoint(form.keys) else ()


def _only_a_key(form: Form) -> bool:
    """Whether what can be read is a session's id, and what belongs to any token, but nobody's name."""
    keys = frozenset(form.keys)
    return len(keys) == form.held and not keys.isdisjoint(_IDS) and keys <= _IDS | _OF_TOKENS


def _held(form: Form) -> str:
    if not form.held:
        return ""
    return f", and holds {form.held} thing{'' if form.held == 1 else 's'}"


def _of_neighbours(name: str, beside: Collection[str]) -> Iterator[Clue]:
    if f"{name}.sig" in beside:
        yield Clue(
            Kind.CLIENT_HELD, 1.0, f"the cookie {name}.sig beside it has the signature, as Keygrip makes it"
        )
    elif name.endswith(".sig") and name[:-4] in beside:
        yield Clue(Kind.CLIENT_HELD, 3.5, f"it is the signature of the cookie {name[:-4]} beside it")
