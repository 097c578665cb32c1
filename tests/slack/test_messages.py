"""Every message: within Slack's limits, harmless whatever people write, and readable by a stranger."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sample_messages import NOW, ZONE, make_all, make_delivery, make_notices, walk

from logicspike.services import notices
from logicspike.slack import messages, surface
from logicspike.slack.mrkdwn import measure

TEXT_LIMITS = {"section": 3000, "button": 75, "header": 150}
WORSTS = ["&<>" * 3000, "😀" * 3000, "👨‍👩‍👧" * 2000, "a" * 9000, "word " * 2000, "é\n" * 3000, "*_~`" * 900, ""]


def check_limits(payload: dict[str, Any]) -> None:
    """docs.slack.dev/reference/block-kit, checked 2026-11."""
    json.dumps(payload)
    assert payload["text"].strip()
    assert measure(payload["text"]) <= 4000
    assert 1 <= len(payload["blocks"]) <= 50
    for piece in walk(payload["blocks"]):
        kind, text = piece.get("type"), piece.get("text")
        if isinstance(text, dict):
            assert text["text"].strip(), piece
            assert measure(text["text"]) <= TEXT_LIMITS.get(kind, 3000), piece
        if kind in {"mrkdwn", "plain_text"}:
            assert measure(text) <= 3000
            assert kind == "plain_text" or piece["verbatim"] is True
        if kind == "context":
            assert len(piece["elements"]) <= 10
        if kind == "actions":
            assert 1 <= len(piece["elements"]) <= 25
            ids = Counter(element["action_id"] for element in piece["elements"])
            assert set(ids.values()) == {1}, ids
            assert sum(element.get("style") == "primary" for element in piece["elements"]) <= 1
        if "action_id" in piece:
            assert piece["action_id"] in surface.ACTIONS
            assert len(piece.get("value") or "") <= 2000
            assert len(piece.get("url") or "") <= 3000
        if "options" in piece:
            assert 1 <= len(piece["options"]) <= 100
            assert measure(piece["placeholder"]["text"]) <= 150
            for option in piece["options"]:
                assert measure(option["text"]["text"]) <= 75
                assert len(option["value"]) <= 150
                assert measure(option.get("description", {"text": ""})["text"]) <= 75
        if "confirm" in piece and "deny" in piece:
            sizes = {"title": 100, "text": 300, "confirm": 30, "deny": 30}
            assert all(0 < measure(piece[part]["text"]) <= size for part, size in sizes.items())
        if piece.get("style") == "danger" and "action_id" in piece:
            assert piece["confirm"]


@pytest.mark.parametrize("word", WORSTS)
@pytest.mark.parametrize("count", [1, 9, 150])
def test_no_message_breaks_a_limit_of_slacks(word, count):
    for message in make_all(word, count):
        check_limits(message.to_payload())


def test_every_notice_is_covered_here():
    assert {type(notice) for notice in make_notices("x", 1)} == set(get_args(notices.Notice))


OURS = re.compile(
    r"<!date\^\d+\^[^|<>]+\|[^<>]+>|<@[UW][A-Z0-9]+>|<https://bot\.example\.com/connect/secret>|&(?:amp|lt|gt);"
)
HOSTILE = [
    "<!channel> <!here|x> <@U1> <#C1> <https://evil.example|ok> <!date^1^x|y> <mailto:a@b>",
    "&lt;!channel&gt; & <",
    "https://evil.example/a?b=<!channel>|x",
    "\u202e<!channel>\u0000`<!here>`",
]


def marked_up(payload: dict[str, Any]) -> Iterator[str]:
    yield payload["text"]
    yield from (piece["text"] for piece in walk(payload["blocks"]) if piece.get("type") == "mrkdwn")


@given(word=st.text(alphabet=st.sampled_from("<>!@#&|^*`:/ \nUchanel;ltgam.😀e\u0301"), max_size=60))
@example(HOSTILE[0])
@example(HOSTILE[1])
@example(HOSTILE[2])
@example(HOSTILE[3])
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_nothing_anybody_wrote_can_notify_or_link(word):
    for message in make_all(word, 9):
        for markup in marked_up(message.to_payload()):
            assert not re.search(r"[<>&]", OURS.sub("", markup)), markup


@pytest.mark.parametrize("message", make_all("Acme Inc", 3))
def test_members_read_no_jargon(message):
    words = " ".join(
        [message.text]
        + [
            piece["text"]
            for block in message.to_payload()["blocks"]
            for piece in walk(block)
            if "emoji" in piece or "verbatim" in piece
        ]
    ).lower()
    assert not re.search(
        r"\b(deliver(y|ies)|tokens?|grants?|oauth|none|null|claim(ed)?|snooze[d]?|scopes?)\b", words
    ), words


def test_user_text_is_shown_as_it_is():
    payload = messages.render_notice(
        notices.DeliveryFailed(delivery=make_delivery("*a* :smile: <b>"), platform_title="Acme", problems=()),
        zone=ZONE,
        now=NOW,
    ).to_payload()
    assert {"type": "plain_text", "text": "*a* :smile: <b>", "emoji": False} in list(walk(payload["blocks"]))
