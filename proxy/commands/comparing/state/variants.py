"""The styles of keeping state, with their variants: how each is started, and how shoppers talk to it."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from proxy.commands.comparing.contenders.contract import Found
from proxy.commands.comparing.errors import ComparisonError
from proxy.commands.comparing.state.stage.store import find_store
from proxy.message.errors import ConfigurationError

VISIBILITY, RELIABILITY, SCALABILITY, DOWNSIDE = PARTS = (
    *("visibility", "reliability", "scalability", "downside"),
)
SECRET = "for the comparison only"
"""What tokens are signed with; all replicas have the same."""

SEVERAL = (VISIBILITY, RELIABILITY, SCALABILITY, DOWNSIDE)


@dataclass(frozen=True, slots=True)
class Variant:
    """One way of keeping state. `where` says in a few words where the state is.

    `arguments` are the shop's, with `{store}` for the shared store's address: where there is no Valkey, a
    file that replicas share will do for orders and for resources, but not for sessions (`--state`).
    `stateless`: any replica understands any message, as far as the style promises it. `balance` is how the
    proxy spreads requests over its `replicas`, `parts` are the measurements that it takes part in, and
    `needs` are packages beyond the usual ones.
    """

    name: str
    title: str
    where: str
    arguments: tuple[str, ...]
    conversation: str
    stateless: bool
    balance: str = "round-robin"
    replicas: int = 3
    parts: tuple[str, ...] = SEVERAL
    needs: tuple[str, ...] = ()

    def command(self, store: str) -> list[str]:
        """The shop's arguments, with the store where it is."""
        return [one.replace("{store}", store) for one in self.arguments]


VARIANTS = {
    one.name: one
    for one in (
        Variant(
            *("sessions-one", "Sessions, one server", "in the memory of the one server"),
            ("--style", "sessions", "--data", "{store}"),
            *("cookie", False),
            replicas=1,
            parts=(VISIBILITY,),
        ),
        Variant(
            *(
                "sessions-sticky",
                "Sessions, sticky",
                "in the memory of the server that a cookie leads back to",
            ),
            ("--style", "sessions", "--data", "{store}"),
            *("cookie", False, "sticky"),
        ),
        Variant(
            *(
                "sessions-shared",
                "Sessions, shared store",
                "in a store that all servers ask for each request",
            ),
            ("--style", "sessions", "--state", "{store}"),
            *("cookie", False),
        ),
        Variant(
            *("resources", "Resources", "in resources with URLs, kept in a store that all servers share"),
            ("--style", "resources", "--data", "{store}"),
            *("url", True),
        ),
        Variant(
            *("tokens-signed", "Tokens, signed", "with the client, in each message, signed"),
            ("--style", "tokens", "--tokens", "signed", "--key", SECRET, "--data", "{store}"),
            *("token", True),
        ),
        Variant(
            *("tokens-encrypted", "Tokens, encrypted", "with the client, in each message, encrypted"),
            ("--style", "tokens", "--tokens", "encrypted", "--key", SECRET, "--data", "{store}"),
            *("token", True),
            parts=(VISIBILITY, DOWNSIDE),
            needs=("joserfc",),
        ),
        Variant(
            *("flask-client", "Flask, its own session", "with the client, in Flask's signed cookie"),
            ("--style", "flask", "--sessions", "client", "--key", SECRET, "--data", "{store}"),
            *("cookie", True),
            parts=(VISIBILITY, RELIABILITY, DOWNSIDE),
            needs=("flask", "cheroot"),
        ),
        Variant(
            *("flask-server", "Flask, server-side session", "in a store that all servers share"),
            ("--style", "flask", "--sessions", "server", "--state", "{store}"),
            *("cookie", False),
            parts=(VISIBILITY, DOWNSIDE),
            needs=("flask", "flask_session", "cheroot"),
        ),
    )
}
"""By name, in the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The variants that take part, and why each of the others was left out.

    `store` is Valkey's server, None where there is none.
    """

    variants: tuple[Variant, ...]
    left_out: dict[str, str]
    store: Found | None


def choose(
    names: Sequence[str],
    *,
    installed: Callable[[str], bool] | None = None,
    store: Callable[[], Found] = find_store,
) -> Chosen:
    """Those that are named by their own or their style's name, or all, as far as they can be started.

    Raises ConfigurationError for a name that there isn't, and where none can be started.
    """
    installed = installed or _installed
    wanted = _named(names)
    try:
        found: Found | None = store()
        lacking = ""
    except ComparisonError as error:
        found, lacking = None, str(error)
    taking_part, left_out = [], {}
    for one in wanted:
        missing = [package for package in one.needs if not installed(package)]
        if missing:
            left_out[one.name] = f"{' and '.join(missing)} not installed"
        elif lacking and "--state" in one.arguments:
            left_out[one.name] = lacking
        else:
            taking_part.append(one)
    if not taking_part:
        reasons = "; ".join(dict.fromkeys(left_out.values()))
        raise ConfigurationError("none of these variants can be started", evidence=reasons)
    return Chosen(tuple(taking_part), left_out, found)


def _named(names: Sequence[str]) -> list[Variant]:
    for name in names:
        if not any(_means(name, one) for one in VARIANTS.values()):
            listed = ", ".join(VARIANTS)
            raise ConfigurationError(f"there is no style of that name (there are {listed})", evidence=name)
    return [one for one in VARIANTS.values() if not names or any(_means(name, one) for name in names)]


def _means(name: str, one: Variant) -> bool:
    return name in (one.name, one.name.partition("-")[0])


def _installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None
