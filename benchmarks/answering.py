"""P5, P6 and P8: how fast Slack and browsers are answered, and how soon after the start."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urljoin, urlsplit

import aiohttp

from logicspike.domain import Member, Purpose, Ticket
from logicspike.store.mongo import Database
from logicspike.store.pending import MongoPendingStore

from .measuring import Row, Table, median, percentile, ratio_of
from .publishing import make_posts
from .stage import SIGNING_SECRET, Child, Stage, check_ledger, in_unix_seconds, round_to_milliseconds
from .stocking import TEAM, add_posts

__all__ = ["measure_acks", "measure_callback", "measure_start"]

_BURSTS = 20
_PAUSES = {1: 0.02, 16: 0.15, 64: 0.6}
_CALLBACKS = 60
_CALLBACK_PAUSE = 0.05  # what goes on behind an answer ends before the next one; a row of its own tells its CPU
_IMPORTS = "import aiohttp, motor.motor_asyncio, pymongo, slack_bolt.async_app, apscheduler.schedulers.asyncio"
_STATUS = re.compile(rb"HTTP/1\.1 (\d+)")
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


# --- P5 ---------------------------------------------------------------------------------------------------------------


def _command(host: str, text: str, response_url: str) -> bytes:
    """A signed slash command as Slack sends it, each with ids of its own."""
    form = {
        "command": "/schedule",
        "text": text,
        "team_id": TEAM,
        "user_id": "UBENCH",
        "channel_id": "CBENCH",
        "api_app_id": "ABENCH",
        "trigger_id": secrets.token_hex(12),
        "response_url": response_url,
    }
    body = urlencode(form).encode()
    timestamp = str(int(time.time()))
    signature = hmac.new(SIGNING_SECRET.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256).hexdigest()
    head = (
        f"POST /slack/events HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"X-Slack-Request-Timestamp: {timestamp}\r\nX-Slack-Signature: v0={signature}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class _Line:
    """One kept connection; a plain client, so that the generator costs little beside the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def send(self, request: bytes, due_at: float) -> float:
        """Send a request that is due at a moment of perf_counter, and wait for all of the answer; seconds since."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if length is not None:
            await self._reader.readexactly(int(length[1]))
        took = time.perf_counter() - due_at
        status = _STATUS.match(head)
        assert status is not None and status[1] == b"200", head  # noqa: PT018 - one answer, one look
        return took

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


async def _burst(stage: Stage, address: str, at_once: int, *, bursts: int, text: str) -> list[float]:
    """Fire bursts on a fixed schedule; what waits behind an earlier burst counts from when it was due."""
    where = urlsplit(address)
    lines = [_Line(*await asyncio.open_connection(where.hostname, where.port)) for _ in range(at_once)]
    requests = [[_command(where.netloc, text, f"{stage.fake_address}/response") for _ in lines] for _ in range(bursts)]
    times: list[float] = []
    start = time.perf_counter() + 0.05
    for number, batch in enumerate(requests):
        due_at = start + number * _PAUSES[at_once]
        await asyncio.sleep(due_at - time.perf_counter())
        # A timer of our own that wakes late is not the server's fault; a burst that still runs is.
        due_at = max(due_at, time.perf_counter()) if number == 0 or time.perf_counter() - due_at < 0.002 else due_at
        times += await asyncio.gather(*(line.send(each, due_at) for line, each in zip(lines, batch, strict=True)))
    for line in lines:
        await line.close()
    return times


async def measure_acks(stage: Stage, table: Table, *, rounds: int) -> None:
    """P5: a command that is answered at once, and one whose work goes on behind the answer, beside bare Bolt."""
    name = f"bench_{secrets.token_hex(4)}"
    async with (
        stage.database(name) as database,
        stage.running("benchmarks.contenders.ours", name, BENCH_ROLE="all") as ours,
        stage.running("benchmarks.contenders.bare_bolt", name) as bare,
    ):
        for text in ("help", "list"):
            for at_once in _PAUSES:
                await _compare_acks(stage, table, ours, bare, rounds=rounds, at_once=at_once, text=text)
        await _ack_while_publishing(stage, table, ours, database)


async def _compare_acks(
    stage: Stage, table: Table, ours: Child, bare: Child, *, rounds: int, at_once: int, text: str
) -> None:
    found: dict[str, list[list[float]]] = {"ours": [], "bare": []}
    servers = [("ours", ours), ("bare", bare)]
    for _, child in servers:
        await _burst(stage, child.address, at_once, bursts=5, text=text)
    for number in range(rounds):
        for name, child in servers if number % 2 == 0 else servers[::-1]:
            bursts = _BURSTS * (5 if at_once == 1 else 1)
            found[name].append(await _burst(stage, child.address, at_once, bursts=bursts, text=text))
            await asyncio.sleep(0.3)  # what goes on behind the answers ends before the other one's turn
    for share, title, limit in ((0.5, "p50", 1.5), (0.99, "p99", 2.0)):
        mine = [percentile(each, share) for each in found["ours"]]
        theirs = [percentile(each, share) for each in found["bare"]]
        ratio = ratio_of(mine, theirs)
        table.add(
            Row(
                name="P5",
                what=f"/schedule {text}, ack {title}, {at_once} at once",
                ours=f"{median(mine) * 1000:.2f} ms",
                rival=f"bare Bolt {median(theirs) * 1000:.2f} ms",
                ratio=ratio,
                target=f"≤ {limit} × bare Bolt",
                holds=ratio.middle <= limit,
            )
        )


async def _ack_while_publishing(stage: Stage, table: Table, ours: Child, database: Database) -> None:
    posts = make_posts(2_000, seed=1)
    due_at = round_to_milliseconds(time.time() + 3)
    await add_posts(database, posts, due_at=in_unix_seconds(due_at))
    await asyncio.sleep(due_at - time.time())
    before, began = ours.cpu_seconds, time.monotonic()
    times = await _burst(stage, ours.address, 16, bursts=40, text="help")
    cpu = (ours.cpu_seconds - before) / (time.monotonic() - began) * 100
    check_ledger(await stage.read_ledger(len(posts), timeout=60), posts, in_order=True)
    worst = percentile(times, 0.99)
    table.add(
        Row(
            name="P5",
            what=f"/schedule help, ack p99, 16 at once, publishing in the same process (CPU {cpu:.0f} %)",
            ours=f"{worst * 1000:.1f} ms",
            target="≤ 500 ms",
            holds=worst <= 0.5,
        )
    )


# --- P6 ---------------------------------------------------------------------------------------------------------------


async def measure_callback(stage: Stage, table: Table, *, rounds: int) -> None:
    """P6: from the platform's redirect to the page that says how it went."""
    name = f"bench_{secrets.token_hex(4)}"
    async with (
        stage.database(name) as database,
        stage.running("benchmarks.contenders.ours", name, BENCH_ROLE="web") as ours,
        stage.running("benchmarks.contenders.bare_callback", name) as bare,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as browser,
    ):
        pending = MongoPendingStore(database)
        contenders = {
            "ours": lambda: _finish_ours(browser, ours, pending),
            "bare": lambda: _finish_bare(browser, bare, "/api/auth/bench/callback"),
            "one page": lambda: _finish_bare(browser, bare, "/one-page"),
        }
        found: dict[str, list[float]] = {each: [] for each in contenders}
        spent: dict[str, list[float]] = {each: [] for each in contenders}
        for number in range(rounds + 1):
            for each in list(contenders) if number % 2 else list(contenders)[::-1]:
                child = ours if each == "ours" else bare
                before = child.cpu_seconds
                times = await contenders[each]()
                if number > 0:  # the first round warms up
                    found[each].append(percentile(times, 0.5))
                    spent[each].append((child.cpu_seconds - before) / _CALLBACKS)
    _add_callback_row(table, found, rival="bare", words="bare aiohttp", limit=1.3)
    _add_callback_row(table, found, rival="one page", words="bare aiohttp without a redirect", limit=None)
    table.add(
        Row(
            name="P6",
            what="CPU per sign-in, the press on the button before and the message after it included",
            ours=f"{median(spent['ours']) * 1000:.1f} ms",
            rival=f"bare aiohttp, callback and page only {median(spent['bare']) * 1000:.1f} ms",
            ratio=ratio_of(spent["ours"], spent["bare"]),
        )
    )


def _add_callback_row(
    table: Table, found: Mapping[str, Sequence[float]], *, rival: str, words: str, limit: float | None
) -> None:
    ratio = ratio_of(found["ours"], found[rival])
    table.add(
        Row(
            name="P6",
            what="callback to result page, p50" if limit else "callback to result page, p50, beside a single page",
            ours=f"{median(found['ours']) * 1000:.1f} ms",
            rival=f"{words} {median(found[rival]) * 1000:.1f} ms",
            ratio=ratio,
            target=f"≤ {limit} × {words}" if limit else "–",
            holds=ratio.middle <= limit if limit else None,
        )
    )


async def _finish_ours(browser: aiohttp.ClientSession, child: Child, pending: MongoPendingStore) -> list[float]:
    times = []
    for _ in range(_CALLBACKS):
        state, cookie = await _press_the_button(browser, child.address, pending)
        url = f"{child.address}/api/auth/bench/callback?state={quote(state)}&code={secrets.token_hex(8)}"
        times.append(await _come_back(browser, url, headers={"Cookie": cookie}))
        await asyncio.sleep(_CALLBACK_PAUSE)
    return times


async def _finish_bare(browser: aiohttp.ClientSession, child: Child, path: str) -> list[float]:
    times = []
    for _ in range(_CALLBACKS):
        url = f"{child.address}{path}?state={secrets.token_urlsafe(32)}&code={secrets.token_hex(8)}"
        times.append(await _come_back(browser, url))
        await asyncio.sleep(_CALLBACK_PAUSE)
    return times


async def _come_back(browser: aiohttp.ClientSession, url: str, **rest: Any) -> float:
    """Do what a browser does with the platform's redirect, until it shows the page; seconds."""
    began = time.perf_counter()
    async with browser.get(url, allow_redirects=False, **rest) as answer:
        text, location = await answer.text(), answer.headers.get("Location")
    if location is not None:
        async with browser.get(urljoin(url, location)) as answer:
            text = await answer.text()
    took = time.perf_counter() - began
    assert "onnected" in text, text
    return took


async def _press_the_button(
    browser: aiohttp.ClientSession, address: str, pending: MongoPendingStore
) -> tuple[str, str]:
    """Do what comes before the callback: a link as the bot makes it, and the click on its button."""
    secret = secrets.token_urlsafe(32)
    await pending.save_ticket(
        Ticket(
            ticket_hash=hashlib.sha256(secret.encode()).hexdigest(),
            member=Member(team_id=TEAM, user_id=f"U{secrets.token_hex(4).upper()}"),
            platform="bench",
            purpose=Purpose.CONNECT,
            member_name="Bench",
            workspace_name="Bench",
            expires_at=datetime.now(UTC) + timedelta(minutes=10),
        )
    )
    async with browser.post(f"{address}/connect/{secret}", allow_redirects=False) as answer:
        assert answer.status == 303, await answer.text()
        [state] = parse_qs(urlsplit(answer.headers["Location"]).query)["state"]
        return state, answer.headers["Set-Cookie"].partition(";")[0]


# --- P8 ---------------------------------------------------------------------------------------------------------------


async def measure_start(stage: Stage, table: Table, *, rounds: int) -> None:
    """P8: from the start of the process to the first command answered, on a database that is there already."""
    name = f"bench_{secrets.token_hex(4)}"
    ours, imports = [], []
    async with stage.database(name):
        for _ in range(rounds + 1):
            began = time.perf_counter()
            async with stage.running("benchmarks.contenders.ours", name, BENCH_ROLE="all") as child:
                await _burst(stage, child.address, 1, bursts=1, text="help")
                ours.append(time.perf_counter() - began)
            began = time.perf_counter()
            await asyncio.to_thread(subprocess.run, [sys.executable, "-c", _IMPORTS], check=True)
            imports.append(time.perf_counter() - began)
    # The first round fills the disk's cache.
    ratio = ratio_of(ours[1:], imports[1:])
    table.add(
        Row(
            name="P8",
            what="start to first ack",
            ours=f"{_seconds(ours[1:])}",
            rival=f"bare imports {_seconds(imports[1:])}",
            ratio=ratio,
            target="≤ 3 × bare imports",
            holds=ratio.middle <= 3,
        )
    )


def _seconds(values: Sequence[float]) -> str:
    return f"{median(values):.2f} s"
