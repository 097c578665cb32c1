"""The small Slack's files: uploaded from the page, told of and handed out as Slack does."""

from __future__ import annotations

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from logicspike.sandbox.block_rules import check_view
from logicspike.testing import SAMPLE_PNG

USER = "U0ANA"


@pytest.fixture
async def http():
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def client(slack):
    return AsyncWebClient(token="xoxb-sandbox", base_url=slack.api_url)


def headers(slack, **more):
    return {"Origin": slack.base_url, "Content-Type": "application/octet-stream", **more}


async def test_a_file_is_uploaded_from_the_page_and_told_of_with_its_addresses(slack, http, client):
    async with http.post(
        f"{slack.base_url}/sandbox/upload",
        params={"as": USER, "name": "my cat.png"},
        data=SAMPLE_PNG,
        headers=headers(slack),
    ) as answer:
        assert 200 == answer.status
        uploaded = await answer.json()

    file = (await client.files_info(file=uploaded["id"]))["file"]
    assert ("my cat.png", "image/png", "png", len(SAMPLE_PNG), USER) == (
        file["name"],
        file["mimetype"],
        file["filetype"],
        file["size"],
        file["user"],
    )
    for address in (file["url_private"], file["url_private_download"]):
        async with http.get(address, headers={"Authorization": "Bearer xoxb-sandbox"}) as answer:
            assert SAMPLE_PNG == await answer.read()


@pytest.mark.parametrize(
    "changes", [{"Origin": "http://evil.example"}, {"Content-Type": "text/plain"}, {"Content-Type": "application/json"}]
)
async def test_other_pages_can_upload_nothing(slack, http, changes):
    async with http.post(
        f"{slack.base_url}/sandbox/upload", params={"as": USER}, data=b"x", headers=headers(slack, **changes)
    ) as answer:
        assert 403 == answer.status


@pytest.mark.parametrize("token", ["", "Bearer wrong", "Bearer xoxb-other"])
async def test_without_the_token_there_is_a_login_instead_of_the_file(slack, http, client, token):
    file = slack.files.upload(USER, "cat.png", SAMPLE_PNG)
    address = (await client.files_info(file=file.id))["file"]["url_private_download"]
    sent = {"Authorization": token} if token else {}
    async with http.get(address, headers=sent, allow_redirects=False) as answer:
        assert 302 == answer.status


@pytest.mark.parametrize(
    ("break_it", "error"),
    [
        (lambda slack, file: slack.files.delete(file.id), "file_deleted"),
        (lambda slack, file: setattr(file, "id", "F0OTHER"), "file_not_found"),
        (lambda slack, file: setattr(slack.api, "scopes", frozenset()), "missing_scope"),
    ],
)
async def test_files_info_refuses_as_slack_does(slack, client, break_it, error):
    file = slack.files.upload(USER, "cat.png", SAMPLE_PNG)
    asked = file.id
    break_it(slack, file)
    with pytest.raises(SlackApiError) as caught:
        await client.files_info(file="F0NONE" if error == "file_not_found" else asked)
    assert error == caught.value.response["error"]


def view(**element):
    field = {"type": "file_input", "action_id": "files", **element}
    block = {"type": "input", "block_id": "files", "label": {"type": "plain_text", "text": "Files"}, "element": field}
    title = {"type": "plain_text", "text": "T"}
    return {"type": "modal", "title": title, "submit": title, "blocks": [block]}


@pytest.mark.parametrize(
    ("element", "is_fine"),
    [
        ({}, True),
        ({"max_files": 10, "filetypes": ["png", "mp4"]}, True),
        ({"max_files": 0}, False),
        ({"max_files": 11}, False),
        ({"filetypes": "png"}, False),
        ({"filetypes": []}, False),
    ],
)
def test_a_field_for_files_has_slacks_limits(element, is_fine):
    assert is_fine == (check_view(view(**element)) == [])
