"""Values and rules. Pure: no IO, standard library only (cbor2 in canon.py)."""
