"""Tag trees and chapter trees (PLATFORM §1.3, §1.5).

Invariants:
  X1  Depth is whatever the document says; nothing is known of levels beforehand.
  X2  A broken node costs itself and what hangs below it, never its siblings.
"""

from collections.abc import Iterator
from typing import Final

from client.domain.catalogue import Section, Tag, TagNode
from client.domain.errors import ProtocolError
from client.domain.ids import BookId, SectionId
from sync.source.platform.checks import (
    BadRecord,
    Json,
    as_map,
    child,
    items,
    needed,
    text,
    texts,
    top_list,
    top_map,
)

_MAX_DEPTH: Final = 32


def read_tag_tree(document: object, path: str) -> tuple[TagNode, ...]:
    """Read a tag tree: its root, then every node after its parent.

    Raises:
        ProtocolError: It is no tag tree.
    """
    record = top_map(document, path)
    try:
        root = text(record, "tag_path") or path
        items(record, "hierarchies")
    except BadRecord as error:
        raise ProtocolError("document_broken", {"path": path}) from error
    top = TagNode(
        path=root, parent="", position=0, tag=Tag(dimension="", id=root, name=""), is_hidden=False
    )
    return (top, *_levels(record, root, 0))


def _levels(record: Json, parent: str, depth: int) -> Iterator[TagNode]:
    """Yield what hangs below `record`. One node may have several levels of its own."""
    position = 0
    for level in _objects(record, "hierarchies"):
        hidden = _hidden(level)
        for node in _objects(level, "children"):
            try:
                tag = Tag(
                    dimension=text(node, "tag_dimension_id"),
                    id=needed(node, "tag_id"),
                    name=text(node, "tag_name"),
                )
            except BadRecord:
                continue
            path = f"{parent}/{tag.id}"
            yield TagNode(
                path=path, parent=parent, position=position, tag=tag, is_hidden=tag.id in hidden
            )
            position += 1
            if depth < _MAX_DEPTH:
                yield from _levels(node, path, depth + 1)


def _hidden(level: Json) -> frozenset[str]:
    try:
        return frozenset(texts(child(level, "ext"), "hidden_tags"))
    except BadRecord:
        return frozenset()


def _objects(record: Json, key: str) -> Iterator[Json]:
    """Yield the objects in an array, passing over everything else."""
    try:
        values = items(record, key)
    except BadRecord:
        return
    for value in values:
        try:
            yield as_map(value)
        except BadRecord:
            continue


def read_sections(document: object, path: str, book: BookId) -> tuple[Section, ...]:
    """Read a chapter tree in reading order, parents before children.

    Raises:
        ProtocolError: It is no chapter tree.
    """
    found: list[Section] = []
    taken: set[str] = set()

    def walk(node: Json, parent: SectionId | None, depth: int) -> None:
        try:
            section = SectionId(needed(node, "id"))
            title = text(node, "title")
        except BadRecord:
            return
        if section in taken or depth > _MAX_DEPTH:
            return
        taken.add(section)
        found.append(
            Section(id=section, book=book, parent=parent, position=len(found), title=title)
        )
        for below in _objects(node, "child_nodes"):
            walk(below, section, depth + 1)

    for top in top_list(document, path):
        if isinstance(top, dict):
            walk(top, None, 0)
    return tuple(found)
