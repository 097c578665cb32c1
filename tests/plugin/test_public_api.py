"""What plugin authors may import: a change here is a change for every one of them."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from typing import Any

import pytest

import logicspike.plugin
import logicspike.testing
from logicspike.plugin import ErrorRow, ErrorTable, LinkCard, Refusal, SetupNote, types

PLUGIN = {
    "AccessReport", "Account", "AuthorizationFailed", "AuthorizationGrant", "AuthorizationLink",
    "AuthorizationRequest", "Credential", "CredentialSet", "ErrorRow", "ErrorTable", "Limits", "LinkCard", "Media",
    "MediaFile", "MediaKind", "MediaRule", "MemberActionRequired", "OAuthClient", "Operation",
    "OperatorActionRequired", "OutcomeUnknown", "Platform", "PlatformContext", "PlatformError", "PlatformEvent",
    "PlatformEventOutcome", "PlatformEventRefused", "PlatformUnavailable", "Post", "PostRejected",
    "PreparationLost", "Prepared", "Problem", "PublishedPost", "RateLimited", "ReconnectRequired", "Refusal",
    "Reply", "SetupLevel", "SetupNote", "TextLength", "TokenExpired", "TokenSet", "hookimpl", "in_chunks", "oauth2",
    "to_payload",
}  # fmt: skip
TESTING = {
    "AccessToken", "CodeRefused", "ConsentRequest", "ErrorAnswer", "FakeAccount", "FakeCard", "FakeEvent", "FakeMedia",
    "FakePlatform", "FakeUpload", "FakeUploads", "Grant", "LedgerEntry", "MemoryFile", "MockHttp", "PlatformContract",
    "RefreshRefused", "SAMPLE_GIF", "SAMPLE_JPEG", "SAMPLE_MP4", "SAMPLE_PNG", "Stage", "UploadRefused",
    "UploadState", "open_stage", "press_allow", "press_cancel",
}  # fmt: skip


def test_plugin_exports_are_the_promised_ones() -> None:
    assert set(logicspike.plugin.__all__) == PLUGIN
    assert {name for name in PLUGIN if not hasattr(logicspike.plugin, name)} == set()


def test_testing_exports_are_the_promised_ones() -> None:
    assert set(logicspike.testing.__all__) == TESTING
    assert {name for name in TESTING if not hasattr(logicspike.testing, name)} == set()
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = logicspike.testing.nothing


def test_star_import_does_not_shadow_the_standard_library() -> None:
    names: dict[str, object] = {}
    exec("from logicspike.plugin import *", names)
    assert "types" not in names


VALUES = [
    *(kind for name in types.__all__ if dataclasses.is_dataclass(kind := getattr(types, name))),
    ErrorRow,
    ErrorTable,
    LinkCard,
    Refusal,
    SetupNote,
]


@pytest.mark.parametrize("kind", VALUES, ids=lambda kind: kind.__name__)
def test_values_are_frozen_and_take_keywords_only(kind: Any) -> None:
    assert kind.__dataclass_params__.frozen
    assert not hasattr(kind, "__dict__") or "__slots__" in vars(kind)
    assert all(field.kw_only for field in dataclasses.fields(kind))


def test_plugin_api_imports_nothing_else_of_the_bot() -> None:
    assert loaded_by("logicspike.plugin") <= {"logicspike", "logicspike.plugin"}


def test_fake_platform_needs_no_pytest() -> None:
    script = "import sys, logicspike.testing.fake_platform; print('pytest' in sys.modules)"
    assert run(script) == "False"


def test_pytest_plugin_is_light() -> None:
    assert loaded_by("logicspike.testing.pytest_plugin") <= {"logicspike", "logicspike.testing"}
    script = "import sys, logicspike.testing.pytest_plugin; print('aiohttp' in sys.modules)"
    assert run(script) == "False"


def loaded_by(module: str) -> set[str]:
    """The bot's packages and top-level modules that importing a module brings in, itself left out."""
    script = f"import sys, {module}; print(*[name for name in sys.modules if name.startswith('logicspike')])"
    return {".".join(name.split(".")[:2]) for name in run(script).split() if name != module}


def run(script: str) -> str:
    return subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout.strip()
