"""Every answer of the stand-in, held to what LinkedIn documents or was seen to answer: fields, types, status.

The plugin and its stand-in are written by the same people; this keeps the two from drifting together. The shapes are
those of LinkedIn's own pages, read 2026-11-25: learn.microsoft.com/linkedin/shared/authentication/{authorization-code-
flow,programmatic-refresh-tokens,token-introspection}, …/shared/api-guide/concepts/error-handling, …/marketing/
community-management/shares/{posts,images,videos,comments}-api, …/organizations/{organization-access-control-by-role,
organization-lookup-api}. What was seen in public code instead says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any, Final

import pytest
from yarl import URL

from logicspike.plugin import Credential
from logicspike.testing import SAMPLE_MP4, SAMPLE_PNG, ErrorAnswer
from logicspike_linkedin.sandbox_errors import ERROR_ANSWERS

Shape = Any
"""A type; a pattern the whole text must fit; a mapping, whose keys ending in "?" may be absent; or a list of one."""

MEMBER: Final = re.compile(r"urn:li:person:[\w-]+")
PAGE: Final = re.compile(r"urn:li:organization:\d+")
AUTHOR: Final = re.compile(r"urn:li:(person:[\w-]+|organization:\d+)")
POST: Final = re.compile(r"urn:li:(share|ugcPost):\d{19}")
IMAGE: Final = re.compile(r"urn:li:image:[\w-]+")
VIDEO: Final = re.compile(r"urn:li:video:[\w-]+")
COMMENT: Final = re.compile(r"urn:li:comment:\(urn:li:activity:\d{19},\d+\)")
UPLOAD_URL: Final = re.compile(r"https?://[^/]+/dms-uploads/\S+")
ADDRESS: Final = re.compile(r"https://\S+")
STATE: Final = re.compile(r"WAITING_UPLOAD|PROCESSING|PROCESSING_FAILED|AVAILABLE")
LOCALE: Final = {"country": str, "language": str}
NAME: Final = {"localized": {"en_US": str}, "preferredLocale": LOCALE}


def milliseconds(value: object) -> bool:
    return type(value) is int and len(str(value)) == 13


def seconds(value: object) -> bool:
    return type(value) is int and len(str(value)) == 10


PAGING: Final = {"start": int, "count": int, "links": [], "total?": int}
TOKENS: Final = {"access_token": str, "expires_in": int, "scope": str}
INTROSPECTION: Final = {
    "active": bool,
    "client_id": str,
    "authorized_at": seconds,
    "created_at": seconds,
    "status": re.compile("active|expired|revoked"),
    "expires_at": seconds,
    "scope": str,
    "auth_type": re.compile("3L"),
}
USERINFO: Final = {  # seen in public code, unattributed; the names are OpenID Connect's
    "sub": str,
    "name": str,
    "given_name": str,
    "family_name": str,
    "picture": ADDRESS,
    "locale": LOCALE,
}
ME: Final = {  # github.com/om0852/Linkdin-API-, README.md
    "id": str,
    "localizedFirstName": str,
    "localizedLastName": str,
    "firstName": NAME,
    "lastName": NAME,
    "vanityName": str,
}
ROLE: Final = {"roleAssignee": MEMBER, "state": str, "role": str, "organization": PAGE}
ORGANIZATION: Final = {
    "id": int,
    "localizedName": str,
    "vanityName": str,
    "name": NAME,
    "primaryOrganizationType": re.compile("NONE|SCHOOL|BRAND"),
}
LOGO: Final = {
    "logoV2": {
        "original": re.compile(r"urn:li:digitalmediaAsset:\w+"),
        "original~": {
            "paging": PAGING,
            "elements": [{"identifiers": [{"identifier": ADDRESS, "mediaType": str, "identifierType": str}]}],
        },
    }
}
IMAGE_BEGUN: Final = {"value": {"uploadUrlExpiresAt": milliseconds, "uploadUrl": UPLOAD_URL, "image": IMAGE}}
VIDEO_BEGUN: Final = {
    "value": {
        "uploadUrlsExpireAt": milliseconds,
        "video": VIDEO,
        "uploadInstructions": [{"uploadUrl": UPLOAD_URL, "firstByte": int, "lastByte": int}],
        "uploadToken": str,
    }
}
ASSET: Final = {"owner": AUTHOR, "status": STATE, "downloadUrl?": ADDRESS, "downloadUrlExpiresAt?": milliseconds}
POST_BODY: Final = {
    "id": POST,
    "author": AUTHOR,
    "commentary": str,
    "visibility": re.compile("PUBLIC"),
    "distribution": {"feedDistribution": str, "targetEntities": [], "thirdPartyDistributionChannels": []},
    "lifecycleState": re.compile("PUBLISHED"),
    "isReshareDisabledByAuthor": bool,
    "createdAt": milliseconds,
    "publishedAt": milliseconds,
    "lastModifiedAt": milliseconds,
    "content?": {"media": {"id": IMAGE, "altText?": str}},
}
STAMP: Final = {"actor": AUTHOR, "time": milliseconds}
COMMENT_BODY: Final = {
    "id": re.compile(r"\d+"),
    "actor": AUTHOR,
    "object": re.compile(r"urn:li:activity:\d{19}"),
    "commentUrn": COMMENT,
    "$URN": COMMENT,
    "message": {"attributes": [], "text": str},
    "created": STAMP,
    "lastModified": STAMP,
}
OAUTH_ERROR: Final = {"error": str, "error_description": str}
API_ERROR: Final = {
    "status": int,
    "message": str,
    "code?": str,
    "serviceErrorCode?": int,
    "errorDetailType?": str,
    "errorDetails?": {"inputErrors": [{"description": str, "input": dict, "code": str}]},
}


def differences(value: object, shape: Shape, at: str = "") -> Iterator[str]:
    """Where an answer is not what LinkedIn answers."""
    match shape:
        case dict():
            yield from _compare_fields(value, shape, at)
        case list():
            if not isinstance(value, list) or (value and not shape):
                yield f"{at}: {value!r} is no list of that"
            else:
                for number, each in enumerate(value):
                    yield from differences(each, shape[0], f"{at}[{number}]")
        case re.Pattern():
            if not isinstance(value, str) or shape.fullmatch(value) is None:
                yield f"{at}: {value!r} is not like {shape.pattern}"
        case type():
            if type(value) is not shape:
                yield f"{at}: {value!r} is no {shape.__name__}"
        case _:
            if not shape(value):
                yield f"{at}: {value!r} is not in {shape.__name__}"


def _compare_fields(value: object, shape: Mapping[str, Shape], at: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{at}: {value!r} is no object"
        return
    known = {name.removesuffix("?"): each for name, each in shape.items()}
    needed = {name for name in shape if not name.endswith("?")}
    yield from (f"{at}: {name} is missing" for name in sorted(needed - value.keys()))
    yield from (f"{at}: {name} is not LinkedIn's" for name in sorted(value.keys() - known.keys()))
    for name in value.keys() & known.keys():
        yield from differences(value[name], known[name], f"{at}.{name}")


class Caller:
    """Calls the stand-in as LinkedIn's documentation says, apart from the plugin."""

    def __init__(self, rig: Any, credential: Credential) -> None:
        self._rig = rig
        self._token = credential.tokens.access_token
        who = credential.account.id
        self.urn = who if who.startswith("urn:li:") else f"urn:li:person:{who}"

    async def call(self, method: str, path: str, *, is_authorized: bool = True, **options: Any) -> tuple[int, Any, Any]:
        headers = {"LinkedIn-Version": "202609", "X-Restli-Protocol-Version": "2.0.0"} | options.pop("headers", {})
        headers |= {"Authorization": f"Bearer {self._token}"} if is_authorized else {}
        url = path if path.startswith("http") else f"{self._rig.origin}{path}"
        async with self._rig.http.request(method, URL(url, encoded=True), headers=headers, **options) as answer:
            is_json = answer.content_type == "application/json"
            return answer.status, answer.headers, await answer.json() if is_json else await answer.read()

    async def expect(self, status: int, shape: Shape, method: str, path: str, **options: Any) -> Any:
        got, _, body = await self.call(method, path, **options)
        assert (status, []) == (got, list(differences(body, shape)))
        return body

    async def begin_image(self) -> Any:
        request = {"initializeUploadRequest": {"owner": self.urn}}
        body = await self.expect(200, IMAGE_BEGUN, "POST", "/rest/images?action=initializeUpload", json=request)
        return body["value"]

    def post_body(self) -> dict[str, object]:
        return {
            "author": self.urn,
            "commentary": "Hello",
            "visibility": "PUBLIC",
            "distribution": {
                "feedDistribution": "MAIN_FEED",
                "targetEntities": [],
                "thirdPartyDistributionChannels": [],
            },
            "lifecycleState": "PUBLISHED",
            "isReshareDisabledByAuthor": False,
        }

    async def write(self, **more: object) -> str:
        status, headers, answer = await self.call("POST", "/rest/posts", json=self.post_body() | more)
        assert (201, b"") == (status, answer)
        assert POST.fullmatch(headers["x-restli-id"])
        return str(headers["x-restli-id"])


@pytest.fixture
async def member(rig: Any) -> Caller:
    return Caller(rig, await rig.connect())


@pytest.fixture
async def page(rig: Any) -> Caller:
    return Caller(rig, await rig.connect_page())


def encoded(urn: str) -> str:
    return urn.replace(":", "%3A").replace("(", "%28").replace(")", "%29").replace(",", "%2C")


# --- tokens ----------------------------------------------------------------------------------------------------------


def trade(rig: Any, code: str) -> dict[str, str]:
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": rig.fake.redirect_uris[0],
        "client_id": rig.fake.client_id,
        "client_secret": rig.fake.client_secret,
    }


@pytest.mark.parametrize("has_refresh", [False, True])
async def test_token_answers(rig: Any, member: Caller, has_refresh: bool) -> None:
    rig.fake.switch("refresh_tokens", on=has_refresh)
    refresh = {"refresh_token": str, "refresh_token_expires_in": int} if has_refresh else {}
    form = trade(rig, (await rig.grant()).code)

    body = await member.expect(200, TOKENS | refresh, "POST", "/oauth/v2/accessToken", data=form)
    assert (60 * 24 * 3600, "openid,profile,w_member_social") == (body["expires_in"], body["scope"])
    if has_refresh:
        assert 365 * 24 * 3600 == body["refresh_token_expires_in"]
        client = {"client_id": rig.fake.client_id, "client_secret": rig.fake.client_secret}
        again = {"grant_type": "refresh_token", "refresh_token": body["refresh_token"]} | client
        renewed = await member.expect(200, TOKENS | refresh, "POST", "/oauth/v2/accessToken", data=again)
        assert body["refresh_token"] == renewed["refresh_token"]


async def test_refused_token_requests(rig: Any, member: Caller) -> None:
    for change, status in (({"code": "x"}, 401), ({"client_secret": "x"}, 401), ({"redirect_uri": ""}, 400)):
        form = trade(rig, (await rig.grant()).code) | change
        await member.expect(status, OAUTH_ERROR, "POST", "/oauth/v2/accessToken", data=form)


async def test_introspection(rig: Any) -> None:
    credential = await rig.connect_and_wait()
    member = Caller(rig, credential)
    form = {"client_id": rig.fake.client_id, "client_secret": rig.fake.client_secret}
    known = form | {"token": credential.tokens.access_token}

    seen = []
    for action in ("", "expire", "revoke"):
        if action:
            rig.fake.perform(action)
        body = await member.expect(200, INTROSPECTION, "POST", "/oauth/v2/introspectToken", data=known)
        seen.append((body["active"], body["status"]))
    assert [(True, "active"), (False, "expired"), (False, "revoked")] == seen
    await member.expect(200, {"active": bool}, "POST", "/oauth/v2/introspectToken", data=form | {"token": "x"})


# --- people and pages ------------------------------------------------------------------------------------------------


async def test_whose_a_token_is(member: Caller, page: Caller) -> None:
    await member.expect(200, USERINFO, "GET", "/v2/userinfo")
    await page.expect(200, ME, "GET", "/v2/me")
    # Neither app may ask as the other does.
    await member.expect(403, API_ERROR, "GET", "/v2/me")
    await page.expect(403, API_ERROR, "GET", "/v2/userinfo")


async def test_pages_and_roles(page: Caller) -> None:
    roles = {"paging": PAGING, "elements": [ROLE]}
    found = await page.expect(200, roles, "GET", "/rest/organizationAcls?q=roleAssignee&state=APPROVED")
    assert {"ADMINISTRATOR", "CONTENT_ADMINISTRATOR", "ANALYST"} == {each["role"] for each in found["elements"]}

    lookup = {"results": {"5583111": ORGANIZATION}, "statuses": {"5583111": int, "1": int}, "errors": dict}
    await page.expect(200, lookup, "GET", "/rest/organizationsLookup?ids=List(5583111,1)")
    await page.expect(200, ORGANIZATION, "GET", "/rest/organizations/5583111")
    projection = "projection=(logoV2(original~:playableStreams))"
    await page.expect(200, LOGO, "GET", f"/rest/organizations/5583111?{projection}")
    # A content admin reads neither.
    await page.expect(403, API_ERROR, "GET", f"/rest/organizations/9120047?{projection}")


# --- uploads ---------------------------------------------------------------------------------------------------------


async def test_a_pictures_upload(member: Caller, page: Caller) -> None:
    for caller in (member, page):
        value = await caller.begin_image()
        # Not without the token.
        assert 401 == (await caller.call("PUT", value["uploadUrl"], data=SAMPLE_PNG, is_authorized=False))[0]
        assert 201 == (await caller.call("PUT", value["uploadUrl"], data=SAMPLE_PNG))[0]
        status = f"/rest/images/{encoded(value['image'])}"
        if caller is page:
            await caller.expect(200, ASSET | {"id": IMAGE}, "GET", status)
            assert "AVAILABLE" == (await caller.expect(200, ASSET | {"id": IMAGE}, "GET", status))["status"]
        else:
            await caller.expect(403, API_ERROR, "GET", status)
        assert await caller.write(content={"media": {"id": value["image"], "altText": "A field"}})


async def test_a_videos_upload(member: Caller) -> None:
    content = SAMPLE_MP4 + bytes(4 * 1024 * 1024)
    request = {"owner": member.urn, "fileSizeBytes": len(content), "uploadCaptions": False, "uploadThumbnail": False}
    begin = {"json": {"initializeUploadRequest": request}}
    body = await member.expect(200, VIDEO_BEGUN, "POST", "/rest/videos?action=initializeUpload", **begin)
    value, part_ids = body["value"], []
    assert [4 * 1024 * 1024 - 1, len(content) - 1] == [part["lastByte"] for part in value["uploadInstructions"]]
    for part in value["uploadInstructions"]:
        piece = content[part["firstByte"] : part["lastByte"] + 1]
        binary = {"Content-Type": "application/octet-stream"}
        # Not with the token.
        refused = await member.call("PUT", part["uploadUrl"], data=BytesIO(piece), headers=binary)
        assert 400 == refused[0]
        status, headers, _ = await member.call(
            "PUT", part["uploadUrl"], is_authorized=False, data=BytesIO(piece), headers=binary
        )
        assert 200 == status
        part_ids.append(headers["ETag"])
    finish = {"video": value["video"], "uploadToken": value["uploadToken"], "uploadedPartIds": part_ids}

    wrong = {"json": {"finalizeUploadRequest": finish | {"uploadedPartIds": part_ids[::-1]}}}
    await member.expect(400, API_ERROR, "POST", "/rest/videos?action=finalizeUpload", **wrong)
    right = {"finalizeUploadRequest": finish}
    assert 200 == (await member.call("POST", "/rest/videos?action=finalizeUpload", json=right))[0]

    states = [
        (await member.expect(200, ASSET | {"id": VIDEO}, "GET", f"/rest/videos/{encoded(value['video'])}"))["status"]
        for _ in range(3)
    ]
    assert ["PROCESSING", "PROCESSING", "AVAILABLE"] == states


# --- posts and comments ----------------------------------------------------------------------------------------------


async def test_posts_are_read_back_as_they_were_written(page: Caller) -> None:
    value = await page.begin_image()
    await page.call("PUT", value["uploadUrl"], data=SAMPLE_PNG)
    await page.call("GET", f"/rest/images/{encoded(value['image'])}")
    await page.call("GET", f"/rest/images/{encoded(value['image'])}")
    await page.write(commentary="First")
    await page.write(commentary="Second", content={"media": {"id": value["image"]}})

    path = f"/rest/posts?author={encoded(page.urn)}&q=author&count=10&sortBy=CREATED"
    found = await page.expect(200, {"paging": PAGING, "elements": [POST_BODY]}, "GET", path)

    assert ["Second", "First"] == [each["commentary"] for each in found["elements"]]


async def test_members_posts_and_comments_are_not_read(member: Caller) -> None:
    root = await member.write()
    path = f"/rest/posts?author={encoded(member.urn)}&q=author"
    await member.expect(403, API_ERROR, "GET", path)
    await member.expect(403, API_ERROR, "GET", f"/v2/socialActions/{encoded(root)}/comments")


async def test_comments(member: Caller, page: Caller) -> None:
    for caller in (member, page):
        root = await caller.write()
        path = f"/v2/socialActions/{encoded(root)}/comments"
        body = {"actor": caller.urn, "object": root, "message": {"text": "And (this)"}}
        status, headers, made = await caller.call("POST", path, json=body)
        assert (201, []) == (status, list(differences(made, COMMENT_BODY)))
        assert made["id"] == headers["x-restli-id"]
        nowhere = {"json": body | {"object": "urn:li:share:1"}}
        await caller.expect(404, API_ERROR, "POST", "/v2/socialActions/urn%3Ali%3Ashare%3A1/comments", **nowhere)
        if caller is page:
            listed = await caller.expect(200, {"paging": PAGING, "elements": [COMMENT_BODY]}, "GET", path)
            assert [made] == listed["elements"]


async def test_an_address_with_bare_colons_is_refused(member: Caller) -> None:
    await member.expect(400, API_ERROR, "POST", "/v2/socialActions/urn:li:share:1/comments", json={})


# --- refusals --------------------------------------------------------------------------------------------------------

# Every code that LinkedIn is known to refuse with; a misspelt one in the stand-in would be matched by nothing.
KNOWN_CODES: Final = frozenset(
    {
        "ACCESS_DENIED",
        "CONFLICT",
        "DUPLICATE_POST",
        "EMPTY_ACCESS_TOKEN",
        "EXPIRED_ACCESS_TOKEN",
        "EXPIRED_UPLOAD_URL",
        "FIELD_LENGTH_TOO_LONG",
        "INVALID_URN_ID",
        "INVALID_URN_TYPE",
        "INVALID_VALUE_FOR_FIELD",
        "MEDIA_ASSET_PROCESSING_FAILED",
        "MEDIA_ASSET_WAITING_UPLOAD",
        "MISSING_FIELD",
        "NONEXISTENT_VERSION",
        "RESTRICTED_MEMBER",
        "REVOKED_ACCESS_TOKEN",
        "TOO_MANY_REQUESTS",
        "UPDATING_ASSET_FAILED",
        "VERSION_MISSING",
    }
)
# learn.microsoft.com/linkedin/shared/api-guide/concepts/error-handling and github.com/jclusso/omniauth-linkedin-openid,
# issue 6; 401 stands for itself there.
KNOWN_NUMBERS: Final = {100: 403, 101: 429, 401: 401, 65600: 401, 65601: 401, 65602: 401}

ALL_ANSWERS: Final = [(name, answer) for name, answers in ERROR_ANSWERS.items() for answer in answers]


@pytest.mark.parametrize(("name", "answer"), ALL_ANSWERS, ids=[name for name, _ in ALL_ANSWERS])
def test_refusals_have_linkedins_form(name: str, answer: ErrorAnswer) -> None:
    if isinstance(answer.body, str):
        assert answer.status >= 500, name
        return
    assert isinstance(answer.body, dict)
    is_oauth = "error" in answer.body
    assert [] == list(differences(answer.body, OAUTH_ERROR if is_oauth else API_ERROR))
    if is_oauth:
        assert answer.status in {400, 401}
        return
    assert answer.status == answer.body["status"]
    inputs = answer.body.get("errorDetails", {}).get("inputErrors", [])
    codes = {answer.body.get("code"), *(each["code"] for each in inputs)} - {None}
    assert codes <= KNOWN_CODES
    number = answer.body.get("serviceErrorCode")
    assert number is None or KNOWN_NUMBERS[number] == answer.status


async def test_refusals_of_a_live_call_have_the_same_form(member: Caller, page: Caller) -> None:
    await member.write()
    for caller, change, status in (
        (member, {"commentary": None}, 400),
        (member, {"author": page.urn}, 400),
        (page, {"author": "urn:li:organization:1"}, 403),
        (member, {}, 422),
    ):
        body = {name: value for name, value in (caller.post_body() | change).items() if value is not None}
        await caller.expect(status, API_ERROR, "POST", "/rest/posts", json=body)


def test_the_comparison_finds_what_differs() -> None:
    shape = {"id": int, "name?": re.compile("[a-z]+"), "list": [{"at": seconds}], "none": []}
    good = {"id": 1, "list": [{"at": 1_700_000_000}], "none": []}
    assert [] == list(differences(good, shape))
    all_bad: list[object] = [
        good | {"id": True},
        good | {"name": "A"},
        good | {"more": 1},
        good | {"list": [{"at": 1}]},
        good | {"none": [1]},
        {"id": 1},
        [],
    ]
    for bad in all_bad:
        assert list(differences(bad, shape)), bad
