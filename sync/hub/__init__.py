"""The hub: the meeting point of many rooms."""
