"""A credential's sealed form, and what a refresh may and may not take away."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logicspike.domain import Connection, ConnectionStatus
from logicspike.plugin.types import Account, Credential, TokenSet
from logicspike.services.credentials import (
    open_choices,
    open_credential,
    seal_choices,
    seal_credential,
    with_tokens,
)
from logicspike.vault import SealBroken, Vault, generate_key, parse_key_ring

NOW = datetime(2026, 11, 24, 8, 30, 0, 123456, tzinfo=UTC)
ACCOUNT = Account(id="42", name="Acme", kind="page", url="https://chirp.example/acme")
CREDENTIAL = Credential(
    account=ACCOUNT,
    tokens=TokenSet(access_token="access-1", refresh_token="refresh-1", expires_at=NOW, scopes=("read", "write")),
    grant_id="g7",
    extra={"user_token": "user-1"},
)
VAULT = Vault(parse_key_ring(f"test:{generate_key()}"))

text = st.text(max_size=20)
whole_text = text.filter(bool)
tokens = st.builds(
    TokenSet,
    access_token=whole_text,
    refresh_token=st.none() | whole_text,
    expires_at=st.none() | st.datetimes(timezones=st.just(UTC)),
    scopes=st.lists(whole_text, max_size=3).map(tuple),
)
accounts = st.builds(Account, id=text, name=text, kind=text, url=st.none() | text)
credentials = st.builds(
    Credential,
    account=accounts,
    tokens=tokens,
    grant_id=st.none() | text,
    extra=st.dictionaries(text, text, max_size=2),
)


def connection_with(sealed: str | None, *, account: Account = ACCOUNT, connection_id: str = "c1") -> Connection:
    return Connection(
        connection_id=connection_id,
        team_id="T1",
        owner_id="UANA",
        platform="chirp",
        account=account,
        status=ConnectionStatus.ACTIVE,
        nickname="chirp:acme",
        created_at=NOW,
        sealed=sealed,
    )


def seal(credential: Credential) -> str:
    return seal_credential(VAULT, credential, connection_id="c1", team_id="T1")


@settings(deadline=None)
@given(credential=credentials)
def test_a_credential_comes_back_as_it_was(credential):
    connection = connection_with(seal(credential), account=credential.account)

    assert credential == open_credential(VAULT, connection)


@settings(deadline=None)
@given(choices=st.lists(credentials, max_size=4).map(tuple))
def test_choices_come_back_in_their_order(choices):
    sealed = seal_choices(VAULT, choices, connection_id="c1", team_id="T1")

    assert choices == open_choices(VAULT, connection_with(sealed))


def test_the_account_is_the_connections_own():
    """Its name may have been brought up to date since the tokens were sealed."""
    renamed = replace(ACCOUNT, name="Acme Inc")

    assert renamed == open_credential(VAULT, connection_with(seal(CREDENTIAL), account=renamed)).account


def test_another_connection_cannot_open_it():
    with pytest.raises(SealBroken):
        open_credential(VAULT, connection_with(seal(CREDENTIAL), connection_id="c2"))
    with pytest.raises(SealBroken):
        open_credential(VAULT, replace(connection_with(seal(CREDENTIAL)), team_id="T2"))


def test_a_connection_without_tokens_says_so():
    with pytest.raises(ValueError, match="connection c1 holds no tokens"):
        open_credential(VAULT, connection_with(None))
    with pytest.raises(ValueError, match="connection c1 holds no tokens"):
        open_choices(VAULT, connection_with(None))


def test_an_open_choice_is_no_credential():
    sealed = seal_choices(VAULT, (CREDENTIAL,), connection_id="c1", team_id="T1")

    with pytest.raises(ValueError, match="was not chosen yet"):
        open_credential(VAULT, connection_with(sealed))


def test_nothing_secret_is_shown():
    sealed = seal(CREDENTIAL)

    for shown in (repr(CREDENTIAL), repr(connection_with(sealed))):
        for secret in ("access-1", "refresh-1", "user-1", sealed):
            assert secret not in shown


# --- fresh tokens -----------------------------------------------------------------------------------------------------


def test_what_a_refresh_left_out_stays():
    after = with_tokens(CREDENTIAL, TokenSet(access_token="access-2"))

    assert ("access-2", "refresh-1", ("read", "write")) == (
        after.tokens.access_token,
        after.tokens.refresh_token,
        after.tokens.scopes,
    )
    assert None is after.tokens.expires_at, "the old token's end says nothing about the new one's"
    assert (CREDENTIAL.account, CREDENTIAL.grant_id, CREDENTIAL.extra) == (after.account, after.grant_id, after.extra)


def test_what_a_refresh_brought_counts():
    fresh = TokenSet(access_token="access-2", refresh_token="refresh-2", expires_at=NOW, scopes=("read",))

    assert fresh == with_tokens(CREDENTIAL, fresh).tokens


def test_an_empty_refresh_token_is_none():
    assert "refresh-1" == with_tokens(CREDENTIAL, TokenSet(access_token="a", refresh_token="")).tokens.refresh_token


@settings(deadline=None)
@given(first=credentials, refreshes=st.lists(tokens, max_size=8))
def test_no_sequence_of_refreshes_loses_a_refresh_token(first, refreshes):
    credential, newest, scopes = first, first.tokens.refresh_token, first.tokens.scopes
    for fresh in refreshes:
        credential = with_tokens(credential, fresh)
        newest, scopes = fresh.refresh_token or newest, fresh.scopes or scopes
        credential = open_credential(VAULT, connection_with(seal(credential), account=credential.account))

        assert newest == credential.tokens.refresh_token
        assert scopes == credential.tokens.scopes
        assert fresh.access_token == credential.tokens.access_token
        assert (first.account, first.grant_id, first.extra) == (
            credential.account,
            credential.grant_id,
            credential.extra,
        )
