"""The sandbox: a small Slack one can see in the browser, and the platforms' fakes, all on loopback; for the demo only."""
