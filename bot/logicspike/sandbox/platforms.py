"""Every installed platform's fake, served on loopback and shown in the page's panel."""

from __future__ import annotations

import importlib.metadata
import logging
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from ..clock import Clock
from ..testing.fake_platform import FakePlatform
from .panel import FaultSwitch

__all__ = ["SANDBOX_GROUP", "SandboxPlatform", "run_fakes"]

log = logging.getLogger(__name__)

SANDBOX_GROUP = "logicspike.sandboxes"


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxPlatform:
    """One platform's fake, running; the panel's view of it."""

    fake: FakePlatform
    timeline_url: str

    @property
    def name(self) -> str:
        """The platform's name, as people type it."""
        return self.fake.name

    @property
    def title(self) -> str:
        """The platform's name, as people read it."""
        return self.fake.title

    def faults(self) -> Sequence[FaultSwitch]:
        """Its faults as they stand now."""
        once = self.fake.actions() | self.fake.events
        actions = [FaultSwitch(name=name, label=label, kind="action") for name, label in once.items()]
        switches = [
            FaultSwitch(name=name, label=label, kind="switch", is_on=self.fake.is_on(name))
            for name, label in self.fake.switches().items()
        ]
        return [*actions, *switches]

    async def set_fault(self, name: str, on: bool) -> None:
        """Switch a fault on or off, or do an action.

        Raises:
            KeyError: no such fault.
        """
        if name in self.fake.actions():
            self.fake.perform(name)
        elif name in self.fake.events:
            for person in self.fake.people:
                await self.fake.send_event(name, person)
        else:
            self.fake.switch(name, on=on)

    def environment(self) -> dict[str, str]:
        """The variables by which the bot takes the fake for the platform."""
        return self.fake.list_variables(self.timeline_url)


@asynccontextmanager
async def run_fakes(*, clock: Clock, public_url: str) -> AsyncIterator[tuple[SandboxPlatform, ...]]:
    """Serve every installed fake on a free port of loopback until the block ends.

    A fake that fails to load is left out with a line in the log: a broken plugin must not spoil the demo of the others.

    Args:
        clock: what the fakes tell the time by.
        public_url: the bot's address, whose redirect URIs the fakes know.
    """
    runners: list[web.AppRunner] = []
    running: list[SandboxPlatform] = []
    try:
        for entry_point in sorted(importlib.metadata.entry_points(group=SANDBOX_GROUP), key=lambda each: each.name):
            try:
                fake = _build(entry_point, clock, public_url)
                app = fake.build_app()
            except Exception:
                log.exception("the fake of %s could not be loaded", entry_point.name)
                continue
            runner = web.AppRunner(app, handle_signals=False, access_log=None, shutdown_timeout=1)
            await runner.setup()
            runners.append(runner)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            running.append(SandboxPlatform(fake=fake, timeline_url=f"http://127.0.0.1:{runner.addresses[0][1]}"))
        yield tuple(running)
    finally:
        for runner in runners:
            await runner.cleanup()


def _build(entry_point: importlib.metadata.EntryPoint, clock: Clock, public_url: str) -> FakePlatform:
    fake: FakePlatform = entry_point.load()(
        client_id=f"sandbox-{entry_point.name}",
        client_secret=secrets.token_urlsafe(24),
        clock=clock,
        redirect_uris=[f"{public_url}/api/auth/{entry_point.name}/callback"],
    )
    return fake
