"""Connecting an account: the private link, the page behind it, the callback, and the choice of an account."""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from authlib.common.security import generate_token
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from ..clock import Clock
from ..domain import (
    Connection,
    ConnectionStatus,
    Member,
    PendingAuthorization,
    Purpose,
    Ticket,
    make_nickname,
)
from ..events import ConnectionCompleted, ConnectionRefused, ConnectionRequested, Emit
from ..platforms import PlatformNotReady, Platforms
from ..plugin.errors import AuthorizationFailed, PlatformError, PlatformUnavailable, RateLimited
from ..plugin.types import AuthorizationGrant, AuthorizationRequest, Credential
from ..vault import SealedPlace, Vault
from .credentials import open_choices, seal_choices, seal_credential
from .notices import AccountChoice, Connected, ConnectEnded, ConnectFailed, ConnectLink, Notice, Reconnected
from .ports import ConnectionStore, ConnectResult, MemberDirectory, NameTaken, Notifier, PendingStore
from .releasing import Releasing

__all__ = [
    "LINK_LIFETIME",
    "STATE_LIFETIME",
    "Callback",
    "Connecting",
    "DirectMessageFailed",
    "LinkEnded",
    "LinkPage",
    "NoSuchConnection",
    "NotAllowed",
    "StateUnknown",
    "WrongBrowser",
]

log = logging.getLogger(__name__)

LINK_LIFETIME: Final = timedelta(minutes=10)
STATE_LIFETIME: Final = timedelta(minutes=10)
_SECRET_BYTES: Final = 32  # 256 bits
_SWAP_TRIES: Final = 5


class LinkEnded(Exception):
    """The link is unknown, used or over.

    Args:
        can_renew: whether it was ours, so that a new one can be sent to the same member.
    """

    def __init__(self, *, can_renew: bool) -> None:
        super().__init__("the link has ended")
        self.can_renew = can_renew


class StateUnknown(Exception):
    """The callback's state is unknown, used or over."""


class WrongBrowser(Exception):
    """The callback came from another browser than the one that pressed the button."""


class NoSuchConnection(Exception):
    """The workspace has no such connection."""


class NotAllowed(Exception):
    """Only the owner of the connection (or, for some things, an admin) may do this.

    Args:
        owner_id: the Slack user who may.
    """

    def __init__(self, *, owner_id: str) -> None:
        super().__init__("not allowed")
        self.owner_id = owner_id


class DirectMessageFailed(Exception):
    """Slack would not take the direct message with the link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkPage:
    """What the page behind a link says."""

    platform: str
    platform_title: str
    permissions: tuple[str, ...]
    member_name: str
    workspace_name: str
    purpose: Purpose
    account_name: str | None
    authorize_origin: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """What the platform's redirect brought: exactly one of ``code`` and ``error``, and the browser's binding cookie."""

    platform: str
    state: str = field(repr=False)
    browser: str = field(repr=False)
    code: str | None = field(repr=False)
    error: str | None


class Connecting:
    """The use cases around the connect link.

    Args:
        platforms: the installed platforms.
        connections: where connections are kept.
        pending: where links and authorization requests are kept.
        members: who is who in Slack.
        notifier: direct messages.
        releasing: lets held posts go once an account is back.
        vault: seals tokens.
        clock: the time.
        emit: takes events.
        public_url: address of the callback server, without a slash at the end.
    """

    def __init__(
        self,
        *,
        platforms: Platforms,
        connections: ConnectionStore,
        pending: PendingStore,
        members: MemberDirectory,
        notifier: Notifier,
        releasing: Releasing,
        vault: Vault,
        clock: Clock,
        emit: Emit,
        public_url: str,
    ) -> None:
        self._platforms = platforms
        self._connections = connections
        self._pending = pending
        self._members = members
        self._notifier = notifier
        self._releasing = releasing
        self._vault = vault
        self._clock = clock
        self._emit = emit
        self._public_url = public_url.rstrip("/")

    # --- the link ----------------------------------------------------------------------------------------------------

    async def start(self, member: Member, platform: str, *, connection_id: str | None = None) -> None:
        """Send a member a private link by DM: to connect an account, or to renew the given connection.

        Raises:
            PlatformNotReady: the platform can't be used now; says why.
            NoSuchConnection: there is none with this id.
            NotAllowed: the connection is somebody else's.
            DirectMessageFailed: Slack would not take the DM.
            SlackUnavailable: Slack did not say who the member is.
            StoreUnavailable: the database did not answer.
        """
        if problems := self._platforms.problems(platform):
            raise PlatformNotReady(problems[0])
        connection = await self._owned(member, connection_id) if connection_id is not None else None
        profile = await self._members.get_profile(member)
        ticket = secrets.token_urlsafe(_SECRET_BYTES)
        await self._send_link(
            ticket,
            Ticket(
                ticket_hash=_hash(ticket),
                member=member,
                platform=platform,
                purpose=Purpose.RECONNECT if connection else Purpose.CONNECT,
                connection_id=connection_id,
                member_name=profile.name,
                workspace_name=await self._members.get_workspace_name(member.team_id),
                expires_at=self._clock.now() + LINK_LIFETIME,
            ),
            account_name=connection.account.name if connection else None,
        )

    async def _send_link(self, secret: str, ticket: Ticket, *, account_name: str | None) -> None:
        platform = self._platforms.get(ticket.platform)
        await self._pending.save_ticket(ticket)
        message = await self._notifier.notify(
            ticket.member,
            ConnectLink(
                platform=platform.name,
                platform_title=platform.title,
                permissions=platform.permissions,
                workspace_name=ticket.workspace_name,
                url=f"{self._public_url}/connect/{secret}",
                purpose=ticket.purpose,
                account_name=account_name,
                expires_at=ticket.expires_at,
            ),
        )
        if message is None:
            raise DirectMessageFailed
        await self._pending.set_ticket_message(ticket.ticket_hash, message)
        self._emit(
            ConnectionRequested(team_id=ticket.member.team_id, user_id=ticket.member.user_id, platform=ticket.platform)
        )

    async def open_link(self, ticket: str) -> LinkPage:
        """Say what the page behind a link shows; changes nothing.

        Raises:
            LinkEnded: unknown, used or over.
            StoreUnavailable: the database did not answer.
        """
        found = await self._open_ticket(ticket)
        platform = self._platforms.get(found.platform)
        return LinkPage(
            platform=platform.name,
            platform_title=platform.title,
            permissions=platform.permissions,
            member_name=found.member_name,
            workspace_name=found.workspace_name,
            purpose=found.purpose,
            account_name=await self._account_name(found),
            authorize_origin=self._platforms.authorize_origin(platform.name),
            expires_at=found.expires_at,
        )

    async def begin(self, ticket: str, browser: str) -> str:
        """Make a fresh authorize URL for the browser that pressed the button.

        Args:
            ticket: from the link.
            browser: the value of the binding cookie.

        Raises:
            LinkEnded: unknown, used or over.
            PlatformNotReady: the platform can't be used now.
            PlatformError: the platform's plugin could not build the URL.
            StoreUnavailable: the database did not answer.
        """
        found = await self._open_ticket(ticket)
        platform = self._platforms.get(found.platform)
        state = secrets.token_urlsafe(_SECRET_BYTES)
        code_verifier = generate_token(64) if platform.uses_pkce else None
        redirect_uri = f"{self._public_url}/api/auth/{platform.name}/callback"
        request = AuthorizationRequest(
            redirect_uri=redirect_uri,
            state=state,
            scopes=platform.scopes,
            code_challenge=create_s256_code_challenge(code_verifier) if code_verifier else None,
        )
        link = await self._platforms.authorize(platform.name, request)
        kept = json.dumps({"code_verifier": code_verifier, "carry": dict(link.carry)}).encode()
        await self._pending.save_authorization(
            PendingAuthorization(
                state_hash=_hash(state),
                ticket_hash=found.ticket_hash,
                member=found.member,
                platform=platform.name,
                purpose=found.purpose,
                connection_id=found.connection_id,
                browser_hash=_hash(browser),
                redirect_uri=redirect_uri,
                sealed=self._vault.seal(kept, _state_place(_hash(state), found.member.team_id)),
                expires_at=self._clock.now() + STATE_LIFETIME,
            )
        )
        return link.url

    async def renew(self, ticket: str) -> None:
        """Send a new link by DM to the member an ended link was for.

        Raises:
            LinkEnded: the link was never ours (``can_renew`` is False).
            DirectMessageFailed: Slack would not take the DM.
            PlatformNotReady, NoSuchConnection, NotAllowed, SlackUnavailable, StoreUnavailable: as for ``start``.
        """
        found = await self._pending.find_ticket(_hash(ticket))
        if found is None:
            raise LinkEnded(can_renew=False)
        await self.start(found.member, found.platform, connection_id=found.connection_id)

    # --- the callback ------------------------------------------------------------------------------------------------

    async def finish(self, callback: Callback) -> str:
        """Use up the state, trade the code for tokens and connect the account; the id of the result page.

        Raises:
            StateUnknown: the state is unknown, used or over.
            WrongBrowser: another browser pressed the button.
            StoreUnavailable: the database did not answer.
        """
        pending = await self._take(callback)
        result, notice = await self._settle(pending, callback)
        if result.outcome not in {"connected", "choose"}:
            self._emit(
                ConnectionRefused(
                    team_id=pending.member.team_id,
                    user_id=pending.member.user_id,
                    platform=pending.platform,
                    outcome=result.outcome,
                )
            )
        result_id = secrets.token_urlsafe(16)
        await self._pending.save_result(result_id, result)
        await self._tell(pending, notice)
        return result_id

    async def find_result(self, result_id: str) -> ConnectResult | None:
        """What the result page says; None when it's gone."""
        return await self._pending.find_result(result_id)

    async def _take(self, callback: Callback) -> PendingAuthorization:
        state_hash, now = _hash(callback.state), self._clock.now()
        pending = await self._pending.take_authorization(
            state_hash, platform=callback.platform, browser_hash=_hash(callback.browser), now=now
        )
        if pending is not None:
            return pending
        other = await self._pending.find_authorization(state_hash)
        if other is not None and other.platform == callback.platform and other.expires_at > now:
            raise WrongBrowser
        raise StateUnknown

    async def _settle(self, pending: PendingAuthorization, callback: Callback) -> tuple[ConnectResult, Notice]:
        platform = self._platforms.get(pending.platform)
        if callback.code is None:
            if callback.error in platform.cancel_errors:
                return self._canceled(pending)
            log.warning("authorization refused", extra={"event": "authorize.refused", "platform": platform.name})
            return self._failed(pending, f"{platform.title} refused the sign-in. Please try again.")
        try:
            return await self._exchange(pending, callback.code)
        except (PlatformUnavailable, RateLimited) as error:
            return self._failed(pending, error.explanation, outcome="unavailable")
        except (PlatformError, PlatformNotReady) as error:
            return self._failed(pending, error.explanation)

    async def _exchange(self, pending: PendingAuthorization, code: str) -> tuple[ConnectResult, Notice]:
        kept = json.loads(self._vault.open(pending.sealed, _state_place(pending.state_hash, pending.member.team_id)))
        grant = AuthorizationGrant(
            code=code,
            redirect_uri=pending.redirect_uri,
            code_verifier=kept["code_verifier"],
            carry=kept["carry"],
        )
        credential = await self._platforms.exchange(pending.platform, grant)
        self._check_scopes(pending.platform, credential)
        candidates = await self._platforms.accounts(pending.platform, credential)
        if not candidates:
            title = self._platforms.get(pending.platform).title
            raise AuthorizationFailed(f"{title} named no account that this sign-in may post to.")
        if pending.purpose is Purpose.RECONNECT and pending.connection_id is not None:
            return await self._reconnect(pending, pending.connection_id, candidates)
        if len(candidates) > 1:
            return await self._ask(pending, candidates)
        return await self._connect(pending.member, pending.platform, candidates[0])

    def _check_scopes(self, name: str, credential: Credential) -> None:
        platform = self._platforms.get(name)
        missing = set(platform.scopes) - set(credential.tokens.scopes)
        if credential.tokens.scopes and missing:
            raise AuthorizationFailed(
                f"{platform.title} did not grant everything the bot needs to post "
                f"({', '.join(sorted(missing))} is missing). Please try again and leave all boxes ticked."
            )

    async def _reconnect(
        self, pending: PendingAuthorization, connection_id: str, candidates: Sequence[Credential]
    ) -> tuple[ConnectResult, Notice]:
        connection = await self._connections.find(pending.member.team_id, connection_id)
        if connection is None:
            return await self._ask(pending, candidates)
        match = next((c for c in candidates if c.account.id == connection.account.id), None)
        if match is None:
            return await self._ask(pending, candidates, expected=connection)
        return await self._connect(pending.member, pending.platform, match)

    async def _ask(
        self, pending: PendingAuthorization, candidates: Sequence[Credential], *, expected: Connection | None = None
    ) -> tuple[ConnectResult, Notice]:
        platform, member = self._platforms.get(pending.platform), pending.member
        connection_id = _new_id()
        connection = Connection(
            connection_id=connection_id,
            team_id=member.team_id,
            owner_id=member.user_id,
            platform=platform.name,
            account=candidates[0].account,
            choices=tuple(candidate.account for candidate in candidates),
            status=ConnectionStatus.PENDING_CHOICE,
            nickname=f"{platform.name}:{connection_id}",
            sealed=seal_choices(self._vault, tuple(candidates), connection_id=connection_id, team_id=member.team_id),
            created_at=self._clock.now(),
            reconnects=expected.connection_id if expected else None,
        )
        await self._connections.insert(connection)
        result = ConnectResult(
            outcome="wrong_account" if expected else "choose",
            platform_title=platform.title,
            account_name=expected.account.name if expected else None,
        )
        notice = AccountChoice(
            connection=connection,
            platform_title=platform.title,
            expected_name=expected.account.name if expected else None,
        )
        return result, notice

    async def _connect(self, member: Member, name: str, credential: Credential) -> tuple[ConnectResult, Notice]:
        title = self._platforms.get(name).title
        for _ in range(_SWAP_TRIES):
            before = await self._connections.find_by_account(member.team_id, name, credential.account.id)
            if before is not None and before.owner_id != member.user_id and _is_linked(before):
                return self._taken(before, title)
            try:
                connection = await self._write(member, name, credential, before)
            except NameTaken:
                continue
            if connection is not None:
                return await self._connected(connection, title)
        raise PlatformUnavailable("The account was being changed at the same moment. Please try again.")

    async def _write(
        self, member: Member, name: str, credential: Credential, before: Connection | None
    ) -> Connection | None:
        now = self._clock.now()
        connection_id = before.connection_id if before else _new_id()
        sealed = seal_credential(self._vault, credential, connection_id=connection_id, team_id=member.team_id)
        if before is None:
            taken = await self._connections.list_nicknames(member.team_id)
            connection = Connection(
                connection_id=connection_id,
                team_id=member.team_id,
                owner_id=member.user_id,
                platform=name,
                account=credential.account,
                status=ConnectionStatus.ACTIVE,
                nickname=make_nickname(name, credential.account.name, taken),
                grant_id=credential.grant_id,
                sealed=sealed,
                token_version=1,
                token_expires_at=credential.tokens.expires_at,
                refreshed_at=now,
                created_at=now,
            )
            await self._connections.insert(connection)
            return connection
        connection = replace(
            before,
            owner_id=member.user_id,
            account=credential.account,
            status=ConnectionStatus.ACTIVE,
            status_reason=None,
            grant_id=credential.grant_id,
            sealed=sealed,
            token_version=before.token_version + 1,
            token_expires_at=credential.tokens.expires_at,
            refreshed_at=now,
        )
        return connection if await self._connections.swap(before, connection) else None

    async def _connected(self, connection: Connection, title: str) -> tuple[ConnectResult, Notice]:
        self._emit(
            ConnectionCompleted(
                team_id=connection.team_id, connection_id=connection.connection_id, platform=connection.platform
            )
        )
        released, late = await self._releasing.release(connection)
        result = ConnectResult(outcome="connected", platform_title=title, account_name=connection.account.name)
        if released or late:
            return result, Reconnected(connection=connection, platform_title=title, released=released, late=late)
        return result, Connected(connection=connection, platform_title=title)

    def _taken(self, connection: Connection, title: str) -> tuple[ConnectResult, Notice]:
        explanation = (
            f"{connection.account.name} is connected in this workspace already, by somebody else. "
            "Nothing was changed, and this sign-in was not kept. Ask them to post for you, or to disconnect it first."
        )
        result = ConnectResult(
            outcome="taken", platform_title=title, account_name=connection.account.name, explanation=explanation
        )
        notice = ConnectFailed(
            platform=connection.platform, platform_title=title, explanation=explanation, connection_id=None
        )
        return result, notice

    def _canceled(self, pending: PendingAuthorization) -> tuple[ConnectResult, Notice]:
        title = self._platforms.get(pending.platform).title
        notice = ConnectEnded(platform=pending.platform, platform_title=title, connection_id=pending.connection_id)
        return ConnectResult(outcome="canceled", platform_title=title), notice

    def _failed(
        self, pending: PendingAuthorization, explanation: str, *, outcome: str = "failed"
    ) -> tuple[ConnectResult, Notice]:
        title = self._platforms.get(pending.platform).title
        notice = ConnectFailed(
            platform=pending.platform,
            platform_title=title,
            explanation=explanation,
            connection_id=pending.connection_id,
        )
        return ConnectResult(outcome=outcome, platform_title=title, explanation=explanation), notice

    async def _tell(self, pending: PendingAuthorization, notice: Notice) -> None:
        """Put the outcome in place of the link, which is used up now; without that message, send a new one."""
        await self._pending.spend_ticket(pending.ticket_hash)
        ticket = await self._pending.find_ticket(pending.ticket_hash)
        if ticket is not None and ticket.message is not None:
            await self._notifier.revise(ticket.message, notice)
        else:
            await self._notifier.notify(pending.member, notice)

    # --- the choice --------------------------------------------------------------------------------------------------

    async def choose(self, member: Member, connection_id: str, position: int) -> Notice:
        """Connect the account a member picked; what takes the place of the question.

        Args:
            member: who picked.
            connection_id: of the connection in pending_choice.
            position: of the account in its ``choices``, from 0.

        Raises:
            NoSuchConnection: the question is over, or there is no such account in it.
            NotAllowed: it's somebody else's question.
            PlatformError: it could not be stored just now.
            StoreUnavailable: the database did not answer.
        """
        question = await self._owned(member, connection_id)
        if question.status is not ConnectionStatus.PENDING_CHOICE or not 0 <= position < len(question.choices):
            raise NoSuchConnection
        credential = open_choices(self._vault, question)[position]
        _, notice = await self._connect(member, question.platform, credential)
        await self._connections.delete(question)
        return notice

    # --- looking up --------------------------------------------------------------------------------------------------

    async def _open_ticket(self, ticket: str) -> Ticket:
        found = await self._pending.find_ticket(_hash(ticket))
        if found is None:
            raise LinkEnded(can_renew=False)
        if found.is_spent or found.expires_at <= self._clock.now():
            raise LinkEnded(can_renew=True)
        if problems := self._platforms.problems(found.platform):
            raise PlatformNotReady(problems[0])
        return found

    async def _account_name(self, ticket: Ticket) -> str | None:
        if ticket.connection_id is None:
            return None
        connection = await self._connections.find(ticket.member.team_id, ticket.connection_id)
        return connection.account.name if connection else None

    async def _owned(self, member: Member, connection_id: str) -> Connection:
        connection = await self._connections.find(member.team_id, connection_id)
        if connection is None:
            raise NoSuchConnection
        if connection.owner_id != member.user_id:
            raise NotAllowed(owner_id=connection.owner_id)
        return connection


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _new_id() -> str:
    return secrets.token_hex(8)


def _state_place(state_hash: str, team_id: str) -> SealedPlace:
    return SealedPlace(collection="pending_authorizations", record_id=state_hash, team_id=team_id, field="sealed")


def _is_linked(connection: Connection) -> bool:
    return connection.status in {ConnectionStatus.ACTIVE, ConnectionStatus.NEEDS_RECONNECT}
