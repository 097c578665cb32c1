"""Publishing at X, and finding out what became of a post whose answer got lost."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from logicspike.plugin import (
    Account,
    Credential,
    Operation,
    OutcomeUnknown,
    PlatformContext,
    PlatformError,
    Post,
    PostRejected,
    PreparationLost,
    Prepared,
    Problem,
    PublishedPost,
    oauth2,
)

from .errors import TABLE
from .post_errors import DUPLICATE, NEW_PARENT
from .readback import Wanted, is_wanted, parse_posts
from .refusals import read_refusal
from .uploads import read_media_ids

__all__ = ["create_post", "find_post"]

_NUMERIC_ID: Final = re.compile(r"[0-9]{1,19}")
_USERNAME: Final = re.compile(r"@[A-Za-z0-9_]{1,15}")

# How far back a lost post is looked for: longer than an outage of ours should last, shorter than a day, so that
# yesterday's identical post is not taken for today's.
_LOOK_BACK: Final = timedelta(hours=20)
_PAGE_SIZE: Final = 20
_MAX_PAGES: Final = 5

# How long X may take to show a new post to all its servers: seconds, by what people report.
_SPREADING: Final = timedelta(minutes=1)
# The beginning of the ids' own time, in milliseconds (docs.x.com/fundamentals/x-ids, checked 2026-11-25).
_ID_EPOCH: Final = 1_288_834_974_657


async def create_post(
    ctx: PlatformContext, credential: Credential, post: Post, prepared: Prepared | None
) -> PublishedPost:
    """Publish once, with one request.

    Where X says that the text is there already, the timeline is read, once, to say where.

    Raises:
        PlatformError: every class but ``AuthorizationFailed``; see the table in ``errors``.
    """
    body = _to_body(post, prepared)
    url = f"{ctx.endpoints['api']}/2/tweets"
    reply = await oauth2.call(ctx, "POST", url, tokens=credential.tokens, json=body, creates=True)
    made = reply.object.get("data") if reply.ok else None
    post_id = made.get("id") if isinstance(made, dict) else None
    if isinstance(post_id, str) and _NUMERIC_ID.fullmatch(post_id):
        return PublishedPost(id=post_id, url=_permalink(ctx, credential.account, post_id))
    given = _circumstances(ctx, post)
    refusal = read_refusal(ctx, reply, Operation.PUBLISH, scopes=credential.tokens.scopes, given=given)
    error, row = TABLE.to_error(refusal), TABLE.find(refusal)
    if row is not None and row.name in DUPLICATE:
        return await _find_original(ctx, credential, post, prepared, error)
    raise error


def _to_body(post: Post, prepared: Prepared | None) -> Mapping[str, Any]:
    body: dict[str, Any] = {"text": post.text} if post.text else {}
    if post.media:
        media_ids = read_media_ids(prepared)
        if len(media_ids) != len(post.media):
            raise PreparationLost("The files of this post are not at X.")
        body["media"] = {"media_ids": list(media_ids)}
    if post.reply is not None:
        body["reply"] = {"in_reply_to_tweet_id": post.reply.previous_id}
    return body


def _circumstances(ctx: PlatformContext, post: Post) -> tuple[str, ...]:
    is_early = post.reply is not None and ctx.now < _created_at(post.reply.previous_id) + _SPREADING
    return (NEW_PARENT,) if is_early else ()


def _created_at(post_id: str) -> datetime:
    milliseconds = (int(post_id) >> 22) + _ID_EPOCH
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _permalink(ctx: PlatformContext, account: Account, post_id: str) -> str:
    username = account.handle or account.name
    # Both forms open the post; the second needs no name (docs.x.com/x-api/fundamentals/data-dictionary, 2026-11-23).
    path = f"{username[1:]}/status" if _USERNAME.fullmatch(username) else "i/web/status"
    return f"{ctx.endpoints['auth']}/{path}/{post_id}"


async def _find_original(
    ctx: PlatformContext, credential: Credential, post: Post, prepared: Prepared | None, refusal: PlatformError
) -> PublishedPost:
    """Say what a duplicate is a duplicate of.

    A reply to the same post, or one with these very uploads, can only be this post itself: an earlier try went
    through. The text alone may be somebody's post of this morning.
    """
    try:
        found = await find_post(ctx, credential, post, prepared)
    except PlatformError:
        found = None
    if found is None:
        raise refusal
    if post.reply is not None or post.media:
        return found
    raise PostRejected(
        Problem(
            message=f"X refused this as a duplicate of {found.url}. If that is this post, it is live already; else "
            "change the text."
        ),
        reference=refusal.reference,
    )


async def find_post(
    ctx: PlatformContext, credential: Credential, post: Post, prepared: Prepared | None
) -> PublishedPost | None:
    """Look for a post in the account's own timeline: by its uploads, else by its text; the newest one that fits.

    A reply is looked for among what came after the post it replies to; any other post back to 20 hours ago.

    Raises:
        OutcomeUnknown: the account published more in that time than is read here, so nothing can be said.
        PlatformError: what else keeps us from reading; see the table in ``errors``.
    """
    wanted = Wanted(
        text=post.text,
        media_ids=frozenset(read_media_ids(prepared)) if post.media else frozenset(),
        reply_to=post.reply.previous_id if post.reply is not None else None,
    )
    next_token = ""
    for _ in range(_MAX_PAGES):
        page = await _read_timeline(ctx, credential, wanted, next_token)
        found = next((read for read in parse_posts(page) if is_wanted(read, wanted)), None)
        if found is not None:
            return PublishedPost(id=found.id, url=_permalink(ctx, credential.account, found.id))
        next_token = _next_token(page)
        if not next_token:
            return None
    raise OutcomeUnknown("This account published so much lately that the bot can't find this post. Look at x.com.")


async def _read_timeline(
    ctx: PlatformContext, credential: Credential, wanted: Wanted, next_token: str
) -> Mapping[str, Any]:
    # Every post that is read is billed, hence small pages and a beginning
    # (docs.x.com/x-api/getting-started/pricing and /x-api/posts/timelines, checked 2026-11-23).
    params = {"max_results": str(_PAGE_SIZE), "tweet.fields": "attachments,entities,referenced_tweets"}
    if wanted.reply_to is None:
        params["exclude"] = "retweets,replies"
        params["start_time"] = (ctx.now - _LOOK_BACK).strftime("%Y-%m-%dT%H:%M:%SZ")
    else:
        params["exclude"] = "retweets"
        params["since_id"] = wanted.reply_to
    if next_token:
        params["pagination_token"] = next_token
    url = f"{ctx.endpoints['api']}/2/users/{credential.account.id}/tweets"
    reply = await oauth2.call(ctx, "GET", url, tokens=credential.tokens, params=params)
    # An account without posts in that time has "meta" and no "data".
    if not reply.ok or not isinstance(reply.object.get("meta"), dict):
        scopes = credential.tokens.scopes
        raise TABLE.to_error(read_refusal(ctx, reply, Operation.LOOK_UP, scopes=scopes))
    return reply.object


def _next_token(page: Mapping[str, Any]) -> str:
    token = page["meta"].get("next_token")
    return token if isinstance(token, str) else ""
