"""What a run of shoppers is told, and what it tells in the end: each one line of JSON."""

from __future__ import annotations

import msgspec

from proxy.commands.comparing.state.shopping.account import Account, Timeline


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A run: so many `shoppers`, each for `seconds`, or for `visits` where these are above 0.

    `think` is the mean of the seconds between two steps, `patience` how long an answer is waited for, `tries`
    how often one thing is asked for, `pause` the seconds in between. `first` is the number of the first
    shopper: no two runs against one shop have the same shoppers. `audit`: in the end carts and orders are
    looked at once more. `midway`: each begins somewhere in its first visit, as if they came at
    all times. `told`: they go on until they are told to stop, whatever `seconds` says.
    """

    port: int
    conversation: str
    shoppers: int
    seconds: float = 0.0
    visits: int = 0
    think: float = 0.0
    patience: float = 3.0
    tries: int = 12
    pause: float = 0.25
    seed: int = 1
    first: int = 1
    audit: bool = True
    midway: bool = True
    told: bool = False


class Traffic(msgspec.Struct, kw_only=True):
    """Bytes on the wire, between shoppers and proxy; `state` are those of the requests that carry state."""

    sent: int = 0
    received: int = 0
    state: int = 0


class Outcome(msgspec.Struct, kw_only=True):
    """What came of it. `median` and `p99` are seconds per answered request, `seconds` all that it took."""

    account: Account
    timeline: Timeline
    traffic: Traffic
    seconds: float
    median: float
    p99: float
