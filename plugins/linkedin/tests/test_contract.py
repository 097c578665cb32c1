"""What every platform must do."""

from __future__ import annotations

import pytest
from tenacity import wait_none

from logicspike.testing import PlatformContract
from logicspike_linkedin import api


class TestLinkedIn(PlatformContract):
    platform = "linkedin"

    @pytest.fixture(autouse=True)
    def no_pauses(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The pauses after a refused fresh token take no time here; test_connect.py measures them."""
        monkeypatch.setattr(api, "ACTIVE_WAIT", wait_none())
