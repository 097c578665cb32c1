"""Connecting an account: the private link, the page behind it, the callback, and the choice of an account."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import Any, Final, TypeVar

from authlib.common.security import generate_token
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from ..clock import Clock
from ..connectables import Connectable
from ..domain import (
    Connection,
    Member,
    PendingAuthorization,
    Purpose,
    Ticket,
)
from ..events import ConnectionRefused, Emit
from ..platforms import PlatformNotReady, Platforms
from ..plugin.errors import (
    AuthorizationFailed,
    PlatformError,
    PlatformUnavailable,
    RateLimited,
    ReconnectRequired,
)
from ..plugin.types import AuthorizationGrant, AuthorizationRequest
from ..tasks import Tasks, TooBusy
from ..vault import SealedPlace, Vault
from .asking_for_servers import authorize_at, suggest_server
from .linking import Linking, NoSuchConnection, NotAllowed
from .notices import Notice
from .people import Notifier
from .ports import ConnectionStore, ConnectResult, PendingStore, StoreUnavailable
from .sending_links import LINK_LIFETIME, SECRET_BYTES, SendingLinks, hash_secret
from .signing_in import (
    Callback,
    DirectMessageFailed,
    LinkEnded,
    LinkPage,
    SignInOutcome,
    StateUnknown,
    WrongBrowser,
    check_scopes,
    sign_in_canceled,
    sign_in_failed,
)

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

STATE_LIFETIME: Final = timedelta(minutes=10)
_LOOKS_FOR_MESSAGE: Final = 20
_BETWEEN_LOOKS: Final = 0.25  # seconds

Result = TypeVar("Result")


class Connecting:
    """The use cases around the connect link.

    Args:
        platforms: the installed platforms.
        connections: where connections are kept.
        pending: where links and authorization requests are kept.
        links: sends the private links.
        notifier: direct messages.
        linking: connects the account that a sign-in brought.
        vault: seals tokens.
        clock: the time.
        emit: takes events.
        public_url: address of the callback server, without a slash at the end.
        tasks: runs what a browser need not wait for.
    """

    def __init__(
        self,
        *,
        platforms: Platforms,
        connections: ConnectionStore,
        pending: PendingStore,
        links: SendingLinks,
        notifier: Notifier,
        linking: Linking,
        vault: Vault,
        clock: Clock,
        emit: Emit,
        public_url: str,
        tasks: Tasks,
    ) -> None:
        self._platforms = platforms
        self._connections = connections
        self._pending = pending
        self._links = links
        self._notifier = notifier
        self._linking = linking
        self._vault = vault
        self._clock = clock
        self._emit = emit
        self._public_url = public_url.rstrip("/")
        self._tasks = tasks

    # --- the link ----------------------------------------------------------------------------------------------------

    async def start(
        self,
        member: Member,
        platform: str,
        *,
        credential_set: str = "",
        connection_id: str | None = None,
        is_rerequest: bool = False,
    ) -> None:
        """Send a member a private link by DM: see ``SendingLinks.send``."""
        await self._links.send(
            member, platform, credential_set=credential_set, connection_id=connection_id, is_rerequest=is_rerequest
        )

    async def open_link(self, ticket: str) -> LinkPage:
        """Say what the page behind a link shows; changes nothing.

        Raises:
            LinkEnded: unknown, used or over.
            StoreUnavailable: the database did not answer.
        """
        found = await self._open_ticket(ticket)
        asked = self._platforms.get_connectable(found.platform, found.credential_set)
        connection = await self._find_connection(found)
        return LinkPage(
            title=asked.title,
            platform_title=asked.platform_title,
            permissions=asked.permissions,
            member_name=found.member_name,
            workspace_name=found.workspace_name,
            purpose=found.purpose,
            account_name=connection.account.name if connection else None,
            authorize_origin=self._platforms.authorize_origin(asked.platform),
            expires_at=found.expires_at,
            server=suggest_server(self._platforms, found.platform, connection.account if connection else None),
        )

    async def begin(self, ticket: str, browser: str, server: str = "") -> str:
        """Make a fresh authorize URL for the browser that pressed the button.

        Args:
            ticket: from the link.
            browser: the value of the binding cookie.
            server: what the member typed, where each chooses a server.

        Raises:
            LinkEnded: unknown, used or over.
            ServerRefused: what was typed is no server that a sign-in can be started at.
            PlatformNotReady: the platform can't be used now.
            PlatformError: the platform's plugin could not build the URL.
            StoreUnavailable: the database did not answer.
        """
        found = await self._open_ticket(ticket)
        platform = self._platforms.get(found.platform)
        asked = self._platforms.get_connectable(platform.name, found.credential_set)
        state = secrets.token_urlsafe(SECRET_BYTES)
        code_verifier = generate_token(64) if platform.uses_pkce else None
        redirect_uri = f"{self._public_url}/api/auth/{platform.name}/callback"
        request = AuthorizationRequest(
            redirect_uri=redirect_uri,
            state=state,
            scopes=asked.scopes,
            code_challenge=create_s256_code_challenge(code_verifier) if code_verifier else None,
            is_rerequest=found.is_rerequest,
        )
        link, chosen = await authorize_at(self._platforms, asked, request, typed=server)
        kept = json.dumps({"code_verifier": code_verifier, "carry": dict(link.carry), "server": chosen}).encode()
        await self._pending.save_authorization(
            PendingAuthorization(
                state_hash=hash_secret(state),
                ticket_hash=found.ticket_hash,
                member=found.member,
                platform=platform.name,
                purpose=found.purpose,
                connection_id=found.connection_id,
                browser_hash=hash_secret(browser),
                redirect_uri=redirect_uri,
                sealed=self._vault.seal(kept, _state_place(hash_secret(state), found.member.team_id)),
                expires_at=self._clock.now() + STATE_LIFETIME,
                credential_set=found.credential_set,
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
        found = await self._pending.find_ticket(hash_secret(ticket))
        if found is None:
            raise LinkEnded(can_renew=False)
        await self.start(
            found.member,
            found.platform,
            credential_set=found.credential_set,
            connection_id=found.connection_id,
            is_rerequest=found.is_rerequest,
        )

    # --- the callback ------------------------------------------------------------------------------------------------

    async def finish(self, callback: Callback) -> str:
        """Use up the state, trade the code for tokens and connect the account; the id of the result page.

        All of that is stored when it returns. What the member is told in Slack, and what is done for posts that were
        held, follows in the background.

        Raises:
            StateUnknown: the state is unknown, used or over.
            WrongBrowser: another browser pressed the button.
            StoreUnavailable: the database did not answer.
        """
        pending = await self._take(callback)
        # The link is over whatever comes of the sign-in: that is noted while the platform answers.
        outcome, ticket = await asyncio.gather(
            self._settle(pending, callback), _unless_unavailable(self._pending.spend_ticket(pending.ticket_hash))
        )
        if outcome.result.outcome not in {"connected", "choose"}:
            self._emit(
                ConnectionRefused(
                    team_id=pending.member.team_id,
                    user_id=pending.member.user_id,
                    platform=pending.platform,
                    outcome=outcome.result.outcome,
                )
            )
        result_id = secrets.token_urlsafe(16)
        await _unless_unavailable(self._pending.save_result(result_id, outcome.result))
        await self._later(lambda: self._tell(pending, outcome, ticket))
        return result_id

    async def _later(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do what the browser need not wait for; where too much is under way already, it does wait."""
        try:
            self._tasks.defer(work, name="tell of a sign-in")
        except TooBusy:
            await work()

    async def find_result(self, result_id: str) -> ConnectResult | None:
        """What the result page says; None when it's gone."""
        return await self._pending.find_result(result_id)

    async def _take(self, callback: Callback) -> PendingAuthorization:
        state_hash, now = hash_secret(callback.state), self._clock.now()
        pending = await self._pending.take_authorization(
            state_hash, platform=callback.platform, browser_hash=hash_secret(callback.browser), now=now
        )
        if pending is not None:
            return pending
        other = await self._pending.find_authorization(state_hash)
        if other is not None and other.platform == callback.platform and other.expires_at > now:
            raise WrongBrowser
        raise StateUnknown

    async def _settle(self, pending: PendingAuthorization, callback: Callback) -> SignInOutcome:
        platform = self._platforms.get(pending.platform)
        asked = self._platforms.get_connectable(pending.platform, pending.credential_set)
        if callback.code is None:
            if callback.error in platform.cancel_errors:
                return sign_in_canceled(asked, pending)
            log.warning("authorization refused", extra={"event": "authorize.refused", "platform": platform.name})
            refused = f"{platform.title} refused the sign-in. Please try again."
            return sign_in_failed(asked, pending, platform.callback_errors.get(callback.error or "", refused))
        try:
            return await self._exchange(pending, asked, callback.code)
        except (PlatformUnavailable, RateLimited) as error:
            return sign_in_failed(asked, pending, error.explanation, outcome="unavailable")
        except (AuthorizationFailed, ReconnectRequired) as error:
            return sign_in_failed(asked, pending, error.explanation, is_for_asking_again=True)
        except (PlatformError, PlatformNotReady) as error:
            return sign_in_failed(asked, pending, error.explanation)

    async def _exchange(self, pending: PendingAuthorization, asked: Connectable, code: str) -> SignInOutcome:
        kept = json.loads(self._vault.open(pending.sealed, _state_place(pending.state_hash, pending.member.team_id)))
        grant = AuthorizationGrant(
            code=code,
            redirect_uri=pending.redirect_uri,
            code_verifier=kept["code_verifier"],
            carry=kept["carry"],
        )
        credential = await self._platforms.exchange(
            pending.platform, grant, credential_set=asked.credential_set, server=kept.get("server", "")
        )
        check_scopes(asked, credential)
        candidates = await self._platforms.accounts(pending.platform, credential)
        if not candidates:
            raise AuthorizationFailed(f"{asked.platform_title} named no account that this sign-in may post to.")
        return await self._linking.link(
            pending.member,
            pending.platform,
            candidates,
            reconnects=pending.connection_id if pending.purpose is Purpose.RECONNECT else None,
        )

    async def _tell(self, pending: PendingAuthorization, outcome: SignInOutcome, ticket: Ticket | None) -> None:
        """Put the outcome in place of the link, which is used up now; without that message, send a new one."""
        notice = await self._linking.complete(outcome)
        message = await self._find_message(ticket) if ticket is not None else None
        if message is not None:
            await self._notifier.revise(message, notice)
        else:
            await self._notifier.notify(pending.member, notice)

    async def _find_message(self, ticket: Ticket) -> str | None:
        """Where the link's message is; waits a while for that to be known, for a member can be faster than Slack."""
        found: Ticket | None = ticket
        for _ in range(_LOOKS_FOR_MESSAGE):
            if found is None or found.message is not None:
                break
            await asyncio.sleep(_BETWEEN_LOOKS)
            found = await _unless_unavailable(self._pending.find_ticket(ticket.ticket_hash))
        return found.message if found is not None else None

    async def choose(self, member: Member, connection_id: str, position: int) -> Notice:
        """Connect the account a member picked when a sign-in brought several: see ``Linking.choose``."""
        return await self._linking.choose(member, connection_id, position)

    # --- looking up --------------------------------------------------------------------------------------------------

    async def _open_ticket(self, ticket: str) -> Ticket:
        found = await self._pending.find_ticket(hash_secret(ticket))
        if found is None:
            raise LinkEnded(can_renew=False)
        if found.is_spent or found.expires_at <= self._clock.now():
            raise LinkEnded(can_renew=True)
        if problems := self._platforms.problems(found.platform, found.credential_set):
            raise PlatformNotReady(problems[0])
        return found

    async def _find_connection(self, ticket: Ticket) -> Connection | None:
        if ticket.connection_id is None:
            return None
        return await self._connections.find(ticket.member.team_id, ticket.connection_id)


async def _unless_unavailable(work: Awaitable[Result]) -> Result | None:
    """Go on without what the database did not do: the account is connected, and the member learns it in Slack."""
    try:
        return await work
    except StoreUnavailable:
        log.warning("a sign-in's link or result page could not be written", extra={"event": "connect.not_noted"})
        return None


def _state_place(state_hash: str, team_id: str) -> SealedPlace:
    return SealedPlace(collection="pending_authorizations", record_id=state_hash, team_id=team_id, field="sealed")
