"""Teams whose database has its real indexes, and a store that can be made to fail around any one of its calls."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, fields
from typing import Any

import pytest
from team import Team, build_team, open_team

from logicspike.domain import DeliveryState
from logicspike.services.ports import StoreUnavailable
from logicspike.store.mongo import Database
from logicspike.store.opening import Stores

_PARTS = ("connections", "pending", "posts", "deliveries", "workspaces", "requests")


@pytest.fixture
async def team(mongo_database: Database) -> AsyncIterator[Team]:
    async with open_team(mongo_database) as opened:
        yield opened


@dataclass
class Faults:
    """Breaks the nth call to a store: before it is sent, after it was carried out, or by ending the task."""

    at: int = -1
    kind: str = "before"
    calls: list[str] = field(default_factory=list)
    is_armed: bool = False
    lasts: int = 1

    def arm(self, at: int, kind: str, *, lasts: int = 1) -> None:
        self.at, self.kind, self.lasts, self.calls, self.is_armed = at, kind, lasts, [], True

    def disarm(self) -> None:
        self.is_armed = False

    @property
    def was_hit(self) -> bool:
        return len(self.calls) > self.at

    def behind(self, part: object, name: str) -> Any:
        """A part whose every call passes by these faults."""
        return _Faulty(part, name, self)

    async def around(self, name: str, call: Callable[[], Any]) -> Any:
        is_outage = self.kind in {"before", "after"}
        if not self.is_armed or (is_outage and name.startswith(("platforms.", "notifier."))):
            return await call()
        position = len(self.calls)
        self.calls.append(name)
        is_here = self.at <= position < self.at + self.lasts
        if is_here and self.kind == "before":
            raise StoreUnavailable("the database did not answer (before)")
        if is_here and self.kind == "crash before":
            raise asyncio.CancelledError
        result = await call()
        if is_here and self.kind == "after":
            raise StoreUnavailable("the database did not answer (after)")
        if is_here and self.kind == "crash after":
            raise asyncio.CancelledError
        return result


class _Faulty:
    def __init__(self, part: object, name: str, faults: Faults) -> None:
        self._part, self._name, self._faults = part, name, faults

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._part, name)
        if not inspect.iscoroutinefunction(found):
            return found

        async def call(*args: Any, **kwargs: Any) -> Any:
            return await self._faults.around(f"{self._name}.{name}", lambda: found(*args, **kwargs))

        return call


def with_faults(stores: Stores, faults: Faults) -> Stores:
    """The same stores, whose every call passes by the faults."""
    wrapped = {name: _Faulty(getattr(stores, name), name, faults) for name in _PARTS}
    rest = {each.name: getattr(stores, each.name) for each in fields(stores) if each.name not in wrapped}
    return Stores(**wrapped, **rest)


def next_process(team: Team, faults: Faults | None) -> Team:
    """Fresh services over the same database and platform, as after a restart; the keys stay."""
    fresh = build_team(
        with_faults(team.stores, faults) if faults else team.stores,
        _Faulty(team.platforms, "platforms", faults) if faults else team.platforms,
        team.fake,
        team.clock,
        team.http,
        "http://127.0.0.1:3999",
    )
    vault = team.connecting._vault
    for service in (fresh.connecting, fresh.linking, fresh.refreshing, fresh.disconnecting):
        service._vault = vault
    return fresh


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def restart(team: Team) -> Callable[..., Team]:
    """Fresh services over the same database and platform: ``restart()``, or ``restart(faults)`` behind faults."""

    def fresh(faults: Faults | None = None) -> Team:
        return next_process(team, faults)

    return fresh


@pytest.fixture
def after_call(monkeypatch: pytest.MonkeyPatch) -> Callable[[object, str, Callable[[], Awaitable[Any]]], None]:
    """Lets something happen right after the first call of an owner's method, before its caller goes on."""

    def arrange(owner: object, name: str, then: Callable[[], Awaitable[Any]]) -> None:
        real, is_done = getattr(owner, name), []

        async def call(*args: Any, **kwargs: Any) -> Any:
            result = await real(*args, **kwargs)
            if not is_done:
                is_done.append(True)
                await then()
            return result

        monkeypatch.setattr(owner, name, call)

    return arrange


@pytest.fixture
def check_invariants(team: Team) -> Callable[[], Any]:
    """What must hold whatever happened."""

    async def check() -> None:
        deliveries = await team.stores.database.collection("deliveries").find({}).to_list(None)
        for each in deliveries:
            open_attempts = [a for a in each.get("attempts", ()) if a.get("outcome") is None]
            assert len(open_attempts) <= 1, each
            assert not open_attempts or each["state"] == DeliveryState.PUBLISHING.value, each
        texts = [entry.text for entry in team.fake.ledger]
        assert len(texts) == len(set(texts)), f"posted twice: {texts}"
        connections = await team.stores.database.collection("social_connections").find({}).to_list(None)
        for each in connections:
            if each["status"] == "disconnected":
                assert "sealed" not in each, "a disconnected account keeps its tokens"
        names = [(each["team_id"], each["nickname"]) for each in connections]
        assert len(names) == len(set(names))

    return check
