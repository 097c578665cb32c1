"""Calls to the Graph API: versioned addresses, the proof of the app secret, and lists in several parts."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import aiohttp

from logicspike.plugin import OutcomeUnknown, PlatformContext, PlatformUnavailable, TokenSet, oauth2

__all__ = [
    "Listing",
    "ListingRefused",
    "build_app_token",
    "delete",
    "get",
    "list_edge",
    "post_files",
    "post_form",
    "request_token",
    "to_url",
]

_PROOF: Final = "appsecret_proof"
# Facebook writes the token into the addresses of further parts; ours goes in a header.
_NOT_IN_URLS: Final = frozenset({"access_token", _PROOF})
_MAX_PARTS: Final = 5
# A photo, or a part of a video: ten megabytes over a slow line.
_LONGEST_UPLOAD: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a list held; ``is_complete`` is False when there was more than is read here."""

    entries: tuple[Mapping[str, Any], ...] = field(repr=False)
    is_complete: bool


class ListingRefused(Exception):
    """Facebook answered a part of a list with something else than a list.

    Args:
        reply: its answer.
    """

    def __init__(self, reply: oauth2.Reply) -> None:
        super().__init__(f"status {reply.status}")
        self.reply = reply


def to_url(ctx: PlatformContext, path: str, *, endpoint: str = "graph") -> str:
    """The address of a path, in the version that the operator chose."""
    return f"{ctx.endpoints[endpoint]}/{ctx.settings['graph_version']}/{path}"


def build_app_token(ctx: PlatformContext) -> TokenSet:
    """Our app's own access, for what is asked about a person rather than on behalf of one."""
    # developers.facebook.com/documentation/facebook-login/guides/access-tokens, checked 2026-11-25
    return TokenSet(access_token=f"{ctx.client.client_id}|{ctx.client.client_secret}")


async def get(ctx: PlatformContext, path: str, tokens: TokenSet, params: Mapping[str, str]) -> oauth2.Reply:
    """Read something.

    Raises:
        PlatformUnavailable: no answer.
    """
    return await _get_url(ctx, to_url(ctx, path), tokens, params)


async def delete(ctx: PlatformContext, path: str, tokens: TokenSet) -> oauth2.Reply:
    """Take something away.

    Raises:
        PlatformUnavailable: no answer.
    """
    with _naming_facebook():
        return await oauth2.call(ctx, "DELETE", to_url(ctx, path), tokens=tokens, params=_prove(ctx, tokens))


async def post_form(
    ctx: PlatformContext, path: str, tokens: TokenSet, form: Mapping[str, str], *, creates: bool = True
) -> oauth2.Reply:
    """Create something, with one request.

    Args:
        ctx: the context the hook was given.
        path: below the version.
        tokens: to call with.
        form: the fields.
        creates: whether people see what it makes.

    Raises:
        OutcomeUnknown: what people see was sent and its answer got lost.
        PlatformUnavailable: nothing was sent, or nothing that people see.
    """
    proven = {**form, **_prove(ctx, tokens)}
    with _naming_facebook():
        return await oauth2.call(ctx, "POST", to_url(ctx, path), tokens=tokens, form=proven, creates=creates)


async def post_files(ctx: PlatformContext, path: str, tokens: TokenSet, form: aiohttp.FormData) -> oauth2.Reply:
    """Upload something that nobody sees yet.

    Raises:
        PlatformUnavailable: no answer.
        PostRejected: the file isn't what it was.
    """
    for name, value in _prove(ctx, tokens).items():
        form.add_field(name, value)
    with _naming_facebook():
        return await oauth2.call(ctx, "POST", to_url(ctx, path), tokens=tokens, body=form, timeout=_LONGEST_UPLOAD)


async def request_token(ctx: PlatformContext, form: Mapping[str, str]) -> oauth2.Reply:
    """Ask the token endpoint, with our app's id and secret in the body.

    Raises:
        PlatformUnavailable: no answer.
    """
    # GET is documented; POST works as well and keeps the secret out of addresses
    # (github.com/python-social-auth/social-core, social_core/backends/facebook.py, checked 2026-11-23).
    signed = {"client_id": ctx.client.client_id, "client_secret": ctx.client.client_secret, **form}
    with _naming_facebook():
        return await oauth2.call(ctx, "POST", to_url(ctx, "oauth/access_token"), form=signed)


async def list_edge(ctx: PlatformContext, path: str, tokens: TokenSet, params: Mapping[str, str]) -> Listing:
    """Read a list, up to five parts of it.

    Raises:
        ListingRefused: Facebook refused, or answered something that isn't a list.
        PlatformUnavailable: no answer, or the list goes on at a foreign address.
    """
    entries: list[Mapping[str, Any]] = []
    url = to_url(ctx, path)
    for _ in range(_MAX_PARTS):
        reply = await _get_url(ctx, url, tokens, params)
        part = reply.object.get("data")
        if not reply.ok or not isinstance(part, list):
            raise ListingRefused(reply)
        entries += [entry for entry in part if isinstance(entry, dict)]
        following = _next_address(reply)
        # A short or empty part means nothing, only the missing address does
        # (developers.facebook.com/docs/graph-api/results, checked 2026-11-23).
        if not following:
            return Listing(entries=tuple(entries), is_complete=True)
        url, params = _follow(ctx, following)
    return Listing(entries=tuple(entries), is_complete=False)


async def _get_url(ctx: PlatformContext, url: str, tokens: TokenSet, params: Mapping[str, str]) -> oauth2.Reply:
    with _naming_facebook():
        return await oauth2.call(ctx, "GET", url, tokens=tokens, params={**params, **_prove(ctx, tokens)})


def _next_address(reply: oauth2.Reply) -> str:
    paging = reply.object.get("paging")
    following = paging.get("next") if isinstance(paging, dict) else None
    return following if isinstance(following, str) else ""


def _follow(ctx: PlatformContext, address: str) -> tuple[str, dict[str, str]]:
    """Take an address out of an answer apart: only our own API's is followed, since a token goes with the call."""
    try:
        parts = urlsplit(address)
    except ValueError:
        parts = urlsplit("")
    if f"{parts.scheme}://{parts.netloc}" != ctx.endpoints["graph"]:
        raise PlatformUnavailable("Facebook's list goes on at an address that isn't Facebook's; it was not followed.")
    query = {name: value for name, value in parse_qsl(parts.query) if name not in _NOT_IN_URLS}
    return f"{ctx.endpoints['graph']}{parts.path}", query


def _prove(ctx: PlatformContext, tokens: TokenSet) -> dict[str, str]:
    # developers.facebook.com/docs/graph-api/guides/secure-requests, checked 2026-11-23
    proof = hmac.new(ctx.client.client_secret.encode(), tokens.access_token.encode(), hashlib.sha256)
    return {_PROOF: proof.hexdigest()}


@contextmanager
def _naming_facebook() -> Iterator[None]:
    """Word lost answers for people, keeping their class and, as the cause, what was said first.

    What has no cause comes from the file that was being sent, and has words of its own.
    """
    try:
        yield
    except OutcomeUnknown as error:
        raise OutcomeUnknown(
            "Facebook gave no answer, so the post may be live. Look at the Page before posting it again."
        ) from error
    except PlatformUnavailable as error:
        if error.__cause__ is None:
            raise
        raise PlatformUnavailable("Facebook can't be reached. Please try again in a few minutes.") from error
