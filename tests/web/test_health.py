from __future__ import annotations

import json


async def test_a_process_that_answers_is_alive(site):
    site.health.database = "does not answer"

    answer = await site.get("/healthz")

    assert 200 == answer.status
    assert {"status": "alive"} == json.loads(answer.text)


async def test_ready_means_that_every_required_part_works(site):
    answer = await site.get("/readyz")

    assert 200 == answer.status
    assert {"status": "ready", "database": "ok", "platforms": {"echo": "ok"}} == json.loads(answer.text)


async def test_what_is_not_ready_is_named(site):
    site.health.database = "does not answer"

    answer = await site.get("/readyz")

    assert 503 == answer.status
    assert ("not ready", "does not answer") == (json.loads(answer.text)["status"], json.loads(answer.text)["database"])
