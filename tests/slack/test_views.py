"""The composer: what it shows, what comes back, and Slack's limits."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logicspike.domain import Connection, ConnectionStatus, Delivery, DeliveryState, Member, ScheduledPost
from logicspike.plugin.types import Account, Media, MediaKind, Post
from logicspike.sandbox.block_rules import check_view
from logicspike.services.editing import Editable
from logicspike.services.scheduling import ScheduleProblem
from logicspike.slack import surface
from logicspike.slack.editor import editor, editor_loading, parse_editor
from logicspike.slack.messages import PlatformChoice
from logicspike.slack.mrkdwn import measure
from logicspike.slack.views import (
    ComposerValues,
    composer,
    composer_errors,
    composer_loading,
    composer_no_accounts,
    composer_notice,
    parse_composer,
)

NOW = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)


def make_connection(nth: int = 0, name: str = "Acme Inc", **changes: Any) -> Connection:
    connection = Connection(
        connection_id=f"c{nth}",
        team_id="T1",
        owner_id="U0ANA",
        platform="acme",
        account=Account(id="1", name=name),
        status=ConnectionStatus.ACTIVE,
        nickname=f"acme:{name}",
        created_at=NOW,
    )
    return replace(connection, **changes)


def make_media(name: str = "cat.png", *, count: int = 1) -> tuple[Media, ...]:
    return tuple(
        Media(
            media_id=f"F{nth}", kind=MediaKind.IMAGE, content_type="image/png", size=9, name=name or "x", alt_text=name
        )
        for nth in range(count)
    )


def show(**fields: Any) -> dict[str, dict[str, Any]]:
    view = composer(**{"accounts": [make_connection()], "now": NOW, "zone": "Europe/Berlin", **fields}).to_dict()
    return {block.get("block_id", str(nth)): block for nth, block in enumerate(view["blocks"])}


@pytest.mark.parametrize("word", ["Acme", "&<>" * 2000, "😀" * 2500, ""])
@pytest.mark.parametrize("count", [1, 150])
def test_the_form_keeps_slacks_limits(word, count):
    sick = ConnectionStatus.NEEDS_RECONNECT
    problems = [ScheduleProblem(field="text", message=word)] * count
    accounts = [make_connection(nth, word, status=sick) for nth in range(count)]
    platforms = [PlatformChoice(name=f"p{nth}", title=word, is_ready=True) for nth in range(count)]
    views = [
        composer(accounts=accounts, now=NOW, zone="UTC", text=word, problems=problems, selected=["c149"], draft_id="d"),
        *(
            composer(accounts=accounts, now=NOW, zone="UTC", file_types=types, kept_files=make_media(word, count=10))
            for types in (("png", "jpg", "jpeg", "mp4"), ())
        ),
        composer_no_accounts(platforms, "d"),
        composer_notice(word),
        composer_loading(),
    ]
    for view in (each.to_dict() for each in views):
        assert len(view["blocks"]) <= 100
        assert all(len(view[part]["text"]) <= 24 for part in ("title", "close"))
        assert view["callback_id"] == surface.COMPOSER
        for block in view["blocks"]:
            element = block.get("element", {})
            assert measure(element.get("initial_value", "")) <= 3000
            assert len(element.get("options", [])) <= 100
            assert all(measure(option["text"]["text"]) <= 75 for option in element.get("options", []))
            assert all(
                measure(option["description"]["text"]) <= 75
                for option in element.get("options", [])
                if "description" in option
            )


@pytest.mark.parametrize("word", ["Acme", "&<>" * 2000, "😀" * 2500, ""])
@pytest.mark.parametrize("count", [1, 150])
def test_the_editor_keeps_slacks_limits(word, count):
    deliveries = tuple(
        Delivery(
            delivery_id=f"k{nth}",
            post_id="p" * 16,
            team_id="T1",
            author_id="U0ANA",
            connection_id=f"c{nth}",
            platform="acme",
            account_name=word,
            post=Post(key="k", text=word),
            state=list(DeliveryState)[nth % len(DeliveryState)],
            detail=word,
            due_at=NOW,
            next_try_at=NOW + timedelta(hours=nth),
            zone="UTC",
        )
        for nth in range(count)
    )
    author = Member(team_id="T1", user_id="U0ANA")
    post = ScheduledPost(
        post_id="p",
        author=author,
        text=word,
        link=None,
        due_at=NOW,
        zone="UTC",
        wall_time="",
        created_at=NOW,
        media=make_media(word, count=10),
    )
    editable = Editable(delivery=deliveries[0], post=post, open=deliveries, gone=deliveries)
    for view in (editor(editable, zone="UTC", titles={"acme": word}, notes=(word,)), editor_loading()):
        shown = view.to_dict()
        assert [] == check_view(shown)
        assert measure(shown.get("private_metadata", "")) <= 3000


def test_the_editor_of_a_post_with_pictures_says_that_they_stay_and_needs_no_text():
    author = Member(team_id="T1", user_id="U1")
    post = ScheduledPost(
        post_id="p",
        author=author,
        text="",
        link=None,
        due_at=NOW,
        zone="UTC",
        wall_time="",
        created_at=NOW,
        media=make_media(),
    )
    delivery = Delivery(
        delivery_id="d1",
        post_id="p",
        team_id="T1",
        author_id="U1",
        connection_id="c1",
        platform="acme",
        account_name="Acme",
        post=Post(key="k", text="", media=make_media()),
        state=DeliveryState.SCHEDULED,
        due_at=NOW,
        next_try_at=NOW,
        zone="UTC",
    )
    view = editor(Editable(delivery=delivery, post=post, open=(delivery,), gone=()), zone="UTC", titles={}).to_dict()
    [text] = [block for block in view["blocks"] if block.get("block_id") == surface.BLOCK_TEXT]
    assert text["optional"]
    assert "Goes with cat.png (1 picture)." in str(view)


@given(metadata=st.none() | st.integers() | st.text(max_size=40), odd=st.none() | st.integers() | st.text(max_size=3))
def test_an_odd_editor_counts_as_one_of_no_post(metadata, odd):
    values = parse_editor({"private_metadata": metadata, "state": {"values": {"text": {"text": odd}, "at": odd}}})
    assert isinstance(values.delivery_id, str)
    assert 0 <= values.revision < 10**9


def test_what_was_chosen_already_is_filled_in():
    due_at = NOW + timedelta(days=1)
    accounts = [make_connection(nth) for nth in range(3)]
    blocks = show(accounts=accounts, selected=["c2", "gone"], text="Hello", due_at=due_at)
    chosen = blocks[surface.BLOCK_ACCOUNTS]["element"]["initial_options"]
    assert [option["value"] for option in chosen] == ["c2"]
    assert blocks[surface.BLOCK_TEXT]["element"]["initial_value"] == "Hello"
    assert blocks[surface.BLOCK_AT]["element"]["initial_date_time"] == int(due_at.timestamp())


def test_a_chosen_account_is_shown_even_beyond_the_menus_end():
    blocks = show(accounts=[make_connection(nth) for nth in range(150)], selected=["c149"])
    assert [each["value"] for each in blocks[surface.BLOCK_ACCOUNTS]["element"]["initial_options"]] == ["c149"]


def test_an_account_that_needs_a_sign_in_says_so():
    sick = make_connection(name="a" * 200, status=ConnectionStatus.NEEDS_RECONNECT)
    option = show(accounts=[sick])[surface.BLOCK_ACCOUNTS]["element"]["options"][0]
    assert option["description"]["text"].endswith("needs sign-in")


@pytest.mark.parametrize(
    ("now", "zone", "expected"),
    [
        ("14:30", "Europe/Berlin", "15:00"),
        ("14:49", "Europe/Berlin", "15:00"),
        ("14:50", "Europe/Berlin", "15:00"),
        ("14:51", "Europe/Berlin", "16:00"),
        ("14:30", "Asia/Kathmandu", "15:15"),
    ],
)
def test_the_time_offered_is_the_next_full_hour_that_leaves_ten_minutes(now, zone, expected):
    hour, minute = map(int, now.split(":"))
    blocks = show(now=NOW.replace(hour=hour, minute=minute), zone=zone)
    offered = datetime.fromtimestamp(blocks[surface.BLOCK_AT]["element"]["initial_date_time"], UTC)
    assert offered.strftime("%H:%M") == expected


def test_publishing_now_is_never_preset():
    assert show()[surface.BLOCK_WHEN]["element"]["initial_option"]["value"] == "at"


def test_a_past_time_is_not_offered_again():
    element = show(due_at=NOW - timedelta(days=1))[surface.BLOCK_AT]["element"]
    assert element["initial_date_time"] > NOW.timestamp()


def test_the_end_of_a_text_too_long_for_the_form_is_shown():
    blocks = show(text="a" * 2999 + "👍🏽 the end")
    assert blocks[surface.BLOCK_TEXT]["element"]["initial_value"] == "a" * 2999
    assert any(block.get("text", {}).get("text") == "👍🏽 the end" for block in blocks.values())


def submitted(**fields: Any) -> dict[str, Any]:
    return {"private_metadata": "d1", "state": {"values": {block: {block: field} for block, field in fields.items()}}}


def test_a_submitted_form_is_read():
    view = submitted(
        accounts={"selected_options": [{"value": "c1"}, {"value": "c2"}, {"value": "c1"}]},
        text={"value": "Hello & <you>"},
        when={"selected_option": {"value": "at"}},
        at={"selected_date_time": 1_795_509_000},
    )
    assert parse_composer(view) == ComposerValues(
        connection_ids=("c1", "c2"),
        text="Hello & <you>",
        is_now=False,
        due_at=datetime(2026, 11, 24, 8, 30, tzinfo=UTC),
        draft_id="d1",
    )


def test_now_leaves_the_picked_time_aside():
    values = parse_composer(submitted(when={"selected_option": {"value": "now"}}, at={"selected_date_time": 5}))
    assert (values.is_now, values.due_at) == (True, None)


def test_what_the_form_shows_is_what_comes_back():
    blocks = show(selected=["c0"], text="Hello")
    view = submitted(
        accounts={"selected_options": blocks["accounts"]["element"]["initial_options"]},
        text={"value": blocks["text"]["element"]["initial_value"]},
        when={"selected_option": blocks["when"]["element"]["initial_option"]},
        at={"selected_date_time": blocks["at"]["element"]["initial_date_time"]},
    )
    values = parse_composer(view)
    assert (values.connection_ids, values.text) == (("c0",), "Hello")
    assert values.due_at == NOW.replace(hour=15, minute=0)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["value", "accounts", "text", "x"]), inner)
    ),
    max_leaves=8,
)


@given(accounts=JSON, text=JSON, when=JSON, at=JSON, metadata=JSON, values=JSON)
def test_an_odd_form_counts_as_not_filled_in(accounts, text, when, at, metadata, values):
    fields = {
        "accounts": {"accounts": {"selected_options": accounts}},
        "text": {"text": {"value": text}},
        "when": {"when": {"selected_option": when}},
        "at": {"at": {"selected_date_time": at}},
    }
    for state in ({"values": fields}, {"values": values}, values):
        result = parse_composer({"private_metadata": metadata, "state": state})
        assert isinstance(result.text, str)
        assert all(isinstance(each, str) for each in result.connection_ids)


def test_problems_stand_at_their_fields():
    problems = [
        ScheduleProblem(field="text", message="Too long."),
        ScheduleProblem(field="text", message="No link."),
        ScheduleProblem(field="when", message="That time has passed."),
        ScheduleProblem(field="accounts", message="Choose one."),
    ]
    assert composer_errors(problems) == {
        surface.BLOCK_TEXT: "Too long. No link.",
        surface.BLOCK_AT: "That time has passed.",
        surface.BLOCK_ACCOUNTS: "Choose one.",
    }


def test_without_accounts_the_ready_platforms_can_be_connected():
    platforms = [
        PlatformChoice(name="acme", title="Acme", is_ready=True),
        PlatformChoice(name="other", title="Other", is_ready=False, reason="Not set up."),
    ]
    view = composer_no_accounts(platforms, "d1").to_dict()
    found = [block["accessory"]["value"] for block in view["blocks"] if "accessory" in block]
    assert (found, view["private_metadata"], view.get("submit")) == (["acme"], "d1", None)


@pytest.mark.parametrize(("word", "shown"), [("Acme Inc", "Acme Inc (Acme Social)"), ("x" * 99, "… (Acme Social)")])
def test_an_account_is_named_with_its_platform(word, shown):
    blocks = show(accounts=[make_connection(name=word)], titles={"acme": "Acme Social"})
    assert blocks[surface.BLOCK_ACCOUNTS]["element"]["options"][0]["text"]["text"].endswith(shown)
