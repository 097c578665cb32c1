"""Twelve ways to break a rule that everything rests on, each with the tests that must notice."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MUTANTS", "Mutant"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One wrong version of the program.

    Attributes:
        name: the rule that is broken.
        path: the file, below the package.
        changes: what stands there, and what stands there instead; each must be found exactly as often as said.
        tests: what must go red.
    """

    name: str
    path: str
    changes: tuple[tuple[str, str], ...]
    tests: tuple[str, ...]


MUTANTS = (
    Mutant(
        name="a move doesn't look at the claim",
        path="store/deliveries.py",
        changes=(('            "claim_token": before.claim_token,\n', ""),),
        tests=("tests/store/test_deliveries.py::test_a_move_under_another_claim_does_nothing",),
    ),
    Mutant(
        name="an unknown outcome is tried again",
        path="services/settling.py",
        changes=(
            (
                "                return await self._unknown(delivery, error)\n",
                "                return await self._retry(delivery, error)\n",
            ),
        ),
        tests=("tests/services/test_lost_answers.py::test_a_lost_answer_is_unknown_then_found_and_never_posted_twice",),
    ),
    Mutant(
        name="nothing is recorded before the first byte",
        path="services/publishing.py",
        changes=(
            (
                "            if not await self._deliveries.swap(delivery, publishing):\n                return",
                "            if False:\n                return",
            ),
        ),
        tests=("tests/services/test_delivering.py::test_the_attempt_is_recorded_before_the_first_byte",),
    ),
    Mutant(
        name="nobody minds how long the process stood still before it sends",
        path="services/publishing.py",
        changes=(("time.monotonic() - lane.taken_at <= (self._timings.lease / 2).total_seconds()", "True"),),
        tests=("tests/figures/test_clocks.py::test_a_process_that_stood_still_sends_nothing",),
    ),
    Mutant(
        name="a state is read first and deleted then",
        path="store/pending.py",
        changes=(
            (
                "document = await self._pending.find_one_and_delete(query)",
                "document = await self._pending.find_one(query)\n        await self._pending.delete_one(query)",
            ),
        ),
        tests=("tests/store/test_races.py::test_of_fifty_callbacks_with_one_state_one_gets_the_request",),
    ),
    Mutant(
        name="a secret opens anywhere",
        path="vault.py",
        changes=(("place.associated(self._writing_id)", 'b""'), ("place.associated(key_id)", 'b""')),
        tests=("tests/unit/test_vault.py::test_what_was_moved_to_another_place_stays_shut",),
    ),
    Mutant(
        name="a missing refresh token overwrites the one at hand",
        path="services/credentials.py",
        changes=(("fresh.refresh_token or credential.tokens.refresh_token", "fresh.refresh_token"),),
        tests=("tests/services/test_refreshing.py::test_an_answer_without_a_refresh_token_keeps_the_old_one",),
    ),
    Mutant(
        name="an outage ends an account's access",
        path="services/refreshing.py",
        changes=(
            (
                "        except ReconnectRequired as error:\n            if await",
                "        except (ReconnectRequired, PlatformUnavailable) as error:\n            if await",
            ),
        ),
        tests=("tests/services/test_refreshing.py::test_an_outage_is_not_a_revocation",),
    ),
    Mutant(
        name="a lane is released whoever has it",
        path="store/connections.py",
        changes=(
            (
                'ours = {"_id": {"$in": list(connection_ids)}, "lane.owner": owner}',
                'ours = {"_id": {"$in": list(connection_ids)}}',
            ),
        ),
        tests=("tests/store/test_connections.py::test_a_lane_is_one_workers_at_a_time_across_workspaces",),
    ),
    Mutant(
        name="an account that needs a sign-in is used all the same",
        path="services/refreshing.py",
        changes=(
            ("            connection.status is ConnectionStatus.ACTIVE\n            and ", "            "),
            ("if current.status is ConnectionStatus.NEEDS_RECONNECT:", "if False:"),
        ),
        tests=("tests/figures/test_found_by_figures.py::test_nothing_is_sent_while_an_account_needs_a_sign_in",),
    ),
    Mutant(
        name="text reaches Slack as markup",
        path="slack/mrkdwn.py",
        changes=(("    return text.translate(_ENTITIES)", "    return text"),),
        tests=("tests/slack/test_mrkdwn.py::test_the_three_signs_of_markup_are_escaped",),
    ),
    Mutant(
        name="any browser may bring the callback",
        path="store/pending.py",
        changes=(('            "browser_hash": browser_hash,\n', ""),),
        tests=("tests/services/test_connecting.py::test_another_browser_is_refused_and_does_not_use_up_the_state",),
    ),
)
