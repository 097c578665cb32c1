"""What every platform plugin must hold to, as tests against its own fake::

    from logicspike.testing import PlatformContract

    class TestChirp(PlatformContract):
        platform = "chirp"

The plugin is loaded as the bot loads it, from what is installed, and every endpoint is the fake's.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import ClassVar, Final

import pytest
import pytest_asyncio
from yarl import URL

from ..loading import REQUIRED_HOOKS, load_installed
from ..platforms import NotSupported, Platforms
from ..plugin import (
    AuthorizationFailed,
    AuthorizationGrant,
    Credential,
    OperatorActionRequired,
    OutcomeUnknown,
    PlatformError,
    PlatformUnavailable,
    Post,
    PublishedPost,
    RateLimited,
    ReconnectRequired,
    TokenExpired,
)
from .contract_access import AccessContract
from .contract_media import MediaContract
from .contract_parts import PartsContract
from .fake_platform import press_cancel
from .media_samples import SAMPLE_PNG, MemoryFile
from .stage import Stage, open_stage
from .undeclared import skip_undeclared

__all__ = ["PlatformContract"]

LINK: Final = "https://example.com/news"
LONGEST_WAIT: Final = timedelta(seconds=20)  # ctx.sleep takes no time here, so only a plugin that never ends meets it
LONGEST_PAUSE: Final = timedelta(days=31)  # some platforms count by the month


@pytest.mark.asyncio
class PlatformContract(MediaContract, PartsContract, AccessContract):
    """The contract. Subclass it, name the platform, and pytest collects one test for each promise.

    What is about media, parts, counting, checks, credential sets or callbacks is skipped where the plugin has none.
    """

    platform: ClassVar[str]
    """The name the plugin is installed under."""
    is_idempotent: ClassVar[bool] = False
    """Whether the platform makes one post of two calls with the same ``Post.key``."""

    @pytest.fixture
    def platform_name(self) -> str:
        """Which platform to test."""
        return self.platform

    @pytest_asyncio.fixture
    async def stage(
        self, platform_name: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> AsyncIterator[Stage]:
        """The plugin and its fake; afterwards, that no secret leaked and no foreign host was asked."""
        monkeypatch.setattr(Platforms, "PREPARE_LIMIT", LONGEST_WAIT)
        caplog.set_level(logging.DEBUG)
        async with open_stage(platform_name) as stage:
            yield stage
        assert stage.list_offences(caplog.get_records("call")) == []

    # --- facts --------------------------------------------------------------------------------------------------------

    async def test_name_equals_the_entry_point(self, stage: Stage, platform_name: str) -> None:
        """What describe() says is what the plugin is installed as, and the fake says so too."""
        assert platform_name == stage.platform.name
        assert platform_name == stage.fake.name

    async def test_stands_beside_what_else_is_installed(self, platform_name: str) -> None:
        """No other installed platform answers to its name or one of its aliases."""
        assert load_installed().refused.get(platform_name) is None

    async def test_facts_are_complete(self, stage: Stage) -> None:
        """People can read what the platform is, what it may do and what a post may be."""
        platform = stage.platform
        assert platform.title
        assert platform.permissions
        assert platform.cancel_errors
        assert platform.limits.max_chars > 0
        assert platform.limits.checked_on is not None, "Limits.checked_on says when the limit was last looked up"

    async def test_required_hooks_are_there(self, stage: Stage) -> None:
        """The loader took the plugin: hooks, colours and parameters fit."""
        assert [hook for hook in REQUIRED_HOOKS if not stage.platforms.supports(stage.platform.name, hook)] == []

    async def test_fake_stands_for_every_endpoint(self, stage: Stage) -> None:
        """No endpoint is left pointing at the real platform."""
        assert set(stage.platform.endpoints) == set(stage.fake.endpoint_names)

    # --- authorization ------------------------------------------------------------------------------------------------

    async def test_authorize_link_carries_the_request(self, stage: Stage) -> None:
        """State, redirect_uri and challenge go in unchanged, to the declared origin; the client secret does not."""
        asked = await stage.ask()
        url = URL(asked.link.url)
        assert stage.platforms.authorize_origin(stage.platform.name) == str(url.origin())
        assert asked.request.state == url.query["state"]
        assert asked.request.redirect_uri == url.query["redirect_uri"]
        clients = list(stage.fake.registered.values()) or [stage.fake.clients[""]]
        assert stage.platform.needs_client == (not stage.fake.registered), "a platform registers its app, or needs none"
        assert url.query["client_id"] in {client.client_id for client in clients}
        assert not any(client.client_secret in asked.link.url for client in clients)
        if asked.request.code_challenge is not None:
            assert asked.request.code_challenge == url.query["code_challenge"]
            assert url.query["code_challenge_method"] == "S256"

    async def test_consent_gives_tokens_and_an_account(self, stage: Stage) -> None:
        """The callback's code becomes a credential."""
        credential = await stage.exchange(await stage.consent())
        assert credential.tokens.access_token
        assert credential.account.id
        assert credential.account.name

    async def test_same_person_keeps_the_id(self, stage: Stage) -> None:
        """Connecting again gives the same account, another person another one."""
        first, again = await stage.connect(), await stage.connect()
        assert first.account.id == again.account.id
        if len(stage.fake.people) > 1:
            other = await stage.connect(person=stage.fake.people[1].id)
            assert first.account.id != other.account.id

    async def test_every_account_can_be_posted_as(self, stage: Stage) -> None:
        """What the plugin lists as accounts, it can publish as."""
        accounts = await stage.list_accounts()
        assert accounts
        for number, credential in enumerate(accounts):
            assert await _publish(stage, credential, f"Hello from account {number}")
        assert len({credential.account.id for credential in accounts}) == len(stage.fake.ledger)

    async def test_wrong_code_is_refused(self, stage: Stage) -> None:
        """A made-up code gives nothing."""
        grant = await stage.consent()
        with stage.raises(AuthorizationFailed):
            await stage.exchange(replace(grant, code="made-up-code-of-nobody"))

    async def test_code_works_once(self, stage: Stage) -> None:
        """A used code gives nothing."""
        grant = await stage.consent()
        await stage.exchange(grant)
        with stage.raises(AuthorizationFailed):
            await stage.exchange(grant)

    async def test_code_of_another_redirect_uri_is_refused(self, stage: Stage) -> None:
        """The redirect_uri goes into the token request, so the platform can compare it."""
        grant = await stage.consent()
        with stage.raises(AuthorizationFailed, OperatorActionRequired):
            await stage.exchange(replace(grant, redirect_uri="http://127.0.0.1:3000/elsewhere"))

    async def test_wrong_verifier_is_refused(self, stage: Stage) -> None:
        """With PKCE, a code caught by somebody else is worth nothing."""
        grant = await stage.consent()
        if stage.platform.uses_pkce:
            with stage.raises(AuthorizationFailed):
                await stage.exchange(replace(grant, code_verifier="another-verifier-of-at-least-forty-three-letters"))
        else:
            assert grant.code_verifier is None

    async def test_wrong_client_secret_is_the_operators_to_mend(self, stage: Stage) -> None:
        """The member is not blamed for a wrong client secret."""
        if not stage.platform.needs_client:
            skip_undeclared(stage.platform, "takes no client secret from the operator")
        grant = await stage.consent()
        async with stage.misconfigured(client_secret="wrong-client-secret") as platforms:
            with stage.raises(OperatorActionRequired):
                await platforms.exchange(stage.platform.name, grant)

    async def test_cancel_is_told_apart(self, stage: Stage) -> None:
        """Cancel comes back with our state and one of the declared errors."""
        asked = await stage.ask()
        callback = URL(await press_cancel(stage.browser, asked.link.url))
        assert asked.request.state == callback.query["state"]
        assert callback.query["error"] in stage.platform.cancel_errors
        assert "code" not in callback.query

    @pytest.mark.parametrize("fault", ["unavailable", "garbage"])
    async def test_exchange_survives(self, stage: Stage, fault: str) -> None:
        """A platform in trouble is no refusal."""
        grant = await stage.consent()
        stage.fake.switch(fault)
        with stage.raises(PlatformUnavailable):
            await stage.exchange(grant)

    # --- publishing ---------------------------------------------------------------------------------------------------

    async def test_text_is_published_once(self, stage: Stage) -> None:
        """One call, one post with that text, with its id and address."""
        published = await _publish(stage, await stage.connect(), "Good morning")
        assert published.id
        assert published.url is None or URL(published.url).is_absolute()
        assert [entry.text for entry in stage.fake.ledger] == ["Good morning"]

    async def test_text_with_a_link_is_published_once(self, stage: Stage) -> None:
        """A link in the text stays in it."""
        text = f"Read this: {LINK} – it's <new> & (really) good #news @you"
        published = await stage.platforms.publish(
            stage.platform.name, await stage.connect(), Post(key="a-key", text=text, link=LINK)
        )
        assert published.id
        assert [text] == [entry.text for entry in stage.fake.ledger]

    async def test_length_is_checked_beforehand(self, stage: Stage) -> None:
        """The longest plain text passes; one letter more is a problem that the author can read."""
        account, longest = (await stage.connect()).account, stage.platform.limits.max_chars
        validate, name = stage.platforms.validate, stage.platform.name
        assert validate(name, account, Post(key="a-key", text="a" * longest)) == ()
        problems = validate(name, account, Post(key="a-key", text="a" * (longest + 1)))
        assert [problem.message for problem in problems]

    async def test_same_key_twice(self, stage: Stage) -> None:
        """Where the platform knows idempotency keys, the second call finds the first one's post."""
        credential = await stage.connect()
        first = await _publish(stage, credential, "Only once", key="the-same")
        if self.is_idempotent:
            assert first.id == (await _publish(stage, credential, "Only once", key="the-same")).id
        assert [entry.text for entry in stage.fake.ledger] == ["Only once"]

    async def test_rate_limit_says_until_when(self, stage: Stage) -> None:
        """Slowing down comes with a time, and nothing is posted."""
        credential = await stage.connect()
        stage.fake.switch("rate_limit")
        with stage.raises(RateLimited) as caught:
            await _publish(stage, credential, "Too much")
        assert isinstance(caught[0], RateLimited)
        assert stage.clock.now() < caught[0].until <= stage.clock.now() + LONGEST_PAUSE
        assert stage.fake.ledger == []

    async def test_publish_while_the_platform_is_down(self, stage: Stage) -> None:
        """A server error is unavailable, or unknown where it can't be told from an error after the post."""
        credential = await stage.connect()
        stage.fake.switch("unavailable")
        with stage.raises(PlatformUnavailable, OutcomeUnknown):
            await _publish(stage, credential, "Into the void")
        assert stage.fake.ledger == []

    @pytest.mark.parametrize("fault", ["error_after_accept", "accept_then_drop"])
    async def test_lost_answer_is_unknown_and_never_sent_again(self, stage: Stage, fault: str) -> None:
        """The post is live, the plugin can't know: it says so and doesn't try again."""
        credential = await stage.connect()
        stage.fake.switch(fault)
        with stage.raises(OutcomeUnknown):
            await _publish(stage, credential, "Did it go out?")
        assert [entry.text for entry in stage.fake.ledger] == ["Did it go out?"]

    async def test_nonsense_is_unknown(self, stage: Stage) -> None:
        """A success that can't be read may be a success."""
        credential = await stage.connect()
        stage.fake.switch("garbage")
        with stage.raises(OutcomeUnknown):
            await _publish(stage, credential, "What did you say?")

    async def test_no_answer_in_time_is_unknown(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        """A platform that takes too long may still post."""
        credential = await stage.connect()
        monkeypatch.setattr(Platforms, "PUBLISH_LIMIT", timedelta(seconds=0.1))
        stage.fake.switch("slow")
        with stage.raises(OutcomeUnknown):
            await _publish(stage, credential, "Hurry up")

    async def test_lost_post_is_found(self, stage: Stage) -> None:
        """With find_published, a post whose answer got lost is found if the account may look; one never sent is not."""
        credential, name = await stage.connect(), stage.platform.name
        lost, never = Post(key="lost-key", text="Was it live?"), Post(key="never-key", text="Never sent")
        if not stage.platforms.supports(name, "find_published"):
            with pytest.raises(NotSupported):
                await stage.platforms.find_published(name, credential, lost)
            return
        stage.fake.switch("accept_then_drop", times=1)
        with stage.raises(OutcomeUnknown):
            await stage.platforms.publish(name, credential, lost)
        try:
            found = await stage.platforms.find_published(name, credential, lost)
        except OutcomeUnknown as error:  # this account may not look
            stage.show(error)
            return
        assert found is not None
        assert [found.id] == [entry.id for entry in stage.fake.ledger]
        assert await stage.platforms.find_published(name, credential, never) is None

    # --- tokens -------------------------------------------------------------------------------------------------------

    async def test_refreshed_tokens_work(self, stage: Stage) -> None:
        """New tokens can publish and can be refreshed in turn, whether the refresh token rotates or not."""
        credential = await stage.connect()
        if credential.tokens.refresh_token is None:
            await _refresh_or_reconnect(stage, credential)
            return
        twice = await stage.refresh(await stage.refresh(credential))
        assert await _publish(stage, twice, "Still here")

    async def test_expired_token_is_told_and_can_be_mended(self, stage: Stage) -> None:
        """An expired token leads to a refresh that works, or to the member."""
        credential = await stage.connect()
        stage.fake.perform("expire")
        with stage.raises(TokenExpired, ReconnectRequired) as caught:
            await _publish(stage, credential, "Too late")
        if isinstance(caught[0], TokenExpired):
            renewed = await _refresh_or_reconnect(stage, credential)
            assert renewed is None or await _publish(stage, renewed, "Just in time")

    async def test_revoked_access_leads_to_the_member(self, stage: Stage) -> None:
        """However it's noticed, withdrawn access ends in ReconnectRequired and never looks like an outage."""
        credential = await stage.connect()
        stage.fake.perform("revoke")
        with stage.raises(ReconnectRequired, TokenExpired) as caught:
            await _publish(stage, credential, "Not any more")
        if isinstance(caught[0], TokenExpired):
            with stage.raises(ReconnectRequired):
                await stage.refresh(credential)
        assert stage.fake.ledger == []

    async def test_refresh_while_the_platform_is_down(self, stage: Stage) -> None:
        """An outage never ends a connection; a plugin that asks nobody can only send the member."""
        credential = await stage.connect()
        stage.fake.switch("unavailable")
        calls_before = len(stage.fake.requests)
        with stage.raises(PlatformUnavailable, ReconnectRequired) as caught:
            await stage.refresh(credential)
        has_asked = len(stage.fake.requests) > calls_before
        assert isinstance(caught[0], PlatformUnavailable) == has_asked

    async def test_revoke_ends_the_access(self, stage: Stage) -> None:
        """With revoke, the tokens are worth nothing afterwards."""
        credential, name = await stage.connect(), stage.platform.name
        if not stage.platforms.supports(name, "revoke"):
            with pytest.raises(NotSupported):
                await stage.platforms.revoke(name, credential, is_last=True)
            return
        await stage.platforms.revoke(name, credential, is_last=True)
        with stage.raises(ReconnectRequired, TokenExpired):
            await _publish(stage, credential, "After the end")

    # --- secrets ------------------------------------------------------------------------------------------------------

    async def test_secrets_stay_secret(
        self, stage: Stage, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A whole life with every fault shows no token, code, state or secret in a log, an error or a repr."""
        monkeypatch.setattr(Platforms, "CALL_LIMIT", timedelta(seconds=1))
        credential = await stage.connect()
        await _publish(stage, credential, "Once around")
        for fault in stage.fake.switches():
            grant = await stage.consent()
            stage.fake.switch(fault)
            await _try_everything(stage, credential, grant)
            stage.fake.switch(fault, on=False)
        for action in stage.fake.actions():
            stage.fake.perform(action)
            grant = await stage.consent()
            await _try_everything(stage, credential, grant)
        assert stage.find_leaks(caplog.records) == []


async def _publish(stage: Stage, credential: Credential, text: str, *, key: str = "a-key") -> PublishedPost:
    published = await stage.platforms.publish(stage.platform.name, credential, Post(key=key, text=text))
    stage.shown.append(repr(published))
    return published


async def _refresh_or_reconnect(stage: Stage, credential: Credential) -> Credential | None:
    try:
        return await stage.refresh(credential)
    except ReconnectRequired as error:
        stage.show(error)
        return None


async def _try_everything(stage: Stage, credential: Credential, grant: AuthorizationGrant) -> None:
    name, post = stage.platform.name, Post(key="a-key", text="Again and again")
    file = MemoryFile(SAMPLE_PNG)
    with_file = replace(post, media=(file.media,))
    for call in (
        stage.exchange(grant),
        stage.refresh(credential),
        stage.platforms.check(name, credential),
        stage.platforms.prepare(name, credential, with_file, files=(file,), card=None),
        stage.platforms.publish(name, credential, post),
        stage.platforms.find_published(name, credential, post),
        stage.platforms.revoke(name, credential, is_last=True),
    ):
        try:
            await call
        except (PlatformError, NotSupported) as error:
            stage.show(error)
