"""What is measured, each thing under one name: its title, its unit, which way is better, what it says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from proxy.commands.comparing.state.variants import DOWNSIDE, RELIABILITY, SCALABILITY, VISIBILITY

LINES = "lines in the cart"
REPLICAS = "replicas"
SHOPPERS = "shoppers"


@dataclass(frozen=True, slots=True)
class Kind:
    """One figure. `better` is "more" or "less"; `axis` says what it is measured along, empty for nothing."""

    name: str
    part: str
    title: str
    unit: str
    better: str
    sentence: str
    axis: str = ""


@dataclass(frozen=True, slots=True)
class Scenario:
    """Something that befalls one of three replicas while shoppers shop."""

    name: str
    title: str
    sentence: str


SCENARIOS = {
    one.name: one
    for one in (
        Scenario(
            *("kill", "One of three is killed"),
            "SIGKILL, as by a lack of memory or of power; a second later it is started again.",
        ),
        Scenario(
            *("deploy", "All are restarted, one by one"),
            "Each is drained at the proxy, stopped, started again, and added again, as for a new version.",
        ),
        Scenario(
            *("hang", "One of three hangs"),
            "SIGSTOP: it accepts connections and answers nothing; then it goes on where it was (SIGCONT).",
        ),
        Scenario(
            *("cut", "One of three is cut off"),
            "First its answers don't arrive, though it gets the requests; then its connections break and it"
            " can't be reached; then the network is well again.",
        ),
    )
}

_VISIBLE = (
    ("decidable", "messages that can be decided about", "%", "more",
     "The share of messages about which anybody on the way can decide from that message alone: they say for"
     " how long they may be kept and by whom, and hang on no state that they only refer to (`inspect`'s"
     " opacity, the other way round)."),
    ("hit_requests", "requests answered by the cache", "%", "more",
     "Of all requests, those that the proxy answered from what it had stored."),
    ("hit_bytes", "bytes answered by the cache", "%", "more",
     "The same for the bytes of content."),
    ("origin_requests", "origin requests per visit", "", "less",
     "Requests that reached a replica, for each visit of a shopper."),
    ("origin_milliseconds", "origin processor time per visit", "ms", "less",
     "User and system time of the replicas and of the store that they share, for each visit of a shopper."),
)  # fmt: skip

_BEFALLEN = (
    ("failed", "failed requests", "", "less",
     "Requests that got no answer, or one with status 500, 502, 503 or 504; shoppers ask again."),
    ("lost", "lost carts", "", "less",
     "Carts that shoppers had put something into, and that were gone when they looked."),
    ("wrong", "wrong carts", "", "less",
     "Carts that held something else than had been put there, such as twice the pieces."),
    ("logged_out", "logged out", "", "less",
     "Shoppers who had logged in and were asked to do it again, or had to begin anew."),
    ("lost_orders", "lost orders", "", "less",
     "Orders that were confirmed, and aren't in the customer's list of orders in the end."),
    ("doubled", "doubled orders", "", "less",
     "Orders that shoppers placed once and the shop lists more often."),
    ("visits", "whole visits", "", "more",
     "Visits that shoppers brought to an end meanwhile."),
    ("whole", "seconds until whole", "s", "less",
     "From the blow to the last failed request, lost cart or lost log-in after it: 0 where nobody noticed."),
)  # fmt: skip

_SCALE = (
    ("throughput", "throughput", "requests/s", "more",
     "Whole answers per second, with each replica held to the same number of requests per second.", REPLICAS),
    ("new_share", "load that a new replica takes", "%", "more",
     "Its share of the requests that reach replicas, in the first second after it was added; 100 % would be"
     " its fair share, one part of as many as there are replicas.", REPLICAS),
    ("replica_megabytes", "memory of a replica", "MB", "less",
     "What one replica holds by itself (RssAnon) once so many shoppers have been there, each with a cart.",
     SHOPPERS),
    ("store_megabytes", "memory of the store", "MB", "less",
     "What the shared store holds then.", SHOPPERS),
    ("bytes_per_shopper", "memory for one more shopper", "bytes", "less",
     "What replica and store together grow by, for each shopper with one thing in the cart.", ""),
    ("read_replica", "to show a cart: replica", "µs", "less",
     "Processor time of the replica to show a cart with three lines.", ""),
    ("read_store", "to show a cart: store", "µs", "less",
     "Processor time of the shared store for that.", ""),
    ("read_latency", "to show a cart: time", "ms", "less",
     "Time until it has come, with nothing else going on (median).", ""),
)  # fmt: skip

_COST = (
    ("request_state", "state in a request", "bytes", "less",
     "Bytes of a request for a product's page that say whose request it is or what state it is about.",
     LINES),
    ("response_state", "state in a response", "bytes", "less",
     "Bytes of the answer to a change of the cart that give the state to the client (Set-Cookie).", LINES),
    ("order_bytes", "bytes per order", "kB", "less",
     "All bytes on the wire, requests and responses, from the entrance to the placed order.", LINES),
    ("order_state", "of these, bytes of state", "bytes", "less",
     "Bytes of all these requests that say whose request it is or what state it is about.", LINES),
    ("read_microseconds", "processor time to show a cart", "µs", "less",
     "Of the replica and the store. It includes finding the state, or verifying it.", LINES),
    ("change_microseconds", "processor time to change a cart", "µs", "less",
     "Of the replica and the store. It includes finding and keeping the state, or verifying and signing it.",
     LINES),
)  # fmt: skip


def _kinds() -> Iterator[Kind]:
    yield from (Kind(name, VISIBILITY, *rest) for name, *rest in _VISIBLE)
    for scenario in SCENARIOS:
        for name, title, unit, better, sentence in _BEFALLEN:
            yield Kind(f"{scenario}.{name}", RELIABILITY, title, unit, better, sentence)
    for name, title, unit, better, sentence, axis in _SCALE:
        yield Kind(name, SCALABILITY, title, unit, better, sentence, axis)
    for name, title, unit, better, sentence, axis in _COST:
        yield Kind(name, DOWNSIDE, title, unit, better, sentence, axis)


KINDS = {one.name: one for one in _kinds()}
"""By name, in the order in which they are shown."""

PART_TITLES = {
    VISIBILITY: ("Visibility", "What can be seen, and decided, from a message alone; and what that saves."),
    RELIABILITY: ("Reliability", "What shoppers notice when something happens to one of three replicas."),
    SCALABILITY: ("Scalability", "What one replica more brings at once, and what one shopper more costs."),
    DOWNSIDE: ("The downside", "What it costs to carry the state along."),
}
