"""Where the catalogue comes from: the platform and folders."""
