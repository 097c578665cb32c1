"""The sealing keys: given by the operator, or, with the embedded database, kept in a file beside it."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from .vault import KeyRing, generate_key, parse_key_ring

__all__ = ["KeyFileBroken", "load_key_file"]


class KeyFileBroken(Exception):
    """The key file can't be read as keys, or can't be made; nothing was overwritten."""


def load_key_file(folder: Path) -> KeyRing:
    """Read ``keys`` in a folder, or make it with one fresh key, readable by its owner only.

    Raises:
        KeyFileBroken: it holds something else, or the folder can't be used.
    """
    path = folder / "keys"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            _create(path)
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise KeyFileBroken(
            f"The key file {path} can't be read or made ({error.strerror or type(error).__name__}). "
            "Set LOGICSPIKE_DATA_DIR to a folder that this user may write to, or give the keys in LOGICSPIKE_KEYS."
        ) from error
    except UnicodeDecodeError:
        text = ""
    try:
        return parse_key_ring(text.strip())
    except ValueError as error:
        raise KeyFileBroken(
            f"The key file {path} can't be used: {error}. Without its key the stored sign-ins can't be opened; "
            "restore it from a backup, or move it away to start anew and connect every account again."
        ) from None


def _create(path: Path) -> None:
    # A fresh name: one that is left over from a process that was killed must not stand in the way. Its mode is 0600.
    descriptor, temporary = tempfile.mkstemp(prefix="keys.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"local:{generate_key()}\n")
            file.flush()
            os.fsync(file.fileno())
        # A link fails where the file exists: of two processes that start at once, one makes the key.
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(temporary)
    finally:
        Path(temporary).unlink()
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the new name last: what is sealed from now on is lost without it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
