"""The hooks as they are promised: a change here is a change for every plugin author."""

from __future__ import annotations

import inspect
from collections.abc import Callable

from logicspike.loading import REQUIRED_HOOKS
from logicspike.plugin import hookspecs

FROZEN = {
    "describe": ("def", ()),
    "validate": ("def", ("account", "post")),
    "measure": ("def", ("account", "post")),
    "inspect": ("def", ("client", "credential_set", "settings", "now")),
    "authorize": ("async def", ("ctx", "request")),
    "exchange": ("async def", ("ctx", "grant")),
    "accounts": ("async def", ("ctx", "credential")),
    "refresh": ("async def", ("ctx", "credential")),
    "revoke": ("async def", ("ctx", "credential", "is_last")),
    "check": ("async def", ("ctx", "credential")),
    "receive": ("async def", ("ctx", "event")),
    "prepare": ("async def", ("ctx", "credential", "post", "files", "card")),
    "publish": ("async def", ("ctx", "credential", "post", "prepared")),
    "find_published": ("async def", ("ctx", "credential", "post", "prepared")),
}


def specifications() -> dict[str, Callable[..., object]]:
    marker = f"{hookspecs.PROJECT}_spec"
    return {name: value for name, value in vars(hookspecs).items() if hasattr(value, marker)}


def test_hooks_are_the_promised_ones() -> None:
    found = {
        name: (
            "async def" if inspect.iscoroutinefunction(function) else "def",
            tuple(inspect.signature(function).parameters),
        )
        for name, function in specifications().items()
    }
    assert found == FROZEN


def test_required_hooks_are_the_promised_ones() -> None:
    assert REQUIRED_HOOKS == ("describe", "authorize", "exchange", "refresh", "publish")


def test_every_hook_is_answered_by_one_plugin_and_says_since_when() -> None:
    for name, function in specifications().items():
        assert getattr(function, f"{hookspecs.PROJECT}_spec")["firstresult"], name
        assert ".. versionadded::" in (function.__doc__ or ""), name
