"""How the application is served: nothing of a request reaches the logs, as an address may hold a ticket or a code."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

__all__ = ["build_runner"]

log = logging.getLogger(__name__)

_DEFAULT_SHUTDOWN: Final = timedelta(seconds=5)


def build_runner(app: web.Application, *, shutdown_timeout: timedelta = _DEFAULT_SHUTDOWN) -> web.AppRunner:
    """Make the runner that serves the application; the caller sets it up, gives it a site and cleans it up.

    Args:
        app: what to serve.
        shutdown_timeout: how long requests on their way may take once it is cleaned up.
    """
    return web.AppRunner(
        app,
        handle_signals=False,  # the caller decides when to stop
        access_log=None,
        logger=_server_log,
        shutdown_timeout=shutdown_timeout.total_seconds(),
    )


def _drop_quotes(record: logging.LogRecord) -> bool:
    """Say that a request was malformed without aiohttp's traceback, which quotes the request line and headers."""
    error = record.exc_info[1] if record.exc_info else None
    if not isinstance(error, HttpProcessingError):
        return True
    log.info("refused a malformed request (%s)", type(error).__name__, extra={"event": "request.malformed"})
    return False


_server_log = logging.getLogger(f"{__name__}.http")
_server_log.addFilter(_drop_quotes)
