"""How runner and contenders talk: one JSON object a line."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass

__all__ = ["Order", "orders", "platform_address", "say"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Posts to send.

    Attributes:
        due_at: when all of them are due, in Unix seconds.
        posts: key and account of each.
    """

    due_at: float
    posts: list[tuple[str, str]]

    def by_account(self) -> dict[str, list[str]]:
        """Each account's keys, in order."""
        found: dict[str, list[str]] = {}
        for key, account in self.posts:
            found.setdefault(account, []).append(key)
        return found


def say(line: object) -> None:
    """Tell the runner."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


async def orders() -> AsyncIterator[Order]:
    """What the runner asks for, until it closes the pipe."""
    while line := await asyncio.to_thread(sys.stdin.readline):
        read = json.loads(line)
        yield Order(due_at=read["due_at"], posts=[(key, account) for key, account in read["posts"]])


def platform_address() -> str:
    """Where posts go."""
    return os.environ["BENCH_ENDPOINT_API"]
