"""The key file: made once, closed to others, never overwritten."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from logicspike.key_file import KeyFileBroken, load_key_file
from logicspike.vault import SealedPlace, Vault, generate_key

PLACE = SealedPlace(collection="c", record_id="r", team_id="T1", field="f")


def mode_of(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_key_is_made_once(tmp_path):
    folder = tmp_path / "deep" / "folder"

    made = load_key_file(folder)

    assert ("local", 1) == (made.writing_id, len(made.keys))
    assert made == load_key_file(folder)
    assert ["keys"] == [each.name for each in folder.iterdir()]


def test_only_the_owner_can_read_it_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        load_key_file(tmp_path / "folder")
    finally:
        os.umask(before)

    assert (0o700, 0o600) == (mode_of(tmp_path / "folder"), mode_of(tmp_path / "folder" / "keys"))


def test_a_rotated_file_is_read_with_all_its_keys(tmp_path):
    sealed = Vault(load_key_file(tmp_path)).seal(b"secret", PLACE)
    old = (tmp_path / "keys").read_text().strip()
    (tmp_path / "keys").write_text(f"new:{generate_key()},{old}\n")

    ring = load_key_file(tmp_path)

    assert "new" == ring.writing_id
    assert b"secret" == Vault(ring).open(sealed, PLACE)


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"not a key ring", b"local:AAAA\n", b"\xff\xfe\x00", "lokäl:AAAA".encode()]
)
def test_a_broken_file_is_explained_and_left_as_it_is(tmp_path, content):
    (tmp_path / "keys").write_bytes(content)

    with pytest.raises(KeyFileBroken, match="can't be used") as caught:
        load_key_file(tmp_path)

    assert str(tmp_path / "keys") in str(caught.value)
    assert "restore it from a backup" in str(caught.value)
    assert content == (tmp_path / "keys").read_bytes()


def test_the_key_is_not_in_the_explanation(tmp_path):
    key = generate_key()
    (tmp_path / "keys").write_text(f"local:{key}x")

    with pytest.raises(KeyFileBroken) as caught:
        load_key_file(tmp_path)

    assert key[:8] not in str(caught.value)
    assert None is caught.value.__cause__


def test_a_folder_that_cannot_be_made_is_explained(tmp_path):
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(KeyFileBroken, match="LOGICSPIKE_DATA_DIR"):
        load_key_file(tmp_path / "file")
    with pytest.raises(KeyFileBroken, match="LOGICSPIKE_DATA_DIR"):
        load_key_file(tmp_path / "file" / "below")


def test_what_a_killed_process_left_behind_is_not_in_the_way(tmp_path):
    (tmp_path / f"keys.{os.getpid()}").write_text("half a k")

    assert "local" == load_key_file(tmp_path).writing_id


def test_many_threads_at_once_make_one_key(tmp_path):
    count = 16
    barrier = threading.Barrier(count)

    def load():
        barrier.wait()
        return load_key_file(tmp_path)

    with ThreadPoolExecutor(count) as threads:
        rings = [each.result() for each in [threads.submit(load) for _ in range(count)]]

    assert all(rings[0] == ring for ring in rings)
    assert ["keys"] == [each.name for each in tmp_path.iterdir()]


def test_two_processes_at_once_make_one_key(tmp_path):
    folder = tmp_path / "folder"
    code = (
        "import pathlib, sys; from logicspike.key_file import load_key_file; print('ready', flush=True);"
        "sys.stdin.readline(); print(load_key_file(pathlib.Path(sys.argv[1])).keys['local'].hex())"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for process in processes:
        assert "ready\n" == process.stdout.readline()
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    keys = {process.communicate(timeout=20)[0] for process in processes}

    assert {load_key_file(folder).keys["local"].hex() + "\n"} == keys
