"""The log of a room: events, what they say, and the fold that reads them in any order.

`event` is the hash-chained envelope, `bodies` what each type says (the table of
docs/protocol.md), `fold` the three merge shapes, `segment` signed runs of events. Pure: no IO.
"""
