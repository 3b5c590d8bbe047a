"""Lets the asserts of the contract tests say what they compared, in every tier's test file."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("tests.storage.store_contract", "tests.storage.store_machine")
