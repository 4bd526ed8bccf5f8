"""A hub that exchanges what it holds with the hubs above it."""
