"""Dual-teacher class (not in this version)."""
