"""What the user interface and the command line ask for."""
