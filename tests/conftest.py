"""What holds for every test: property tests stay modest, and shared asserts say what they compared."""

import os

import pytest
from hypothesis import HealthCheck, settings

os.environ["SSL_CERT_FILE"] = os.devnull
"""No public authority is trusted in tests, nor asked for; to read them all takes each process 0.1 s."""

os.environ.pop("PYTHONUNBUFFERED", None)  # as users meet it: what is said may still wait when a command ends

settings.register_profile(
    "pellucid", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("pellucid")

pytest.register_assert_rewrite(
    "tests.commands.breaking_off",
    "tests.commands.calling",
    "tests.commands.explained",
    "tests.commands.pages.reading",
    "tests.conformance.judge",
    "tests.engine.crowd",
    "tests.engine.stage",
    "tests.real.running",
    "tests.server.running",
    "tests.server.log.written",
    "tests.server.served",
    "tests.storage.store_contract",
    "tests.storage.store_machine",
    "tests.visibility.exchanges",
    "tests.visibility.reading.readout",
)
