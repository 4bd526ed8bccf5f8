"""A deterministic simulator of schools: one seed is one history and one digest (SYNC §6.1).

`python -m tests.torture --histories 5000 --seed 1 --json` runs histories, checks what an observer
outside of the product noted, and then runs faulty variants of the logic until each is caught.
"""
