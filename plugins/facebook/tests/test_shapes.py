"""Every answer of the fake has the form that Facebook documents, or that was seen: fields, types, status, headers.

The forms are written down here a second time, from the sources and not from the fake, so that fake and plugin can't
drift away together. A field that stands nowhere here may not be in an answer.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

import logicspike_facebook as plugin
from logicspike.plugin import PlatformError, Post, Reply
from logicspike.testing import SAMPLE_GIF, SAMPLE_JPEG, SAMPLE_MP4, SAMPLE_PNG, ErrorAnswer, MemoryFile
from logicspike_facebook.sandbox_errors import ERROR_ANSWERS
from logicspike_facebook.sandbox_people import DANA, JONAS, MIRA

Id = Annotated[str, StringConstraints(pattern=r"^[0-9]+$")]
PostId = Annotated[str, StringConstraints(pattern=r"^[0-9]+_[0-9]+$")]
Offset = Annotated[str, StringConstraints(pattern=r"^[0-9]+$")]
Address = Annotated[str, StringConstraints(pattern=r"^https?://\S+$")]
# Seconds, and an offset without a colon: what the Graph API is seen to write.
Time = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000$")]
Text = Annotated[str, StringConstraints(min_length=1)]


class Shape(BaseModel):
    """A JSON object: no field but those named, no text for a number."""

    model_config = ConfigDict(extra="forbid", strict=True)


# --- signing in: developers.facebook.com/documentation/facebook-login/guides/advanced/manual-flow --------------------


class Token(Shape):
    access_token: Text
    token_type: Literal["bearer"]
    expires_in: int


class Person(Shape):
    """Asked for with ``fields=id,name``."""

    id: Id
    name: Text


class Permission(Shape):
    """developers.facebook.com/docs/graph-api/reference/user/permissions."""

    permission: Text
    status: Literal["granted", "declined", "expired"]


class Permissions(Shape):
    data: list[Permission]


class GranularScope(Shape):
    scope: Text
    target_ids: list[Id] | None = None


class TokenProblem(Shape):
    code: int
    message: Text
    subcode: int | None = None


class TokenFacts(Shape):
    """developers.facebook.com/docs/facebook-login/guides/access-tokens/debugging."""

    app_id: Id | None = None
    type: Literal["USER", "PAGE"] | None = None
    application: Text | None = None
    data_access_expires_at: int | None = None
    expires_at: int | None = None
    is_valid: bool
    issued_at: int | None = None
    scopes: list[Text]
    granular_scopes: list[GranularScope] | None = None
    user_id: Id | None = None
    profile_id: Id | None = None
    error: TokenProblem | None = None


class Debugged(Shape):
    data: TokenFacts


class Done(Shape):
    success: Literal[True]


# --- lists: developers.facebook.com/docs/graph-api/results -----------------------------------------------------------


class Cursors(Shape):
    before: Text
    after: Text


class Paging(Shape):
    cursors: Cursors
    next: Address | None = None
    previous: Address | None = None


class PictureFacts(Shape):
    url: Address


class Picture(Shape):
    """Asked for with ``picture{url}``."""

    data: PictureFacts


class Page(Shape):
    """developers.facebook.com/docs/pages-api/manage-pages: fields that are empty are left out."""

    id: Id
    name: Text
    username: Text | None = None
    access_token: Text | None = None
    tasks: list[Literal["ADVERTISE", "ANALYZE", "CREATE_CONTENT", "MANAGE", "MESSAGING", "MODERATE"]] | None = None
    picture: Picture
    link: Address


class Pages(Shape):
    data: list[Page]
    paging: Paging | None = None


class Portfolio(Shape):
    """Asked for with ``fields=id``."""

    id: Id
    name: Text | None = None


class Portfolios(Shape):
    data: list[Portfolio]
    paging: Paging | None = None


class PageToken(Shape):
    """Asked for with ``fields=access_token``; ``id`` always comes along."""

    id: Id
    access_token: Text | None = None


# --- publishing: developers.facebook.com/documentation/pages-api/posts -----------------------------------------------


class Made(Shape):
    """Asked for with ``fields=id,permalink_url``."""

    id: PostId
    permalink_url: Address


class Photo(Shape):
    """developers.facebook.com/docs/graph-api/reference/page/photos: an unpublished one has no ``post_id``."""

    id: Id


class VideoStarted(Shape):
    """github.com/facebookarchive/php-graph-sdk, FacebookResumableUploader.php; offsets come as texts."""

    upload_session_id: Id
    video_id: Id
    start_offset: Offset
    end_offset: Offset


class VideoPart(Shape):
    start_offset: Offset
    end_offset: Offset


class Upload(Shape):
    """A photo or a video by its id, asked for with ``fields=id,published,permalink_url`` or ``fields=id``."""

    id: Id
    published: bool | None = None
    permalink_url: Annotated[str, StringConstraints(pattern=r"^/[0-9]+/videos/[0-9]+/$")] | None = None


class Target(Shape):
    id: Id


class PartOfAttachment(Shape):
    media_type: Literal["photo", "video"]
    target: Target


class PartsOfAttachment(Shape):
    data: list[PartOfAttachment]


class Attachment(Shape):
    """developers.facebook.com/docs/graph-api/reference/story-attachment."""

    media_type: Literal["photo", "video", "album"]
    target: Target | None = None
    subattachments: PartsOfAttachment | None = None


class Attachments(Shape):
    data: list[Attachment]


class Published(Shape):
    """developers.facebook.com/docs/graph-api/reference/page/published_posts."""

    id: PostId
    message: str | None = None
    created_time: Time
    permalink_url: Address
    attachments: Attachments | None = None


class PublishedPosts(Shape):
    data: list[Published]
    paging: Paging | None = None


class Comment(Shape):
    """developers.facebook.com/docs/graph-api/reference/page-post/comments."""

    id: PostId
    message: Text
    created_time: Time
    permalink_url: Address
    author: Person | None = Field(None, alias="from")


class Comments(Shape):
    data: list[Comment]
    paging: Paging | None = None


# --- refusals: developers.facebook.com/docs/graph-api/guides/error-handling ------------------------------------------


class Offsets(Shape):
    """github.com/facebookarchive/php-graph-sdk/issues/821: numbers here."""

    start_offset: int
    end_offset: int


class Error(Shape):
    message: Text
    type: Literal["OAuthException", "GraphMethodException"]
    code: int
    error_subcode: int | None = None
    error_user_title: Text | None = None
    error_user_msg: Text | None = None
    error_data: Offsets | None = None
    fbtrace_id: Text


class Refused(Shape):
    error: Error


class PageUsage(Shape):
    """developers.facebook.com/docs/graph-api/overview/rate-limiting: percentages, and minutes."""

    type: Literal["pages"]
    call_count: int
    total_cputime: int
    total_time: int
    estimated_time_to_regain_access: int


class AppUsage(Shape):
    call_count: int
    total_time: int
    total_cputime: int


class SignedRequest(Shape):
    """developers.facebook.com/docs/development/create-an-app/app-dashboard/data-deletion-callback."""

    user_id: Id
    algorithm: Literal["HMAC-SHA256"]
    issued_at: int
    expires: int


FORMS: dict[str, type[BaseModel]] = {
    "POST /oauth/access_token": Token,
    "GET /me": Person,
    "GET /me/permissions": Permissions,
    "GET /me/accounts": Pages,
    "GET /me/businesses": Portfolios,
    "GET /{id}/owned_pages": Pages,
    "GET /{id}/client_pages": Pages,
    "GET /{id} access_token": PageToken,
    "GET /{id} id,published,permalink_url": Upload,
    "GET /debug_token": Debugged,
    "DELETE /{id}/permissions": Done,
    "POST /{id}/feed": Made,
    "POST /{id}/comments": Made,
    "GET /{id}/comments": Comments,
    "GET /{id}/published_posts": PublishedPosts,
    "POST /{id}/photos": Photo,
    "POST /{id}/videos start": VideoStarted,
    "POST /{id}/videos transfer": VideoPart,
    "POST /{id}/videos finish": Done,
}
"""Every call the plugin makes, by its path and what tells calls to one path apart."""

# Which codes come with another status than 400 (as seen; the sources stand in sandbox_answers.py).
STATUS_OF_CODE = {1: {400, 500}, 2: {503}, 4: {403}, 10: {403}, 200: {403}, 299: {403}}

PICTURES = (MemoryFile(SAMPLE_PNG, alt_text="A cup"), MemoryFile(SAMPLE_JPEG, media_id="second"))
FILM = MemoryFile(SAMPLE_MP4 + bytes(600_000))


def name_call(answered: Any) -> str:
    seen = answered.seen
    path = re.sub(r"/[0-9]+(_[0-9]+)?(?=/|$)", "/{id}", re.sub(r"^/v[0-9.]+", "", seen.url.path))
    apart = seen.form.get("upload_phase") or (seen.url.query.get("fields", "") if path == "/{id}" else "")
    return f"{seen.method} {path} {apart}".rstrip()


def is_api(answered: Any) -> bool:
    return answered.seen.url.path.startswith("/v") and not answered.seen.url.path.endswith("/dialog/oauth")


def find_misfits(answers: Iterable[Any]) -> list[str]:
    """Where an answer has another form than its call's, or than a refusal's."""
    misfits = []
    for answered in filter(is_api, answers):
        call, is_refused = name_call(answered), answered.status >= 400
        form = Refused if is_refused else FORMS.get(call)
        assert form is not None, f"no form is written down for {call}"
        try:
            told = form.model_validate_json(answered.text)
        except ValidationError as error:
            misfits.append(f"{call} {answered.status}: {error}")
            continue
        assert answered.headers["Content-Type"].startswith("application/json")
        if isinstance(told, Refused):
            misfits += find_misfits_of_status(call, answered.status, told.error.code)
    return misfits


def find_misfits_of_status(call: str, status: int, code: int) -> list[str]:
    # Status 401 was never seen, and 429 is not used by the Graph API.
    return [] if status in STATUS_OF_CODE.get(code, {400}) else [f"{call}: status {status} with code {code}"]


async def live_a_whole_life(rig: Any) -> None:
    """Everything the plugin can do, each of it successful."""
    page = await rig.connect()
    await rig.list_pages(person=MIRA.id)
    for files in (PICTURES, (MemoryFile(SAMPLE_GIF),), (FILM,)):
        prepared = await rig.prepare(page, *files)
        post = Post(key="k", text="Look", media=tuple(file.media for file in files))
        await plugin.publish(rig.context(), page, post, prepared)
        assert await plugin.find_published(rig.context(), page, post, prepared)
    root = await rig.publish(page, "Fish & chips at https://example.com/menu?a=1", link="https://example.com/menu?a=1")
    await rig.comment(page, root)
    reply = Post(key="k", text="First!", part=1, reply=Reply(root_id=root.id, previous_id=root.id))
    assert await plugin.find_published(rig.context(), page, reply, None)
    await rig.renew(page)
    await plugin.check(rig.context(), page)
    await plugin.revoke(rig.context(), page, is_last=True)


async def test_every_success_has_facebooks_form_and_every_form_is_seen(rig: Any) -> None:
    await live_a_whole_life(rig)
    assert [] == find_misfits(rig.answered)
    assert set(FORMS) == {name_call(answered) for answered in filter(is_api, rig.answered)}


async def test_lists_in_parts_have_facebooks_form(rig: Any) -> None:
    rig.fake.largest_part = 1
    page, *_ = await rig.list_pages(person=DANA.id)
    for number in range(3):
        await rig.publish(page, f"Post {number}")
    await rig.find(page, "Post 0")
    assert [] == find_misfits(rig.answered)
    assert any('"next"' in answered.text for answered in rig.answered)


async def test_every_fault_has_facebooks_form(rig: Any) -> None:
    # These are the network's, or no answers of Facebook's at all.
    ours = {"garbage", "slow", "error_after_accept", "accept_then_drop"}
    for switch in sorted(rig.fake.switches().keys() - ours):
        page = await rig.connect()
        root = await rig.publish(page, f"Before {switch}")
        rig.fake.switch(switch)
        rig.answered.clear()
        await try_everything(rig, page, root)
        rig.fake.switch(switch, on=False)
        assert [] == find_misfits(rig.answered), switch
        assert any(answered.status >= 400 for answered in rig.answered) or switch == "first_page_only", switch


@pytest.mark.parametrize("action", ["expire", "revoke", "password_changed", "forget_uploads"])
async def test_what_happens_once_has_facebooks_form(rig: Any, action: str) -> None:
    page = await rig.connect()
    root = await rig.publish(page, "Before")
    prepared = await rig.prepare(page, *PICTURES)
    rig.fake.perform(action)
    rig.answered.clear()
    await try_everything(rig, page, root)
    post = Post(key="k", text="", media=tuple(file.media for file in PICTURES))
    await expect_trouble(plugin.publish(rig.context(), page, post, prepared))
    assert [] == find_misfits(rig.answered)
    assert any(answered.status >= 400 for answered in rig.answered)


async def try_everything(rig: Any, page: Any, root: Any) -> None:
    grant = await rig.grant()
    for call in (
        plugin.exchange(rig.context(), grant),
        rig.publish(page, "Something", link="https://example.com"),
        rig.publish(page, "", link="https://www.facebook.com/acme"),
        rig.comment(page, root),
        rig.find(page, "Something"),
        rig.prepare(page, *PICTURES),
        rig.prepare(page, FILM),
        rig.renew(page),
        plugin.check(rig.context(), page),
        rig.connect(),
    ):
        await expect_trouble(call)


async def expect_trouble(call: Any) -> None:
    """Make a call whose answer is looked at, not its error."""
    with suppress(PlatformError):
        await call


async def test_limits_come_with_their_headers(rig: Any) -> None:
    page = await rig.connect()
    rig.fake.switch("rate_limit")
    await expect_trouble(rig.publish(page))
    await expect_trouble(plugin.check(rig.context(), page))
    of_page, of_app = rig.answered[-2:]

    usage = json.loads(of_page.headers["X-Business-Use-Case-Usage"])
    assert {page.account.id} == set(usage)
    assert [PageUsage.model_validate(each) for each in usage[page.account.id]]
    assert AppUsage.model_validate_json(of_app.headers["X-App-Usage"])
    assert not any("Retry-After" in answered.headers for answered in (of_page, of_app))


@pytest.mark.parametrize(
    ("method", "path", "form"),
    [
        ("POST", "{page}/feed", {}),
        ("POST", "{page}/feed", {"message": "x", "attached_media": "nonsense"}),
        ("POST", "{page}/feed", {"message": "x", "attached_media": '[{"media_fbid": "1"}]'}),
        ("POST", "{page}/photos", {"published": "false"}),
        ("POST", "{page}/photos", {}),
        ("POST", "{page}/videos", {}),
        ("POST", "{page}/videos", {"upload_phase": "start", "file_size": "3"}),
        ("POST", "{page}/videos", {"upload_phase": "start", "file_size": "3000000000"}),
        ("POST", "{page}/videos", {"upload_phase": "transfer", "upload_session_id": "1"}),
        ("POST", "{page}/videos", {"upload_phase": "finish", "upload_session_id": "1"}),
        ("POST", "1_2/comments", {"message": "x"}),
        ("GET", "1_2/comments", {}),
        ("GET", "12345", {}),
        ("GET", "me/nonsense", {}),
        ("POST", "oauth/access_token", {"client_id": "1"}),
    ],
)
async def test_what_facebook_does_not_take_is_refused_in_facebooks_form(
    rig: Any, method: str, path: str, form: dict[str, str]
) -> None:
    page = await rig.connect()
    rig.answered.clear()
    tokens, address = page.tokens, f"{rig.origin}/v26.0/{path.format(page=page.account.id)}"
    headers = {"Authorization": f"Bearer {tokens.access_token}"}
    secret = hmac.new(b"facebook-app-secret", tokens.access_token.encode(), hashlib.sha256)
    proof = {"appsecret_proof": secret.hexdigest()}
    sent = {"params": form | proof} if method == "GET" else {"data": form | proof}
    async with rig.http.request(method, address, headers=headers, **sent) as answer:
        assert answer.status == 400
    (answered,) = rig.answered
    assert Refused.model_validate_json(answered.text)
    assert rig.fake.ledger == []


@pytest.mark.parametrize(
    "answer", [each for answers in ERROR_ANSWERS.values() for each in answers if not isinstance(each.body, str)]
)
def test_every_recorded_refusal_has_facebooks_form_and_says_where_it_was_seen(answer: ErrorAnswer) -> None:
    told = Refused.model_validate(answer.body)
    assert answer.status in STATUS_OF_CODE.get(told.error.code, {400, 403, 500})
    assert "checked 20" in answer.source


def test_the_call_of_facebook_itself_is_signed_in_its_form(rig: Any) -> None:
    event = rig.fake.build_event("deauthorize", JONAS)
    signature, payload = event.body.decode().removeprefix("signed_request=").split(".")
    said = SignedRequest.model_validate_json(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert said.user_id == JONAS.id
    assert said.expires - said.issued_at == timedelta(hours=1).total_seconds()
    assert "=" not in signature


def test_a_field_that_stands_nowhere_is_noticed() -> None:
    for body in ('{"id": "1", "more": 1}', '{"id": 1}', "{}", "[]"):
        with pytest.raises(ValidationError):
            Photo.model_validate_json(body)
