"""The player port, its libvlc and null implementations, and the decode probe."""
