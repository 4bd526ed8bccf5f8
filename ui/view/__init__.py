"""Widgets; they draw what view-models say."""
