"""``logicspike doctor``: looks at everything a running bot needs, and says what to mend in one sentence each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError

from .clock import SystemClock
from .key_file import KeyFileBroken, load_key_file
from .platforms import Platforms
from .services.ports import StoreUnavailable
from .settings import Settings, is_loopback
from .slack.client import build_client
from .slack.manifest import SCOPES
from .store.opening import StoreNotUsable, open_stores
from .vault import parse_key_ring

__all__ = ["Finding", "examine"]

_CLOCK_LIMIT: Final = timedelta(seconds=30)
_CALL_LIMIT: Final = aiohttp.ClientTimeout(total=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at: fine, or what to do."""

    is_fine: bool
    text: str

    def __str__(self) -> str:
        return f"{'✓' if self.is_fine else '✗'} {self.text}"


async def examine(settings: Settings) -> tuple[Finding, ...]:
    """Look at settings, keys, database, clock, Slack and each platform; nothing is posted.

    The embedded database and its key are made, as they would be at the first start, when they aren't there yet.
    """
    findings = [finding async for finding in _examine(settings)]
    return tuple(findings)


async def _examine(settings: Settings) -> AsyncIterator[Finding]:
    for problem in settings.missing_for_serving():
        yield _bad(str(problem))
    yield _public_url(settings)
    if settings.logicspike_keys is not None or settings.mongodb_uri is None:
        yield _keys(settings)
    async for finding in _database(settings):
        yield finding
    async for finding in _slack(settings):
        yield finding
    async for finding in _platforms(settings):
        yield finding


def _public_url(settings: Settings) -> Finding:
    if is_loopback(settings.public_url):
        return _bad(
            f"PUBLIC_URL is {settings.public_url}: only this computer can open it. "
            "Set it to the https address by which browsers reach the bot."
        )
    return _good(f"PUBLIC_URL is {settings.public_url}")


def _keys(settings: Settings) -> Finding:
    try:
        if settings.logicspike_keys is None:
            load_key_file(settings.logicspike_data_dir)
            return _good(f"The key that seals sign-ins is in {settings.logicspike_data_dir}; back it up")
        ring = parse_key_ring(settings.logicspike_keys.get_secret_value())
    except KeyFileBroken as error:
        return _bad(str(error))
    except ValueError as error:
        return _bad(f"LOGICSPIKE_KEYS is not right: {error}.")
    return _good(f"{len(ring.keys)} key(s); {ring.writing_id} seals")


async def _database(settings: Settings) -> AsyncIterator[Finding]:
    uri = settings.mongodb_uri.get_secret_value() if settings.mongodb_uri else None
    try:
        async with open_stores(
            uri,
            database_name=settings.mongodb_database,
            driver=settings.mongodb_driver,
            folder=settings.logicspike_data_dir,
        ) as stores:
            yield _good("The database answers" + ("" if uri else f" (embedded, in {settings.logicspike_data_dir})"))
            machine = SystemClock()
            offset = machine.difference(await stores.read_time(machine.steady))
    except StoreNotUsable as error:
        yield _bad(str(error))
        return
    except StoreUnavailable as error:
        yield _bad(f"{error} Is it running, and is MONGODB_URI right?")
        return
    if abs(offset) > _CLOCK_LIMIT:
        direction = "behind" if offset > timedelta(0) else "ahead of"
        yield _bad(
            f"This computer's clock is {abs(offset).total_seconds():.0f} s {direction} the database's; "
            "Slack refuses requests at 300 s. Switch on time synchronisation (NTP)."
        )
    else:
        yield _good("The clock agrees with the database's")


async def _slack(settings: Settings) -> AsyncIterator[Finding]:
    if settings.slack_bot_token is None:
        return
    token = settings.slack_bot_token.get_secret_value()
    async with aiohttp.ClientSession(timeout=_CALL_LIMIT) as session:
        client = build_client(token=token, api_url=settings.slack_api_url, session=session)
        try:
            answer = await client.auth_test()
        except SlackApiError as error:
            yield _refused(error.response.get("error"), settings.slack_api_url)
            return
        except (SlackClientError, aiohttp.ClientError, TimeoutError, ValueError):
            yield _bad(f"Slack can't be reached at {settings.slack_api_url}. Does this computer have a way out?")
            return
    yield _good(f"Slack knows the bot, in the workspace {answer.get('team')}")
    header = {name.lower(): value for name, value in answer.headers.items()}.get("x-oauth-scopes")
    if header is None:
        return
    missing = set(SCOPES) - {scope.strip() for scope in str(header).split(",")}
    if missing:
        yield _bad(
            f"The bot token lacks {', '.join(sorted(missing))}. "
            "Paste the manifest (`logicspike manifest`) into your Slack app and install it again."
        )
    else:
        yield _good("The bot token has all the scopes it needs")


def _refused(error: object, address: str) -> Finding:
    if not error:
        # Slack always names the error: a proxy's or a sign-in page does not.
        return _bad(f"Slack can't be reached: something else answers at {address}. Is a proxy in between?")
    return _bad(
        f"Slack refuses SLACK_BOT_TOKEN ({error}). "
        "Copy it again from OAuth & Permissions on your Slack app's page, and look whether the app is still installed."
    )


async def _platforms(settings: Settings) -> AsyncIterator[Finding]:
    platforms = Platforms.load(
        environment=settings.environment, clock=SystemClock(), disabled=settings.logicspike_disabled_platforms
    )
    for name, reason in platforms.quarantined.items():
        yield _bad(f"{name} is left out: {reason}")
    for name in platforms.names:
        title = platforms.get(name).title
        problems = platforms.problems(name)
        for problem in problems:
            yield _bad(f"{title}: {problem}")
        if not problems:
            callback = f"{settings.public_url.rstrip('/')}/api/auth/{name}/callback"
            yield _good(f"{title} has its credentials. Its developer portal must list exactly {callback}")
        for finding in _credential_sets(platforms, name):
            yield finding
    if not platforms.names and not platforms.quarantined:
        yield _bad("No platform is installed. Install one, for example: pip install logicspike-NAME")
    if urlsplit(settings.public_url).path.strip("/"):
        yield _bad(
            "PUBLIC_URL has a path; redirect URLs are safer to register without one. Use a host name of its own."
        )


def _credential_sets(platforms: Platforms, name: str) -> Iterator[Finding]:
    """Further developer apps at a platform are optional; one that is set up by half is not meant to be left out."""
    for each in platforms.list_optional(name):
        problems = platforms.problems(name, each.credential_set)
        if platforms.is_untouched(name, each.credential_set):
            yield _good(f"Optional and not set up: {each.title}. {' '.join(problems)}")
            continue
        for problem in problems:
            yield _bad(f"{each.title}: {problem}")
        if not problems:
            yield _good(f"{each.title}: the credentials are set; the redirect URL is that of {each.platform_title}")


def _good(text: str) -> Finding:
    return Finding(is_fine=True, text=text)


def _bad(text: str) -> Finding:
    return Finding(is_fine=False, text=text)
