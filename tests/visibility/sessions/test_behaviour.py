"""What the behaviour of a credential over the traffic tells."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.visibility.observation import Held, Observation, Part
from proxy.visibility.redaction import Redaction
from proxy.visibility.sessions.behaviour import Behaviour
from proxy.visibility.sessions.behaviours import Behaviours
from proxy.visibility.sessions.kinds import Degree, Kind, Where
from proxy.visibility.sessions.sample import Sample, hashed

REDACTION = Redaction("one key for these tests")
ALL = Held("pellucid", Part.TIME | Part.CLIENT | Part.REQUEST_FIELDS | Part.RESPONSE_FIELDS)
COMBINED = Held("combined", Part.TIME | Part.CLIENT, frozenset({"cookie"}))


def exchange(
    client: int,
    sent: str | None = None,
    given: str | None = None,
    name: str = "quux",
    target: str = "/",
    method: str = "GET",
) -> Observation:
    """One exchange; `given` is the value of a Set-Cookie, with its attributes."""
    request = [] if sent is None else [(b"Cookie", f"{name}={sent}".encode())]
    response = [] if given is None else [(b"Set-Cookie", f"{name}={given}".encode())]
    return Observation(
        client=f"192.0.2.{client}",
        method=method,
        target=target,
        request_fields=tuple(REDACTION.line(*line)[0] for line in request),
        response_fields=tuple(REDACTION.line(*line)[0] for line in response),
    )


def seen(traffic: Iterable[Observation], held: Held = ALL) -> Behaviour:
    """The behaviour of the one credential in the traffic."""
    behaviours = Behaviours()
    for one in traffic:
        behaviours.observe(one, held)
    (found,) = behaviours
    return found


def key(client: int, turn: int = 0) -> str:
    """A random-looking key, all of one length."""
    return sha256(f"{client}/{turn}".encode()).hexdigest()[:32]


def visits(
    value: Callable[[int, int], str], clients: int = 12, turns: int = 6, **about: str
) -> list[Observation]:
    """Clients that are given a value on arrival, and a new one whenever `value` says so."""
    traffic = []
    for client in range(clients):
        held = None
        for turn in range(turns):
            new = value(client, turn)
            traffic.append(exchange(client, held, None if new == held else new, **about))
            held = new
    return traffic


def test_each_client_its_own_key_that_stays() -> None:
    found = seen(visits(lambda client, _: key(client)))
    verdict = found.verdict()
    assert (verdict.kind, verdict.degree) == (Kind.SERVER_HELD, Degree.LIKELY)
    assert "12 of 12 times it was set for a client that had none" in verdict.evidence
    assert "12 different values, and hardly one that two clients share" in verdict.evidence
    assert "12 different values, all of 32 bytes, as keys are" in verdict.evidence
    assert verdict.confidence > seen(visits(lambda client, _: key(client), clients=1)).verdict().confidence


def test_state_that_is_written_anew_with_each_response() -> None:
    """Encrypted, and of no known form: only behaviour tells."""
    found = seen(visits(lambda client, turn: key(client, turn) * 5 + "Zz9"[: turn % 4] + "q" * client))
    verdict = found.verdict()
    assert verdict.kind is Kind.CLIENT_HELD
    assert any("replaced by another value" in sentence for sentence in verdict.evidence)
    assert any("different lengths" in sentence for sentence in verdict.evidence)


def test_few_values_for_many_clients_given_on_arrival_choose_a_server() -> None:
    found = seen(visits(lambda client, _: key(client % 3), clients=30, turns=3))
    verdict = found.verdict()
    assert verdict.kind is Kind.AFFINITY
    assert "30 clients have only 3 different values" in verdict.evidence


def test_few_values_that_no_response_sets_are_preferences() -> None:
    traffic = [exchange(client, ["dark", "light"][client % 2]) for client in range(30) for _ in range(2)]
    verdict = seen(traffic).verdict()
    assert (verdict.kind, verdict.degree) == (Kind.PREFERENCE, Degree.LIKELY)
    assert "60 requests sent it, and no response set it: scripts or others do" in verdict.evidence


def test_what_a_log_does_not_hold_is_no_sign() -> None:
    traffic = [exchange(client, key(client)) for client in range(30)]
    assert seen(traffic, COMBINED).counts.untold == 30
    of_combined, of_all = seen(traffic, COMBINED).verdict(), seen(traffic).verdict()
    assert of_combined.kind is Kind.SERVER_HELD
    assert not any("no response set it" in sentence for sentence in of_combined.evidence)
    assert of_combined.confidence > of_all.confidence


def test_it_comes_with_a_login_and_goes_with_a_logout() -> None:
    traffic = []
    for client in range(5):
        traffic += [
            exchange(client, None, key(client), target="/login", method="POST"),
            exchange(client, key(client)),
            exchange(client, key(client), "gone; Max-Age=0", target="/logout", method="POST"),
        ]
    found = seen(traffic)
    assert (found.counts.given_at_login, found.counts.removed_at_logout, found.counts.removed) == (5, 5, 5)
    verdict = found.verdict()
    assert verdict.kind is Kind.SERVER_HELD
    assert {"5 logins set it", "5 logouts removed it"} <= set(verdict.evidence)


def test_the_answers_have_the_last_word() -> None:
    found = seen(visits(lambda client, _: key(client)))
    remembers, forgets = found.verdict(remembers=True), found.verdict(remembers=False)
    assert remembers.confidence > found.verdict().confidence > forgets.confidence
    assert remembers.degree is Degree.CERTAIN
    assert remembers.evidence[0].startswith("the same request with the same value is answered otherwise")
    uuid = seen(visits(lambda client, _: f"123e4567-e89b-42d3-a456-4266141740{client:02}", name="uid"))
    assert uuid.verdict(depends=True).confidence > uuid.verdict(depends=False).confidence


def test_measurement_that_answers_depend_on_is_none() -> None:
    found = seen(visits(lambda client, _: key(client), name="visitor_key"))
    assert found.verdict(depends=False).kind is Kind.MEASUREMENT
    assert found.verdict(depends=True).kind is Kind.SERVER_HELD


def test_the_form_that_most_values_have_counts() -> None:
    traffic = [exchange(client, key(client)) for client in range(20)] + [exchange(30, "x")]
    form, share = seen(traffic).form
    assert form is not None
    assert (form.name, round(share, 2)) == ("hex", 0.95)
    assert Behaviour(Where.COOKIE, "quux").form == (None, 0.0)
    assert Behaviour(Where.COOKIE, "quux").verdict().kind is Kind.UNKNOWN


def test_memory_is_bounded() -> None:
    behaviours = Behaviours()
    for number in range(3000):
        behaviours.observe(exchange(number, "v" * (number % 400 + 1), name=f"n{number}"), ALL)
        behaviours.observe(exchange(number, key(number), name="n1"), ALL)
    assert (len(behaviours), behaviours.left_out) == (512, 2488)
    one = behaviours.by_place[Where.COOKIE, "n1"]
    assert len(one.values) == len(one.clients) == 256
    assert 2400 < one.values.distinct < 3600
    assert len(one.lengths) <= 16


EXCHANGES = st.lists(
    st.builds(
        exchange,
        st.integers(0, 20),
        st.none() | st.integers(0, 30).map(key),
        st.none() | st.integers(0, 30).map(key) | st.just("x; Max-Age=0"),
        st.sampled_from(["a", "b"]),
        st.sampled_from(["/", "/login", "/logout"]),
        st.sampled_from(["GET", "POST"]),
    ),
    max_size=40,
)


@settings(deadline=None, max_examples=60)
@given(EXCHANGES, EXCHANGES)
def test_law_parts_of_the_traffic_can_be_put_together(
    first: list[Observation], rest: list[Observation]
) -> None:
    whole, one, other = Behaviours(), Behaviours(), Behaviours()
    for traffic, parts in ((first, (whole, one)), (rest, (whole, other))):
        for part in parts:
            for observation in traffic:
                part.observe(observation, ALL)
    one.merge(pickle.loads(pickle.dumps(other)))
    assert one.by_place.keys() == whole.by_place.keys()
    for place, behaviour in whole.by_place.items():
        assert one.by_place[place].counts == behaviour.counts
        assert one.by_place[place].verdict() == behaviour.verdict()


class TestSample:
    @pytest.mark.parametrize("count", [10, 64, 65, 10_000])
    def test_it_tells_how_many_there_were(self, count: int) -> None:
        sample: Sample[int] = Sample(64)
        for number in (*range(count), *range(count)):
            sample.put(hashed(str(number)), number)
        assert len(sample) == min(count, 64)
        assert sample.whole is (count <= 64)
        assert count * 0.65 <= sample.distinct <= count * 1.5
        if sample.whole:
            assert sample.distinct == count

    @settings(deadline=None, max_examples=60)
    @given(st.lists(st.integers(0, 200)), st.lists(st.integers(0, 200)))
    def test_law_merging_is_the_same_as_seeing_all(self, first: list[int], rest: list[int]) -> None:
        whole, one, other = Sample[int](32), Sample[int](32), Sample[int](32)
        for samples, numbers in (((whole, one), first), ((whole, other), rest)):
            for number in numbers:
                for sample in samples:
                    sample.put(hashed(str(number)), number)
        one.merge(other, lambda mine, _: mine)
        assert one.things == whole.things
        assert one.distinct == whole.distinct

    def test_a_digest_is_its_own_hash(self) -> None:
        assert hashed("~0123456789abcdef.32.hex") == 0x0123456789ABCDEF
        assert hashed("~no digest") != hashed("~another")
