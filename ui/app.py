"""The main window: rail, top bar and pages."""
