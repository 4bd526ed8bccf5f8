"""The hub program (not in this version)."""
