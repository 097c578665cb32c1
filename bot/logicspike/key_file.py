"""The sealing keys: given by the operator, or, with the embedded database, kept in a file beside it."""

from __future__ import annotations

import os
from pathlib import Path

from .vault import KeyRing, generate_key, parse_key_ring

__all__ = ["KeyFileBroken", "load_key_file"]


class KeyFileBroken(Exception):
    """The key file is there, but it can't be read as keys; nothing was overwritten."""


def load_key_file(folder: Path) -> KeyRing:
    """Read ``keys`` in a folder, or make it with one fresh key, readable by its owner only.

    Raises:
        KeyFileBroken: it holds something else.
    """
    path = folder / "keys"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        _create(path)
    try:
        return parse_key_ring(path.read_text(encoding="ascii").strip())
    except (ValueError, OSError) as error:
        raise KeyFileBroken(
            f"The key file {path} can't be used ({error}). Without its key the stored sign-ins can't be opened; "
            "restore it from a backup, or move it away to start anew and connect every account again."
        ) from None


def _create(path: Path) -> None:
    temporary = path.with_name(f"keys.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"local:{generate_key()}\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        # A link fails where the file exists: of two processes that start at once, one makes the key.
        path.hardlink_to(temporary)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
