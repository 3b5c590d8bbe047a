"""How requests are spread over several servers: times in seconds, shares from 0 to 1."""

from __future__ import annotations

from dataclasses import dataclass

from proxy.message.errors import ConfigurationError
from proxy.message.grammar import is_token

POLICIES = ("round-robin", "least", "hash", "sticky")
_KEYS = ("uri", "path", "client", "field:", "cookie:")


@dataclass(frozen=True, slots=True)
class BalanceSettings:
    """`policy` says which server is asked: `round-robin` (each in its turn), `least` (the one with the fewest
    requests under way), `hash` (the one that `key` belongs to), or `sticky` (the one that the client's
    `cookie` names).

    `key` is `uri`, `path`, `client`, `field:NAME` or `cookie:NAME`.

    At most `tries` servers are asked for one request, and `retries` is the share of requests that may be
    asked again on the whole, beside a few each second. A content of at most `repeat_limit` bytes is held, so
    that it can be sent again.

    After `failures` in a row a server is left out for `out`, and twice as long each time that it fails again,
    at most `longest_out`; one that can't be reached is left out at once. It gets its full share back over
    `ease`. One whose responses begin `slow` times as late as those of the others is left out too (0: never).

    `servers` are servers behind beside those of the command line, each as it stands there: `URL` or
    `URL,weight=N`. With SIGHUP those that were added are used from then on; those that are gone leave when
    what is under way with them is over.

    `check` is a path that a server has to answer with 200 to 399, asked every `check_every`; where it is
    empty, only servers that are left out are tried, by connecting to them.
    """

    servers: tuple[str, ...] = ()
    policy: str = "round-robin"
    key: str = "uri"
    cookie: str = "pellucid-server"
    tries: int = 3
    retries: float = 0.2
    repeat_limit: int = 64 << 10
    failures: int = 3
    out: float = 1.0
    longest_out: float = 30.0
    ease: float = 10.0
    slow: float = 8.0
    check: str = ""
    check_every: float = 1.0

    def __post_init__(self) -> None:
        """Raises ConfigurationError where a value can't be used."""
        if self.policy not in POLICIES:
            raise _unfit("policy", f"one of {', '.join(POLICIES)}", self.policy)
        kind = next((one for one in _KEYS if self.key.startswith(one)), "")
        if not kind or (kind.endswith(":") and self.key == kind) or (kind[-1] != ":" and self.key != kind):
            raise _unfit("key", "uri, path, client, field:NAME or cookie:NAME", self.key)
        if not is_token(self.cookie.encode("utf-8")):
            raise _unfit("cookie", "the name of a cookie", self.cookie)
        if self.check and (self.check[0] != "/" or not self.check.isascii() or not self.check.isprintable()):
            raise _unfit("check", "a path", self.check)
        for name in ("tries", "failures"):
            if getattr(self, name) < 1:
                raise _unfit(name, "1 or more", str(getattr(self, name)))
        above = (self.out, self.longest_out, self.check_every)
        if min(above) <= 0 or min(self.ease, self.retries, self.slow, self.repeat_limit) < 0:
            raise ConfigurationError("a time or a share in [balance] is too small")


def _unfit(name: str, wanted: str, given: str) -> ConfigurationError:
    return ConfigurationError(f"balance.{name} is {wanted}", evidence=repr(given))
