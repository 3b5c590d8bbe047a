"""The schema in the package is that of the records, says what everything is, and every record follows it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files

import jsonschema
import pytest
from hypothesis import given, settings

from proxy.visibility.account import Account
from proxy.visibility.record import Redaction, encode, to_record
from proxy.visibility.schema import FILE, render, schema
from tests.visibility.exchanges import account, accounts

VALIDATOR = jsonschema.Draft202012Validator(schema(), format_checker=jsonschema.FormatChecker())
REDACTION = Redaction()


def test_the_file_is_up_to_date() -> None:
    assert FILE.read_text(encoding="utf-8") == render(), "run: python -m proxy.visibility.schema"


def test_the_file_is_part_of_the_package() -> None:
    packaged = files("proxy.visibility").joinpath("record.schema.json")
    assert json.loads(packaged.read_text(encoding="utf-8")) == json.loads(render())


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


def _properties() -> Iterator[tuple[str, dict]]:
    for name, shape in schema()["$defs"].items():
        for key, value in shape.get("properties", {}).items():
            yield f"{name}.{key}", value


@pytest.mark.parametrize(("name", "value"), list(_properties()), ids=lambda given: str(given)[:40])
def test_every_property_says_what_it_is(name: str, value: dict) -> None:
    assert value["description"].endswith(".")


def test_every_property_that_is_a_duration_or_a_size_says_its_unit() -> None:
    durations = [name for name, value in _properties() if '"number"' in json.dumps(value)]
    sizes = [name for name, value in _properties() if name.endswith("_bytes")]
    assert len(durations) == 4
    assert all(name.endswith("_seconds") for name in durations)
    assert len(sizes) == 2


@settings(max_examples=60, deadline=None)
@given(accounts)
def test_law_every_record_follows_it(exchange: Account) -> None:
    VALIDATOR.validate(json.loads(encode(to_record(exchange, REDACTION))))


def test_what_lacks_a_property_does_not_follow_it() -> None:
    line = json.loads(encode(to_record(account(), REDACTION)))
    for name in line:
        with pytest.raises(jsonschema.ValidationError):
            VALIDATOR.validate({key: value for key, value in line.items() if key != name})
