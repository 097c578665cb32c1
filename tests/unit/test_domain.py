"""The rules that need no I/O: moves of a delivery, links in texts, nicknames, pauses between tries."""

from __future__ import annotations

import re
import unicodedata
from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logicspike.domain import (
    TRANSITIONS,
    DeliveryState,
    IllegalTransition,
    check_transition,
)
from logicspike.services.pauses import retry_delay
from logicspike.texts import first_link, make_nickname, normalize_text

S = DeliveryState
EDGES = {
    (S.SCHEDULED, S.CLAIMED),
    (S.SCHEDULED, S.HELD),
    (S.SCHEDULED, S.FAILED),
    (S.SCHEDULED, S.CANCELED),
    (S.CLAIMED, S.PUBLISHING),
    (S.CLAIMED, S.SCHEDULED),
    (S.CLAIMED, S.HELD),
    (S.CLAIMED, S.FAILED),
    (S.CLAIMED, S.CANCELED),
    (S.PUBLISHING, S.PUBLISHED),
    (S.PUBLISHING, S.SCHEDULED),
    (S.PUBLISHING, S.HELD),
    (S.PUBLISHING, S.FAILED),
    (S.PUBLISHING, S.UNKNOWN),
    (S.UNKNOWN, S.PUBLISHED),
    (S.UNKNOWN, S.SCHEDULED),
    (S.UNKNOWN, S.FAILED),
    (S.HELD, S.SCHEDULED),
    (S.HELD, S.CANCELED),
}
STAYS = {(S.SCHEDULED, S.SCHEDULED), (S.HELD, S.HELD), (S.UNKNOWN, S.UNKNOWN)}

anything = settings(deadline=None)


# --- moves ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("before", "after"), sorted(EDGES | STAYS))
def test_a_legal_move_is_let_through(before, after):
    check_transition(before, after)


@pytest.mark.parametrize(("before", "after"), sorted(set(product(S, S)) - EDGES - STAYS))
def test_every_other_move_is_refused(before, after):
    with pytest.raises(IllegalTransition, match=f"^{before} -> {after}$"):
        check_transition(before, after)


def test_the_table_has_these_edges_and_no_more():
    assert EDGES == {(before, after) for before, afters in TRANSITIONS.items() for after in afters}
    assert set(S) == set(TRANSITIONS)


def test_what_is_over_stays_over_and_everything_can_end():
    over = {state for state, afters in TRANSITIONS.items() if not afters}
    assert {S.PUBLISHED, S.FAILED, S.CANCELED} == over

    def reach(state, seen):
        return (
            seen if state in seen else set().union(seen | {state}, *(reach(it, seen | {state}) for it in after(state)))
        )

    def after(state):
        return TRANSITIONS[state]

    assert all(over & reach(state, set()) for state in S)
    assert set(S) == reach(S.SCHEDULED, set()), "every state is reached from the first one"


def test_only_a_delivery_that_may_be_out_becomes_unknown_or_published():
    """Published means that a request was sent, or that it was found: never straight from being scheduled or held."""
    assert {S.PUBLISHING, S.UNKNOWN} == {before for before, after in EDGES if after is S.PUBLISHED}
    assert {S.PUBLISHING} == {before for before, after in EDGES if after is S.UNKNOWN}


# --- links ------------------------------------------------------------------------------------------------------------

LINK = "https://example.com/a"


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("", None),
        ("no link here", None),
        ("www.example.com and example.com", None),
        ("ftp://example.com mailto:a@b.example", None),
        ("https://", None),
        ("https:// http://", None),
        ("http://... https://)", None),
        (LINK, LINK),
        (f"See {LINK}.", LINK),
        (f"See {LINK}, and {LINK}/2", LINK),
        (f"{LINK}!?!", LINK),
        (f"{LINK}…", LINK),
        (f"'{LINK}'", LINK),
        (f'"{LINK}"', LINK),
        (f"“{LINK}”", LINK),
        (f"«{LINK}»", LINK),
        (f"*{LINK}*", LINK),
        (f"`{LINK}`", LINK),
        (f"<{LINK}>", LINK),
        (f"({LINK})", LINK),
        (f"(see {LINK}.)", LINK),
        (f"[{LINK}]", LINK),
        (f"{{{LINK}}}", LINK),
        (f"(({LINK}))", LINK),
        ("https://en.wikipedia.org/wiki/Mercury_(planet)", "https://en.wikipedia.org/wiki/Mercury_(planet)"),
        ("(https://en.wikipedia.org/wiki/Mercury_(planet))", "https://en.wikipedia.org/wiki/Mercury_(planet)"),
        ("https://example.com/?a=1&b=[2]#c", "https://example.com/?a=1&b=[2]#c"),
        ("HTTPS://EXAMPLE.COM/A", "HTTPS://EXAMPLE.COM/A"),
        ("http://a", "http://a"),
        ("line\nhttp://example.com\nline", "http://example.com"),
        ("http://. then https://example.com", "https://example.com"),
        ("https://example.com/é", "https://example.com/é"),
        ("https://example.com/", "https://example.com/"),
    ],
)
def test_the_first_link_is_found_without_what_surrounds_it(text, link):
    assert link == first_link(text)


@anything
@given(text=st.text(alphabet=st.sampled_from("htps:/ .,)(]['*ab\n"), max_size=60))
def test_a_link_that_is_found_is_a_part_of_the_text_and_found_again(text):
    link = first_link(text)
    if link is not None:
        assert link in text
        assert re.match(r"https?://.", link)
        assert link == first_link(link)


@anything
@given(before=st.text(max_size=20), after=st.text(max_size=20))
def test_the_first_link_is_found_in_any_text(before, after):
    found = first_link(f"{before.replace('://', '')} {LINK} {after}")

    assert LINK == found


# --- texts ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("  Hello \n\n", "Hello"),
        ("a\r\nb\rc\nd", "a\nb\nc\nd"),
        ("a\r\n\r\nb", "a\n\nb"),
        ("Cafe\u0301", "Café"),
        ("\u00a0\u2003x\u3000", "x"),
        ("👩\u200d👩\u200d👧", "👩\u200d👩\u200d👧"),
        (" \t\n", ""),
    ],
)
def test_a_text_is_brought_to_one_form(text, normal):
    assert normal == normalize_text(text)


@anything
@given(text=st.text())
def test_the_one_form_stays_as_it_is(text):
    normal = normalize_text(text)

    assert normal == normalize_text(normal)
    assert "\r" not in normal
    assert unicodedata.is_normalized("NFC", normal)
    assert normal == normal.strip()


# --- nicknames --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "nickname"),
    [
        ("Acme", "chirp:acme"),
        ("@acme_inc", "chirp:acme-inc"),
        ("  Acme -- Coffee, Inc.  ", "chirp:acme-coffee-inc"),
        ("Café Zoë", "chirp:cafe-zoe"),
        ("ACME 2", "chirp:acme-2"),
        ("ﬁne Ⅳ", "chirp:fine-iv"),
        ("株式会社", "chirp:account"),
        ("🔥", "chirp:account"),
        ("", "chirp:account"),
        ("x" * 40, "chirp:" + "x" * 24),
        ("a" * 23 + " b", "chirp:" + "a" * 23),
    ],
)
def test_a_nickname_is_made_of_platform_and_account(name, nickname):
    assert nickname == make_nickname("chirp", name, frozenset())


def test_a_taken_nickname_gets_the_next_free_number():
    taken = frozenset({"chirp:acme", "chirp:acme-2", "chirp:acme-4", "chirp:other"})

    assert "chirp:acme-3" == make_nickname("chirp", "Acme", taken)


@anything
@given(names=st.lists(st.text(max_size=30) | st.sampled_from(["Acme", "acme", "ACME!", "acme 2"]), max_size=30))
def test_nicknames_never_collide_and_can_be_typed(names):
    taken: set[str] = set()
    for name in names:
        nickname = make_nickname("chirp", name, frozenset(taken))
        assert nickname not in taken
        assert re.fullmatch(r"chirp:[a-z0-9]([a-z0-9-]*[a-z0-9])?", nickname)
        taken.add(nickname)


# --- pauses -----------------------------------------------------------------------------------------------------------


def test_pauses_grow_and_end():
    pauses = [retry_delay(tries, 0) for tries in range(1, 6)]

    assert [30, 120, 480, 1800, 7200] == [pause.total_seconds() for pause in pauses]
    assert None is retry_delay(6, 0) is retry_delay(100, 1)


@anything
@given(tries=st.integers(1, 5), jitter=st.floats(-1, 1))
def test_jitter_spreads_a_pause_by_a_fifth_at_most(tries, jitter):
    pause, middle = retry_delay(tries, jitter), retry_delay(tries, 0)

    assert middle * 0.8 <= pause <= middle * 1.2
    assert timedelta(seconds=24) <= pause <= timedelta(hours=2.4)


@pytest.mark.parametrize("tries", [0, -1])
def test_there_is_no_pause_before_the_first_try(tries):
    with pytest.raises(ValueError, match="at least 1"):
        retry_delay(tries, 0)
