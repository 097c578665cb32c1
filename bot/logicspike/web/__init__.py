"""The aiohttp edge: connect pages, the OAuth callback, health."""
