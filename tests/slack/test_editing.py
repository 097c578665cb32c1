"""The Edit button and the editor, as the member sees them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from logicspike.domain import DeliveryState, HoldReason
from logicspike.services.editing import ChangedMeanwhile, Edited, NotEdited, TooLate
from logicspike.services.notices import DeliveryDelayed, DeliveryHeld, LateQuestion
from logicspike.services.ports import StoreUnavailable
from logicspike.services.scheduling import ScheduleProblem
from logicspike.slack.editing import EditorListeners
from logicspike.slack.messages import render_notice

USER = "U0ANA"
HOUR = timedelta(hours=1)


async def schedule(edge, text: str):
    return await edge.slack.command(USER, "/schedule", text)


async def open_editor(edge, delivery):
    """Schedule a post and press Edit on its row in the list; the form that opens."""
    edge.scheduling.deliveries[delivery.delivery_id] = delivery
    await schedule(edge, "list")
    listed = await edge.slack.wait_for_message(USER, "not published yet")
    await edge.slack.click(USER, listed, "post.edit", delivery.delivery_id)
    await edge.settle()
    return edge.slack.view_of(USER)


def initial(view, block_id):
    element = view.block(block_id)["element"]
    return element.get("initial_value", element.get("initial_date_time"))


# --- opening ----------------------------------------------------------------------------------------------------------


async def test_a_confirmation_has_one_edit_button_for_the_whole_post(edge):
    await schedule(edge, "echo in 1h We are hiring!")
    message = await edge.slack.wait_for_message(USER, "We are hiring!")
    assert 1 == message.action_ids.count("post.edit")


async def test_what_goes_out_right_now_is_not_offered_for_editing(edge):
    await schedule(edge, "echo now We are hiring!")
    message = await edge.slack.wait_for_message(USER, "We are hiring!")
    assert "post.edit" not in message.action_ids


async def test_the_editor_holds_text_time_and_accounts(edge, delivery):
    view = await open_editor(edge, delivery)
    assert ("editor", "Edit a post") == (view.callback_id, view.title)
    assert "We are hiring!" == initial(view, "text")
    assert int(delivery.due_at.timestamp()) == initial(view, "at")
    assert "Echo – Ann Echo" in str(view.blocks)
    assert "accounts" not in view.block_ids
    assert "abcd2345:0" == view.private_metadata


async def test_the_editor_names_the_zone_of_its_times(edge, delivery):
    zone = (await edge.services.members.get_profile(edge.ana)).zone
    assert zone in str((await open_editor(edge, delivery)).blocks)


async def test_the_editor_opens_before_anything_is_looked_up(edge, notes, delivery):
    await schedule(edge, "echo in 1h We are hiring!")
    message = await edge.slack.wait_for_message(USER, "We are hiring!")
    notes.gate = asyncio.Event()
    await edge.slack.click(USER, message, "post.edit")
    view = await edge.slack.wait_for_view(USER, "editor")
    assert "One moment" in str(view.blocks)
    notes.gate.set()
    await edge.settle()
    assert "We are hiring!" == initial(edge.slack.view_of(USER), "text")


async def test_a_post_is_edited_by_its_id_too(edge, delivery):
    edge.scheduling.deliveries[delivery.delivery_id] = delivery
    await schedule(edge, "edit ABCD2345")
    await edge.settle()
    assert "We are hiring!" == initial(edge.slack.view_of(USER), "text")


async def test_a_wrong_id_brings_the_right_one(edge, delivery):
    edge.scheduling.deliveries[delivery.delivery_id] = delivery
    await schedule(edge, "edit abcd2344")
    await edge.settle()
    assert "Did you mean `abcd2345`?" in str(edge.slack.view_of(USER).blocks)


async def test_edit_without_an_id_shows_the_posts_with_their_buttons(edge, delivery):
    edge.scheduling.deliveries[delivery.delivery_id] = delivery
    await schedule(edge, "edit")
    message = await edge.slack.wait_for_message(USER, "1 post")
    assert "post.edit" in message.action_ids


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (DeliveryState.PUBLISHING, "Already going out to Echo – Ann Echo: unchanged there."),
        (DeliveryState.PUBLISHED, "Already published on Echo – Ann Echo: unchanged there."),
        (DeliveryState.UNKNOWN, "Already sent to Echo – Ann Echo, and not confirmed yet: unchanged there."),
        (DeliveryState.FAILED, "Given up on Echo – Ann Echo before: nothing more goes out there."),
        (DeliveryState.CANCELED, "Cancelled for Echo – Ann Echo before: nothing goes out there."),
    ],
)
async def test_what_has_gone_is_not_opened_but_explained(edge, delivery, state, words):
    await schedule(edge, "echo in 1h We are hiring!")
    confirmed = await edge.slack.wait_for_message(USER, "We are hiring!")
    edge.scheduling.deliveries[delivery.delivery_id] = replace(delivery, state=state)
    await edge.slack.click(USER, confirmed, "post.edit")
    await edge.settle()
    view = edge.slack.view_of(USER)
    assert f"This post can't be changed any more. {words}" in str(view.blocks).replace('"', "'")
    assert () == view.block_ids


async def test_the_editor_says_so_when_the_database_is_away(edge, delivery):
    edge.notes.failures["find"] = StoreUnavailable()
    view = await open_editor(edge, delivery)
    assert "try again" in str(view.blocks)


async def test_a_held_post_says_why_it_is_held(edge, delivery):
    held = replace(delivery, state=DeliveryState.HELD, hold_reason=HoldReason.MEMBER, detail="Do something there.")
    assert "On hold: Do something there." in str((await open_editor(edge, held)).blocks)


async def test_a_text_that_no_field_takes_stays_whole_and_only_its_time_changes(edge, delivery):
    long = replace(delivery, post=replace(delivery.post, text="x" * 3001))
    view = await open_editor(edge, long)
    assert ("when", "at") == view.block_ids
    await edge.slack.submit_view(USER, {"at": edge.clock.now() + 5 * HOUR})
    await edge.settle()
    assert None is edge.notes.of("save")[0][0].text
    assert "x" * 3001 == edge.scheduling.deliveries[delivery.delivery_id].post.text


@pytest.mark.parametrize("reason", HoldReason)
async def test_what_waits_can_be_edited_from_the_message_that_says_so(edge, delivery, reason):
    held = replace(delivery, state=DeliveryState.HELD, hold_reason=reason, detail="Why.")
    edge.scheduling.deliveries[delivery.delivery_id] = held
    for notice in (
        DeliveryHeld(delivery=held, platform_title="Echo", explanation="Why."),
        DeliveryDelayed(delivery=delivery, platform_title="Echo", explanation="Why."),
        LateQuestion(deliveries=(held,)),
    ):
        message = await edge.show(render_notice(notice, zone="UTC", now=edge.clock.now(), titles={"echo": "Echo"}))
        await edge.slack.click(USER, message, "post.edit")
        await edge.settle()
        assert "We are hiring!" == initial(edge.slack.view_of(USER), "text")


# --- saving -----------------------------------------------------------------------------------------------------------


async def save(edge, delivery, **answers):
    await open_editor(edge, delivery)
    return await edge.slack.submit_view(USER, {"text": "We hire again!"} | answers)


async def test_saving_closes_the_form_and_says_what_it_is_now(edge, delivery):
    result = await save(edge, delivery, at=edge.clock.now() + 2 * HOUR)
    assert "closed" == result.action
    message = await edge.slack.wait_for_message(USER, "Saved")
    assert "We hire again!" in message.everything
    assert "in 2 hours" in message.everything
    [(request,)] = edge.notes.of("save")
    assert ("abcd2345", 0, "We hire again!", edge.clock.now() + 2 * HOUR, False) == (
        request.delivery_id,
        request.revision,
        request.text,
        request.due_at,
        request.is_now,
    )


async def test_now_in_the_form_means_now(edge, delivery):
    await save(edge, delivery, when="now")
    await edge.settle()
    [(request,)] = edge.notes.of("save")
    assert (True, edge.clock.now()) == (request.is_now, request.due_at)


async def test_where_it_came_too_late_is_said_beside_where_it_counts(edge, delivery):
    gone = replace(delivery, delivery_id="gone2345", account_name="Ben & Co", state=DeliveryState.PUBLISHING)
    edge.editing.result = Edited(post=edge.editing.show(delivery).post, changed=(delivery,), unchanged=(gone,))
    await save(edge, delivery)
    message = await edge.slack.wait_for_message(USER, "Saved")
    assert "Already going out to Echo – Ben &amp; Co: unchanged there." in message.everything
    assert "Already going out" in message.text


async def test_problems_stay_at_their_fields_and_what_was_typed_stays(edge, delivery):
    edge.editing.result = NotEdited(
        problems=(
            ScheduleProblem(field="text", message="Echo allows 100 bytes."),
            ScheduleProblem(field="when", message="That time has passed."),
        )
    )
    result = await save(edge, delivery)
    assert {"text": "Echo allows 100 bytes.", "at": "That time has passed."} == dict(result.errors)
    assert "We hire again!" == result.view.values["text"]["text"]["value"]


async def test_a_time_is_needed(edge, delivery):
    result = await save(edge, delivery, at="")
    assert {"at": "Choose a date and time, or Now."} == dict(result.errors)
    assert [] == edge.notes.of("save")


async def test_too_late_is_said_in_the_form_and_what_was_typed_stays(edge, delivery):
    gone = replace(delivery, state=DeliveryState.PUBLISHED)
    edge.editing.result = TooLate(deliveries=(gone,))
    result = await save(edge, delivery)
    assert "Already published on Echo – Ann Echo: unchanged there." in result.errors["text"]
    assert "We hire again!" == result.view.values["text"]["text"]["value"]


async def test_a_form_that_is_out_of_date_shows_both_and_saves_on_a_second_press(edge, delivery):
    await open_editor(edge, delivery)
    other = replace(delivery, post=replace(delivery.post, text="Written elsewhere"))
    edge.editing.revision = 1
    edge.editing.result = ChangedMeanwhile(now=edge.editing.show(other))

    result = await edge.slack.submit_view(USER, {"text": "We hire again!"})

    assert "updated" == result.action
    assert "Written elsewhere" in str(result.view.blocks)
    assert "Save again to replace" in str(result.view.blocks)
    assert ("We hire again!", "abcd2345:1") == (initial(result.view, "text"), result.view.private_metadata)

    edge.editing.result = None
    assert "closed" == (await edge.slack.submit_view(USER, {})).action
    await edge.settle()
    assert [0, 1] == [request.revision for (request,) in edge.notes.of("save")]
    assert "We hire again!" == edge.scheduling.deliveries[delivery.delivery_id].post.text


async def test_an_outage_keeps_the_form_open_and_promises_nothing(edge, delivery):
    edge.notes.failures["save"] = StoreUnavailable()
    result = await save(edge, delivery)
    assert "errors" == result.action
    assert "may have been made" in result.errors["text"]


async def test_a_submission_delivered_twice_saves_once(edge, delivery):
    result = await save(edge, delivery)
    assert (await edge.slack.redeliver(result.answer.sent)).is_ok
    await edge.settle()
    assert 1 == len(edge.notes.of("save"))


@pytest.mark.parametrize("kind", ["too late", "problem", "meanwhile"])
async def test_a_slow_refusal_is_told_afterwards_with_what_was_typed(edge, notes, delivery, kind):
    for listener in edge.app._async_listeners:
        owner = getattr(listener.ack_function, "__self__", None)
        if isinstance(owner, EditorListeners):
            owner._forms._budget = timedelta(milliseconds=20)
    edge.editing.result = {
        "too late": TooLate(deliveries=(replace(delivery, state=DeliveryState.PUBLISHED),)),
        "problem": NotEdited(problems=(ScheduleProblem(field="text", message="Echo allows 100 bytes."),)),
        "meanwhile": ChangedMeanwhile(now=edge.editing.show(delivery)),
    }[kind]
    await open_editor(edge, delivery)
    notes.gate = asyncio.Event()
    assert "closed" == (await edge.slack.submit_view(USER, {"text": "We hire again!"})).action
    notes.gate.set()
    message = await edge.slack.wait_for_message(USER, "Nothing was changed")
    assert "We hire again!" in message.everything
