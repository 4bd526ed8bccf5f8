"""Typed identifiers: a lesson id is no part id, and the type checker knows it."""

from typing import NewType

SourceId = NewType("SourceId", str)
"""Where a lesson comes from: `platform`, `folder-<8 hex>`, `demo`."""
BookId = NewType("BookId", str)
"""A textbook: the platform's teaching-material id, or `book-<hex>` from a folder."""
SectionId = NewType("SectionId", str)
"""A node of a book's chapter tree."""
LessonId = NewType("LessonId", str)
"""The platform's resource id as it stands, or `f-<16 hex>` for a lesson that came in a folder."""
PartId = NewType("PartId", str)
"""A sub-resource (one video, one task sheet) of a lesson; unique in the catalogue."""
ClassId = NewType("ClassId", str)
"""A class group of this room, e.g. `c3` for 三年级. Never a pupil."""
SittingId = NewType("SittingId", str)
"""One time a class was taught: 16 hex digits, made when it starts."""
Digest = NewType("Digest", str)
"""SHA-256 of bytes as 64 lower-case hex digits: the name of a blob."""
EventId = NewType("EventId", bytes)
"""First 16 bytes of an event's hash (SYNC §1.1)."""
