"""The values that pass between the host and a platform plugin: frozen, keyword-only, secrets never in repr."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

import aiohttp

__all__ = [
    "Account",
    "AuthorizationGrant",
    "AuthorizationLink",
    "AuthorizationRequest",
    "Credential",
    "Limits",
    "OAuthClient",
    "Platform",
    "PlatformContext",
    "Post",
    "Problem",
    "PublishedPost",
    "TokenSet",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a post may be at most, for the check every platform gets without writing ``validate``.

    Attributes:
        max_chars: longest text, in the characters the platform counts (without ``validate``: code points).
        checked_on: the day this was last compared with the platform's documentation.
    """

    max_chars: int
    checked_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """A platform's facts, returned once by ``describe``.

    Attributes:
        name: what people type; equals the entry-point name; lower-case letters, digits and hyphens.
        title: what people read ("Facebook").
        scopes: the permissions asked for, in the platform's own words.
        endpoints: origins by name, such as ``{"auth": "https://…", "api": "https://…"}``; also the list of hosts
            that the plugin may reach. The operator replaces one by ``<PLATFORM>_ENDPOINT_<NAME>``.
        authorize_endpoint: which of the endpoints shows the consent page in the member's browser.
        upload_hosts: further hosts that the API itself may hand out for uploads and paging.
        settings: name to default; the operator sets ``<PLATFORM>_<NAME>`` in the environment.
        limits: what a post may be at most.
        aliases: other names people may type (``("x",)``).
        permissions: for each power asked for, one phrase that finishes "This will let the bot …".
        uses_pkce: whether the authorization request carries a PKCE challenge (RFC 7636, S256).
        cancel_errors: the ``error`` values of a callback that mean "the member pressed Cancel".
        refresh_margin_seconds: how long before its end an access token is refreshed.
    """

    name: str
    title: str
    scopes: tuple[str, ...]
    endpoints: Mapping[str, str]
    limits: Limits
    authorize_endpoint: str = "auth"
    upload_hosts: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ("publish posts for you",)
    uses_pkce: bool = True
    cancel_errors: tuple[str, ...] = ("access_denied",)
    refresh_margin_seconds: int = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthClient:
    """Our developer app at the platform (RFC 6749 section 2: *client*)."""

    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformContext:
    """What the host lends a plugin for one call.

    Attributes:
        client: our developer app's id and secret.
        endpoints: the origins to build URLs from; the declared ones, or what the operator put in their place.
        settings: the plugin's declared settings, from the environment or their defaults.
        http: the plugin's own session: timeouts set, only declared hosts reachable, no cookies kept.
        now: the time, aware UTC; use it instead of the system's clock.
    """

    client: OAuthClient
    endpoints: Mapping[str, str]
    settings: Mapping[str, str]
    http: aiohttp.ClientSession = field(repr=False)
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """What the authorize URL must carry, unchanged.

    Attributes:
        redirect_uri: where the platform sends the browser back to.
        state: the single-use value that ties the callback to this request.
        scopes: the permissions to ask for.
        code_challenge: PKCE, method S256; None when the platform declares ``uses_pkce=False``.
    """

    redirect_uri: str
    state: str = field(repr=False)
    scopes: tuple[str, ...]
    code_challenge: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationLink:
    """Where to send the member's browser.

    Attributes:
        url: the platform's consent page, absolute.
        carry: what the plugin wants back in the grant; kept sealed by the host.
    """

    url: str = field(repr=False)
    carry: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationGrant:
    """What came back from the consent page, to be traded for tokens."""

    code: str = field(repr=False)
    redirect_uri: str
    code_verifier: str | None = field(default=None, repr=False)
    carry: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSet:
    """A token response (RFC 6749 section 5.1).

    Attributes:
        access_token: what calls are made with.
        refresh_token: None where the platform gives none, or when a refresh returned none (the host keeps the old one).
        expires_at: end of the access token, aware UTC; None means unknown, not never.
        scopes: the permissions really granted; empty when the platform doesn't say.
    """

    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One place that can be posted to: a profile, a page, an organisation.

    Attributes:
        id: the platform's stable id; never a name that can change.
        name: what people recognise ("Acme Inc", "@acme").
        kind: "profile", "page", "organization", …
        url: its public address, if it has one.
    """

    id: str
    name: str
    kind: str = "profile"
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """All that a call on behalf of one account needs.

    Attributes:
        account: whose it is.
        tokens: what to call with.
        grant_id: whose grant at the platform (Facebook: the app-scoped user id); several accounts may share one.
        extra: more secrets the plugin needs later; sealed with the tokens.
    """

    account: Account
    tokens: TokenSet
    grant_id: str | None = None
    extra: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """What is to be said.

    Attributes:
        key: the same on every try of the same delivery; hand it to platforms that know idempotency keys.
        text: as the author wrote it, NFC, line breaks as ``\\n``.
        link: the first http(s) address in the text, for platforms that show a link card; None without one.
    """

    key: str
    text: str
    link: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedPost:
    """A post that is live: the platform's id and the public address (None where the platform gives none)."""

    id: str
    url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing the author must change.

    Attributes:
        message: a plain sentence ("X allows 280 characters; this is 312.").
        field: which part of the post: "text", "link", "media".
    """

    message: str
    field: str = "text"
