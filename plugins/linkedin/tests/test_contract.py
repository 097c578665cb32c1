"""What every platform must do."""

from __future__ import annotations

import pytest
from tenacity import wait_none

from logicspike.testing import PlatformContract
from logicspike_linkedin import api, uploads


class TestLinkedIn(PlatformContract):
    platform = "linkedin"

    @pytest.fixture(autouse=True)
    def no_pauses(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Waiting for LinkedIn takes no time here; test_connect.py and test_uploads.py measure it."""
        monkeypatch.setattr(api, "ACTIVE_WAIT", wait_none())
        monkeypatch.setattr(uploads, "TRY_WAIT", wait_none())
        monkeypatch.setattr(uploads, "LOOK_PAUSES", (0.0,) * 5)
        monkeypatch.setattr(uploads, "UNSEEN_IMAGE_PAUSE", 0.0)
        monkeypatch.setattr(uploads, "UNSEEN_VIDEO_PAUSE", 0.0)
