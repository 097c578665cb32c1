"""The contract of the request log."""


async def test_a_request_is_first_once(stores):
    assert await stores.requests.is_first("Ev1")
    assert not await stores.requests.is_first("Ev1")
    assert await stores.requests.is_first("Ev2")
