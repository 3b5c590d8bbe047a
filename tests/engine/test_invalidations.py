from __future__ import annotations

import pytest

from proxy.engine import invalidations
from proxy.engine.invalidations import Invalidations
from proxy.storage.selection import Selection


def test_what_was_sent_before_a_change_may_be_older_than_it() -> None:
    changes = Invalidations()
    changes.note(10.0, Selection(keys=(b"a",), labels=(b"group",)))
    assert changes.since(9.0, b"a", ())
    assert changes.since(10.0, b"a", ())
    assert not changes.since(10.1, b"a", ())
    assert not changes.since(9.0, b"b", ())
    assert changes.since(9.0, b"b", (b"other", b"group"))
    assert not changes.since(9.0, b"b", (b"other",))


def test_all_that_a_selection_means_may_be_older() -> None:
    changes = Invalidations()
    changes.note(10.0, Selection(prefixes=(b"https://api.example.org/items",)))
    assert changes.since(9.0, b"GET https://api.example.org/items/1", ())
    assert not changes.since(9.0, b"GET https://api.example.org/carts/1", ())
    changes.note(11.0, Selection(everything=True))
    assert changes.since(9.0, b"GET https://api.example.org/carts/1", ())


def test_later_changes_of_others_hide_nothing() -> None:
    changes = Invalidations()
    for when in range(100):
        changes.note(float(when), Selection(keys=(b"%d" % when,)))
    assert changes.since(50.0, b"60", ())
    assert not changes.since(70.0, b"60", ())


def test_what_was_forgotten_counts_as_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invalidations, "REMEMBERED", 3)
    changes = Invalidations()
    for when in range(6):
        changes.note(float(when), Selection(keys=(b"a",)))
    assert changes.since(2.0, b"b", ())
    assert not changes.since(2.5, b"b", ())


def test_what_a_response_invalidates_itself_does_not_make_it_old() -> None:
    known = Invalidations()
    own = [known.note(10.0, Selection(keys=(b"GET /a",)))]
    assert not known.since(9.0, b"GET /a", (), own)
    assert known.since(9.0, b"GET /a", ())
    known.note(11.0, Selection(keys=(b"GET /a",)))
    assert known.since(9.0, b"GET /a", (), own)
