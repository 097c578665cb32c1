"""The Slack edge: commands, buttons and forms in; answers and direct messages out."""
