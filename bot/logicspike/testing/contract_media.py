"""The part of the contract about media and link cards, for plugins that declare them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import ClassVar, Final

import pytest

from ..plugin import (
    Credential,
    LinkCard,
    MediaFile,
    MediaRule,
    OutcomeUnknown,
    PlatformError,
    PlatformUnavailable,
    Post,
    PostRejected,
    PreparationLost,
    Prepared,
    PublishedPost,
    RateLimited,
    ReconnectRequired,
    TokenExpired,
)
from .media_samples import SAMPLE_GIF, SAMPLE_JPEG, SAMPLE_MP4, SAMPLE_PNG, MemoryFile
from .stage import Stage
from .undeclared import skip_undeclared

__all__ = ["MediaContract"]

SAMPLES: Final = {
    "image/png": SAMPLE_PNG,
    "image/jpeg": SAMPLE_JPEG,
    "image/gif": SAMPLE_GIF,
    "video/mp4": SAMPLE_MP4,
}
SEVERAL: Final = 3
LINK: Final = "https://example.com/news"


class MediaContract:
    """What a plugin promises that declares ``Limits.media`` or ``Platform.wants_link_card``."""

    samples: ClassVar[Mapping[str, bytes]] = {}
    """Content type to bytes, for a fake that looks at media more closely than at their beginning."""

    def make_file(self, rule: MediaRule, *, number: int = 0, alt_text: str = "") -> MemoryFile:
        """A file that the rule allows; another number makes another file."""
        known = SAMPLES | dict(self.samples)
        content_type = next((each for each in rule.content_types if each in known), None)
        assert content_type is not None, f"no sample is any of {rule.content_types}: give one in `samples`"
        return MemoryFile(
            known[content_type] + bytes(number),
            name=f"file-{number}",
            content_type=content_type,
            kind=rule.kind,
            alt_text=alt_text,
            media_id=f"medium-{number}",
        )

    # --- media --------------------------------------------------------------------------------------------------------

    async def test_fake_takes_the_media_that_are_declared(self, stage: Stage) -> None:
        """The stand-in has the faults that the checks below need."""
        assert stage.fake.takes_media == bool(_rules(stage)), "the fake's takes_media says whether posts may have media"

    async def test_each_kind_of_media_is_published(self, stage: Stage) -> None:
        """What was uploaded is what is seen, byte for byte, in a post with its text."""
        for rule in _need_rules(stage):
            file = self.make_file(rule)
            published = await _post(stage, [file], text=f"With {rule.kind}")
            entry = stage.fake.ledger[-1]
            assert published.id
            assert entry.text == f"With {rule.kind}"
            assert _digests([file]) == [medium.sha256 for medium in entry.media]
        assert len(_need_rules(stage)) == len(stage.fake.ledger)

    async def test_alt_text_arrives(self, stage: Stage) -> None:
        """The longest description that the rule allows is there for those who don't see the picture."""
        for rule in [rule for rule in _need_rules(stage) if rule.max_alt_text]:
            alt_text = "A “square” <b> & more: ".ljust(rule.max_alt_text, "é")[: rule.max_alt_text]
            await _post(stage, [self.make_file(rule, alt_text=alt_text)])
            assert [alt_text] == [medium.alt_text for medium in stage.fake.ledger[-1].media]

    async def test_several_media_keep_their_order(self, stage: Stage) -> None:
        """The author's order is the reader's."""
        for rule in [rule for rule in _need_rules(stage) if rule.max_count > 1]:
            files = [
                self.make_file(rule, number=number, alt_text=f"Number {number}" if rule.max_alt_text else "")
                for number in range(min(rule.max_count, SEVERAL))
            ]
            await _post(stage, files)
            shown = stage.fake.ledger[-1].media
            assert _digests(files) == [medium.sha256 for medium in shown]
            assert [file.media.alt_text for file in files] == [medium.alt_text for medium in shown]

    async def test_preparing_shows_nothing_and_may_be_repeated(self, stage: Stage) -> None:
        """Nothing is public until it is published, however often it was prepared; then it is there once."""
        credential = await stage.connect()
        for rule in _need_rules(stage):
            before, file = len(stage.fake.ledger), self.make_file(rule)
            post = _to_post([file], text=f"Prepared twice: {rule.kind}")
            prepared = [await _prepare(stage, credential, post, [file]) for _ in range(2)]
            assert before == len(stage.fake.ledger), "preparing must not make anything public"
            assert file.opened >= 2, "each preparing reads the file anew"
            await stage.platforms.publish(stage.platform.name, credential, post, prepared[-1])
            assert _digests([file]) == [medium.sha256 for entry in stage.fake.ledger[before:] for medium in entry.media]

    @pytest.mark.parametrize("fault", ["unavailable", "garbage", "rate_limit", "fail_processing"])
    async def test_failed_upload_is_told_and_posts_nothing(self, stage: Stage, fault: str) -> None:
        """A file that did not get there is known before the post is due, and may be sent again."""
        expected: dict[str, tuple[type[PlatformError], ...]] = {
            "rate_limit": (RateLimited,),
            "fail_processing": (PostRejected, PlatformUnavailable),
        }
        credential = await stage.connect()
        for rule in _need_rules(stage):
            file = self.make_file(rule)
            post = _to_post([file])
            stage.fake.switch(fault)
            with stage.raises(*expected.get(fault, (PlatformUnavailable,))):
                prepared = await _prepare(stage, credential, post, [file])
                if fault == "fail_processing":  # a platform that doesn't tell this account tells at the post
                    await stage.platforms.publish(stage.platform.name, credential, post, prepared)
            stage.fake.switch(fault, on=False)
            assert stage.fake.ledger == []
            await _prepare(stage, credential, post, [file])

    async def test_ended_access_is_told_while_preparing(self, stage: Stage) -> None:
        """Access that has ended is noticed at the upload, not only when the post is due."""
        rule, credential = _need_rules(stage)[0], await stage.connect()
        stage.fake.perform("revoke")
        file = self.make_file(rule)
        with stage.raises(ReconnectRequired, TokenExpired):
            await _prepare(stage, credential, _to_post([file]), [file])

    async def test_forgotten_preparation_is_told(self, stage: Stage) -> None:
        """Where the platform has lost an upload, nothing is posted, least of all without it, and it is made anew."""
        credential = await stage.connect()
        for rule in _need_rules(stage):
            before, file = len(stage.fake.ledger), self.make_file(rule)
            post = _to_post([file], text=f"Not forgotten: {rule.kind}")
            prepared = await _prepare(stage, credential, post, [file])
            stage.fake.perform("forget_uploads")
            with stage.raises(PreparationLost):
                await stage.platforms.publish(stage.platform.name, credential, post, prepared)
            assert before == len(stage.fake.ledger)
            again = await _prepare(stage, credential, post, [file])
            await stage.platforms.publish(stage.platform.name, credential, post, again)
            assert _digests([file]) == [medium.sha256 for medium in stage.fake.ledger[-1].media]

    async def test_lost_post_with_media_is_found(self, stage: Stage) -> None:
        """A lost answer to a post with media is as unknown as any, and the post is found as any."""
        rule, credential, name = _need_rules(stage)[0], await stage.connect(), stage.platform.name
        file = self.make_file(rule)
        post = _to_post([file], text="Was it seen?")
        prepared = await _prepare(stage, credential, post, [file])
        stage.fake.switch("accept_then_drop", times=1)
        with stage.raises(OutcomeUnknown):
            await stage.platforms.publish(name, credential, post, prepared)
        assert len(stage.fake.ledger) == 1
        if stage.platforms.supports(name, "find_published"):
            try:
                found = await stage.platforms.find_published(name, credential, post, prepared)
            except OutcomeUnknown as error:  # this account may not look
                stage.show(error)
                return
            assert found is not None
            assert stage.fake.ledger[0].id == found.id

    # --- link cards ---------------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("has_picture", [True, False])
    async def test_link_card_is_shown(self, stage: Stage, has_picture: bool) -> None:
        """What the linked page says of itself stands in the card, with its picture if it has one."""
        credential, post = await stage.connect(), _need_card(stage)
        picture = MemoryFile(SAMPLE_JPEG, media_id="picture") if has_picture else None
        card = LinkCard(url=LINK, title="The <news> & more", description="What happened", picture=picture)
        prepared = await _prepare(stage, credential, post, [], card)
        assert stage.fake.ledger == []
        await stage.platforms.publish(stage.platform.name, credential, post, prepared)
        (entry,) = stage.fake.ledger
        assert entry.card is not None
        assert (card.title, card.description) == (entry.card.title, entry.card.description)
        assert has_picture == (entry.card.picture is not None)

    async def test_link_without_a_card_is_published(self, stage: Stage) -> None:
        """A page that could not be read keeps no post back."""
        credential, post = await stage.connect(), _need_card(stage)
        prepared = await _prepare(stage, credential, post, [])
        await stage.platforms.publish(stage.platform.name, credential, post, prepared)
        await stage.platforms.publish(stage.platform.name, credential, _need_card(stage, key="another-key"))
        assert len(stage.fake.ledger) == 2


def _rules(stage: Stage) -> tuple[MediaRule, ...]:
    return stage.platform.limits.media


def _need_rules(stage: Stage) -> tuple[MediaRule, ...]:
    return _rules(stage) or skip_undeclared(stage.platform, "takes no media")


def _need_card(stage: Stage, *, key: str = "a-key") -> Post:
    if not stage.platform.wants_link_card:
        skip_undeclared(stage.platform, "needs no link cards")
    return Post(key=key, text=f"Read this ({key}): {LINK}", link=LINK)


def _to_post(files: Sequence[MediaFile], *, text: str = "Look at this") -> Post:
    return Post(key=f"key of {text}", text=text, media=tuple(file.media for file in files))


async def _prepare(
    stage: Stage, credential: Credential, post: Post, files: Sequence[MediaFile], card: LinkCard | None = None
) -> Prepared:
    prepared = await stage.platforms.prepare(stage.platform.name, credential, post, files=files, card=card)
    stage.shown.append(f"{prepared!r} {dict(prepared.handles)}")
    assert prepared.expires_at is None or prepared.expires_at > stage.clock.now()
    return prepared


async def _post(stage: Stage, files: Sequence[MediaFile], *, text: str = "Look at this") -> PublishedPost:
    credential, post = await stage.connect(), _to_post(files, text=text)
    prepared = await _prepare(stage, credential, post, files)
    return await stage.platforms.publish(stage.platform.name, credential, post, prepared)


def _digests(files: Sequence[MemoryFile]) -> list[str]:
    return [sha256(file.content).hexdigest() for file in files]
