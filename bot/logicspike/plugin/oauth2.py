"""OAuth 2.0 and JSON calls for plugins: Authlib's transport-free core over the plugin's aiohttp session.

Every call here has the session's timeout, follows no redirect, and turns transport trouble into the error tree:
nothing sent is ``PlatformUnavailable``; an answer lost on a call that creates something is ``OutcomeUnknown``.
"""

from __future__ import annotations

import json as jsonlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Literal
from urllib.parse import urlencode

import aiohttp
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from yarl import URL

from .errors import (
    AuthorizationFailed,
    OperatorActionRequired,
    OutcomeUnknown,
    PlatformError,
    PlatformUnavailable,
    PostRejected,
    RateLimited,
    ReconnectRequired,
    TokenExpired,
)
from .types import (
    AuthorizationGrant,
    AuthorizationLink,
    AuthorizationRequest,
    OAuthClient,
    PlatformContext,
    Problem,
    TokenSet,
)

__all__ = [
    "OAuthError",
    "Reply",
    "authorization_link",
    "call",
    "fetch_tokens",
    "get_json",
    "post_json",
    "read_created",
    "read_object",
    "refresh_tokens",
    "retry_after",
    "revoke_token",
]

ClientAuthMethod = Literal["client_secret_post", "client_secret_basic"]

MAX_ANSWER_BYTES = 2 * 1024 * 1024
DEFAULT_PAUSE = timedelta(minutes=1)
SHORTEST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(days=1)
CONNECT_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A platform's answer, read whole: ``body`` is the parsed JSON, None where the answer is not JSON."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: Any = field(repr=False)

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    @property
    def object(self) -> Mapping[str, Any]:
        """The body when it is a JSON object, else an empty mapping."""
        return self.body if isinstance(self.body, dict) else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthError:
    """An error answer of a token endpoint (RFC 6749 section 5.2)."""

    status: int
    error: str
    description: str = ""


def authorization_link(
    url: str, client: OAuthClient, request: AuthorizationRequest, *, scope_separator: str = " ", **extra: str
) -> AuthorizationLink:
    """Build a standard authorize URL (RFC 6749 section 4.1.1, with PKCE S256 where the request has a challenge).

    Args:
        url: the platform's authorization endpoint.
        client: our developer app.
        request: what the URL must carry.
        scope_separator: what stands between scopes; a space by the RFC, a comma at some platforms.
        extra: further query parameters.
    """
    if request.code_challenge is not None:
        extra |= {"code_challenge": request.code_challenge, "code_challenge_method": "S256"}
    return AuthorizationLink(
        url=prepare_grant_uri(
            url,
            client_id=client.client_id,
            response_type="code",
            redirect_uri=request.redirect_uri,
            scope=scope_separator.join(request.scopes),
            state=request.state,
            **extra,
        )
    )


async def call(
    ctx: PlatformContext,
    method: str,
    url: str | URL,
    *,
    tokens: TokenSet | None = None,
    params: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
    json: object = None,
    body: aiohttp.FormData | aiohttp.Payload | None = None,
    headers: Mapping[str, str] | None = None,
    creates: bool = False,
    timeout: timedelta | None = None,
) -> Reply:
    """Make one call and return the answer, whatever its status; no redirect is followed and nothing is retried.

    Args:
        ctx: the context the hook was given.
        method: the HTTP method.
        url: built from ``ctx.endpoints``; ``yarl.URL(…, encoded=True)`` where a ``%3A`` must stay one.
        tokens: sends ``Authorization: Bearer``.
        params: query parameters.
        form: a form-encoded body.
        json: a JSON body.
        body: any other body: a form with files, or a file from ``to_payload``.
        headers: further headers.
        creates: whether the call publishes something, so that a lost answer is ``OutcomeUnknown``.
        timeout: how long it may take in all, instead of the session's 30 seconds: for files.

    Raises:
        PlatformUnavailable: nothing was sent, or the call creates nothing and no answer came.
        OutcomeUnknown: ``creates`` is set, the request was sent and its answer got lost.
    """
    sent, options = dict(headers or {}), dict[str, Any]()
    if tokens is not None:
        sent["Authorization"] = f"Bearer {tokens.access_token}"
    if timeout is not None:
        options["timeout"] = aiohttp.ClientTimeout(total=timeout.total_seconds(), connect=CONNECT_SECONDS)
    data = form if body is None else body
    return await _send(ctx, method, url, creates=creates, params=params, data=data, json=json, headers=sent, **options)


async def _send(ctx: PlatformContext, method: str, url: str | URL, *, creates: bool = False, **options: Any) -> Reply:
    try:
        async with ctx.http.request(method, url, allow_redirects=False, **options) as response:
            return Reply(status=response.status, headers=response.headers.copy(), body=await _read_json(response))
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise PlatformUnavailable("The platform can't be reached.") from error
    except (TimeoutError, aiohttp.ClientError, ConnectionError) as error:
        if (trouble := _find_trouble(error)) is not None:
            raise trouble from trouble.__cause__  # its own; aiohttp's is a wrapping
        if creates:
            raise OutcomeUnknown("The platform gave no answer.") from error
        raise PlatformUnavailable("The platform gave no answer.") from error


def _find_trouble(error: BaseException | None) -> PlatformError | None:
    """What a body that was being sent ran into, such as a file that is gone: aiohttp tells it as the cause only."""
    while error is not None and not isinstance(error, PlatformError):
        error = error.__cause__
    return error


async def _read_json(response: aiohttp.ClientResponse) -> Any:
    raw = bytearray()
    async for chunk in response.content.iter_any():
        raw += chunk
        if len(raw) > MAX_ANSWER_BYTES:
            return None
    try:
        return jsonlib.loads(raw)
    except (ValueError, RecursionError):
        return None


async def fetch_tokens(
    ctx: PlatformContext,
    url: str,
    grant: AuthorizationGrant,
    *,
    auth: ClientAuthMethod = "client_secret_post",
    scope_separators: str = " ",
    refused: Callable[[Reply], PlatformError] | None = None,
) -> TokenSet:
    """Trade an authorization code for tokens (RFC 6749 section 4.1.3).

    Args:
        ctx: the context the hook was given.
        url: the token endpoint.
        grant: what came back from the consent page.
        auth: how our client id and secret are sent.
        scope_separators: the characters that may stand between scopes in the answer.
        refused: tells what any answer without tokens means, such as by an error table; else RFC 6749's codes do.

    Raises:
        AuthorizationFailed: the code was refused.
        OperatorActionRequired: our client id or secret was refused.
        PlatformUnavailable: no usable answer.
        RateLimited: asked to wait.
    """
    parameters = {"code": grant.code, "redirect_uri": grant.redirect_uri}
    if grant.code_verifier is not None:
        parameters["code_verifier"] = grant.code_verifier
    reply = await _token_call(ctx, url, prepare_token_request("authorization_code", **parameters), auth, refused)
    if error := _oauth_error(reply):
        _raise_client_trouble(error)
        raise AuthorizationFailed("The platform refused the sign-in code; it may have expired. Please try again.")
    return _to_token_set(ctx, reply, scope_separators)


async def refresh_tokens(
    ctx: PlatformContext,
    url: str,
    tokens: TokenSet,
    *,
    auth: ClientAuthMethod = "client_secret_post",
    scope_separators: str = " ",
    is_dead_grant: Callable[[OAuthError], bool] = lambda error: error.error == "invalid_grant",
    refused: Callable[[Reply], PlatformError] | None = None,
) -> TokenSet:
    """Trade a refresh token for new tokens (RFC 6749 section 6); a refresh token the answer omits comes back as None.

    Args:
        ctx: the context the hook was given.
        url: the token endpoint.
        tokens: what is stored now.
        auth: how our client id and secret are sent.
        scope_separators: the characters that may stand between scopes in the answer.
        is_dead_grant: tells whether a refusal means that only the member can help.
        refused: tells what any answer without tokens means, such as by an error table; ``is_dead_grant`` isn't asked.

    Raises:
        ReconnectRequired: there is no refresh token, or it is dead.
        OperatorActionRequired: our client id or secret was refused, or the request is one the platform doesn't know.
        PlatformUnavailable: no usable answer.
        RateLimited: asked to wait.
    """
    if tokens.refresh_token is None:
        raise ReconnectRequired("The access has expired and can't be renewed without you.")
    body = prepare_token_request("refresh_token", refresh_token=tokens.refresh_token)
    reply = await _token_call(ctx, url, body, auth, refused)
    if error := _oauth_error(reply):
        if is_dead_grant(error):
            raise ReconnectRequired("The platform has ended the bot's access.")
        _raise_client_trouble(error)
        raise OperatorActionRequired(f"The platform refused to renew access (OAuth error {error.error!r}).")
    return _to_token_set(ctx, reply, scope_separators)


async def revoke_token(
    ctx: PlatformContext, url: str, token: str, *, hint: str, auth: ClientAuthMethod = "client_secret_post"
) -> None:
    """Ask the platform to invalidate one token (RFC 7009); an answer that it's unknown already is fine.

    Args:
        ctx: the context the hook was given.
        url: the revocation endpoint.
        token: what to invalidate.
        hint: ``access_token`` or ``refresh_token``.
        auth: how our client id and secret are sent.

    Raises:
        PlatformUnavailable: it could not be done now.
    """
    body = urlencode({"token": token, "token_type_hint": hint})
    reply = await _send_client_form(ctx, url, body, auth)
    if reply.status >= 500 or reply.status == 429:
        raise PlatformUnavailable("The platform did not confirm the withdrawal.")


async def get_json(
    ctx: PlatformContext, url: str, tokens: TokenSet, *, params: Mapping[str, str] | None = None
) -> Mapping[str, Any]:
    """Read a JSON object with the access token.

    Raises:
        TokenExpired: 401.
        RateLimited: 429.
        PlatformUnavailable: anything else that is not a 2xx JSON object.
    """
    return read_object(ctx, await call(ctx, "GET", url, tokens=tokens, params=params))


async def post_json(ctx: PlatformContext, url: str, tokens: TokenSet, body: object) -> Mapping[str, Any]:
    """Create something from a JSON body with the access token, and return the JSON object that tells what was made.

    Raises:
        TokenExpired: 401.
        RateLimited: 429.
        PostRejected: another 4xx.
        OutcomeUnknown: anything else that is not a 2xx JSON object; it may have been made.
        PlatformUnavailable: nothing was sent.
    """
    return read_created(ctx, await call(ctx, "POST", url, tokens=tokens, json=body, creates=True))


def read_object(ctx: PlatformContext, reply: Reply) -> Mapping[str, Any]:
    """Get the JSON object out of the answer to a call that makes nothing public, such as an upload.

    Raises:
        TokenExpired: 401.
        RateLimited: 429.
        PlatformUnavailable: anything else that is not a 2xx JSON object.
    """
    _raise_common(ctx, reply)
    if not reply.ok or not reply.object:
        raise PlatformUnavailable(f"The platform answered with status {reply.status}.")
    return reply.object


def read_created(ctx: PlatformContext, reply: Reply) -> Mapping[str, Any]:
    """Get the JSON object out of the answer to the call that publishes, made with ``creates``.

    Look at ``reply`` for codes of your platform's first, such as those that mean ``PreparationLost``.

    Raises:
        TokenExpired: 401.
        RateLimited: 429.
        PostRejected: another 4xx.
        OutcomeUnknown: anything else that is not a 2xx JSON object; it may have been made.
    """
    _raise_common(ctx, reply)
    if 400 <= reply.status < 500 and reply.status not in {408, 499}:
        raise PostRejected(Problem(message=f"The platform refused the post (status {reply.status})."))
    if not reply.ok or not reply.object:
        raise OutcomeUnknown(f"The platform answered with status {reply.status}.")
    return reply.object


def retry_after(reply: Reply, now: datetime, *, default: timedelta = DEFAULT_PAUSE) -> datetime:
    """Tell when to try again by the ``Retry-After`` header (seconds or a date, RFC 9110 section 10.2.3).

    Never at once and never later than in a day, so that neither a zero nor a wrong clock does harm.

    Args:
        reply: the platform's answer.
        now: aware UTC.
        default: how long to wait where the header is absent or unreadable.
    """
    value = reply.headers.get("Retry-After", "")
    try:
        if value.isascii() and value.isdigit():
            until = now + timedelta(seconds=int(value))
        else:
            until = parsedate_to_datetime(value)
        return min(max(until, now + SHORTEST_PAUSE), now + LONGEST_PAUSE)
    except (ValueError, TypeError, OverflowError):  # too many digits, no date at all, a date without a zone
        return now + default


def _raise_common(ctx: PlatformContext, reply: Reply) -> None:
    if reply.status == 401:
        raise TokenExpired("The platform refused the access token.")
    if reply.status == 429:
        raise RateLimited("The platform asks us to slow down.", until=retry_after(reply, ctx.now))


async def _send_client_form(ctx: PlatformContext, url: str, body: str, auth: ClientAuthMethod) -> Reply:
    client = ClientAuth(ctx.client.client_id, ctx.client.client_secret, auth)
    headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded;charset=UTF-8"}
    signed_url, signed_headers, signed_body = client.prepare("POST", url, headers, body)
    # aiohttp counts the body itself; a second length would contradict it.
    sent = {name: value for name, value in signed_headers.items() if name.lower() != "content-length"}
    return await _send(ctx, "POST", signed_url, data=signed_body, headers=sent)


async def _token_call(
    ctx: PlatformContext,
    url: str,
    body: str,
    auth: ClientAuthMethod,
    refused: Callable[[Reply], PlatformError] | None,
) -> Reply:
    reply = await _send_client_form(ctx, url, body, auth)
    if refused is not None and not (reply.ok and isinstance(reply.object.get("access_token"), str)):
        raise refused(reply)
    if reply.status == 429:
        raise RateLimited("The platform asks us to slow down.", until=retry_after(reply, ctx.now))
    # A refusal is a JSON object (RFC 6749 section 5.2); anything else comes from something in between.
    if reply.status >= 500 or not (reply.ok or reply.object):
        raise PlatformUnavailable(f"The platform answered with status {reply.status}.")
    return reply


def _oauth_error(reply: Reply) -> OAuthError | None:
    error = reply.object.get("error")
    if reply.ok and error is None:
        return None
    if not isinstance(error, str):
        error = f"http_{reply.status}"
    return OAuthError(status=reply.status, error=error, description=str(reply.object.get("error_description", "")))


def _raise_client_trouble(error: OAuthError) -> None:
    if error.error in {"invalid_client", "unauthorized_client"}:
        raise OperatorActionRequired("The platform refused our client id or secret.")


def _to_token_set(ctx: PlatformContext, reply: Reply, scope_separators: str) -> TokenSet:
    access_token = reply.object.get("access_token")
    if not isinstance(access_token, str) or not access_token:
        raise PlatformUnavailable("The platform's answer holds no access token.")
    refresh_token = reply.object.get("refresh_token")
    return TokenSet(
        access_token=access_token,
        refresh_token=refresh_token if isinstance(refresh_token, str) and refresh_token else None,
        expires_at=_expiry(ctx.now, reply.object.get("expires_in")),
        scopes=_split_scopes(reply.object.get("scope"), scope_separators),
    )


def _expiry(now: datetime, expires_in: object) -> datetime | None:
    try:
        seconds = float(str(expires_in))
        return now + timedelta(seconds=seconds) if seconds > 0 else None
    except (ValueError, OverflowError):
        return None


def _split_scopes(scope: object, separators: str) -> tuple[str, ...]:
    if not isinstance(scope, str):
        return ()
    for separator in separators:
        scope = scope.replace(separator, " ")
    return tuple(scope.split())
