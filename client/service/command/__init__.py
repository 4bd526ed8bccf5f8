"""The command line: what can be said, how it is read, how answers are written."""
