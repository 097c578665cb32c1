"""The use cases: connecting, scheduling, delivering, refreshing; no Slack, no HTTP, no database in here."""
