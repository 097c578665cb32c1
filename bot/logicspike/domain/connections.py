"""Members, the accounts they have linked, and the links and sign-ins that lead there."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from ..plugin.types import Account

__all__ = [
    "Connection",
    "ConnectionStatus",
    "Member",
    "PendingAuthorization",
    "Purpose",
    "Ticket",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A person in a Slack workspace."""

    team_id: str
    user_id: str


class ConnectionStatus(StrEnum):
    """Where a connection stands."""

    PENDING_CHOICE = "pending_choice"
    ACTIVE = "active"
    NEEDS_RECONNECT = "needs_reconnect"
    DISCONNECTED = "disconnected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """The stored fact that a member linked an account; the tokens stay sealed.

    Attributes:
        connection_id: ours.
        team_id: the workspace it belongs to.
        owner_id: the Slack user who connected it.
        platform: the plugin's name.
        account: which account; while ``pending_choice`` the first of ``choices``.
        choices: the accounts to choose from while ``pending_choice``, else empty.
        status: where it stands.
        status_reason: why it needs a reconnect, in words for people.
        nickname: what people may type for it; unique in the workspace.
        grant_id: whose grant at the platform.
        credential_set: through which of our developer apps there it came; "" for the one that every platform has.
        sealed: the credential's secrets, sealed by the vault; None once disconnected.
        token_version: grows by one whenever ``sealed`` changes; writes of tokens are conditional on it.
        token_expires_at: end of the access token; None means unknown.
        refreshed_at: when the tokens were last written.
        renew_at: when the tokens are renewed ahead of their end, or that is tried again; None where they have no known
            end, or nothing to be renewed with.
        renewal_tries: how often that was tried since they were last written.
        check_at: when the platform is asked next whether the access still works; None before it was ever planned.
        remind_at: when the owner is to be reminded that the access ends; None where it doesn't, or no more.
        missing_scopes: permissions that the platform has taken back, while it needs a reconnect for that.
        notice_owed_since: since when its owner is to be told that it needs a reconnect; None once they were.
        notice_due_at: when they may be told, by whoever claims it; None as above.
        paused_until: until when nothing is published there, because the platform asked to wait.
        reconnects: the connection that a sign-in was meant to renew, when another account came back.
        created_at: when it was first connected.
    """

    connection_id: str
    team_id: str
    owner_id: str
    platform: str
    account: Account
    status: ConnectionStatus
    nickname: str
    created_at: datetime
    choices: tuple[Account, ...] = ()
    status_reason: str | None = None
    grant_id: str | None = None
    credential_set: str = ""
    sealed: str | None = field(default=None, repr=False)
    token_version: int = 0
    token_expires_at: datetime | None = None
    refreshed_at: datetime | None = None
    renew_at: datetime | None = None
    renewal_tries: int = 0
    check_at: datetime | None = None
    remind_at: datetime | None = None
    missing_scopes: tuple[str, ...] = ()
    notice_owed_since: datetime | None = None
    notice_due_at: datetime | None = None
    reconnects: str | None = None
    paused_until: datetime | None = None

    @property
    def access_ends_at(self) -> datetime | None:
        """When an access that works ends, where nothing but a sign-in renews it; None where no such end is known."""
        can_end = self.status is ConnectionStatus.ACTIVE and self.renew_at is None
        return self.token_expires_at if can_end else None


class Purpose(StrEnum):
    """What a connect link is for."""

    CONNECT = "connect"
    RECONNECT = "reconnect"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """The private link we sent by DM; the browser shows the ticket, the store keeps only its hash.

    Attributes:
        ticket_hash: SHA-256 of the ticket, hexadecimal.
        member: who asked for it.
        platform: the plugin's name.
        purpose: connect, or reconnect ``connection_id``.
        member_name: shown on the page.
        workspace_name: shown on the page.
        expires_at: when the link ends; it can be renewed afterwards.
        is_spent: whether a sign-in through it succeeded.
        message: where the DM with the link is, as an opaque reference of the notifier.
        credential_set: through which of our developer apps at the platform.
        is_rerequest: whether the member asks once more for what was declined, or left out, before.
    """

    ticket_hash: str
    member: Member
    platform: str
    purpose: Purpose
    member_name: str
    workspace_name: str
    expires_at: datetime
    connection_id: str | None = None
    is_spent: bool = False
    message: str | None = None
    credential_set: str = ""
    is_rerequest: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingAuthorization:
    """An authorization request whose callback has not come yet: used once (RFC 6749 section 4.1.1, RFC 7636).

    Attributes:
        state_hash: SHA-256 of the state, hexadecimal.
        ticket_hash: the link it was started from.
        member: who asked.
        platform: the plugin's name.
        purpose: connect or reconnect.
        connection_id: which connection is renewed.
        browser_hash: SHA-256 of the binding cookie, hexadecimal.
        redirect_uri: as sent to the platform.
        sealed: the code_verifier and the plugin's carry, sealed by the vault.
        expires_at: ten minutes after it was made.
        credential_set: through which of our developer apps it was asked.
    """

    state_hash: str
    ticket_hash: str
    member: Member
    platform: str
    purpose: Purpose
    browser_hash: str
    redirect_uri: str
    sealed: str = field(repr=False)
    expires_at: datetime
    connection_id: str | None = None
    credential_set: str = ""
