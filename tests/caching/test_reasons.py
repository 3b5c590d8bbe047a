"""Every reason of the catalogue is reached by an example.

Each file in `examples/` names, for the reasons of one rule's file, a way to reach them: a module-level dict
`EXAMPLES` from slug to a callable without arguments that calls the rule and returns its `Because` values.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from proxy.caching.decision import Because
from proxy.caching.reasons import catalogue, declare

Example = Callable[[], Iterable[Because]]


def examples() -> dict[str, Example]:
    gathered: dict[str, Example] = {}
    for path in sorted((Path(__file__).parent / "examples").glob("*.py")):
        spec = importlib.util.spec_from_file_location(f"caching_examples_{path.stem}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        twice = gathered.keys() & module.EXAMPLES.keys()
        assert not twice, f"{path.name} gives a second example of {sorted(twice)}"
        gathered.update(module.EXAMPLES)
    return gathered


EXAMPLES = examples()


@pytest.mark.parametrize("slug", sorted(catalogue()))
def test_each_reason_is_reached_by_its_example(slug: str) -> None:
    assert slug in EXAMPLES, f"no file in tests/caching/examples has an example of {slug!r}"
    reasons = [because.reason for because in EXAMPLES[slug]()]
    assert catalogue()[slug] in reasons


def test_each_example_is_of_a_declared_reason() -> None:
    assert EXAMPLES.keys() <= catalogue().keys()


@pytest.mark.parametrize("slug", sorted(catalogue()))
def test_each_reason_is_told_in_one_sentence_with_its_source(slug: str) -> None:
    reason = catalogue()[slug]
    assert re.fullmatch(r"[a-z][a-z0-9-]*", slug)
    assert re.match(r"(RFC \d{4}|draft-ietf-[a-z0-9-]+) §\d", reason.section)
    assert re.fullmatch(r"[A-Za-z].*\.", reason.sentence)


def test_a_slug_is_declared_once() -> None:
    with pytest.raises(ValueError, match="declared twice"):
        declare("max-age", "RFC 9111 §5.2.2.1", "Again.")
