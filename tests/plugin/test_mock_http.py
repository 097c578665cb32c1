from __future__ import annotations

import aiohttp
import pytest
from aioresponses import CallbackResult, core

from logicspike.testing import MockHttp

URL = "https://api.chirp.example/chirps"


async def test_answer_is_mocked() -> None:
    with MockHttp() as mocked:
        mocked.post(URL, status=429, payload={"error": "slow"}, headers={"Retry-After": "30"})
        async with aiohttp.ClientSession() as http, http.post(URL, json={"text": "a"}) as response:
            assert (response.status, response.headers["Retry-After"]) == (429, "30")
            assert await response.json() == {"error": "slow"}
        mocked.assert_called_once_with(URL, method="POST", json={"text": "a"})


async def test_answer_of_a_callback_is_mocked() -> None:
    with MockHttp() as mocked:
        mocked.get(URL, callback=lambda url, **_: CallbackResult(body=url.path))
        async with aiohttp.ClientSession() as http, http.get(URL) as response:
            assert await response.text() == "/chirps"


async def test_unmocked_call_is_refused() -> None:
    with MockHttp():
        async with aiohttp.ClientSession() as http:
            with pytest.raises(aiohttp.ClientConnectionError):
                await http.get(URL)


def test_library_is_left_as_it_was() -> None:
    before = vars(core)["ClientResponse"]
    with MockHttp():
        assert vars(core)["ClientResponse"] is not before
    assert vars(core)["ClientResponse"] is before
