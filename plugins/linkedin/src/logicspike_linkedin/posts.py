"""Publishing: the one call that makes a post or its first comment, and looking for what may have been published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from logicspike.plugin import (
    Credential,
    MediaKind,
    Operation,
    OutcomeUnknown,
    PlatformContext,
    Post,
    PreparationLost,
    Prepared,
    PublishedPost,
    Reply,
    oauth2,
)

from .api import Api, author_urn, encode, is_page
from .little_text import to_little_text, to_plain_text
from .refusals import COMMENTING, WITH_MEDIA, permalink
from .uploads import DESCRIPTION, THUMBNAIL, TITLE, media_handle

__all__ = ["comment", "create_post", "find_comment", "find_post", "link_title"]

_MAX_FALLBACK_TITLE: Final = 100

# How many posts one look brings: the most that one page holds
# (learn.microsoft.com/linkedin/marketing/community-management/shares/posts-api, checked 2026-11-25).
_PAGE_SIZE: Final = 100
# A post of the same text this young is ours; LinkedIn refuses the same text for the first minutes of it.
_SURELY_OURS: Final = timedelta(hours=1)
# An older one may be: the look-up may have waited for the bot to come back.
_MAYBE_OURS: Final = timedelta(days=2)

_NO_READING: Final = (
    "LinkedIn doesn't let apps read what a member published, so the post may be live. Look at your profile before "
    "posting it again."
)
_TWINS: Final = (
    "A post of the same text is on the page, but it may be an earlier one. Look at the page before posting it again."
)


async def create_post(
    ctx: PlatformContext, credential: Credential, post: Post, prepared: Prepared | None
) -> PublishedPost:
    """Publish on the member's profile or the company page, with one request.

    Raises:
        PreparationLost: the uploads of its media are not at hand.
        PlatformError: by the table in ``errors``; ``OutcomeUnknown`` where the post may be live.
    """
    given = (WITH_MEDIA,) if post.media else ()
    api = Api(ctx=ctx, credential=credential, operation=Operation.PUBLISH, given=given)
    payload = _to_payload(credential, post, prepared.handles if prepared is not None else {})
    reply = await api.call("POST", "/rest/posts", json=payload, creates=True)
    urn = reply.headers.get("x-restli-id")
    if not urn:
        raise OutcomeUnknown(
            "LinkedIn took the post but didn't name it. Look at your profile or page before posting it again.",
            reference=reply.headers.get("x-li-uuid"),
        )
    return PublishedPost(id=urn, url=permalink(ctx, urn))


async def comment(ctx: PlatformContext, credential: Credential, post: Post, reply_to: Reply) -> PublishedPost:
    """Write a comment under a post of the same account, with one request. Its text is plain, not markup.

    Raises:
        PlatformError: by the table in ``errors``; ``OutcomeUnknown`` where the comment may be live.
    """
    api = Api(ctx=ctx, credential=credential, operation=Operation.PUBLISH, given=(COMMENTING,))
    payload = {"actor": author_urn(credential.account), "object": reply_to.root_id, "message": {"text": post.text}}
    reply = await api.call("POST", _comments_path(ctx, reply_to), json=payload, creates=True)
    urn = _read_comment_urn(reply.object, reply_to, reply.headers.get("x-restli-id"))
    if urn is None:
        raise OutcomeUnknown(
            "LinkedIn took the comment but didn't name it. Look at the post before commenting again.",
            reference=reply.headers.get("x-li-uuid"),
        )
    return PublishedPost(id=urn, url=_comment_link(ctx, reply_to, urn))


async def find_post(
    ctx: PlatformContext, credential: Credential, post: Post, prepared: Prepared | None
) -> PublishedPost | None:
    """Look for a post among the page's latest, by its uploads, else by its text.

    Raises:
        OutcomeUnknown: LinkedIn doesn't let this account look, or the post that was found may be an earlier one.
        PlatformError: by the table in ``errors``.
    """
    if not is_page(credential.account):
        raise OutcomeUnknown(_NO_READING)
    api = Api(ctx=ctx, credential=credential, operation=Operation.LOOK_UP)
    query = {
        "author": encode(author_urn(credential.account)),
        "q": "author",
        "count": str(_PAGE_SIZE),
        "sortBy": "CREATED",
    }
    found = await api.call("GET", "/rest/posts", query=query, restli_method="FINDER")
    uploads = _list_uploads(post, prepared)
    for each in _list_elements(api, found):
        if not _is_same(each, post, uploads):
            continue
        age = _read_age(each.get("createdAt"), ctx.now)
        if uploads or (age is not None and age <= _SURELY_OURS):
            return PublishedPost(id=each["id"], url=permalink(ctx, each["id"]))
        if age is None or age <= _MAYBE_OURS:
            raise OutcomeUnknown(_TWINS)
    return None


async def find_comment(
    ctx: PlatformContext, credential: Credential, post: Post, reply_to: Reply
) -> PublishedPost | None:
    """Look for a comment of the account's under its own post.

    Raises:
        OutcomeUnknown: LinkedIn doesn't let this account look.
        PlatformError: by the table in ``errors``.
    """
    if not is_page(credential.account):
        raise OutcomeUnknown(_NO_READING)
    api = Api(ctx=ctx, credential=credential, operation=Operation.LOOK_UP, given=(COMMENTING,))
    found = await api.call("GET", _comments_path(ctx, reply_to), query={"start": "0", "count": str(_PAGE_SIZE)})
    for each in _list_elements(api, found):
        message = each.get("message")
        text = message.get("text") if isinstance(message, dict) else None
        if text == post.text and each.get("actor") == author_urn(credential.account):
            urn = _read_comment_urn(each, reply_to, None)
            return PublishedPost(id=urn, url=_comment_link(ctx, reply_to, urn)) if urn is not None else None
    return None


def link_title(link: str) -> str:
    """The title of a link's card where its page gave none, host and path: "example.com/news/launch"."""
    try:
        parts = urlsplit(link)
        title = f"{(parts.hostname or '').removeprefix('www.')}{unquote(parts.path)}".rstrip("/")
    except ValueError:
        title = ""
    title = title or link
    return title if len(title) <= _MAX_FALLBACK_TITLE else f"{title[: _MAX_FALLBACK_TITLE - 1]}…"


# --- what is sent ----------------------------------------------------------------------------------------------------


def _to_payload(credential: Credential, post: Post, handles: Mapping[str, str]) -> dict[str, object]:
    # learn.microsoft.com/linkedin/marketing/community-management/shares/posts-api, checked 2026-11-23
    payload: dict[str, object] = {
        "author": author_urn(credential.account),
        "commentary": to_little_text(post.text),
        "visibility": "PUBLIC",
        "distribution": {"feedDistribution": "MAIN_FEED", "targetEntities": [], "thirdPartyDistributionChannels": []},
        "lifecycleState": "PUBLISHED",
        "isReshareDisabledByAuthor": False,
    }
    if post.media:
        payload["content"] = _to_media(post, handles)
    elif post.link is not None:
        payload["content"] = {"article": _to_article(post.link, handles)}
    return payload


def _to_media(post: Post, handles: Mapping[str, str]) -> dict[str, object]:
    shown: list[dict[str, str]] = []
    for medium in post.media:
        urn = handles.get(media_handle(medium))
        if urn is None:
            raise PreparationLost("The upload of a picture or video is not at hand.")
        alt_text = {"altText": medium.alt_text} if medium.alt_text and medium.kind is not MediaKind.VIDEO else {}
        shown.append({"id": urn} | alt_text)
    return {"media": shown[0]} if len(shown) == 1 else {"multiImage": {"images": shown}}


def _to_article(link: str, handles: Mapping[str, str]) -> dict[str, str]:
    article = {"source": link, "title": handles.get(TITLE) or link_title(link)}
    more = {"description": handles.get(DESCRIPTION, ""), "thumbnail": handles.get(THUMBNAIL, "")}
    return article | {name: value for name, value in more.items() if value}


def _comments_path(ctx: PlatformContext, reply_to: Reply) -> str:
    return f"/{ctx.settings['comments_api']}/socialActions/{encode(reply_to.root_id)}/comments"


# --- what comes back -------------------------------------------------------------------------------------------------


def _read_comment_urn(found: Mapping[str, Any], reply_to: Reply, named: str | None) -> str | None:
    for key in ("commentUrn", "$URN"):
        if isinstance(urn := found.get(key), str) and urn:
            return urn
    number, thread = found.get("id") or named, found.get("object")
    if not isinstance(number, str) or not number:
        return None
    return f"urn:li:comment:({thread if isinstance(thread, str) and thread else reply_to.root_id},{number})"


def _comment_link(ctx: PlatformContext, reply_to: Reply, urn: str) -> str:
    return f"{permalink(ctx, reply_to.root_id)}?commentUrn={encode(urn)}"


def _list_elements(api: Api, reply: oauth2.Reply) -> Sequence[Mapping[str, Any]]:
    elements = reply.object.get("elements")
    if not isinstance(elements, list):  # no list is not an empty one: nothing may be sent again for it
        raise api.to_error(reply)
    return [each for each in elements if isinstance(each, dict)]


def _list_uploads(post: Post, prepared: Prepared | None) -> frozenset[str]:
    handles = prepared.handles if prepared is not None else {}
    return frozenset(handles[media_handle(each)] for each in post.media if media_handle(each) in handles)


def _is_same(found: Mapping[str, Any], post: Post, uploads: frozenset[str]) -> bool:
    if not isinstance(found.get("id"), str):
        return False
    if uploads:
        return uploads == frozenset(_read_uploads(found.get("content")))
    commentary = found.get("commentary")
    return isinstance(commentary, str) and to_plain_text(commentary).strip() == post.text.strip()


def _read_uploads(content: object) -> Iterator[str]:
    if not isinstance(content, dict):
        return
    gallery = content.get("multiImage")
    images = gallery.get("images") if isinstance(gallery, dict) else None
    for each in (content.get("media"), *(images if isinstance(images, list) else ())):
        if isinstance(each, dict) and isinstance(each.get("id"), str):
            yield each["id"]


def _read_age(milliseconds: object, now: datetime) -> timedelta | None:
    return now - datetime.fromtimestamp(milliseconds / 1000, UTC) if type(milliseconds) is int else None
