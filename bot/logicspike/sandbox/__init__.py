"""The sandbox: a small Slack one can see in the browser, with the platforms' fakes; on loopback, for the demo only."""
