"""Celery on Redis: one task with an ETA for each post. At most once as it comes: a crash loses what was begun.

Set up as its documentation advises for such tasks (docs.celeryq.dev, 5.5, checked 2026-11):

- The pool is fifty threads. A post is nothing but waiting: ``prefork`` would send two at once on two cores, ``solo``
  one, and greenlets need another package that patches the standard library.
- Prefetching is unlimited. A worker takes tasks out of Redis long before they are due and holds them in memory; with a
  limit, those behind it would stay in Redis until others are done.
- The timer looks every 20 ms instead of every second, or all tasks would be late by up to that.
- The timer has a thread of its own, as where greenlets or Windows are used. Celery's usual loop on Linux fires ten
  tasks in each turn and then waits for up to a second (``kombu.asynchronous.hub``, 5.5): 22 posts a second here.
- No results, events, gossip or remote control: nobody asks for them, and each costs round trips.
"""

from __future__ import annotations

import asyncio
import json
import os
import threading
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from celery import Celery
from celery.worker import WorkController, state

from .physical import TOKEN
from .pipe import orders, platform_address, say

AT_ONCE = 50

app = Celery("bench", broker=os.environ.get("BENCH_REDIS"))
app.conf.update(
    broker_connection_retry_on_startup=True,
    task_ignore_result=True,
    worker_enable_remote_control=False,
    worker_hijack_root_logger=False,
    worker_prefetch_multiplier=0,
    worker_timer_precision=0.02,
)
_kept = threading.local()


def _connection() -> HTTPConnection:
    """This thread's own, which stays open."""
    if not hasattr(_kept, "connection"):
        _kept.connection = HTTPConnection(urlsplit(platform_address()).netloc)
    connection: HTTPConnection = _kept.connection
    return connection


@app.task(name="send")
def send(key: str, account: str) -> None:
    """The task."""
    body = json.dumps({"key": key, "account": account, "text": f"Hello {key}"})
    connection = _connection()
    connection.request("POST", "/posts", body, {**TOKEN, "Content-Type": "application/json"})
    json.loads(connection.getresponse().read())


class _Worker(WorkController):
    """Tells when it listens."""

    is_ready = threading.Event()

    def on_consumer_ready(self, _consumer: Any) -> None:
        self.is_ready.set()


async def _take_orders() -> None:
    _Worker.is_ready.wait()
    say({"ready": True})
    async for order in orders():
        due_at = datetime.fromtimestamp(order.due_at, UTC)
        with app.producer_pool.acquire(block=True) as producer:
            for key, account in order.posts:
                send.apply_async((key, account), eta=due_at, producer=producer)
        say({"armed": True})
    state.should_stop = 0


if __name__ == "__main__":
    # Its loop wants the main thread.
    taking = threading.Thread(target=lambda: asyncio.run(_take_orders()))
    taking.start()
    worker = _Worker(
        app=app,
        pool_cls="threads",
        concurrency=AT_ONCE,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        use_eventloop=False,
    )
    worker.start()
    taking.join()
