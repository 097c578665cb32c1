"""Mocked answers for single calls: aioresponses, made to work with aiohttp 3.14.

It replaces the transport, so it can't show timeouts, resets, redirects or streaming: for flows use a ``FakePlatform``.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import aiohttp
from aioresponses import aioresponses

__all__ = ["MockHttp"]


class _Response(aiohttp.ClientResponse):
    """A response that does without the writer, which aiohttp 3.14 demands and aioresponses 0.7.9 does not give."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("stream_writer", SimpleNamespace(output_size=0))
        super().__init__(*args, **kwargs)


class MockHttp(aioresponses):
    """``aioresponses`` for the aiohttp in use::

    with MockHttp() as http:
        http.post("https://api.chirp.example/chirps", status=429, headers={"Retry-After": "30"})
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # github.com/pnuckowski/aioresponses, issue 289, open when checked 2026-11; drop this with its next release.
        self._response_patch = patch("aioresponses.core.ClientResponse", _Response)

    def start(self) -> None:
        """Begin to answer instead of the network."""
        self._response_patch.start()
        super().start()

    def stop(self) -> None:
        """Give the network back."""
        super().stop()
        self._response_patch.stop()
