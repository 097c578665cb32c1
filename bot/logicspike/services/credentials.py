"""A connection's credential, to and from its sealed form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from ..domain import Connection
from ..plugin.types import Account, Credential, TokenSet
from ..vault import SealedPlace, Vault

__all__ = ["open_choices", "open_credential", "seal_choices", "seal_credential", "with_tokens"]


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
    return replace(_from_json(content), account=connection.account)


def seal_choices(vault: Vault, choices: tuple[Credential, ...], *, connection_id: str, team_id: str) -> str:
    """Seal the credentials a member may choose from."""
    return _seal(vault, [_to_json(choice) for choice in choices], connection_id, team_id)


def open_choices(vault: Vault, connection: Connection) -> tuple[Credential, ...]:
    """Open the credentials a member may choose from, in the order of ``connection.choices``.

    Raises:
        SealBroken: they can't be opened with the keys at hand.
    """
    return tuple(_from_json(choice) for choice in _open(vault, connection))


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
        "account": {"id": account.id, "name": account.name, "kind": account.kind, "url": account.url},
        "access_token": tokens.access_token,
        "refresh_token": tokens.refresh_token,
        "expires_at": tokens.expires_at.isoformat() if tokens.expires_at else None,
        "scopes": list(tokens.scopes),
        "grant_id": credential.grant_id,
        "extra": dict(credential.extra),
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
    )
