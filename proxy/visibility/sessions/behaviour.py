"""How a credential behaves over the traffic: who sets it, when it changes, how many share a value.

What is kept is bounded, and two accounts of parts of the traffic can be put together to one of the whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from proxy.visibility.observation import Observation
from proxy.visibility.sessions.carried import Credential
from proxy.visibility.sessions.classify import clues, decide
from proxy.visibility.sessions.form import Form
from proxy.visibility.sessions.kinds import Clue, Verdict, Where
from proxy.visibility.sessions.sample import Sample, hashed
from proxy.visibility.sessions.signs import Counts, of_answers, signs

_VALUES = 256
_CLIENTS = 256
_CLIENTS_OF_VALUE = 4
_SEVERAL = 16
_LOGIN = ("login", "signin", "sign-in", "sign_in", "logon", "/auth", "/token", "/session")
_LOGOUT = ("logout", "signout", "sign-out", "sign_out", "logoff")


@dataclass(slots=True)
class _Value:
    """What is known of one value."""

    clients: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Behaviour:
    """All that was seen of one credential: a name in one place. Fed by `observe`."""

    where: Where
    name: str
    scheme: str = ""
    counts: Counts = field(default_factory=Counts)
    lengths: dict[int, int] = field(default_factory=dict)
    forms: dict[str, tuple[int, Form]] = field(default_factory=dict)
    values: Sample[_Value] = field(default_factory=lambda: Sample(_VALUES))
    clients: Sample[None] = field(default_factory=lambda: Sample(_CLIENTS))

    def observe(
        self, observation: Observation, sent: Credential | None, given: Credential | None, told: bool = True
    ) -> None:
        """Take in one exchange in which the credential was sent, given, or both.

        `told` says whether the log tells what requests send and responses set: else absence means nothing.
        """
        counts = self.counts
        counts.exchanges += 1
        counts.untold += not told
        client = _client(observation.client) if observation.client else None
        if client is not None:
            self.clients.put(client, None)
        if sent is not None:
            counts.sent += 1
            self._seen(sent, client)
        if given is not None:
            self._given(observation, sent, given, client)

    def _given(
        self, observation: Observation, sent: Credential | None, given: Credential, client: int | None
    ) -> None:
        counts, target = self.counts, observation.target.lower()
        if given.removed:
            counts.removed += 1
            counts.removed_at_logout += any(word in target for word in _LOGOUT)
            return
        counts.given += 1
        counts.given_at_login += observation.method == "POST" and any(word in target for word in _LOGIN)
        if sent is None:
            counts.given_first += 1
        elif sent.value == given.value:
            counts.repeated += 1
        else:
            counts.changed += 1
        self._seen(given, client)

    def _seen(self, one: Credential, client: int | None) -> None:
        self.scheme = self.scheme or one.scheme
        _count(self.lengths, one.length)
        if one.form is not None:
            times, form = self.forms.get(one.form.name, (0, one.form))
            if times or len(self.forms) < _SEVERAL:
                self.forms[one.form.name] = (times + 1, form)
        if not one.value:
            return
        key = hashed(one.value)
        value = self.values.get(key)
        if value is None:
            if not self.values.wants(key):
                return
            value = _Value()
            self.values.put(key, value)
        if client is not None and len(value.clients) < _CLIENTS_OF_VALUE:
            value.clients.add(client)

    def merge(self, other: Behaviour) -> None:
        """Take in what was seen elsewhere of the same credential."""
        self.scheme = self.scheme or other.scheme
        self.counts = self.counts + other.counts
        for length, times in other.lengths.items():
            _count(self.lengths, length, times)
        for name, (times, form) in other.forms.items():
            mine = self.forms.get(name, (0, form))
            if mine[0] or len(self.forms) < _SEVERAL:
                self.forms[name] = (mine[0] + times, mine[1])
        self.values.merge(other.values, _together)
        self.clients.merge(other.clients, lambda mine, _: mine)

    @property
    def form(self) -> tuple[Form | None, float]:
        """The form that most values have, and the share that has it."""
        total = sum(times for times, _ in self.forms.values())
        if not total:
            return None, 0.0
        times, form = max(self.forms.values(), key=lambda one: (one[0], one[1].name))
        return form, times / total

    @property
    def shared(self) -> float:
        """The share of the values that more than one client sent."""
        known = [value for value in self.values if value.clients]
        return sum(len(value.clients) > 1 for value in known) / len(known) if known else 0.0

    def verdict(self, depends: bool | None = None, remembers: bool | None = None) -> Verdict:
        """What kind of state it carries, by its name, the form of its values, and its behaviour.

        `depends` says whether answers depend on it, and `remembers` whether one and the same request with one
        and the same value is answered otherwise after an unsafe request with it; None: not known.
        """
        return decide(self.clues(depends, remembers), self.form[0])

    def clues(self, depends: bool | None = None, remembers: bool | None = None) -> Iterator[Clue]:
        """The facts that the verdict is made of."""
        form, _ = self.form
        length = max(self.lengths, key=lambda one: (self.lengths[one], one)) if self.lengths else -1
        yield from clues(self.name, self.where, form, length, self.scheme)
        yield from signs(
            self.counts,
            where=self.where,
            lengths=len(self.lengths),
            length=length,
            values=self.values.distinct,
            clients=self.clients.distinct,
            shared=self.shared,
            estimated=not (self.values.whole and self.clients.whole),
        )
        yield from of_answers(depends, remembers)


def _together(mine: _Value, other: _Value) -> _Value:
    return _Value(set(sorted(mine.clients | other.clients)[:_CLIENTS_OF_VALUE]))


def _count(lengths: dict[int, int], length: int, times: int = 1) -> None:
    """Count a length; of many different ones those are kept that came first."""
    if length in lengths or len(lengths) < _SEVERAL:
        lengths[length] = lengths.get(length, 0) + times


_client = lru_cache(4096)(hashed)
