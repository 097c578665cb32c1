"""Pictures in the composer: uploaded in the form, described line by line, refused at their fields, never lost."""

from __future__ import annotations

import importlib
from datetime import timedelta
from importlib.metadata import EntryPoint

import pytest

from logicspike.domain import Draft
from logicspike.platforms import Platforms
from logicspike.plugin import Media, MediaKind
from logicspike.services.scheduling import AccountQuestion, NotScheduled, ScheduleProblem
from logicspike.slack import surface
from logicspike.testing import SAMPLE_JPEG, SAMPLE_PNG

USER = "U0ANA"


@pytest.fixture
def platforms(clock):
    """Echo, with pictures and videos."""
    importlib.import_module("album_platform")
    return Platforms.load(
        environment={"ECHO_CLIENT_ID": "id", "ECHO_CLIENT_SECRET": "secret"},
        clock=clock,
        entry_points=[EntryPoint(name="echo", value="album_platform", group="logicspike.platforms")],
    )


async def open_form(edge, text=""):
    await edge.slack.command(USER, "/schedule", text)
    return await edge.slack.wait_for(lambda: view_with_files(edge))


def view_with_files(edge):
    view = edge.slack.view_of(USER)
    return view if view is not None and surface.BLOCK_FILES in view.block_ids else None


def upload(edge, content=SAMPLE_PNG, name="cat.png"):
    return edge.slack.files.upload(USER, name, content).id


async def submit(edge, **answers):
    at = edge.clock.now() + timedelta(hours=1)
    return await edge.slack.submit_view(USER, {surface.BLOCK_AT: at, **answers})


async def test_files_and_their_descriptions_go_with_the_post(edge):
    await open_form(edge)
    result = await submit(
        edge,
        text="Look",
        files=[upload(edge), upload(edge, SAMPLE_JPEG, "dog.png")],
        alt_text="A cat.\nA dog.\n",
    )

    assert "closed" == result.action
    [(request,)] = edge.notes.of("schedule")
    assert [("cat.png", "image/png", "A cat."), ("dog.png", "image/jpeg", "A dog.")] == [
        (each.name, each.content_type, each.alt_text) for each in request.media
    ]
    message = await edge.slack.wait_for_message(USER, "Scheduled")
    assert "With 2 pictures." in message.everything


async def test_pictures_may_stand_without_a_text_and_a_description_be_left_out(edge):
    await open_form(edge)
    assert "closed" == (await submit(edge, files=[upload(edge), upload(edge)], alt_text="\nThe second.")).action
    [(request,)] = edge.notes.of("schedule")
    assert ("", ["", "The second."]) == (request.text, [each.alt_text for each in request.media])
    message = await edge.slack.wait_for_message(USER, "Scheduled")
    assert "2 pictures, 1 without a description" in message.text


@pytest.mark.parametrize(
    ("content", "name", "alt_text", "block", "sentence"),
    [
        (b"%PDF-1.4", "report.pdf", "", surface.BLOCK_FILES, "report.pdf is neither a picture nor a video."),
        (SAMPLE_PNG, "a.png", "One.\nTwo.", surface.BLOCK_ALT_TEXT, "There are 2 lines for 1 file"),
    ],
)
async def test_what_is_wrong_with_a_file_is_said_at_its_field_and_the_draft_keeps_the_text(
    edge, content, name, alt_text, block, sentence
):
    await open_form(edge)
    result = await submit(edge, text="Look", files=[upload(edge, content, name)], alt_text=alt_text)

    assert "errors" == result.action
    assert sentence in result.errors[block]
    assert [] == edge.notes.of("schedule")
    assert ["Look"] == [draft.text for draft in edge.scheduling.drafts.values()]


async def test_a_description_without_a_picture_is_no_description(edge):
    await open_form(edge)
    result = await submit(edge, text="Look", alt_text="A cat.")
    assert {surface.BLOCK_ALT_TEXT: "There is no picture to describe."} == result.errors


async def test_what_the_platform_refuses_of_the_files_is_said_at_their_fields(edge):
    edge.scheduling.result = NotScheduled(
        draft=None,
        problems=(
            ScheduleProblem(field="media", message="Too many."),
            ScheduleProblem(field="alt_text", message="Too long."),
        ),
    )
    await open_form(edge)
    result = await submit(edge, text="Look", files=[upload(edge)])
    assert {surface.BLOCK_FILES: "Too many.", surface.BLOCK_ALT_TEXT: "Too long."} == result.errors


async def test_a_slack_that_hands_out_no_file_is_said_at_the_field_and_the_form_stays(edge):
    await open_form(edge)
    file_id = upload(edge)
    edge.slack.api.fail("files.info", "internal_error", times=1)
    result = await submit(edge, text="Look", files=[file_id])
    assert "Please try again in a minute." in result.errors[surface.BLOCK_FILES]
    assert "closed" == (await submit(edge)).action, "the files are still in the form"
    assert 1 == len(edge.notes.of("schedule")[0][0].media)


def make_draft(edge, *names):
    media = tuple(
        Media(media_id=f"F{name}", kind=MediaKind.IMAGE, content_type="image/png", size=9, name=name, alt_text=name[0])
        for name in names
    )
    draft = Draft(
        draft_id="d9", author=edge.ana, text="Look", created_at=edge.clock.now(), connection_ids=("c1",), media=media
    )
    edge.scheduling.drafts["d9"] = draft
    return draft


async def open_draft(edge):
    """By the button of a message about it."""
    edge.scheduling.result = NotScheduled(draft=edge.scheduling.drafts["d9"], problems=())
    await edge.slack.command(USER, "/schedule", "echo in 1h x")
    message = await edge.slack.wait_for_message(USER, "Nothing is scheduled yet")
    edge.scheduling.result = None
    await edge.slack.click(USER, message, surface.SCHEDULE_OPEN)
    return message, await edge.slack.wait_for(lambda: view_with_files(edge))


async def test_a_drafts_files_are_offered_again_and_new_ones_come_behind_them(edge):
    make_draft(edge, "a.png", "b.png")
    message, view = await open_draft(edge)
    assert "With 2 pictures." in message.everything
    assert "a.png and b.png" in str(view.block(surface.BLOCK_KEPT_FILES))
    edge.notes.calls.clear()

    await submit(edge, files=[upload(edge, name="c.png")])

    [(request,)] = edge.notes.of("schedule")
    assert [("a.png", "a"), ("b.png", "b"), ("c.png", "")] == [(each.name, each.alt_text) for each in request.media]


async def test_a_drafts_files_can_be_left_out(edge):
    make_draft(edge, "a.png")
    await open_draft(edge)
    edge.notes.calls.clear()
    await submit(edge, kept_files=[], alt_text="")
    assert () == edge.notes.of("schedule")[0][0].media


async def test_an_account_picked_for_a_draft_takes_its_files_along(edge):
    draft = make_draft(edge, "a.png")
    await edge.scheduling.save_draft(
        edge.ana,
        "Look",
        draft_id="d9",
        media=draft.media,
        due_at=edge.clock.now() + timedelta(hours=1),
        accounts=("x",),
    )
    await edge.slack.click(USER, await pick_question(edge), surface.DRAFT_PICK_ACCOUNT, "d9:c1")
    await edge.slack.wait_for(lambda: len(edge.notes.of("schedule")) == 2)
    assert draft.media == edge.notes.of("schedule")[-1][0].media


async def pick_question(edge):
    edge.scheduling.result = AccountQuestion(
        draft=edge.scheduling.drafts["d9"], typed="x", options=edge.scheduling.usable
    )
    await edge.slack.command(USER, "/schedule", "echo in 1h x")
    question = await edge.slack.wait_for_message(USER, "Which one")
    edge.scheduling.result = None
    return question


async def test_a_failed_posts_files_are_offered_again(edge):
    await open_form(edge)
    await submit(edge, text="Look", files=[upload(edge)], alt_text="A cat.")
    delivery_id = next(iter(edge.scheduling.deliveries))
    await edge.slack.command(USER, "/schedule", f"cancel {delivery_id}")
    message = await edge.slack.wait_for_message(USER, "Cancelled")
    assert "With 1 picture." in message.everything

    await edge.slack.click(USER, message, surface.SCHEDULE_OPEN)
    view = await edge.slack.wait_for(lambda: view_with_files(edge))
    assert "cat.png" in str(view.block(surface.BLOCK_KEPT_FILES))
    assert "A cat." == view.block(surface.BLOCK_ALT_TEXT)["element"]["initial_value"]


async def test_an_app_without_the_permission_for_files_has_a_composer_without_them(edge):
    edge.slack.api.scopes -= {"files:read"}
    await edge.authorize.identify()
    await edge.slack.command(USER, "/schedule")

    def filled():
        view = edge.slack.view_of(USER)
        return view if view is not None and surface.BLOCK_TEXT in view.block_ids else None

    view = await edge.slack.wait_for(filled)

    assert not {surface.BLOCK_FILES, surface.BLOCK_ALT_TEXT} & set(view.block_ids)
    assert "closed" == (await submit(edge, text="Words alone")).action
