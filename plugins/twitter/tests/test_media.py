"""Pictures, GIFs and videos: uploaded ahead, attached in one call, looked up by their ids."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

import logicspike_twitter as plugin
from logicspike.plugin import (
    MediaKind,
    OutcomeUnknown,
    PlatformError,
    PlatformUnavailable,
    Post,
    PostRejected,
    PreparationLost,
    Prepared,
    ReconnectRequired,
    TokenExpired,
    oauth2,
)
from logicspike.testing import SAMPLE_GIF, SAMPLE_JPEG, SAMPLE_MP4, SAMPLE_PNG, MemoryFile
from logicspike_twitter.media_rules import SEGMENT_BYTES

PICTURES = (
    MemoryFile(SAMPLE_PNG, media_id="one", alt_text="A cup of coffee & a <cake>"),
    MemoryFile(SAMPLE_JPEG, media_id="two"),
)
VIDEO = MemoryFile(SAMPLE_MP4)
GIF = MemoryFile(SAMPLE_GIF, alt_text="Steam")


def post(*files, text="Look", key="a-key", reply=None):
    return Post(key=key, text=text, media=tuple(file.media for file in files), reply=reply)


def calls(bench):
    return [path.replace(path.split("/")[4], "…") if path.count("/") == 5 else path for _, path in bench.fake.requests]


async def test_pictures_are_attached_in_order_with_their_descriptions(bench):
    credential = await bench.connect()
    prepared = await bench.prepare(credential, *PICTURES)
    bench.fake.requests.clear()
    published = await plugin.publish(bench.ctx(), credential, post(*PICTURES), prepared)

    assert bench.fake.requests == [("POST", "/2/tweets")]
    (entry,) = bench.fake.ledger
    assert entry.id == published.id
    assert entry.text == "Look"
    assert [(medium.content_type, medium.size, medium.alt_text) for medium in entry.media] == [
        ("image/png", len(SAMPLE_PNG), "A cup of coffee & a <cake>"),
        ("image/jpeg", len(SAMPLE_JPEG), ""),
    ]
    _, page = await bench.get(published.url)
    assert "A cup of coffee &amp; a &lt;cake&gt;" in page


@pytest.mark.parametrize(("file", "kind"), [(VIDEO, MediaKind.VIDEO), (GIF, MediaKind.GIF)])
async def test_moving_pictures_are_waited_for_as_long_as_x_says(bench, file, kind):
    credential = await bench.connect()
    bench.fake.processing_looks = 3
    bench.fake.requests.clear()
    prepared = await bench.prepare(credential, file)
    looks = bench.fake.requests.count(("GET", "/2/media/upload"))
    assert looks == 4
    assert bench.slept[:4] == [1, 1, 1, 1]

    await plugin.publish(bench.ctx(), credential, post(file, text=""), prepared)
    assert [(medium.kind, medium.alt_text) for medium in bench.fake.ledger[0].media] == [
        (kind, "Steam" if kind is MediaKind.GIF else "")
    ]


async def test_every_call_of_an_upload_is_made_once_and_in_order(bench):
    credential = await bench.connect()
    bench.fake.requests.clear()
    await bench.prepare(credential, GIF)
    assert calls(bench) == [
        "/2/media/upload/initialize",
        "/2/media/upload/…/append",
        "/2/media/upload/…/finalize",
        "/2/media/upload",
        "/2/media/upload",
        "/2/media/metadata",
    ]
    assert GIF.opened >= 1


async def test_large_file_goes_in_segments_and_arrives_whole(bench):
    credential = await bench.connect()
    large = MemoryFile(SAMPLE_MP4 + bytes(range(256)) * (SEGMENT_BYTES // 100))
    bench.fake.requests.clear()
    prepared = await bench.prepare(credential, large)
    assert sum(path.endswith("/append") for _, path in bench.fake.requests) == 3
    await plugin.publish(bench.ctx(), credential, post(large), prepared)
    assert bench.fake.ledger[0].media[0].size == len(large.content)


async def test_prepared_uploads_are_good_for_as_long_as_x_says(bench):
    credential, began = await bench.connect(), bench.clock.now()
    prepared = await bench.prepare(credential, *PICTURES)
    assert prepared.expires_at == began + timedelta(days=1)
    assert len(prepared.handles["media_ids"].split(",")) == 2


async def test_one_dropped_segment_does_not_cost_the_upload(bench):
    credential = await bench.connect()
    bench.fake.requests.clear()
    failing = FailingOnce(bench)
    ctx = replace(bench.ctx(), http=failing)
    prepared = await plugin.prepare(ctx, credential, [VIDEO])
    assert failing.has_failed
    await plugin.publish(bench.ctx(), credential, post(VIDEO), prepared)
    assert bench.fake.ledger[0].media[0].size == len(SAMPLE_MP4)


class FailingOnce:
    """A session that loses the connection at the first segment."""

    def __init__(self, bench):
        self.http, self.has_failed = bench.http, False

    def request(self, method, url, **options):
        if str(url).endswith("/append") and not self.has_failed:
            self.has_failed = True
            return _Dropped()
        return self.http.request(method, url, **options)


class _Dropped:
    async def __aenter__(self):
        raise ConnectionResetError

    async def __aexit__(self, *_exc):
        return None


# --- what can go wrong ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", [VIDEO, GIF, PICTURES[1]], ids=["video", "gif", "picture"])
async def test_file_that_x_cannot_process_is_rejected_before_the_post(bench, file):
    credential = await bench.connect()
    bench.fake.switch("fail_processing")
    with pytest.raises(PostRejected) as caught:
        await bench.prepare(credential, file)
    assert [problem.field for problem in caught.value.problems] == ["media"]
    if file is not PICTURES[1]:
        assert "X says: file is currently unsupported" in caught.value.problems[0].message


async def test_grant_without_uploads_leads_to_a_reconnect_that_names_them(bench):
    credential = await bench.connect()
    old = replace(credential, tokens=replace(credential.tokens, scopes=("tweet.read", "users.read", "tweet.write")))
    bench.fake.requests.clear()
    with pytest.raises(ReconnectRequired) as caught:
        await bench.prepare(old, *PICTURES)
    assert caught.value.missing_scopes == ("media.write",)
    assert "Connect X again" in caught.value.explanation
    assert bench.fake.requests == []


async def test_fake_and_plugin_agree_on_a_grant_without_uploads(bench):
    grant = await bench.grant(scopes=("tweet.read", "users.read", "tweet.write", "offline.access"))
    tokens = await oauth2.fetch_tokens(bench.ctx(), f"{bench.origin}/2/oauth2/token", grant, auth="client_secret_basic")
    unknown = replace(await bench.connect(), tokens=replace(tokens, scopes=()))
    with pytest.raises(ReconnectRequired):
        await bench.prepare(unknown, *PICTURES)


async def test_token_that_ends_while_uploading_is_told(bench):
    credential = await bench.connect()
    bench.fake.perform("expire")
    with pytest.raises(TokenExpired):
        await bench.prepare(credential, *PICTURES)


@pytest.mark.parametrize("loss", ["forgotten", "expired", "never there"])
async def test_uploads_that_x_no_longer_has_are_to_be_made_anew(bench, loss):
    credential = await bench.connect()
    prepared = await bench.prepare(credential, *PICTURES)
    match loss:
        case "forgotten":
            bench.fake.perform("forget_uploads")
        case "expired":
            bench.clock.advance(timedelta(days=1))
            credential = replace(credential, tokens=await plugin.refresh(bench.ctx(), credential))
        case _:
            prepared = Prepared(handles={"media_ids": "1,2"})
    with pytest.raises(PreparationLost):
        await plugin.publish(bench.ctx(), credential, post(*PICTURES), prepared)
    assert bench.fake.ledger == []


@pytest.mark.parametrize("prepared", [None, Prepared(handles={}), Prepared(handles={"media_ids": "1"})])
async def test_post_never_goes_out_without_all_its_files(bench, prepared):
    credential = await bench.connect()
    bench.fake.requests.clear()
    with pytest.raises(PreparationLost):
        await plugin.publish(bench.ctx(), credential, post(*PICTURES), prepared)
    assert bench.fake.requests == []


async def test_anothers_uploads_are_refused(bench):
    credential, other = await bench.connect(), await bench.connect(person="1500000000000000002")
    prepared = await bench.prepare(credential, *PICTURES)
    with pytest.raises(PreparationLost):
        await plugin.publish(bench.ctx(), other, post(*PICTURES), prepared)


async def test_processing_that_never_ends_is_given_up(bench):
    credential = await bench.connect()
    bench.fake.processing_looks, bench.fake.check_after_secs = 10**6, 30
    began = bench.clock.now()
    with pytest.raises(PlatformUnavailable):
        await bench.prepare(credential, VIDEO)
    assert bench.clock.now() - began >= timedelta(minutes=20)


@pytest.mark.parametrize("fault", ["unavailable", "garbage"])
async def test_trouble_while_uploading_is_no_verdict_about_the_file(bench, fault):
    credential = await bench.connect()
    bench.fake.switch(fault)
    with pytest.raises(PlatformUnavailable):
        await bench.prepare(credential, *PICTURES)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"data": {"id": "../1"}}, PlatformUnavailable),
        ({"data": {}}, PlatformUnavailable),
        ({"data": []}, PlatformUnavailable),
        ([], PlatformUnavailable),
    ],
)
async def test_odd_answers_to_an_upload_are_no_uploads(answering, credential, body, expected):
    there = await answering(200, body)
    with pytest.raises(expected):
        await plugin.prepare(there.ctx, credential, PICTURES)


@pytest.mark.parametrize(
    ("seconds", "waited"), [(None, 1), ("soon", 1), (-5, 1), (0, 1), (10**9, 60), (True, 1), (7, 7)]
)
async def test_odd_waiting_times_are_kept_within_reason(answering, credential, seconds, waited):
    waits = []

    async def sleep(wait):
        waits.append(wait)
        if len(waits) == 3:
            raise PlatformUnavailable("That is enough.")

    info = {"state": "in_progress", "check_after_secs": seconds}
    there = await answering(200, {"data": {"id": "15", "processing_info": info}})
    with pytest.raises(PlatformUnavailable):
        await plugin.prepare(replace(there.ctx, sleep=sleep), credential, [VIDEO])
    assert waits == [waited] * 3


# --- looking for a lost post ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["Look", "", "Read https://example.com/a"])
@pytest.mark.parametrize("files", [PICTURES, (VIDEO,), (GIF,)], ids=["pictures", "video", "gif"])
async def test_lost_post_is_found_by_its_files(bench, files, text):
    credential = await bench.connect()
    before = await bench.prepare(credential, *files)
    await plugin.publish(bench.ctx(), credential, post(*files, text=text), before)
    prepared = await bench.prepare(credential, *files)
    assert await plugin.find_published(bench.ctx(), credential, post(*files, text=text), prepared) is None

    bench.fake.switch("accept_then_drop", times=1)
    with pytest.raises(OutcomeUnknown):
        await plugin.publish(bench.ctx(), credential, post(*files, text=text), prepared)
    found = await plugin.find_published(bench.ctx(), credential, post(*files, text=text), prepared)
    assert found is not None
    assert found.id == bench.fake.ledger[-1].id


async def test_link_to_the_own_pictures_is_no_part_of_the_text(bench):
    credential = await bench.connect()
    prepared = await bench.prepare(credential, *PICTURES)
    published = await plugin.publish(bench.ctx(), credential, post(*PICTURES, text="Same words"), prepared)
    assert await plugin.find_published(bench.ctx(), credential, post(text="Same words"), None) == published


async def test_no_secret_shows_when_uploads_fail(bench, caplog):
    caplog.set_level("DEBUG")
    credential = await bench.connect()
    seen = []
    for switch in bench.fake.switches():
        bench.fake.switch(switch)
        try:
            seen.append(repr(await bench.prepare(credential, VIDEO)))
        except PlatformError as error:
            seen += [repr(error), error.explanation, repr(error.__cause__), repr(vars(error))]
        bench.fake.switch(switch, on=False)
    seen += [record.getMessage() for record in caplog.records if record.name != "aiohttp.access"]
    assert [text for text in seen if credential.tokens.access_token in text] == []
