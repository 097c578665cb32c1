"""The values that pass between the host and a platform plugin: frozen, keyword-only, secrets never in repr."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

import aiohttp

__all__ = [
    "AccessReport",
    "Account",
    "AuthorizationGrant",
    "AuthorizationLink",
    "AuthorizationRequest",
    "Credential",
    "CredentialSet",
    "Limits",
    "Media",
    "MediaKind",
    "MediaRule",
    "OAuthClient",
    "Platform",
    "PlatformContext",
    "PlatformEvent",
    "PlatformEventOutcome",
    "Post",
    "Prepared",
    "Problem",
    "PublishedPost",
    "Reply",
    "TextLength",
    "TokenSet",
]


class MediaKind(StrEnum):
    """What a medium is for the reader: a still picture, a moving one without sound, or a video."""

    IMAGE = "image"
    GIF = "gif"
    VIDEO = "video"


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaRule:
    """What a platform takes of one kind of media.

    Attributes:
        kind: which kind; a platform that shows GIFs like photos has a rule for images with ``image/gif`` and none for
            GIFs.
        content_types: as found in the content, such as ``("image/jpeg", "image/png")``.
        max_bytes: size of one file at most.
        max_count: how many in a post at most.
        max_alt_text: characters of a description at most; 0 where the platform has none.
    """

    kind: MediaKind
    content_types: tuple[str, ...]
    max_bytes: int
    max_count: int = 1
    max_alt_text: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a post may be at most, for the checks every platform gets without writing ``validate``.

    Attributes:
        max_chars: longest text, in the characters the platform counts (without ``measure``: code points).
        checked_on: the day this was last compared with the platform's documentation.
        media: what a post may carry, one rule for each kind; empty where the plugin publishes text alone.
        max_parts: how many parts a post may have: 1 where it stands alone, 2 where a first comment may follow, more
            for a thread.
    """

    max_chars: int
    checked_on: date | None = None
    media: tuple[MediaRule, ...] = ()
    max_parts: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialSet:
    """One more developer app of ours at the same platform, for what the first may not do.

    The operator sets ``<PLATFORM>_<NAME>_CLIENT_ID`` and ``<PLATFORM>_<NAME>_CLIENT_SECRET``; without them only this
    set is missing, not the platform.

    Attributes:
        name: goes into the variables' names and comes back in ``Credential.credential_set``; a word.
        title: what people read ("LinkedIn company pages").
        typed: what people type after ``/connect``; unique like a platform's name.
        scopes: the permissions asked for.
        permissions: for each power asked for, one phrase that finishes "This will let the bot …".
    """

    name: str
    title: str
    typed: str
    scopes: tuple[str, ...]
    permissions: tuple[str, ...] = ("publish posts for you",)


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
        callback_errors: what further ``error`` values mean, each as a sentence for the member, such as who must do what
            where our developer app may not ask for a permission; any other means that the sign-in was refused.
        refresh_margin_seconds: how long before its end an access token is refreshed.
        credential_sets: further developer apps, beside the one that every platform has.
        events: names of the platform's own callbacks that ``receive`` takes, the last part of their address
            ``/api/auth/<platform>/<event>``.
        wants_link_card: whether the bot reads title, description and picture of a post's link for ``prepare``.
        chosen_endpoint: which of the endpoints each member chooses, where there are many servers (a federated
            network); the declared one is suggested. ``ctx.endpoints`` has the member's own, only that one can be
            reached, by https and at a public address, and ``Account.id`` must tell accounts of different servers apart.
        needs_client: whether the operator registers a developer app; without one, ``ctx.client`` is empty, and the
            plugin registers its own where it needs one, in ``authorize``.
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
    callback_errors: Mapping[str, str] = field(default_factory=dict)
    refresh_margin_seconds: int = 300
    credential_sets: tuple[CredentialSet, ...] = ()
    events: tuple[str, ...] = ()
    wants_link_card: bool = False
    chosen_endpoint: str = ""
    needs_client: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthClient:
    """Our developer app at the platform (RFC 6749 section 2: *client*)."""

    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformContext:
    """What the host lends a plugin for one call.

    Attributes:
        client: our developer app's id and secret; that of the credential set the call is about.
        endpoints: the origins to build URLs from; the declared ones, or what the operator put in their place.
        settings: the plugin's declared settings, from the environment or their defaults.
        http: the plugin's own session: timeouts set, only declared hosts reachable, no cookies kept.
        now: the time, aware UTC, at the beginning of the call; use it instead of the system's clock.
        credential_set: which developer app ``client`` is; "" for the one that every platform has.
        sleep: waits so many seconds, between two looks at what the platform is still processing; use it instead of
            ``asyncio.sleep``, so that tests need not wait.
    """

    client: OAuthClient
    endpoints: Mapping[str, str]
    settings: Mapping[str, str]
    http: aiohttp.ClientSession = field(repr=False)
    now: datetime
    credential_set: str = ""
    sleep: Callable[[float], Awaitable[None]] = field(default=asyncio.sleep, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """What the authorize URL must carry, unchanged.

    Attributes:
        redirect_uri: where the platform sends the browser back to.
        state: the single-use value that ties the callback to this request.
        scopes: the permissions to ask for.
        code_challenge: PKCE, method S256; None when the platform declares ``uses_pkce=False``.
        is_rerequest: whether the member asks once more for what was declined, or left out, before: a platform that
            would else skip the question is to ask it again.
    """

    redirect_uri: str
    state: str = field(repr=False)
    scopes: tuple[str, ...]
    code_challenge: str | None
    is_rerequest: bool = False


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
        handle: its short name at the platform, where that is not the name itself ("@acme").
        picture: address of its picture, https; shown when the member chooses and confirms.
    """

    id: str
    name: str
    kind: str = "profile"
    url: str | None = None
    handle: str | None = None
    picture: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """All that a call on behalf of one account needs.

    Attributes:
        account: whose it is.
        tokens: what to call with.
        grant_id: whose grant at the platform (Facebook: the app-scoped user id); several accounts may share one.
        extra: more secrets the plugin needs later; sealed with the tokens.
        credential_set: through which developer app of ours it came; the host fills it in.
        server: the origin that the member chose, with ``Platform.chosen_endpoint``; the host fills it in.
    """

    account: Account
    tokens: TokenSet
    grant_id: str | None = None
    extra: Mapping[str, str] = field(default_factory=dict, repr=False)
    credential_set: str = ""
    server: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A picture or video of a post, by its facts; ``prepare`` gets it as a ``MediaFile``, with its bytes.

    Attributes:
        media_id: ours, the same on every try.
        kind: what it is for the reader.
        content_type: as found in the content, such as ``image/png``.
        size: bytes.
        name: the file's, for people.
        alt_text: the author's description for those who don't see it; "" without one.
    """

    media_id: str
    kind: MediaKind
    content_type: str
    size: int
    name: str
    alt_text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Behind which live post a further part belongs.

    Attributes:
        root_id: the platform's id of the first part: what a first comment goes to.
        previous_id: that of the part right before: what the next post of a thread replies to.
    """

    root_id: str
    previous_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """What is to be said: one part of it, where it has several; each is published by a call of its own.

    Attributes:
        key: the same on every try of the same part; hand it to platforms that know idempotency keys.
        text: as the author wrote it, NFC, line breaks as ``\\n``.
        link: the first http(s) address in the text, for platforms that show a link card; None without one.
        media: pictures or a video, in order; the first part's only.
        part: which part this is, from 0.
        reply: where a further part belongs; None for the first, and while a post is only checked.
    """

    key: str
    text: str
    link: str | None = None
    media: tuple[Media, ...] = ()
    part: int = 0
    reply: Reply | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What ``prepare`` has got ready at the platform; handed to every try of ``publish``.

    Attributes:
        handles: the plugin's own, such as the ids of uploaded files or of a container; kept as they are, so no secrets.
        expires_at: when the platform forgets it, aware UTC; it is prepared anew before. None where it keeps.
    """

    handles: Mapping[str, str]
    expires_at: datetime | None = None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLength:
    """How long a text is as the platform counts, and how long it may be ("212 of 280")."""

    length: int
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessReport:
    """What the platform says of a connection that still works.

    Attributes:
        scopes: the permissions it still has; empty when the platform doesn't say.
        expires_at: when the access ends, aware UTC; None when that is not known or not to be.
    """

    scopes: tuple[str, ...] = ()
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformEvent:
    """A platform's own callback, as it came: nothing in it is verified yet.

    Attributes:
        name: the last part of its address, one of ``Platform.events``.
        form: the fields of a form-encoded body, each but once.
        body: the body, byte for byte, for platforms that sign it.
        headers: by lower-case name.
        status_url: a public page that tells how the erasure of data stands that this event asks for.
        confirmation_code: what that page is found by.
    """

    name: str
    form: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    status_url: str
    confirmation_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformEventOutcome:
    """What a verified callback asks of the host.

    Attributes:
        ended_grants: ``Credential.grant_id`` of each grant that has ended: their connections need a reconnect.
        erased_grants: those whose data is to be erased.
        answer: the JSON object to answer with; None for an empty answer.
    """

    ended_grants: tuple[str, ...] = ()
    erased_grants: tuple[str, ...] = ()
    answer: Mapping[str, str] | None = None
