from __future__ import annotations

from datetime import timedelta

from logicspike.domain import DeliveryState
from logicspike.services.scheduling import AccountQuestion, NotScheduled, Scheduled


async def test_a_platform_name_means_its_one_account(team):
    connection = await team.connect()

    result = await team.scheduling.schedule(team.request("Hi https://example.com/a."))

    assert isinstance(result, Scheduled)
    [delivery] = result.deliveries
    assert connection.connection_id == delivery.connection_id
    assert "https://example.com/a" == delivery.post.link
    assert DeliveryState.SCHEDULED == (await team.read(delivery)).state


async def test_aliases_nicknames_and_letter_case_are_understood(team):
    await team.connect()

    for typed in ("e", "ECHO", "echo:ann-echo"):
        assert isinstance(await team.scheduling.schedule(team.request(accounts=(typed,))), Scheduled)


async def test_a_platform_with_several_accounts_is_asked_about_and_nothing_is_scheduled(team):
    await team.connect(person="p-1")
    await team.connect(person="p-2")

    result = await team.scheduling.schedule(team.request("Kept"))

    assert isinstance(result, AccountQuestion)
    assert 2 == len(result.options)
    assert () == await team.scheduling.list_open(team.ana)
    assert "Kept" == (await team.scheduling.find_draft(team.ana, result.draft.draft_id)).text


async def test_an_answer_to_the_question_schedules_once_though_clicked_twice(team):
    await team.connect(person="p-1")
    await team.connect(person="p-2")
    question = await team.scheduling.schedule(team.request("Kept"))
    picked = team.request(
        "Kept",
        accounts=(),
        connection_ids=(question.options[1].connection_id,),
        draft_id=question.draft.draft_id,
    )

    first, second = [await team.scheduling.schedule(picked) for _ in range(2)]

    assert isinstance(first, Scheduled)
    assert isinstance(second, NotScheduled)
    assert 1 == len(await team.scheduling.list_open(team.ana))


async def test_no_account_of_a_platform_offers_to_connect_one_and_keeps_the_text(team):
    result = await team.scheduling.schedule(team.request("Precious"))

    assert isinstance(result, NotScheduled)
    assert "echo" == result.problems[0].connect_platform
    assert "Precious" == result.draft.text


async def test_an_unknown_name_suggests_the_nearest(team):
    await team.connect()

    result = await team.scheduling.schedule(team.request(accounts=("ecko",)))

    assert "echo" in result.problems[0].message


async def test_a_colleagues_account_is_not_usable(team):
    await team.connect(team.ana)

    result = await team.scheduling.schedule(team.request(author=team.ben))

    assert isinstance(result, NotScheduled)
    assert "echo" == result.problems[0].connect_platform


async def test_another_workspaces_account_id_is_refused(team):
    theirs = await team.connect(team.stranger)

    result = await team.scheduling.schedule(team.request(accounts=(), connection_ids=(theirs.connection_id,)))

    assert isinstance(result, NotScheduled)


async def test_every_problem_is_said_at_once(team):
    await team.connect()

    result = await team.scheduling.schedule(team.request("x" * 101, due_in=-timedelta(hours=1)))

    assert ["when", "text"] == [problem.field for problem in result.problems]
    assert "100 bytes; this is 101" in result.problems[1].message


async def test_now_means_now_even_if_the_clock_has_moved_on(team):
    await team.connect()

    result = await team.scheduling.schedule(team.request(due_in=-timedelta(seconds=5)))

    assert isinstance(result, Scheduled)


async def test_a_draft_is_its_authors_alone(team):
    draft = await team.scheduling.save_draft(team.ana, "mine")

    assert None is await team.scheduling.find_draft(team.ben, draft.draft_id)
    await team.scheduling.discard_draft(team.ben, draft.draft_id)
    assert "mine" == (await team.scheduling.find_draft(team.ana, draft.draft_id)).text


async def test_cancelling_twice_says_the_same(team):
    await team.connect()
    delivery = await team.schedule()

    first, second = [await team.scheduling.cancel(team.ana, delivery.delivery_id.upper()) for _ in range(2)]

    assert first.is_canceled
    assert second.is_canceled
    assert 0 == await team.deliver(after=timedelta(minutes=1))


async def test_cancelling_a_published_post_is_too_late(team):
    await team.connect()
    delivery = await team.schedule()
    await team.deliver(after=timedelta(minutes=1))

    outcome = await team.scheduling.cancel(team.ana, delivery.delivery_id)

    assert not outcome.is_canceled
    assert DeliveryState.PUBLISHED == outcome.delivery.state


async def test_a_colleagues_post_cannot_be_canceled(team):
    await team.connect()
    delivery = await team.schedule()

    outcome = await team.scheduling.cancel(team.ben, delivery.delivery_id)

    assert None is outcome.delivery
    assert DeliveryState.SCHEDULED == (await team.read(delivery)).state


async def test_a_mistyped_id_names_the_nearest(team):
    await team.connect()
    delivery = await team.schedule()

    outcome = await team.scheduling.cancel(team.ana, delivery.delivery_id[:-1] + "0")

    assert delivery.delivery_id == outcome.suggestion


async def test_the_list_is_in_order_of_time(team):
    await team.connect()
    late = await team.schedule("late", due_in=timedelta(hours=3))
    soon = await team.schedule("soon", due_in=timedelta(hours=1))

    assert [soon, late] == list(await team.scheduling.list_open(team.ana))


async def test_the_platform_in_a_nickname_may_be_typed_by_another_of_its_names(team):
    await team.connect()

    assert isinstance(await team.scheduling.schedule(team.request(accounts=("e:ann-echo",))), Scheduled)


async def test_a_colleagues_nickname_is_said_to_be_theirs(team):
    connection = await team.connect(team.ana)

    result = await team.scheduling.schedule(team.request(author=team.ben, accounts=(connection.nickname,)))

    assert "somebody else" in result.problems[0].message


async def test_an_account_that_is_still_to_be_chosen_is_pointed_out(team):
    ann = await team.connect(person="p-1")
    await team.sign_in(team.ana, person="p-2", connection_id=ann.connection_id)
    await team.disconnecting.erase(await team.connection(ann))

    result = await team.scheduling.schedule(team.request())

    assert "choose" in result.problems[0].message
