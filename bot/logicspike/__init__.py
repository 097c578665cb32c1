"""LogicSpike: a Slack bot by which a team connects its social accounts and schedules posts."""
