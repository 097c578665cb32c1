"""What a store may say instead of doing what was asked."""

from __future__ import annotations

__all__ = ["NameTaken", "StoreUnavailable"]


class StoreUnavailable(Exception):
    """The database did not answer in time; nothing may be assumed about the last write."""


class NameTaken(Exception):
    """Another connection of the workspace has this nickname, or stands for this account, already."""
