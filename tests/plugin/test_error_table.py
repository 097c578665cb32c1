"""Error tables: the first row that fits decides, and what no row knows is never guessed at."""

from __future__ import annotations

import dataclasses
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from logicspike.plugin import (
    ErrorRow,
    ErrorTable,
    MemberActionRequired,
    Operation,
    OutcomeUnknown,
    PlatformError,
    PlatformUnavailable,
    PostRejected,
    RateLimited,
    ReconnectRequired,
    Refusal,
)

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
PUBLISH = frozenset({Operation.PUBLISH})


def row(error: type[PlatformError] = PostRejected, **changes: Any) -> ErrorRow:
    values: dict[str, Any] = {
        "name": "7",
        "on": PUBLISH,
        "signs": {"code": frozenset({7})},
        "error": error,
        "sentence": "No.",
        "source": "a test",
    }
    return ErrorRow(**(values | changes))


def table(*rows: ErrorRow) -> ErrorTable:
    return ErrorTable(platform="chirp", title="Chirp", look_at="your nest", rows=rows)


def refusal(**changes: Any) -> Refusal:
    values: dict[str, Any] = {"operation": Operation.PUBLISH, "status": 400, "codes": {"code": (7,)}, "now": NOW}
    return Refusal(**(values | changes))


def test_first_row_that_fits_decides() -> None:
    first, second = row(given=("in a storm",)), row()
    assert table(first, second).find(refusal(given={"in a storm"})) is first
    assert table(first, second).find(refusal()) is second


@pytest.mark.parametrize(
    "other",
    [
        {"operation": Operation.LOOK_UP},
        {"codes": {"code": (8,)}},
        {"codes": {"subcode": (7,)}},
        {"codes": {"code": ("7",)}},
        {"codes": {}, "texts": {"message": "error 7"}},
        {"codes": {}, "status": 7},
    ],
)
def test_row_does_not_fit_another_answer(other: dict[str, Any]) -> None:
    assert table(row()).find(refusal(**other)) is None


def test_all_signs_must_hold_and_texts_are_compared_whole() -> None:
    both = table(row(signs={"code": frozenset({7}), "message": frozenset({"Not today"}), "status": frozenset({400})}))
    assert both.find(refusal(texts={"message": "Not today"})) is not None
    assert both.find(refusal(texts={"message": "Not today, thanks"})) is None
    assert both.find(refusal(texts={"message": "Not today"}, status=401)) is None


def test_sentence_takes_words_and_what_the_platform_says_to_people() -> None:
    known = table(row(MemberActionRequired, sentence="Version {version} is over."))
    error = known.to_error(refusal(words={"version": "7"}, said="Update, please.", reference="trace"))

    assert isinstance(error, MemberActionRequired)
    assert error.explanation == "Version 7 is over. Chirp says: Update, please."
    assert error.reference == "trace"


def test_refused_post_names_the_field() -> None:
    error = table(row(field="media")).to_error(refusal())
    assert isinstance(error, PostRejected)
    assert [(problem.field, problem.message) for problem in error.problems] == [("media", "No.")]


def test_missing_permissions_are_named_where_the_row_is_about_them() -> None:
    for lacks_permission, expected in ((True, ("post",)), (False, ())):
        error = table(row(ReconnectRequired, lacks_permission=lacks_permission)).to_error(
            refusal(missing_scopes=("post",))
        )
        assert isinstance(error, ReconnectRequired)
        assert error.missing_scopes == expected


@pytest.mark.parametrize(
    ("retry_at", "resumes", "minutes"),
    [
        (NOW + timedelta(minutes=3), None, 3),
        (None, None, 15),
        (None, lambda now: now + timedelta(minutes=60), 60),
    ],
)
def test_wait_is_the_platforms_else_the_rows(retry_at: datetime | None, resumes: Any, minutes: int) -> None:
    limited = row(RateLimited) if resumes is None else row(RateLimited, resumes=resumes)
    error = table(limited).to_error(refusal(retry_at=retry_at))
    assert isinstance(error, RateLimited)
    assert error.until == NOW + timedelta(minutes=minutes)


@pytest.mark.parametrize("operation", Operation)
def test_unknown_answer_is_in_doubt_after_a_publish_and_temporary_else(operation: Operation) -> None:
    error = table().to_error(refusal(operation=operation, reference="trace"))
    assert type(error) is (OutcomeUnknown if operation is Operation.PUBLISH else PlatformUnavailable)
    assert error.reference == "trace"


def test_unknown_answer_is_logged_once_by_codes_and_a_reference_only(caplog: pytest.LogCaptureFixture) -> None:
    odd = refusal(
        codes={"code": (9, "ODD_ONE"), "type": ("Dear reader,\nbuy this!",)},
        texts={"message": "Dear reader"},
        words={"post": "Dear reader"},
        said="Dear reader",
        reference="Dear <reader>",
    )
    with caplog.at_level(logging.DEBUG):
        error = table().to_error(odd)

    (found,) = caplog.records
    assert found.levelno == logging.WARNING
    values = {name: vars(found)[name] for name in ("event", "platform", "operation", "status", "codes")}
    assert values == {
        "event": "platform.unknown_answer",
        "platform": "chirp",
        "operation": "publish",
        "status": 400,
        "codes": {"code": [9, "ODD_ONE"], "type": ["(not a code)"]},
    }
    reference = vars(found)["reference"]
    assert f"reference {reference} in the log" in error.explanation
    assert reference in found.getMessage()
    assert "Dear" not in f"{found.getMessage()} {vars(found)}"
    assert "Dear" not in error.explanation
    assert "Dear" not in repr(dataclasses.replace(odd, codes={}, reference=None))


def test_each_unknown_answer_has_a_reference_of_its_own(caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        table().to_error(refusal())
    first, second = (vars(record)["reference"] for record in caplog.records)
    assert first != second
