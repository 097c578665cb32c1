"""Database operations are exact where times are not: what one post costs, and what a process costs that has nothing to do."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from benchmarks.stocking import account_names, add_accounts, add_posts
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent
from team import Team, open_team

from logicspike.domain import DeliveryState, Timings
from logicspike.store.mongo import Database, open_database
from logicspike.store.opening import build_stores
from logicspike.store.schema import ensure_schema
from logicspike.wiring import Services, build_scheduler
