"""Logs of real applications, for whatever is to be found in them."""

from __future__ import annotations

import pytest

from tests.visibility.applications.recording import Recordings


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Recordings:
    """`recorded("flask")` is the log of that application's traffic; see APPLICATIONS for all names."""
    own = tmp_path_factory.getbasetemp()
    return Recordings((own if worker_id == "master" else own.parent) / "recordings")
