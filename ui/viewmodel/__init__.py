"""State of each screen; QtCore only."""
