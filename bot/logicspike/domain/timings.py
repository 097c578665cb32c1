"""How long things hold, and how often the bot looks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

__all__ = ["Timings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """How long things hold; they fit together, so they're changed together (tests shrink all of them).

    Attributes:
        lease: a claim's and a lane's life; longer than the façade's limit for a publish, with room for settling.
        settle: how long after a lost answer the platform is asked: its time limit, plus pauses, plus the lag of its
            read side.
        lookup: how long one worker has an unknown outcome for itself, and the pause between two looks.
        refresh_lease: longer than three calls of a refresh, the pauses between them, and saving.
        look_ahead: how long before its time a post is claimed and prepared, so that at its time only one request is
            left to send; no shorter than ``deliver_every``, or a post could come due between two looks.
        between_suspects: the pause between posts that were at work when a process ended, so that they're tried apart.
        tell: how long one worker has messages that are owed for itself; longer than Slack may keep it waiting.
        deliver_every, rescue_every, settle_every, tell_every: how often each tick comes round.
        prepare_ahead: how long before its time a post's pictures are uploaded: long enough for a video, and for some
            more tries.
        prepare_lease: how long one worker has a post's preparation for itself, unless it renews that.
        prepare_every: how often it is looked for what is to be prepared.
        progress_after, progress_every: from when on an upload is shown to its author, and how often that is renewed:
            Slack takes a message a second in a conversation.
        keep_every: how often accounts are looked through whose access is to be kept alive.
    """

    lease: timedelta = timedelta(seconds=90)
    settle: timedelta = timedelta(seconds=120)
    lookup: timedelta = timedelta(seconds=60)
    refresh_lease: timedelta = timedelta(seconds=120)
    look_ahead: timedelta = timedelta(seconds=1.5)
    between_suspects: timedelta = timedelta(seconds=1)
    tell: timedelta = timedelta(seconds=120)
    deliver_every: timedelta = timedelta(seconds=1.5)
    rescue_every: timedelta = timedelta(seconds=5)
    settle_every: timedelta = timedelta(seconds=20)
    prepare_ahead: timedelta = timedelta(minutes=30)
    prepare_lease: timedelta = timedelta(seconds=60)
    prepare_every: timedelta = timedelta(seconds=5)
    progress_after: timedelta = timedelta(seconds=2)
    progress_every: timedelta = timedelta(seconds=3)
    keep_every: timedelta = timedelta(seconds=60)
    tell_every: timedelta = timedelta(seconds=5)
