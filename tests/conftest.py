"""A real mongod for the whole run, a database of its own for every test that asks for one, and a real browser."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import secrets
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from measured import factor, hand_over, read_lines, to_markdown
from shared_database import open_shared_database

from logicspike.store.embedded import EmbeddedMongod, MongodMissing, find_mongod
from logicspike.store.mongo import Database, open_database
from logicspike.testing.undeclared import UNDECLARED

GIVES_WAY = 5
"""The niceness of what measures no time."""

MOST_KEPT_IN_MEMORY = 2 * 2**30
"""Bytes for the test databases of one process."""

# The gate tries the same examples each time; everywhere else new ones are tried, and a failing one is kept and printed.
settings.register_profile("gate", derandomize=True, print_blob=True)
settings.register_profile("search", print_blob=True)
settings.load_profile("gate" if os.environ.get("CI") == "true" else "search")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes long, unless ``-m chaos`` asks for it, or tests/chaos is named.

    Of what takes long, what measures no time goes beside the rest, in a second process that gives way to it; in
    reverse, so that the one with the most requests comes when the kills, which need all there is, are over.
    """
    if "chaos" not in config.getoption("markexpr"):
        long_ones = [item for item in items if item.get_closest_marker("chaos") and item.path.parent.name != "chaos"]
        config.hook.pytest_deselected(items=long_ones)
        items[:] = [item for item in items if item not in long_ones]
    patient = [item for item in items if item.get_closest_marker("patient")]
    if config.pluginmanager.has_plugin("xdist"):
        for item in items:
            item.add_marker(pytest.mark.xdist_group("patient" if item in patient else "timed"))
    items[:] = [item for item in items if item not in patient] + patient[::-1]


def pytest_collection_finish() -> None:
    """Keep the garbage collector from looking at thousands of collected tests over and over."""
    gc.collect()
    gc.freeze()


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("patient") and "PYTEST_XDIST_WORKER" in os.environ:
        os.nice(max(0, GIVES_WAY - os.nice(0)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let a test's report carry what it has measured."""
    report = yield
    if call.when == "call":
        hand_over(report)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """End a run that has measured something with its table, and keep that in ``build/``."""
    reports = [report for outcome in ("passed", "failed", "error") for report in terminalreporter.getreports(outcome)]
    lines = read_lines(reports)
    if not lines:
        return
    failed = {report.nodeid for report in reports if report.failed}
    table = to_markdown(
        lines, failed=failed, seconds={each.nodeid: each.duration for each in reports if each.when == "call"}
    )
    path = config.rootpath / "build" / ("soak.md" if factor() > 1 else "chaos.md")
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{table}\n", encoding="utf-8")
    terminalreporter.section(f"measured, also in {path.relative_to(config.rootpath)}")
    terminalreporter.write_line(table)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run in CI that left a test out: what is skipped there has proved nothing.

    But for checks of the contract whose subject a plugin doesn't have: there is nothing to prove.
    """
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") != "true" or reporter is None:
        return
    if any(UNDECLARED not in str(report.longrepr) for report in reporter.stats.get("skipped", ())):
        reporter.write_line("\nSkipped in CI, which counts as failed.", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture
def forgotten_sockets() -> Iterator[None]:
    """For tests that end while a driver is connecting: its socket is thrown away here, not in another test's middle.

    PyMongo forgets to close a socket when it's canceled while connecting (4.20, pool_shared.py, checked 2026-11).
    """
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture(scope="session")
def mongod_program() -> Path:
    """The mongod of this machine; where there is none, tests that need it are skipped, but fail under CI=true."""
    try:
        return find_mongod()
    except MongodMissing as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must test against a real MongoDB. {error}")
        pytest.skip(f"NOT TESTED AGAINST A REAL MONGODB: {error}")


@pytest.fixture(scope="session")
def mongod_uri(mongod_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real mongod on a Unix socket, which ends with the run."""
    with (
        _memory_folder() or contextlib.nullcontext(tmp_path_factory.mktemp("mongod")) as folder,
        ThreadPoolExecutor(max_workers=1) as thread,  # a test's own loop may be running here
    ):
        mongod = EmbeddedMongod(Path(folder), mongod=mongod_program)
        yield thread.submit(lambda: asyncio.run(mongod.start())).result()
        thread.submit(lambda: asyncio.run(mongod.stop())).result()


def _memory_folder() -> tempfile.TemporaryDirectory[str] | None:
    """A folder in memory, where there is room: each test makes a database and drops it, which costs a disk dearly."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK) or shutil.disk_usage(memory).free < MOST_KEPT_IN_MEMORY:
        return None
    return tempfile.TemporaryDirectory(prefix="logicspike-", dir=memory)


@pytest.fixture
def database_name() -> str:
    """A name that no other test has."""
    return f"test_{secrets.token_hex(6)}"


@pytest.fixture
async def mongo_database(mongod_uri: str) -> AsyncIterator[Database]:
    """An empty database with its indexes on the real server, which tests share one after the other."""
    async with open_shared_database(mongod_uri) as database:
        yield database


@pytest.fixture
async def bare_database(mongod_uri: str, database_name: str) -> AsyncIterator[Database]:
    """A database of the test's own on the real server, without indexes, dropped afterwards."""
    database = open_database(mongod_uri, database_name)
    yield database
    await database.command("dropDatabase")
    await database.close()


CHROMIUM_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The one without a window's machinery goes first: it does the same in half the time (Debian's 156, 2026-11-29)."""

CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


BROWSER_PATIENCE = 30_000  # milliseconds: a machine that runs everything at once is slow, and that is no failure


@pytest.fixture
async def chromium() -> AsyncIterator[Any]:
    """A real Chromium; where there is none, tests that need it are skipped, but fail under CI=true."""
    from playwright.async_api import async_playwright

    program = next(
        (path for name in (os.environ.get("CHROMIUM"), *CHROMIUM_NAMES) if name and (path := shutil.which(name))), None
    )
    if program is None:
        reason = "NO BROWSER TEST RAN: there is no chromium on PATH, and CHROMIUM does not name one."
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=CHROMIUM_ARGS)
        yield browser
        await browser.close()


@pytest.fixture
async def chromium_page(chromium: Any) -> AsyncIterator[Any]:
    """A page in Chromium; the test fails when any page logs an error or breaks its own content policy."""
    from playwright.async_api import ConsoleMessage, expect

    expect.set_options(timeout=BROWSER_PATIENCE)
    problems: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            problems.append(message.text)

    context = await chromium.new_context(viewport={"width": 1440, "height": 900})
    context.on("console", on_console)
    context.on("weberror", lambda error: problems.append(str(error.error)))
    page = await context.new_page()
    page.set_default_timeout(BROWSER_PATIENCE)
    yield page
    await context.close()
    assert problems == []
