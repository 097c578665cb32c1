"""Sending the private link by which a member connects an account, or renews one."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Final

from ..clock import Clock
from ..domain import Member, Purpose, Ticket
from ..events import ConnectionRequested, Emit
from ..platforms import PlatformNotReady, Platforms
from .linking import Linking
from .notices import ConnectLink
from .people import MemberDirectory, Notifier
from .ports import PendingStore
from .signing_in import DirectMessageFailed

__all__ = ["LINK_LIFETIME", "SECRET_BYTES", "SendingLinks", "hash_secret"]

LINK_LIFETIME: Final = timedelta(minutes=10)
SECRET_BYTES: Final = 32  # 256 bits


def hash_secret(secret: str) -> str:
    """What is kept of a ticket, a state or a binding cookie: its SHA-256, hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()


class SendingLinks:
    """Makes tickets, and sends them to the one member they are for.

    Args:
        platforms: the installed platforms.
        pending: where links are kept.
        members: who is who in Slack.
        notifier: direct messages.
        linking: knows whose a connection is.
        clock: the time.
        emit: takes events.
        public_url: address of the callback server, without a slash at the end.
    """

    def __init__(
        self,
        *,
        platforms: Platforms,
        pending: PendingStore,
        members: MemberDirectory,
        notifier: Notifier,
        linking: Linking,
        clock: Clock,
        emit: Emit,
        public_url: str,
    ) -> None:
        self._platforms = platforms
        self._pending = pending
        self._members = members
        self._notifier = notifier
        self._linking = linking
        self._clock = clock
        self._emit = emit
        self._public_url = public_url.rstrip("/")

    async def send(
        self,
        member: Member,
        platform: str,
        *,
        credential_set: str = "",
        connection_id: str | None = None,
        is_rerequest: bool = False,
    ) -> None:
        """Send a member a private link by DM: to connect an account, or to renew the given connection.

        Args:
            member: who asks; nobody else's sign-in is taken through the link.
            platform: the plugin's name.
            credential_set: through which of our developer apps there; a connection is renewed through its own.
            connection_id: which connection is to be renewed.
            is_rerequest: whether the platform is to ask again for what was declined, or left out, before.

        Raises:
            PlatformNotReady: the platform can't be used now; says why.
            NoSuchConnection: there is none with this id.
            NotAllowed: the connection is somebody else's.
            DirectMessageFailed: Slack would not take the DM.
            SlackUnavailable: Slack did not say who the member is.
            StoreUnavailable: the database did not answer.
        """
        connection = await self._linking.get_owned(member, connection_id) if connection_id is not None else None
        if connection is not None:
            credential_set = connection.credential_set
            is_rerequest = is_rerequest or bool(connection.missing_scopes)
        if problems := self._platforms.problems(platform, credential_set):
            raise PlatformNotReady(problems[0])
        profile = await self._members.get_profile(member)
        ticket = secrets.token_urlsafe(SECRET_BYTES)
        await self._send_link(
            ticket,
            Ticket(
                ticket_hash=hash_secret(ticket),
                member=member,
                platform=platform,
                purpose=Purpose.RECONNECT if connection else Purpose.CONNECT,
                connection_id=connection_id,
                member_name=profile.name,
                workspace_name=await self._members.get_workspace_name(member.team_id),
                expires_at=self._clock.now() + LINK_LIFETIME,
                credential_set=credential_set,
                is_rerequest=is_rerequest,
            ),
            account_name=connection.account.name if connection else None,
        )

    async def _send_link(self, secret: str, ticket: Ticket, *, account_name: str | None) -> None:
        asked = self._platforms.get_connectable(ticket.platform, ticket.credential_set)
        await self._pending.save_ticket(ticket)
        message = await self._notifier.notify(
            ticket.member,
            ConnectLink(
                title=asked.title,
                platform_title=asked.platform_title,
                permissions=asked.permissions,
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
