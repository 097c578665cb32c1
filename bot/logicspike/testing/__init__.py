"""Everything a plugin author needs in tests and for the sandbox: a base for the platform's fake, and the contract.

``logicspike.testing.fake_platform`` needs no pytest; ``PlatformContract`` does. Names are imported on first use, so
that the pytest plugin next door costs a test run nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .contract import PlatformContract
    from .fake_platform import (
        AccessToken,
        CodeRefused,
        ConsentRequest,
        ErrorAnswer,
        FakeAccount,
        FakeCard,
        FakeEvent,
        FakeMedia,
        FakePlatform,
        FakeUpload,
        FakeUploads,
        Grant,
        LedgerEntry,
        RefreshRefused,
        UploadRefused,
        UploadState,
        press_allow,
        press_cancel,
    )
    from .media_samples import SAMPLE_GIF, SAMPLE_JPEG, SAMPLE_MP4, SAMPLE_PNG, MemoryFile
    from .mock_http import MockHttp
    from .stage import Stage, open_stage

__all__ = [
    "SAMPLE_GIF",
    "SAMPLE_JPEG",
    "SAMPLE_MP4",
    "SAMPLE_PNG",
    "AccessToken",
    "CodeRefused",
    "ConsentRequest",
    "ErrorAnswer",
    "FakeAccount",
    "FakeCard",
    "FakeEvent",
    "FakeMedia",
    "FakePlatform",
    "FakeUpload",
    "FakeUploads",
    "Grant",
    "LedgerEntry",
    "MemoryFile",
    "MockHttp",
    "PlatformContract",
    "RefreshRefused",
    "Stage",
    "UploadRefused",
    "UploadState",
    "open_stage",
    "press_allow",
    "press_cancel",
]

_ELSEWHERE: Final = {
    "MockHttp": "mock_http",
    "PlatformContract": "contract",
    "Stage": "stage",
    "open_stage": "stage",
    **dict.fromkeys(("MemoryFile", "SAMPLE_GIF", "SAMPLE_JPEG", "SAMPLE_MP4", "SAMPLE_PNG"), "media_samples"),
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{__name__}.{_ELSEWHERE.get(name, 'fake_platform')}")
    return getattr(module, name)
