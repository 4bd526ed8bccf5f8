"""Wire messages, segments and limits (exchange comes with a later version)."""
