"""A connection's credential, to and from its sealed form, and when its tokens are renewed."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any, Final

from ..domain import Connection
from ..plugin.types import Account, Credential, Platform, TokenSet
from ..vault import SealedPlace, Vault

__all__ = [
    "find_gone_scopes",
    "open_choices",
    "open_credential",
    "plan_check",
    "plan_reminder",
    "plan_renewal",
    "seal_choices",
    "seal_credential",
    "spread",
    "with_tokens",
]

_RENEWED_AFTER: Final = 0.75
_SPREAD_OVER: Final = 0.1
_LEAD: Final = timedelta(minutes=5)
_SHORTEST: Final = timedelta(minutes=1)
_DAY: Final = timedelta(days=1)
_CHECK_SPREAD: Final = timedelta(hours=8)
_REMINDED_BEFORE: Final = (timedelta(days=7), timedelta(hours=24))


def seal_credential(vault: Vault, credential: Credential, *, connection_id: str, team_id: str) -> str:
    """Seal one credential for a connection."""
    return _seal(vault, _to_json(credential), connection_id, team_id)


def open_credential(vault: Vault, connection: Connection) -> Credential:
    """Open a connection's credential.

    Raises:
        SealBroken: it can't be opened with the keys at hand.
        ValueError: nothing is sealed, or a choice is still open.
    """
    content = _open(vault, connection)
    if not isinstance(content, dict):
        raise ValueError(f"the account of connection {connection.connection_id} was not chosen yet")  # noqa: TRY004 - its state is wrong, not our type
    return replace(_from_json(content), account=connection.account, credential_set=connection.credential_set)


def seal_choices(vault: Vault, choices: tuple[Credential, ...], *, connection_id: str, team_id: str) -> str:
    """Seal the credentials a member may choose from."""
    return _seal(vault, [_to_json(choice) for choice in choices], connection_id, team_id)


def open_choices(vault: Vault, connection: Connection) -> tuple[Credential, ...]:
    """Open the credentials a member may choose from, in the order of ``connection.choices``.

    Raises:
        SealBroken: they can't be opened with the keys at hand.
    """
    return tuple(
        replace(_from_json(choice), credential_set=connection.credential_set) for choice in _open(vault, connection)
    )


def with_tokens(credential: Credential, fresh: TokenSet) -> Credential:
    """Put fresh tokens into a credential; what a refresh left out (refresh token, scopes) stays as it was."""
    return replace(
        credential,
        tokens=replace(
            fresh,
            refresh_token=fresh.refresh_token or credential.tokens.refresh_token,
            scopes=fresh.scopes or credential.tokens.scopes,
        ),
    )


def plan_renewal(
    platform: Platform, tokens: TokenSet, *, connection_id: str, token_version: int, now: datetime
) -> datetime | None:
    """When tokens are renewed ahead of need: at 75 to 85 % of their life, each account at a time of its own.

    In any case it's some minutes before they would have to be renewed to be used, so that no post has to wait for it;
    but never before half of their life.

    Args:
        platform: theirs.
        tokens: fresh ones.
        connection_id: whose.
        token_version: of these tokens.
        now: when they came.

    Returns:
        None where no end is known, or where there is no refresh token: then it's the member who renews them.
    """
    if tokens.expires_at is None or not tokens.refresh_token:
        return None
    life = tokens.expires_at - now
    wanted = life * (_RENEWED_AFTER + _SPREAD_OVER * spread(connection_id, token_version))
    latest = life - timedelta(seconds=platform.refresh_margin_seconds) - _LEAD
    return now + max(min(wanted, latest), life / 2, _SHORTEST)


def plan_check(connection_id: str, number: int, now: datetime) -> datetime:
    """When a platform is asked next whether an access still works: in 20 to 28 hours, each account in its own time."""
    return now + _DAY + _CHECK_SPREAD * (spread(connection_id, number) - 0.5)


def plan_reminder(ends_at: datetime | None, *, renew_at: datetime | None, now: datetime) -> datetime | None:
    """When the owner is reminded next that an access ends: seven days before, then a day before.

    Returns:
        None where no end is known, where it is renewed without anybody's help, or when both have passed.
    """
    if ends_at is None or renew_at is not None:
        return None
    return next((ends_at - lead for lead in _REMINDED_BEFORE if ends_at - lead > now), None)


def find_gone_scopes(wanted: Sequence[str], *, granted: Sequence[str], left: Sequence[str]) -> tuple[str, ...]:
    """Which permissions a platform has taken back.

    Args:
        wanted: those we ask for by now; further ones nobody misses.
        granted: those we had; empty where the platform didn't say, and then all that were wanted.
        left: those we have now; empty where it doesn't say.
    """
    had = set(granted or wanted)
    return tuple(scope for scope in wanted if scope in had and scope not in left) if left else ()


def spread(connection_id: str, number: int) -> float:
    """Spread accounts evenly over a time: from 0 to 1, the same in every process."""
    return zlib.crc32(f"{connection_id}:{number}".encode()) / 2**32


def _seal(vault: Vault, content: object, connection_id: str, team_id: str) -> str:
    return vault.seal(json.dumps(content, separators=(",", ":")).encode(), _place(connection_id, team_id))


def _open(vault: Vault, connection: Connection) -> Any:
    if connection.sealed is None:
        raise ValueError(f"connection {connection.connection_id} holds no tokens")
    return json.loads(vault.open(connection.sealed, _place(connection.connection_id, connection.team_id)))


def _place(connection_id: str, team_id: str) -> SealedPlace:
    return SealedPlace(collection="social_connections", record_id=connection_id, team_id=team_id, field="sealed")


def _to_json(credential: Credential) -> dict[str, Any]:
    account, tokens = credential.account, credential.tokens
    return {
        "account": asdict(account),
        "access_token": tokens.access_token,
        "refresh_token": tokens.refresh_token,
        "expires_at": tokens.expires_at.isoformat() if tokens.expires_at else None,
        "scopes": list(tokens.scopes),
        "grant_id": credential.grant_id,
        "extra": dict(credential.extra),
        "server": credential.server,
    }


def _from_json(content: Mapping[str, Any]) -> Credential:
    expires_at = content["expires_at"]
    return Credential(
        account=Account(**content["account"]),
        tokens=TokenSet(
            access_token=content["access_token"],
            refresh_token=content["refresh_token"],
            expires_at=datetime.fromisoformat(expires_at) if expires_at else None,
            scopes=tuple(content["scopes"]),
        ),
        grant_id=content["grant_id"],
        extra=content["extra"],
        server=content.get("server", ""),
    )
