"""Deciding, fetching and supervising."""
