"""The schedule command, the composer and the buttons on drafts and posts, as the member sees them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from logicspike.domain import Attempt, DeliveryState, HoldReason
from logicspike.services.connecting import NotAllowed
from logicspike.services.notices import DeliveryFailed, DeliveryHeld, LateQuestion, OutcomeQuestion
from logicspike.services.ports import StoreUnavailable
from logicspike.services.scheduling import AccountQuestion, CancelOutcome, NotScheduled, ScheduleProblem
from logicspike.slack.composing import ComposerListeners
from logicspike.slack.messages import render_notice

USER = "U0ANA"


async def schedule(edge, text: str):
    return await edge.slack.command(USER, "/schedule", text)


async def show(edge, notice):
    return await edge.show(render_notice(notice, zone="UTC", now=edge.clock.now(), titles={"echo": "Echo"}))


# --- the command -----------------------------------------------------------------------------------------------------


async def test_a_post_is_scheduled_in_the_members_own_time_zone(edge):
    zone = (await edge.services.members.get_profile(edge.ana)).zone
    assert "UTC" not in zone
    await schedule(edge, "echo tomorrow 9:30 We are hiring!")
    message = await edge.slack.wait_for_message(USER, "We are hiring!")
    [(request,)] = edge.notes.of("schedule")
    assert ("We are hiring!", zone, ("echo",)) == (request.text, request.zone, request.accounts)
    assert "09:30" == request.due_at.astimezone(ZoneInfo(zone)).strftime("%H:%M")
    assert zone in message.everything
    assert message.is_ephemeral


async def test_a_command_delivered_twice_schedules_once(edge):
    answer = await schedule(edge, "echo in 20m Hello")
    assert (await edge.slack.redeliver(answer.sent)).is_ok
    await edge.settle()
    assert 1 == len(edge.notes.of("schedule"))


async def test_several_accounts_are_asked_about_and_the_pick_schedules(edge):
    await edge.scheduling.save_draft(
        edge.ana, "Hello", accounts=("echo", "whisper:x"), due_at=edge.clock.now() + timedelta(hours=1)
    )
    two = (edge.scheduling.usable[0], replace(edge.scheduling.usable[0], connection_id="c2", nickname="echo:c2"))
    edge.scheduling.usable = two
    edge.scheduling.result = AccountQuestion(draft=edge.scheduling.drafts["d1"], typed="echo", options=two)
    await schedule(edge, "echo,whisper:x in 1h Hello")
    question = await edge.slack.wait_for_message(USER, "Which one")
    edge.scheduling.result = None

    await edge.slack.click(USER, question, "draft.pick_account", "d1:c2")
    answer = await edge.slack.wait_for_message(USER, "Scheduled", after=question)

    assert question.ts == answer.ts
    request = edge.notes.of("schedule")[-1][0]
    assert (("whisper:x",), ("c2",), "d1") == (request.accounts, request.connection_ids, request.draft_id)


async def test_a_post_for_right_now_goes_out_now_however_late_the_account_is_picked(edge):
    now = edge.clock.now()
    await edge.scheduling.save_draft(edge.ana, "Hello", accounts=("echo",), due_at=now)
    question = AccountQuestion(draft=edge.scheduling.drafts["d1"], typed="echo", options=edge.scheduling.usable)
    edge.scheduling.result = question
    await schedule(edge, "echo now Hello")
    shown = await edge.slack.wait_for_message(USER, "Which one")
    edge.scheduling.result = None
    edge.clock.advance(timedelta(minutes=5))
    await edge.slack.click(USER, shown, "draft.pick_account", "d1:c1")
    await edge.slack.wait_for_message(USER, after=shown)
    assert now + timedelta(minutes=5) == edge.notes.of("schedule")[-1][0].due_at


async def test_a_time_that_has_passed_is_asked_about_and_the_pick_schedules(edge):
    await schedule(edge, "echo today 00:05 Good morning")
    question = await edge.slack.wait_for_message(USER, "Nothing is scheduled yet")
    assert [] == edge.notes.of("schedule")
    assert "Good morning" == edge.scheduling.drafts["d1"].text

    [value] = {each["value"] for each in question.elements if each.get("action_id") == "draft.pick_time"}
    await edge.slack.click(USER, question, "draft.pick_time", value)
    answer = await edge.slack.wait_for_message(USER, "Good morning", after=question)

    assert question.ts == answer.ts
    [(request,)] = edge.notes.of("schedule")
    assert datetime.fromtimestamp(int(value.partition(":")[2]), UTC) == request.due_at
    assert (("echo",), "d1") == (request.accounts, request.draft_id)


async def test_a_draft_that_is_gone_is_said_to_be_gone(edge):
    await schedule(edge, "echo today 00:05 Good morning")
    question = await edge.slack.wait_for_message(USER, "Nothing is scheduled yet")
    await edge.slack.click(USER, question, "draft.discard")
    discarded = await edge.slack.wait_for_message(USER, "Discarded", after=question)
    assert question.ts == discarded.ts
    await edge.slack.click(USER, question, "draft.pick_time")
    assert await edge.slack.wait_for_message(USER, "scheduled or discarded already", after=discarded)
    assert [] == edge.notes.of("schedule")


async def test_what_keeps_a_post_from_being_scheduled_is_told_with_the_way_out(edge):
    problem = ScheduleProblem(field="accounts", message="You have no Echo account yet.", connect_platform="echo")
    edge.scheduling.result = NotScheduled(draft=None, problems=(problem,))
    await schedule(edge, "echo in 1h Hello")
    message = await edge.slack.wait_for_message(USER, "You have no Echo account yet.")
    assert "connect.start" in message.action_ids


async def test_help_is_in_the_answer_itself(edge):
    answer = await schedule(edge, "help")
    assert "tomorrow 9:30" in answer.message.everything
    assert [] == edge.notes.calls


async def test_a_mistyped_subcommand_brings_the_right_one(edge):
    answer = await schedule(edge, "lst")
    assert "`/schedule list`" in answer.message.everything
    assert edge.slack.view_of(USER) is None


async def test_the_list_shows_what_is_scheduled(edge):
    await schedule(edge, "echo in 1h We are hiring!")
    await edge.settle()
    await schedule(edge, "list")
    message = await edge.slack.wait_for_message(USER, "1 post")
    assert "post.cancel" in message.action_ids


async def test_a_post_is_cancelled_by_its_id_and_a_second_time_says_the_same(edge):
    await schedule(edge, "echo in 1h We are hiring!")
    await edge.settle()
    await schedule(edge, "cancel ABCD2345")
    first = await edge.slack.wait_for_message(USER, "It will not be published")
    await schedule(edge, "cancel abcd2345")
    assert await edge.slack.wait_for_message(USER, "It will not be published", after=first)


async def test_cancel_without_an_id_shows_the_posts_with_their_buttons(edge):
    await schedule(edge, "echo in 1h We are hiring!")
    await edge.settle()
    await schedule(edge, "cancel")
    message = await edge.slack.wait_for_message(USER, "1 post")
    assert "post.cancel" in message.action_ids


async def test_a_wrong_id_brings_the_right_one(edge):
    await schedule(edge, "echo in 1h We are hiring!")
    await edge.settle()
    await schedule(edge, "cancel abcd2344")
    assert await edge.slack.wait_for_message(USER, "abcd2345")


# --- the composer ----------------------------------------------------------------------------------------------------


async def test_the_bare_command_opens_the_composer(edge):
    await schedule(edge, "")
    await edge.settle()
    view = edge.slack.view_of(USER)
    assert view.callback_id == "composer"
    assert "Ann Echo" in str(view.blocks)


async def test_the_composer_opens_before_anything_is_looked_up(edge, notes):
    notes.gate = asyncio.Event()
    await schedule(edge, "")
    view = await edge.slack.wait_for_view(USER, "composer")
    assert "One moment" in str(view.blocks)
    notes.gate.set()
    await edge.settle()
    assert "Ann Echo" in str(edge.slack.view_of(USER).blocks)


@pytest.mark.parametrize(
    ("typed", "text", "chosen"),
    [
        ("echo Hello there", "Hello there", ("c1",)),
        ("Hello there", "Hello there", ()),
        ("echo:c1 Hello there", "Hello there", ("c1",)),
        ("tomorrow 9:30 Hello there", "Hello there", ()),
    ],
)
async def test_without_a_time_or_account_the_composer_holds_what_was_typed(edge, typed, text, chosen):
    await schedule(edge, typed)
    await edge.settle()
    shown = str(edge.slack.view_of(USER).blocks)
    assert f"'initial_value': '{text}'" in shown
    assert text == edge.scheduling.drafts["d1"].text
    assert chosen == edge.scheduling.drafts["d1"].connection_ids


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("echo tomorow 9:30 Hello", "I found no time before your text"),
        ("Hello there", "I found no account and no time before your text"),
    ],
)
async def test_the_composer_says_what_was_not_found(edge, typed, words):
    await schedule(edge, typed)
    await edge.settle()
    assert words in str(edge.slack.view_of(USER).blocks)


@pytest.mark.parametrize("typed", ["", "tomorrow 9:30 Hello there"])
async def test_the_composer_complains_of_nothing_that_was_not_needed(edge, typed):
    await schedule(edge, typed)
    await edge.settle()
    assert "I found no" not in str(edge.slack.view_of(USER).blocks)


async def test_another_time_for_a_draft_keeps_the_account_that_was_typed(edge):
    await schedule(edge, "echo:c1 today 00:05 Good morning")
    question = await edge.slack.wait_for_message(USER, "Nothing is scheduled yet")
    await edge.slack.click(USER, question, "schedule.open")
    await edge.settle()
    [accounts] = [each for each in edge.slack.view_of(USER).blocks if each.get("block_id") == "accounts"]
    assert ["c1"] == [each["value"] for each in accounts["element"]["initial_options"]]


async def test_without_accounts_the_composer_offers_to_connect_and_keeps_the_text(edge):
    edge.scheduling.usable = ()
    await schedule(edge, "Hello there")
    await edge.settle()
    view = edge.slack.view_of(USER)
    assert "no account" in str(view.blocks)
    assert "Hello there" == edge.scheduling.drafts["d1"].text
    await edge.slack.click(USER, view, "connect.start")
    await edge.settle()
    assert [(edge.ana, "echo", None)] == edge.notes.of("start")


async def test_the_composer_says_so_when_the_database_is_away(edge):
    edge.notes.failures["list_usable"] = StoreUnavailable()
    await schedule(edge, "")
    await edge.settle()
    assert "try again" in str(edge.slack.view_of(USER).blocks)


async def test_a_trigger_that_has_ended_is_explained(edge):
    edge.slack.api.fail("views.open", "expired_trigger_id")
    await schedule(edge, "")
    assert await edge.slack.wait_for_message(USER, "could not be opened in time")


async def fill_in(edge, **answers):
    await schedule(edge, "")
    await edge.settle()
    filled = {
        "accounts": ["c1"],
        "text": "From the form",
        "when": "at",
        "at": edge.clock.now() + timedelta(hours=2),
    } | answers
    return await edge.slack.submit_view(USER, filled)


async def test_a_submitted_form_schedules_closes_and_confirms_by_direct_message(edge):
    result = await fill_in(edge)
    assert "closed" == result.action
    message = await edge.slack.wait_for_message(USER, "From the form")
    assert edge.slack.im_of(USER) == message.channel
    [(request,)] = edge.notes.of("schedule")
    assert ("From the form", ("c1",), edge.clock.now() + timedelta(hours=2)) == (
        request.text,
        request.connection_ids,
        request.due_at,
    )


async def test_now_in_the_form_means_now(edge):
    assert "closed" == (await fill_in(edge, when="now")).action
    await edge.settle()
    assert edge.clock.now() == edge.notes.of("schedule")[0][0].due_at


async def test_problems_stay_at_their_fields_and_the_form_stays_open(edge):
    edge.scheduling.result = NotScheduled(
        draft=None, problems=(ScheduleProblem(field="text", message="Echo allows 100 bytes."),)
    )
    result = await fill_in(edge)
    assert ("errors", {"text": "Echo allows 100 bytes."}) == (result.action, dict(result.errors))
    await edge.settle()
    assert [] == [each for each in edge.slack.messages_for(USER) if "Scheduled" in each.everything]


async def test_a_form_that_can_not_be_stored_stays_open(edge):
    edge.notes.failures["schedule"] = StoreUnavailable()
    result = await fill_in(edge)
    assert "errors" == result.action
    assert "try again" in result.errors["text"]


async def test_a_submission_delivered_twice_schedules_once(edge):
    result = await fill_in(edge)
    assert (await edge.slack.redeliver(result.answer.sent)).is_ok
    await edge.settle()
    assert 1 == len(edge.notes.of("schedule"))


async def test_a_slow_check_closes_the_form_and_is_told_afterwards(edge, notes):
    for listener in edge.app._async_listeners:
        owner = getattr(listener.ack_function, "__self__", None)
        if isinstance(owner, ComposerListeners):
            owner._forms._budget = timedelta(milliseconds=20)
    await schedule(edge, "")
    await edge.settle()
    notes.gate = asyncio.Event()
    answers = {"accounts": ["c1"], "text": "Slowly", "when": "at", "at": edge.clock.now() + timedelta(hours=2)}
    assert "closed" == (await edge.slack.submit_view(USER, answers)).action
    notes.gate.set()
    assert await edge.slack.wait_for_message(USER, "Slowly")


# --- posts -----------------------------------------------------------------------------------------------------------


async def test_a_post_is_cancelled_from_its_confirmation(edge):
    await schedule(edge, "echo in 1h We are hiring!")
    confirmed = await edge.slack.wait_for_message(USER, "We are hiring!")
    await edge.slack.click(USER, confirmed, "post.cancel")
    assert await edge.slack.wait_for_message(USER, "It will not be published", after=confirmed)
    assert [(edge.ana, "abcd2345")] == edge.notes.of("cancel")


CANCELLED = ["Cancelled", "It will not be published"]


@pytest.mark.parametrize("by_button", [True, False])
@pytest.mark.parametrize(
    ("state", "words"),
    [
        (DeliveryState.SCHEDULED, CANCELLED),
        (DeliveryState.CLAIMED, CANCELLED),
        (DeliveryState.HELD, CANCELLED),
        (DeliveryState.CANCELED, CANCELLED),
        (DeliveryState.PUBLISHING, ["can't be cancelled any more", "It is going out right now."]),
        (DeliveryState.PUBLISHED, ["can't be cancelled any more", "It is live."]),
        (DeliveryState.UNKNOWN, ["was sent already", "still waiting to learn whether it is live"]),
        (DeliveryState.FAILED, ["nothing left to cancel", "I won't try again. Your text is kept."]),
    ],
)
async def test_a_cancel_is_answered_truthfully_in_every_state(edge, delivery, state, words, by_button):
    await schedule(edge, "echo in 1h We are hiring!")
    confirmed = await edge.slack.wait_for_message(USER, "We are hiring!")
    edge.scheduling.deliveries[delivery.delivery_id] = replace(delivery, state=state)
    if by_button:
        await edge.slack.click(USER, confirmed, "post.cancel")
    else:
        await schedule(edge, f"cancel {delivery.delivery_id}")
    message = await edge.slack.wait_for_message(USER, words[0], after=confirmed)
    for word in words:
        assert word in message.everything
        assert word in message.text, "what a notification and a screen reader say"
    assert ("Cancelled" in message.everything) is (words is CANCELLED)


async def test_a_cancel_that_never_gets_its_turn_promises_nothing(edge, delivery):
    await schedule(edge, "echo in 1h We are hiring!")
    await edge.settle()

    async def cancel(member, delivery_id):
        return CancelOutcome(delivery=delivery, is_canceled=False)

    edge.scheduling.cancel = cancel
    await schedule(edge, "cancel abcd2345")
    assert await edge.slack.wait_for_message(USER, "Please try again")


async def test_the_list_comes_by_a_click_too(edge):
    await schedule(edge, "echo in 1h We are hiring!")
    confirmed = await edge.slack.wait_for_message(USER, "We are hiring!")
    await edge.slack.click(USER, confirmed, "post.list")
    assert await edge.slack.wait_for_message(USER, "1 post", after=confirmed)


@pytest.fixture
def question_of_outcome(edge, delivery):
    attempt = Attempt(attempt_id="a1", started_at=edge.clock.now())
    unknown = replace(delivery, state=DeliveryState.UNKNOWN, attempts=(attempt,))
    return OutcomeQuestion(delivery=unknown, platform_title="Echo")


@pytest.mark.parametrize("answer", ["live", "again", "drop"])
async def test_the_authors_answer_takes_the_place_of_the_question(edge, question_of_outcome, answer):
    question = await show(edge, question_of_outcome)
    await edge.slack.click(USER, question, f"outcome.{answer}")
    message = await edge.slack.wait_for_message(USER, "Published", after=question)
    assert question.ts == message.ts
    assert [(edge.ana, "abcd2345", "a1", answer)] == edge.notes.of("settle_unknown")


async def test_a_stranger_can_not_answer(edge, question_of_outcome):
    question = await show(edge, question_of_outcome)
    edge.notes.failures["settle_unknown"] = NotAllowed(owner_id="U0BEN")
    await edge.slack.click(USER, question, "outcome.live")
    message = await edge.slack.wait_for_message(USER, "<@U0BEN>")
    assert question.ts != message.ts


async def test_of_several_late_posts_only_the_answered_row_changes(edge, delivery):
    late = [replace(delivery, delivery_id=f"late{n}", state=DeliveryState.HELD) for n in range(3)]
    question = await show(edge, LateQuestion(deliveries=tuple(late)))
    await edge.slack.click(USER, question, "late.publish", "late1")
    message = await edge.slack.wait_for_message(USER, "Published", after=question)
    assert question.ts == message.ts
    values = [each.get("value") for each in message.elements]
    assert ["late0"] * 3 + ["late2"] * 3 == values
    assert [(edge.ana, "late1", "publish")] == edge.notes.of("settle_late")


async def test_a_held_post_is_dropped_in_place(edge, delivery):
    held = replace(delivery, state=DeliveryState.HELD, hold_reason=HoldReason.LATE)
    edge.answering.state = DeliveryState.CANCELED
    question = await show(edge, DeliveryHeld(delivery=held, platform_title="Echo", explanation="It is late."))
    await edge.slack.click(USER, question, "late.drop")
    message = await edge.slack.wait_for_message(USER, "Cancelled", after=question)
    assert question.ts == message.ts
    assert "We are hiring!" in message.everything


async def test_a_failed_post_opens_in_the_composer_with_its_text(edge, delivery):
    failed = replace(delivery, state=DeliveryState.FAILED)
    edge.scheduling.deliveries[failed.delivery_id] = failed
    message = await show(edge, DeliveryFailed(delivery=failed, platform_title="Echo", problems=("Too long.",)))
    await edge.slack.click(USER, message, "schedule.open")
    await edge.settle()
    shown = str(edge.slack.view_of(USER).blocks)
    assert "'initial_value': 'We are hiring!'" in shown
    assert "initial_options" in shown


async def test_a_draft_opens_in_the_composer(edge):
    await schedule(edge, "echo today 00:05 Good morning")
    question = await edge.slack.wait_for_message(USER, "Nothing is scheduled yet")
    await edge.slack.click(USER, question, "schedule.open")
    await edge.settle()
    view = edge.slack.view_of(USER)
    assert "'initial_value': 'Good morning'" in str(view.blocks)
    assert "d1" == view.private_metadata


async def test_a_draft_that_is_gone_opens_nothing_to_fill_in(edge):
    await schedule(edge, "echo today 00:05 Good morning")
    question = await edge.slack.wait_for_message(USER, "Nothing is scheduled yet")
    edge.scheduling.drafts.clear()
    await edge.slack.click(USER, question, "schedule.open")
    await edge.settle()
    assert "scheduled or discarded already" in str(edge.slack.view_of(USER).blocks)
