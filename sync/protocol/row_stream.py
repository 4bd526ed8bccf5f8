"""Rows of a catalogue edition as one stream of bytes, packed, and the difference of two of them.

    stream = frame*                 frame = length (3 bytes, big-endian) ‖ row
    row    = [book, kind, id, field …]      one canonical array; see `edition_rows` for the fields
    step   = [skip, 0]                      of the base: keep `skip` rows, leave out the next one
           | [skip, 1, (place, value) …]    … change fields of the next one
           | [skip, 2, row]                 … put a row before the next one

The digest of an edition is that of its stream; how the stream was packed does not matter, and a
difference has proved right when its result has the digest.

Invariants:
  R1  The same rows make the same stream: keys grow strictly, and each row has one byte form.
  R2  What `applied` makes of a base and `steps` between it and a target is the target.
  R3  Reading holds one row and a window of the packer at a time, whatever was sent: packed bytes
      that say more than was announced, or ask for more memory, end in `ProtocolError`.
"""

import lzma
from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import Final, TypeAlias

from client.domain.canon import Wire, decode_array, encode
from client.domain.errors import ProtocolError

Row: TypeAlias = list[Wire]

MAX_ROW_BYTES: Final = 1 << 20
_LENGTH: Final = 3
_KEY: Final = 3
"""The first values of a row are its key."""
_MEMORY_BYTES: Final = 32 << 20
_PIECE: Final = 1 << 16
_ARRAY: Final = 4
_STRINGS: Final = (2, 3)
_DIRECT: Final = 24
"""Lengths below this stand in the head itself; those of ids take one or two bytes more."""
_HEADS: Final = 4
SMALL: Final = 6
"""Packs for the link, with a window of 8 MiB, which is what its reader needs."""
QUICK: Final = 0
"""Packs for the disk of this machine."""


class Step(IntEnum):
    """What one step of a difference does."""

    REMOVE = 0
    CHANGE = 1
    INSERT = 2


def key_of(row: Row) -> bytes:
    """Give the bytes that rows are ordered by.

    Raises:
        ProtocolError: `message_invalid`: it has no key.
    """
    if len(row) <= _KEY:
        raise ProtocolError("message_invalid")
    return encode(row[:_KEY])


def group_of_row(row: bytes) -> bytes:
    """Give the form of the first value of a row without reading the rest: what it stands under.

    Raises:
        ProtocolError: `message_invalid`.
    """
    if len(row) < _HEADS or row[0] >> 5 != _ARRAY or row[1] >> 5 not in _STRINGS:
        raise ProtocolError("message_invalid")
    short = row[1] & 31
    width = max(0, short - _DIRECT + 1)
    length = short if not width else int.from_bytes(row[2 : 2 + width], "big")
    return row[1 : 2 + width + length]


def framed(rows: Iterable[bytes]) -> Iterator[bytes]:
    """Give the frames of rows, each already in its byte form.

    Raises:
        ProtocolError: `too_large`.
    """
    for row in rows:
        if len(row) > MAX_ROW_BYTES:
            raise ProtocolError("too_large")
        yield len(row).to_bytes(_LENGTH, "big") + row


def rows_in(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Take a stream apart into rows that nobody looked into (R3).

    Raises:
        ProtocolError: `too_large`, or `not_canonical` where it ends inside a frame.
    """
    held = bytearray()
    for chunk in chunks:
        held += chunk
        at = 0
        while len(held) - at >= _LENGTH:
            length = int.from_bytes(held[at : at + _LENGTH], "big")
            if length > MAX_ROW_BYTES:
                raise ProtocolError("too_large")
            end = at + _LENGTH + length
            if end > len(held):
                break
            yield bytes(held[at + _LENGTH : end])
            at = end
        del held[:at]
    if held:
        raise ProtocolError("not_canonical")


def packed(frames: Iterable[bytes], preset: int = SMALL) -> Iterator[bytes]:
    """Pack a stream; the pieces joined are what travels, or stays."""
    packer = lzma.LZMACompressor(lzma.FORMAT_XZ, check=lzma.CHECK_NONE, preset=preset)
    for frame in frames:
        if piece := packer.compress(frame):
            yield piece
    yield packer.flush()


def unpacked(chunks: Iterable[bytes], most: int) -> Iterator[bytes]:
    """Unpack what anybody packed, in pieces, at most `most` bytes (R3).

    Raises:
        ProtocolError: `too_large` or `not_canonical`.
    """
    opener = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MEMORY_BYTES)
    left = most
    try:
        for chunk in chunks:
            if opener.eof:
                raise ProtocolError("not_canonical")
            data = opener.decompress(chunk, max_length=_PIECE)
            while data:
                left -= len(data)
                if left < 0:
                    raise ProtocolError("too_large")
                yield data
                data = b"" if opener.eof else opener.decompress(b"", max_length=_PIECE)
    except (lzma.LZMAError, EOFError) as error:
        raise ProtocolError("not_canonical") from error
    if not opener.eof or opener.unused_data:
        raise ProtocolError("not_canonical")


def steps(base: Iterable[bytes], target: Iterable[bytes]) -> Iterator[bytes]:
    """Give the steps that make `target` of `base`; both are rows in order (R1, R2)."""
    old, new = iter(base), iter(target)
    before, after = _next(old), _next(new)
    skip = 0
    while before is not None or after is not None:
        if before == after:
            skip += 1
            before, after = _next(old), _next(new)
        elif after is None or (before is not None and _key(before) < _key(after)):
            yield encode([skip, Step.REMOVE])
            skip, before = 0, _next(old)
        elif before is not None and _key(before) == _key(after):
            yield from _change(skip, before, after)
            skip, before, after = 0, _next(old), _next(new)
        else:
            yield encode([skip, Step.INSERT, decode_array(after)])
            skip, after = 0, _next(new)


def applied(base: Iterable[bytes], changes: Iterable[bytes]) -> Iterator[bytes]:
    """Give the rows that steps make of a base (R2). What comes has still to prove its digest.

    Raises:
        ProtocolError: `message_invalid` or `not_canonical`.
    """
    rows = iter(base)
    for change in changes:
        skip, step, rest = _read_step(change)
        for _ in range(skip):
            yield _needed(rows)
        if step is Step.INSERT:
            yield encode(rest[0])
        elif step is Step.REMOVE:
            _needed(rows)
        else:
            yield encode(_changed(decode_array(_needed(rows)), rest))
    yield from rows


def in_order(rows: Iterable[bytes]) -> Iterator[Row]:
    """Read rows, each after the one before it (R1).

    Raises:
        ProtocolError: `message_invalid` or `not_canonical`.
    """
    before = b""
    for data in rows:
        row = decode_array(data)
        key = key_of(row)
        if key <= before:
            raise ProtocolError("message_invalid")
        before = key
        yield row


def _next(rows: Iterator[bytes]) -> bytes | None:
    return next(rows, None)


def _needed(rows: Iterator[bytes]) -> bytes:
    row = next(rows, None)
    if row is None:
        raise ProtocolError("message_invalid")
    return row


def _key(row: bytes) -> bytes:
    return key_of(decode_array(row))


def _change(skip: int, before: bytes, after: bytes) -> Iterator[bytes]:
    """Give the fields that differ; a row of another length goes and comes anew."""
    old, new = decode_array(before), decode_array(after)
    if len(old) != len(new):
        yield encode([skip, Step.REMOVE])
        yield encode([0, Step.INSERT, new])
        return
    fields: list[Wire] = []
    for place, (was, is_) in enumerate(zip(old, new, strict=True)):
        if was != is_:
            fields += [place, is_]
    yield encode([skip, Step.CHANGE, *fields])


def _read_step(data: bytes) -> tuple[int, Step, list[Wire]]:
    match decode_array(data):
        case [int(skip), 0] if skip >= 0:
            return skip, Step.REMOVE, []
        case [int(skip), 1, *fields] if skip >= 0 and len(fields) % 2 == 0:
            return skip, Step.CHANGE, fields
        case [int(skip), 2, list(row)] if skip >= 0:
            return skip, Step.INSERT, [row]
        case _:
            raise ProtocolError("message_invalid")


def _changed(row: Row, fields: list[Wire]) -> Row:
    for place, value in zip(fields[::2], fields[1::2], strict=True):
        if not isinstance(place, int) or not _KEY <= place < len(row):
            raise ProtocolError("message_invalid")
        row[place] = value
    return row
