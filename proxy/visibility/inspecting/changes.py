"""Changes at the origin server that might spare it work. What comes of each, only the rules say."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from hashlib import sha256

from proxy.caching.freshness import HEURISTICALLY_CACHEABLE, freshness_lifetime
from proxy.caching.policy import Policy
from proxy.caching.targeted import CACHE_CONTROL, effective_directives
from proxy.message.cache_control import Directives, parse_cache_control, print_directives
from proxy.message.conditions import etag_of, last_modified_of
from proxy.message.fields import Fields
from proxy.visibility.inspecting.replay import Asked

SECONDS = 60
"""The lifetime that is proposed where there is none, in seconds."""


PERSONAL = "personal"
"""What a change is about that gives to everybody what was kept for one user."""

_TRACKING = frozenset(("fbclid", "gclid", "dclid", "gbraid", "wbraid", "msclkid", "yclid", "ttclid")) | {
    *("twclid", "igshid", "mc_cid", "mc_eid", "_ga", "_gl")
}


def is_tracking(parameter: str) -> bool:
    """Whether a query parameter is known to be for measurement alone."""
    lowered = parameter.lower()
    return lowered.startswith("utm_") or lowered in _TRACKING


@dataclass(frozen=True, slots=True)
class Possible:
    """One change, under a stable slug. `apply` gives the same object back where it changes nothing.

    `about` is the candidate (`cookie sid`, `query page`, …) that content may not depend on if the change is
    to be right as it stands; empty where it hangs on none. `provided` says in words what has to be true.
    """

    slug: str
    sentence: str
    provided: str
    apply: Callable[[Asked], Asked]
    about: str = ""


def with_response_fields(asked: Asked, change: Callable[[Fields], Fields]) -> Asked:
    """The same with other response fields."""
    if asked.response is None:
        return asked
    fields = change(asked.response.fields)
    if fields is asked.response.fields or fields == asked.response.fields:
        return asked
    return replace(asked, response=replace(asked.response, fields=fields))


def without_lines(fields: Fields, name: bytes, unwanted: Callable[[bytes], bool]) -> Fields:
    """Without the lines called `name` (lower case) whose value is unwanted."""
    if not any(map(unwanted, fields.all(name))):
        return fields
    return Fields(line for line in fields if line[0].lower() != name or not unwanted(line[1]))


def no_set_cookie(name: str) -> Possible:
    """Not to set a cookie."""
    begin = name.encode("latin-1", "replace") + b"="

    def apply(asked: Asked) -> Asked:
        return with_response_fields(
            asked,
            lambda fields: without_lines(
                fields, b"set-cookie", lambda value: value.lstrip().startswith(begin)
            ),
        )

    return Possible(
        f"set-cookie:{name}",
        f"stop sending `Set-Cookie: {name}`",
        "the cookie can be set elsewhere",
        apply,
    )


def no_cookie(name: str) -> Possible:
    """Not to let content depend on a cookie: it is neither read nor named in Vary."""
    wanted = name.encode("latin-1", "replace")

    def apply(asked: Asked) -> Asked:
        values = asked.request.fields.all(b"cookie")
        pairs = [pair.strip() for value in values for pair in value.split(b";")]
        kept = [pair for pair in pairs if pair.partition(b"=")[0].strip() != wanted]
        if len(kept) == len(pairs):
            return asked
        fields = asked.request.fields.without(b"cookie")
        if kept:
            fields = fields.adding((b"Cookie", b"; ".join(kept)))
        return replace(asked, request=replace(asked.request, fields=fields))

    return Possible(
        f"cookie:{name}",
        f"give the same content whatever the cookie `{name}` is",
        f"what hangs on `{name}` is had elsewhere, or sent by the client itself",
        apply,
        f"cookie {name}",
    )


def no_vary(name: str) -> Possible:
    """Not to name a field in Vary."""
    unwanted = name.encode("latin-1", "replace")

    def narrowed(fields: Fields) -> Fields:
        value = fields.get(b"vary")
        members = [member.strip() for member in (value or b"").split(b",")]
        kept = [member for member in members if member.lower() != unwanted]
        if len(kept) == len(members):
            return fields
        return fields.setting(b"Vary", b", ".join(kept)) if kept else fields.without(b"vary")

    def apply(asked: Asked) -> Asked:
        return with_response_fields(asked, narrowed)

    shown = name.title()
    return Possible(
        f"vary:{name}",
        f"drop `{shown}` from `Vary`",
        f"content doesn't depend on `{shown}`",
        apply,
        f"field {name}",
    )


def normalised(name: str) -> Possible:
    """To reduce a request field to what matters of it, before the cache."""
    wanted = name.encode("latin-1", "replace")

    def apply(asked: Asked) -> Asked:
        values = asked.request.fields.all(wanted)
        if not values:
            return asked
        value = _essence(wanted, b", ".join(values))
        if values == (value,):
            return asked
        fields = asked.request.fields.setting(wanted.title(), value)
        return replace(asked, request=replace(asked.request, fields=fields))

    shown = name.title()
    return Possible(
        f"normalise:{name}",
        f"reduce `{shown}` to its first choice before the cache",
        f"the origin server looks at no more of `{shown}`",
        apply,
    )


def no_parameter(name: str) -> Possible:
    """To leave a query parameter out of account."""
    wanted = name.encode("latin-1", "replace")

    def apply(asked: Asked) -> Asked:
        path, mark, query = asked.request.target.partition(b"?")
        if not mark or wanted not in query:
            return asked
        kept = [part for part in query.split(b"&") if part.partition(b"=")[0] != wanted]
        target = path + b"?" + b"&".join(kept) if kept else path
        if target == asked.request.target:
            return asked
        return replace(asked, request=replace(asked.request, target=target))

    return Possible(
        f"ignore:{name}",
        f"ignore the query parameter `{name}` (No-Vary-Search)",
        f"content doesn't depend on `{name}`",
        apply,
        f"query {name}",
    )


def lifetime(policy: Policy) -> Possible:
    """To say for how long a response is fresh."""

    def apply(asked: Asked) -> Asked:
        if not _may_last(asked, policy, b"no-store"):
            return asked
        return _lasting(asked, policy, ())

    return Possible(
        "lifetime",
        f"add `Cache-Control: max-age={SECONDS}`",
        f"an answer that is up to {SECONDS} s old will do",
        apply,
    )


def storable(policy: Policy) -> Possible:
    """To take back no-store."""

    def apply(asked: Asked) -> Asked:
        if not _retrieved(asked) or b"no-store" not in _directives(asked, policy):
            return asked
        return _lasting(asked, policy, (b"no-store",))

    return Possible(
        "no-store",
        f"say `max-age={SECONDS}` instead of `no-store`",
        f"the content is no secret, and may be up to {SECONDS} s old",
        apply,
        PERSONAL,
    )


def shared(policy: Policy) -> Possible:
    """To take back private."""

    def apply(asked: Asked) -> Asked:
        directives = _directives(asked, policy)
        if not _retrieved(asked) or b"private" not in directives:
            return asked
        return _saying(asked, policy, [pair for pair in directives if pair[0] != b"private"])

    return Possible("private", "drop `private`", "every user gets the same content", apply, PERSONAL)


def public(policy: Policy) -> Possible:
    """To allow that answers to authenticated requests are shared."""

    def apply(asked: Asked) -> Asked:
        directives = _directives(asked, policy)
        authenticated = b"authorization" in asked.request.fields
        if not authenticated or not _retrieved(asked) or b"public" in directives or b"private" in directives:
            return asked
        return _saying(asked, policy, [(b"public", None), *directives])

    return Possible(
        "authorization",
        "add `public`, so that answers to requests with `Authorization` are shared",
        "everyone who may ask gets the same content",
        apply,
        "field authorization",
    )


def tagged() -> Possible:
    """To give responses a validator, so that what is stored can be confirmed without sending it again."""

    def apply(asked: Asked) -> Asked:
        response = asked.response
        if response is None or response.status != 200 or not _retrieved(asked):
            return asked
        if etag_of(response.fields) or last_modified_of(response.fields, asked.time) is not None:
            return asked
        seed = asked.digest or repr((asked.request.target, asked.length))
        tag = b'"%b"' % sha256(seed.encode()).hexdigest()[:24].encode()
        return with_response_fields(asked, lambda fields: fields.adding((b"ETag", tag)))

    return Possible("validator", "add an `ETag`", "", apply)


def _essence(name: bytes, value: bytes) -> bytes:
    """What is left of a request field when it is normalised."""
    members = [member.partition(b";")[0].strip().lower() for member in value.split(b",")]
    if name == b"accept-encoding":
        return next((one for one in (b"br", b"zstd", b"gzip") if one in members), b"identity")
    if name == b"accept-language":
        return members[0].partition(b"-")[0]
    if name == b"user-agent":
        return b"mobile" if b"mobi" in value.lower() else b"desktop"
    return members[0]


def _retrieved(asked: Asked) -> bool:
    return asked.request.method in (b"GET", b"HEAD") and asked.response is not None


def _directives(asked: Asked, policy: Policy) -> Directives:
    if asked.response is None:
        return parse_cache_control(())
    return effective_directives(asked.response.fields, policy).directives


def _may_last(asked: Asked, policy: Policy, *unless: bytes) -> bool:
    """Whether a response has no lifetime yet but could have one."""
    response = asked.response
    if response is None or not _retrieved(asked) or response.status not in HEURISTICALLY_CACHEABLE:
        return False
    effective = effective_directives(response.fields, policy)
    if any(name in effective.directives for name in unless):
        return False
    found = freshness_lifetime(response, effective, asked.time, policy)
    return not (found.explicit and found.seconds > 0) or effective.directives.unqualified(b"no-cache")


def _lasting(asked: Asked, policy: Policy, gone: Collection[bytes]) -> Asked:
    unwanted = {b"max-age", b"s-maxage", b"no-cache", *gone}
    kept = [pair for pair in _directives(asked, policy) if pair[0] not in unwanted]
    said = _saying(asked, policy, [*kept, (b"max-age", b"%d" % SECONDS)])
    return with_response_fields(said, lambda fields: fields.without(b"expires", b"age"))


def _saying(asked: Asked, policy: Policy, pairs: Collection[tuple[bytes, bytes | None]]) -> Asked:
    """With these directives in the field that holds for this cache."""

    def change(fields: Fields) -> Fields:
        source = effective_directives(fields, policy).source
        name = b"Cache-Control" if source == CACHE_CONTROL else source
        said = print_directives(Directives(pairs))
        return fields.setting(name, said) if said else fields.without(source)

    return with_response_fields(asked, change)
