"""What the answers of servers of each kind show."""

from __future__ import annotations

from hashlib import sha256
from itertools import count

import msgspec
import pytest

from proxy.visibility.auditing.shape import Dependence, Endpoint
from tests.visibility.auditing.worlds import KEY, TOKEN, Said, Seen, Server, asking, audit

COOKIE = ("Cookie", f"sid={KEY}")


def catalogue(seen: Seen) -> Said:
    return Said(f"the page {seen.target}")


class Sessions:
    """A server that keeps a session for each `sid` and gives one to whoever has none that it knows."""

    def __init__(self, *known: str) -> None:
        self.views = dict.fromkeys(known, 0)

    def cart(self, seen: Seen) -> Said:
        sid = seen.cookies.get("sid", "")
        if sid in self.views:
            return Said(f"the cart of {sid}")
        self.views[new := f"{len(self.views):032x}"] = 0
        return Said("an empty cart", cookies={"sid": new})

    def counted(self, seen: Seen) -> Said:
        said = self.cart(seen)
        sid = seen.cookies.get("sid", "")
        if sid in self.views:
            self.views[sid] += 1
            return Said(f"your visit number {self.views[sid]}")
        return said


def verdict(server: Server, *fields: tuple[str, str], others: tuple[Server, ...] = ()) -> Dependence:
    return audit([asking("/there", *fields)], server, *others)["GET /there"].verdict


def test_what_is_the_same_whatever_is_done_is_stateless() -> None:
    found = audit([asking("/there", COOKIE)], catalogue, catalogue)["GET /there"]
    assert found.verdict is Dependence.STATELESS
    assert "at every replica" in found.because
    assert len(found.proof) == 2


def test_a_cart_that_one_server_keeps_is_told_by_its_key_alone() -> None:
    found = audit([asking("/there", COOKIE)], Sessions(KEY).cart)["GET /there"]
    assert found.verdict is Dependence.SERVER_HELD
    assert found.on == "sid"
    assert "without the cookie sid" in found.proof[1].sent
    assert KEY not in repr(found)


def test_a_cart_that_the_other_replica_does_not_know() -> None:
    found = audit([asking("/there", COOKIE)], Sessions(KEY).cart, Sessions().cart)["GET /there"]
    assert found.verdict is Dependence.SERVER_HELD
    assert [exhibit.replica for exhibit in found.proof] == [1, 2]


def test_a_visit_counter_is_no_change_by_itself() -> None:
    assert verdict(Sessions(KEY).counted, COOKIE) is Dependence.SERVER_HELD


def test_a_session_that_begins_with_the_answer_itself() -> None:
    assert verdict(Sessions().counted) is Dependence.SERVER_HELD
    found = audit([asking("/there")], Sessions().cart, Sessions(*"abcdefgh").cart)["GET /there"]
    assert found.verdict is Dependence.SERVER_HELD
    assert "sid" in found.on


def test_the_state_in_the_message() -> None:
    def whoami(seen: Seen) -> Said:
        return Said(f"you are {hash(seen.fields.get('authorization')) % 1000}" if seen.fields else "who?")

    assert verdict(whoami, ("Authorization", f"Bearer {TOKEN}"), others=(whoami,)) is Dependence.CLIENT_HELD
    assert verdict(whoami, ("Cookie", f"state={TOKEN}"), others=(catalogue,)) is Dependence.SERVER_HELD


def test_who_asks_and_in_which_language() -> None:
    def greeting(seen: Seen) -> Said:
        return Said("Guten Tag" if seen.cookies.get("lang") == "de" else "Good day")

    def account(seen: Seen) -> Said:
        return Said("yours") if "authorization" in seen.fields else Said("whose?", 401)

    assert verdict(greeting, ("Cookie", "lang=de")) is Dependence.PERSONALISED
    assert verdict(account, ("Authorization", "Basic YW5uOnNlY3JldA==")) is Dependence.PERSONALISED


def test_what_changes_by_itself() -> None:
    number = count()
    assert verdict(lambda _: Said(f"{next(number)}"), COOKIE) is Dependence.CHANGING
    assert verdict(lambda seen: Said(f"{seen.at // 30}"), COOKIE) is Dependence.CHANGING
    assert verdict(lambda seen: Said(f"{seen.at:.1f}")) is Dependence.CHANGING


def test_a_part_that_changes_by_itself_hides_nothing() -> None:
    number = count()
    sessions = Sessions(KEY)
    server = lambda seen: Said(f"{next(number)},{sessions.cart(seen).content}")  # noqa: E731
    assert verdict(server, COOKIE) is Dependence.SERVER_HELD


def test_an_answer_that_other_requests_change() -> None:
    last: list[str] = []

    def browsed(seen: Seen) -> Said:
        said = f"last seen: {last[-1] if last else 'nothing'}" if seen.target == "/there" else "a page"
        if seen.target != "/there":
            last.append(seen.target)
        return Said(said)

    pages = [asking(f"/page/{number}") for number in range(4)]
    found = audit([asking("/there"), *pages], browsed, pause=0)
    assert found["GET /there"].verdict in (Dependence.SERVER_HELD, Dependence.CHANGING)
    assert found["GET /page/{id}"].verdict is Dependence.STATELESS


def test_what_cannot_be_reached_is_unclear() -> None:
    from proxy.visibility.auditing.judging import Case, judge
    from proxy.visibility.auditing.planning import close
    from proxy.visibility.auditing.shape import Asked, Heard

    asked = Asked(1, "GET /", "GET", "/", "/", ())
    case = Case(asked, [(probe, Heard(0.0, error="refused")) for probe in close(asked, 2)])
    assert judge(case).depends is Dependence.UNCLEAR
    assert judge(Case(asked)).depends is Dependence.UNCLEAR


@pytest.mark.parametrize("name", ["_ga", "cookieconsent", "theme"])
def test_cookies_that_answers_do_not_depend_on_leave_it_stateless(name: str) -> None:
    assert verdict(catalogue, ("Cookie", f"{name}=GA1.2.1234.5678")) is Dependence.STATELESS


def test_an_endpoint_is_what_its_worst_request_is() -> None:
    server = Sessions(KEY).cart
    found = audit([asking("/there"), asking("/there", COOKIE)], server)["GET /there"]
    assert found.verdict is Dependence.SERVER_HELD
    assert found.requests == 2
    assert found.gives == ("sid",)


class TestWhatTheLogHides:
    """An answer to a request without its credential says nothing about the one with it."""

    @staticmethod
    def seen(server: Server, answers: dict[str, str]) -> Endpoint:
        digests = {sid: sha256(text.encode()).hexdigest() for sid, text in answers.items()}
        recorded = []
        for sid, digest in sorted(digests.items()):
            cookies = [("Cookie", f"sid=~{ord(sid):016x}.32.hex")] if sid else []
            recorded.append(msgspec.structs.replace(asking("/there", *cookies), digest=digest))
        return audit(recorded, server)["GET /there"]

    @pytest.mark.parametrize("others", ["abc", " abc"])
    def test_other_answers_with_it_leave_it_open(self, others: str) -> None:
        answers = {sid.strip(): f"the cart of {sid}" if sid.strip() else "who are you?" for sid in others}
        found = self.seen(lambda seen: Said("who are you?"), answers)
        assert found.verdict is Dependence.UNCLEAR
        assert "sid, which the log hides" in found.because

    def test_too_few_answers_with_it_leave_it_open(self) -> None:
        assert self.seen(catalogue, {"a": "the page /there"}).verdict is Dependence.UNCLEAR

    def test_the_same_answer_for_everyone_is_stateless(self) -> None:
        found = self.seen(catalogue, dict.fromkeys("abcd", "the page /there"))
        assert found.verdict is Dependence.STATELESS
