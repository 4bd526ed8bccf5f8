"""A record's own document: its parts, their files and its class periods (PLATFORM §1.7).

Invariants:
  L1  Periods come from `resource_structure` where it says so, else from tags on the parts, else
      there are none; references to parts that do not exist are ignored.
  L2  A part whose code is not known is skipped and counted; a broken part costs only itself.
  L3  The bookmarks of an e-textbook are a part of their own: they are neither the book nor what
      makes it ready.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from client.domain.catalogue import FileUse, Lesson, LessonKind, Part, RemoteFile, Role
from client.domain.errors import ProtocolError
from client.domain.ids import PartId
from sync.source.addresses import AddressBook
from sync.source.platform.checks import (
    BadRecord,
    Json,
    child,
    each,
    items,
    maps,
    needed,
    seconds,
    text,
    texts,
    top_list,
    top_map,
)
from sync.source.platform.files import read_files
from sync.source.platform.records import read_tags, resource_title
from sync.source.platform.rules import PlatformRules

_REFERENCE: Final = re.compile(r"\$\.relations\.(\w+)(?:\[([^\]]*)\])?")
_MAX_DIGITS: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailReader:
    """Reads details with one platform's rules. Pure: no request leaves it."""

    rules: PlatformRules
    addresses: AddressBook

    def read(self, lesson: Lesson, document: object, path: str) -> tuple[Lesson, int]:
        """Add to `lesson` what its own document says.

        Returns:
            The lesson with parts and periods, and the number of broken records.

        Raises:
            ProtocolError: It is no detail of this lesson.
        """
        record = top_map(document, path)
        try:
            _expect(lesson, record)
            relations = child(record, "relations")
            if lesson.kind is LessonKind.TEXTBOOK or not relations:
                parts, broken = self._alone(lesson, record)
                periods: tuple[tuple[PartId, ...], ...] = (
                    (tuple(part.id for part in parts),) if parts else ()
                )
            else:
                parts, broken = self._related(lesson, relations)
                periods = self._periods(record, relations, parts)
        except BadRecord as error:
            raise ProtocolError("document_broken", {"path": path}) from error
        period_of = {part: number for number, period in enumerate(periods) for part in period}
        return replace(
            lesson,
            parts=tuple(replace(p, period=period_of.get(p.id, -1)) for p in parts),
            periods=periods,
            has_detail=True,
        ), broken

    def add_recordings(self, textbook: Lesson, document: object, path: str) -> tuple[Lesson, int]:
        """Add to an e-textbook the recordings that go with it, in their order.

        Returns:
            The e-textbook, and the number of broken records.

        Raises:
            ProtocolError: It is no list.
        """
        broken = 0

        def read(record: Json) -> Part | None:
            nonlocal broken
            part, lost = self._part(textbook, record)
            broken += lost
            return part if part is not None and part.role is Role.AUDIO and part.files else None

        found, lost = each(top_list(document, path), read)
        unique = {part.id: part for part in (*textbook.parts, *found)}
        parts = tuple(replace(part, position=at) for at, part in enumerate(unique.values()))
        return replace(textbook, parts=parts), broken + lost

    def _alone(self, lesson: Lesson, record: Json) -> tuple[tuple[Part, ...], int]:
        """Read a record that is its own only part: e-textbooks and 吟唱."""
        part, broken = self._part(lesson, record)
        return (_with_bookmarks(part), broken) if part is not None and part.files else ((), broken)

    def _related(self, lesson: Lesson, relations: Json) -> tuple[tuple[Part, ...], int]:
        broken = 0

        def read(record: Json) -> Part | None:
            nonlocal broken
            part, lost = self._part(lesson, record)
            broken += lost
            return part

        found: list[Part] = []
        for key in relations:
            parts, lost = each(items(relations, key), read)
            found += parts
            broken += lost
        unique = {part.id: part for part in found}
        return tuple(replace(part, position=at) for at, part in enumerate(unique.values())), broken

    def _part(self, lesson: Lesson, record: Json) -> tuple[Part | None, int]:
        properties = child(record, "custom_properties")
        code = text(record, "resource_type_code")
        files, broken = read_files(record, self.addresses)
        role = self.rules.roles.get(code)
        if role is None:
            return None, broken + 1
        part = Part(
            id=PartId(needed(record, "id")),
            lesson=lesson.id,
            role=role,
            title=resource_title(record),
            label=text(properties, "alias_name") or text(record, "resource_type_code_name"),
            position=0,
            period=-1,
            duration_s=_duration(role, properties, files),
            files=files,
        )
        return part, broken

    def _periods(
        self, record: Json, relations: Json, parts: Sequence[Part]
    ) -> tuple[tuple[PartId, ...], ...]:
        known = {str(part.id): part.id for part in parts}
        periods = _by_structure(record, relations) or self._by_tags(relations)
        kept = (tuple(known[id_] for id_ in period if id_ in known) for period in periods)
        return tuple(period for period in kept if period)

    def _by_tags(self, relations: Json) -> list[list[str]]:
        """Group parts by their period tag, in the order the tags turn up."""
        groups: dict[str, list[str]] = {}
        for key in relations:
            for sub in maps(relations, key):
                for tag in read_tags(sub):
                    if tag.dimension == self.rules.dimensions.period:
                        groups.setdefault(tag.id, []).append(text(sub, "id"))
        return list(groups.values())


def _with_bookmarks(part: Part) -> tuple[Part, ...]:
    """Give a textbook and its bookmarks as two parts (L3)."""
    marks = tuple(file for file in part.files if file.use is FileUse.BOOKMARKS)
    if part.role is not Role.TEXTBOOK or not marks:
        return (part,)
    book = replace(part, files=tuple(file for file in part.files if file not in marks))
    id_ = PartId(f"{part.id}.{Role.BOOKMARKS.value}")
    aside = replace(part, id=id_, role=Role.BOOKMARKS, label="", position=1, files=marks)
    return (book, aside)


def _expect(lesson: Lesson, record: Json) -> None:
    if needed(record, "id") != lesson.id:
        raise BadRecord


def _by_structure(record: Json, relations: Json) -> list[list[str]]:
    """Follow `res_ref` of every class hour: `[*]`, a list of indices, or no index at all."""
    ids = {key: _ids(relations, key) for key in relations}
    periods: list[list[str]] = []
    for hour in maps(child(record, "resource_structure"), "relations"):
        members: list[str] = []
        for reference in texts(hour, "res_ref"):
            members += _referred(reference, ids)
        periods.append(members)
    return [period for period in periods if period]


def _ids(relations: Json, key: str) -> list[str]:
    """Give the ids in order; indices count broken entries too, so these stand as empty."""
    return [
        value if isinstance(item, dict) and isinstance(value := item.get("id"), str) else ""
        for item in items(relations, key)
    ]


def _referred(reference: str, ids: Mapping[str, Sequence[str]]) -> list[str]:
    match = _REFERENCE.fullmatch(reference.strip())
    if match is None:
        return []
    listed = ids.get(match.group(1), ())
    chosen = match.group(2)
    if chosen is None or chosen.strip() == "*":
        return list(listed)
    steps = (step.strip() for step in chosen.split(","))
    indices = (int(step) for step in steps if step.isdecimal() and len(step) <= _MAX_DIGITS)
    return [listed[index] for index in indices if index < len(listed)]


def _duration(role: Role, properties: Json, files: Sequence[RemoteFile]) -> float:
    """Give the length of a video or recording, 0.0 for everything else."""
    if role not in (Role.VIDEO, Role.EXPERIMENT, Role.AUDIO):
        return 0.0
    measured = max((file.duration_s for file in files), default=0.0)
    return measured or seconds(text(properties, "duration"))
