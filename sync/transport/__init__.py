"""HTTP and its pacing."""
