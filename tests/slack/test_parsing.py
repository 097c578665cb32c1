"""What is typed after the two commands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logicspike.slack.parsing import (
    SCHEDULE_SUBCOMMANDS,
    ConnectAction,
    ConnectCommand,
    ScheduleAction,
    ScheduleCommand,
    parse_connect,
    parse_schedule,
    suggest_subcommand,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ConnectCommand(action=ConnectAction.LIST)),
        ("  \u00a0 ", ConnectCommand(action=ConnectAction.LIST)),
        ("list", ConnectCommand(action=ConnectAction.LIST)),
        ("HELP", ConnectCommand(action=ConnectAction.HELP)),
        ("?", ConnectCommand(action=ConnectAction.HELP)),
        ("acme", ConnectCommand(action=ConnectAction.START, platform="acme")),
        (" `Acme` ", ConnectCommand(action=ConnectAction.START, platform="acme")),
        ("ac me", ConnectCommand(action=ConnectAction.START, platform="ac me")),
        ("remove", ConnectCommand(action=ConnectAction.REMOVE)),
        ("remove  acme:shop", ConnectCommand(action=ConnectAction.REMOVE, account="acme:shop")),
        ("Disconnect “Tom &amp; Co”", ConnectCommand(action=ConnectAction.REMOVE, account="Tom & Co")),
    ],
)
def test_the_connect_command_is_read(text, expected):
    assert parse_connect(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ScheduleCommand(action=ScheduleAction.COMPOSE)),
        ("\n\t", ScheduleCommand(action=ScheduleAction.COMPOSE)),
        ("help", ScheduleCommand(action=ScheduleAction.HELP)),
        ("List", ScheduleCommand(action=ScheduleAction.LIST)),
        ("cancel", ScheduleCommand(action=ScheduleAction.CANCEL)),
        ("cancel `K3F9`", ScheduleCommand(action=ScheduleAction.CANCEL, delivery_id="k3f9")),
        ("cancel “”", ScheduleCommand(action=ScheduleAction.CANCEL)),
    ],
)
def test_the_subcommands_of_schedule_are_read(text, expected):
    assert parse_schedule(text) == expected


@pytest.mark.parametrize(
    ("text", "accounts", "rest"),
    [
        ("acme", ("acme",), ""),
        ("acme now Hi", ("acme",), "now Hi"),
        ("acme:shop,other tomorrow 9:30 Hi", ("acme:shop", "other"), "tomorrow 9:30 Hi"),
        ("acme:shop , other, third now Hi", ("acme:shop", "other", "third"), "now Hi"),
        ("acme, tomorrow 9:30 Hi", ("acme",), "tomorrow 9:30 Hi"),
        ("acme,,other now Hi", ("acme", "other"), "now Hi"),
        ("acme,Acme,ACME now Hi", ("acme",), "now Hi"),
        ("“acme” now Hi", ("acme",), "now Hi"),
        ("in 2h Hi", (), "in 2h Hi"),
        ("acme\u00a0now\u00a0Hi", ("acme",), "now\u00a0Hi"),
        ("acme now Hi,\n“you” &amp; me &lt;3", ("acme",), "now Hi,\n“you” & me <3"),
    ],
)
def test_accounts_end_where_time_or_text_begins(text, accounts, rest):
    command = parse_schedule(text)
    assert (command.action, command.accounts, command.rest) == (ScheduleAction.POST, accounts, rest)


def test_everything_typed_is_kept_for_when_the_first_word_is_no_account():
    assert parse_schedule(" We are hiring ").typed == "We are hiring"


def test_entities_are_undone_once_only():
    assert parse_schedule("acme now &amp;lt;b&gt;").rest == "now &lt;b>"


def test_a_long_text_is_never_cut():
    text = "word " * 20_000 + "end"
    assert parse_schedule(f"acme now {text}").rest == f"now {text}"


def test_a_misspelt_subcommand_is_suggested():
    assert suggest_subcommand("cancle", SCHEDULE_SUBCOMMANDS) == "cancel"
    assert suggest_subcommand("LIAT", SCHEDULE_SUBCOMMANDS) == "list"
    assert suggest_subcommand("xyzzy", SCHEDULE_SUBCOMMANDS) is None


ANYTHING = st.one_of(st.text(), st.text(alphabet="acme,:;\"'“”`# \n\u00a0&ampltg<>now0129").map(str))


@given(ANYTHING)
def test_anything_typed_after_schedule_is_read_without_an_error(text):
    command = parse_schedule(text)
    assert all(name and len(name) <= 100 for name in command.accounts)
    assert command.typed.endswith(command.rest)


@given(ANYTHING)
def test_anything_typed_after_connect_is_read_without_an_error(text):
    command = parse_connect(text)
    assert len(command.platform or "") <= 100
    assert len(command.account or "") <= 100
