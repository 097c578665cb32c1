"""The demo's composition root: the same bot, with a small Slack, fakes for platforms, and a clock that can be moved."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import secrets
import signal
import socket
import tempfile
import webbrowser
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import click
from pydantic import SecretStr

from ..app import Bot, StartFailed, run_bot
from ..clock import MovableClock
from ..settings import Settings
from .example_links import EXAMPLE_PATH, open_example_pages
from .fake_slack import FakeSlack
from .platforms import SandboxPlatform, run_fakes
from .slack_state import Command

__all__ = ["Sandbox", "open_sandbox", "run_demo"]

_COMMANDS: Final = (
    Command(
        name="/connect",
        description="Connect social accounts, see how they are, remove them",
        usage_hint="[platform | remove account | help]",
        examples=("/connect", "/connect help"),
    ),
    Command(
        name="/schedule",
        description="Schedule a post, list posts, cancel one",
        usage_hint="[accounts when text | list | cancel id | help]",
        examples=("/schedule", "/schedule list", "/schedule help"),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """Everything that runs in the demo."""

    slack: FakeSlack
    platforms: Mapping[str, SandboxPlatform]
    clock: MovableClock
    bot: Bot
    public_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _SlackKeys:
    """What the small Slack and the bot know of each other; fresh every time."""

    signing_secret: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    bot_token: str = field(default_factory=lambda: f"xoxb-sandbox-{secrets.token_hex(12)}", repr=False)


@asynccontextmanager
async def open_sandbox(
    *, port: int = 0, folder: Path | None = None, mongodb_uri: str | None = None
) -> AsyncIterator[Sandbox]:
    """Start the small Slack, every platform's fake and the bot, all on loopback, and stop them at the end.

    Nothing of the environment or of ``.env`` is read, and nobody outside this computer is talked to.

    Args:
        port: of the page; 0 for a free one.
        folder: where the embedded database lives; None for one that is thrown away.
        mongodb_uri: a database to use instead, under a name of its own: for tests.

    Raises:
        StartFailed: something it needs is missing; says what to do.
    """
    async with AsyncExitStack() as stack:
        clock = MovableClock()
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        public_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        fakes = await stack.enter_async_context(run_fakes(clock=clock, public_url=public_url))
        bots: list[Bot] = []

        def advance(by: timedelta) -> None:
            clock.advance(by)
            for bot in bots:
                bot.scheduler.wake()

        keys = _SlackKeys()
        slack = FakeSlack(
            signing_secret=keys.signing_secret,
            bot_token=keys.bot_token,
            clock=clock,
            events_url=f"{public_url}/slack/events",
            commands=_with_examples(fakes),
            platforms=fakes,
            advance_clock=advance,
        )
        await _serve_slack(stack, slack, port)
        settings = _build_settings(
            keys,
            fakes,
            slack_api_url=slack.api_url,
            public_url=public_url,
            folder=folder or _throw_away(stack),
            mongodb_uri=mongodb_uri,
        )
        pages = open_example_pages(urlsplit(slack.base_url).port or 80)
        running = run_bot(settings, clock=clock, listener=listener, link_pages=pages)
        bots.append(await stack.enter_async_context(running))
        by_name = {fake.name: fake for fake in fakes}
        yield Sandbox(slack=slack, platforms=by_name, clock=clock, bot=bots[0], public_url=public_url)


def _throw_away(stack: AsyncExitStack) -> Path:
    """A folder that goes when the sandbox ends."""
    return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="logicspike-", ignore_cleanup_errors=True)))


def _build_settings(
    keys: _SlackKeys,
    fakes: tuple[SandboxPlatform, ...],
    *,
    slack_api_url: str,
    public_url: str,
    folder: Path,
    mongodb_uri: str | None,
) -> Settings:
    """Settings from nothing but the sandbox's own parts: the environment and ``.env`` are not looked at."""
    return Settings(
        public_url=public_url,
        mongodb_uri=SecretStr(mongodb_uri) if mongodb_uri else None,
        mongodb_database=f"sandbox_{secrets.token_hex(6)}",
        logicspike_data_dir=folder,
        slack_signing_secret=SecretStr(keys.signing_secret),
        slack_bot_token=SecretStr(keys.bot_token),
        slack_api_url=slack_api_url,
        environment={key: value for fake in fakes for key, value in fake.environment().items()},
    )


async def _serve_slack(stack: AsyncExitStack, slack: FakeSlack, port: int) -> None:
    try:
        await stack.enter_async_context(slack.running(port=port))
    except OSError as error:
        reason = (
            "is taken by another program" if error.errno == errno.EADDRINUSE else f"can't be used ({error.strerror})"
        )
        other = port + 1 if port in range(1024, 65535) else 3000
        raise StartFailed(
            f"Port {port} {reason}. Choose another: logicspike demo --port {other} "
            f"(or: make demo ARGS='--port {other}')."
        ) from error


def _with_examples(fakes: tuple[SandboxPlatform, ...]) -> tuple[Command, ...]:
    connect, schedule = _COMMANDS
    names = [fake.name for fake in fakes]
    first = names[0] if names else "platform"
    return (
        Command(
            name=connect.name,
            description=connect.description,
            usage_hint=connect.usage_hint,
            examples=(*(f"/connect {name}" for name in names), *connect.examples),
        ),
        Command(
            name=schedule.name,
            description=schedule.description,
            usage_hint=schedule.usage_hint,
            examples=(f"/schedule {first} in 1m Hello from Slack", *schedule.examples),
        ),
    )


async def run_demo(*, port: int, opens_browser: bool) -> None:
    """Run the demo until Ctrl-C.

    Args:
        port: of the page; 0 for a free one.
        opens_browser: whether the page is opened in a browser.

    Raises:
        StartFailed: something it needs is missing; says what to do.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    click.echo("Starting the demo: a small Slack, the platforms' stand-ins, a database. Nothing leaves this computer.")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with open_sandbox(port=port) as sandbox:
        address = sandbox.slack.base_url
        name = next(iter(sandbox.platforms), "PLATFORM")
        click.echo(f"\n  Open {address} in your browser.\n\n  Try: /connect {name}, then /schedule {name} in 1m Hello")
        click.echo("  /schedule alone opens a form, which takes pictures, a video, or a thread.")
        click.echo(f"  A page to post a link to: {address}{EXAMPLE_PATH}")
        click.echo("  Stop with Ctrl-C; nothing is kept.\n")
        if opens_browser:
            with contextlib.suppress(webbrowser.Error):
                await asyncio.to_thread(webbrowser.open, address)
        await stop.wait()
        click.echo("Stopping …")
    click.echo("Bye.")
