"""`ti_items`: the files of one record, each distinct file once (PLATFORM §1.8).

Invariants:
  F1  Flags that point at one path are one file; folders are no files, but their page count is
      kept for the document beside them.
  F2  A file is protected if any of three marks says so: encryption `drm`, a requirement
      `encryption` of "true", `-true-` in its name; on any of the entries that point at it.
  F3  The identity of a file is its path without host: which mirror an entry names is noise.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from client.domain.catalogue import FileUse, RemoteFile
from client.domain.errors import ProtocolError
from sync.source.addresses import AddressBook
from sync.source.platform.checks import (
    BadRecord,
    Json,
    child,
    digits,
    each,
    items,
    maps,
    needed,
    number,
    seconds,
    text,
    texts,
)

_STORED: Final = "cs_path:${ref-path}"
_PROTECTED_NAME: Final = "-true-"
_MD5: Final = re.compile(r"[0-9a-fA-F]{32}")
_BOOKMARKS: Final = "ebook_mapping"
_USES: Final[Mapping[str, FileUse]] = {
    "m3u8": FileUse.RENDITION,
    "pdf": FileUse.DOCUMENT,
    "mp3": FileUse.AUDIO,
    "m4a": FileUse.AUDIO,
    "wav": FileUse.AUDIO,
    "ogg": FileUse.AUDIO,
    "jpg": FileUse.IMAGE,
    "jpeg": FileUse.IMAGE,
    "png": FileUse.IMAGE,
    "mp4": FileUse.VIDEO_FILE,
}


def read_files(record: Json, addresses: AddressBook) -> tuple[tuple[RemoteFile, ...], int]:
    """Read all files of a record.

    Returns:
        The distinct files in the order of the record, and the number of broken entries.
    """
    pages = 0
    files: dict[str, RemoteFile] = {}

    def read(entry: Json) -> RemoteFile | None:
        nonlocal pages
        needs = _requirements(entry)
        pages = max(pages, digits(needs.get("pagesize", "")))
        return None if text(entry, "ti_format") == "folder" else _file(entry, needs, addresses)

    found, broken = each(items(record, "ti_items"), read)
    for file in found:
        known = files.get(file.path)
        files[file.path] = file if known is None else _merged(known, file)
    return tuple(_with_pages(file, pages) for file in files.values()), broken


def _file(entry: Json, needs: Mapping[str, str], addresses: AddressBook) -> RemoteFile:
    format_ = needed(entry, "ti_format")
    urls = tuple(_allowed(texts(entry, "ti_storages"), addresses))
    path = _path(entry, urls, addresses)
    md5, flag = text(entry, "ti_md5"), text(entry, "ti_file_flag")
    use = _USES.get(format_.lower(), FileUse.OTHER)
    return RemoteFile(
        path=path,
        urls=urls,
        format=format_,
        flags=(flag,),
        use=FileUse.BOOKMARKS if flag == _BOOKMARKS else use,
        md5=md5.lower() if _MD5.fullmatch(md5) else "",
        size_bytes=number(entry, "ti_size"),
        is_protected=_is_protected(entry, needs, path),
        height=digits(needs.get("Height", "")) if format_ == "m3u8" else 0,
        total_bytes=digits(needs.get("total_size", "")),
        segments=digits(needs.get("count", "")),
        duration_s=seconds(needs.get("Duration", "")),
        pages=digits(needs.get("pagesize", "")),
    )


def _path(entry: Json, urls: tuple[str, ...], addresses: AddressBook) -> str:
    stored = text(entry, "ti_storage")
    if stored.startswith(_STORED + "/"):
        return stored.removeprefix(_STORED)
    if not urls:
        raise BadRecord
    return addresses.path_of(urls[0])


def _allowed(urls: Iterable[str], addresses: AddressBook) -> Iterator[str]:
    """Give the addresses that may be asked, free of the base they were read from."""
    for url in urls:
        try:
            yield addresses.logical(url)
        except ProtocolError:
            continue


def _requirements(entry: Json) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for need in maps(child(entry, "custom_properties"), "requirements"):
        value = need.get("value")
        if isinstance(value, str):
            found[text(need, "name")] = value
    return found


def _is_protected(entry: Json, needs: Mapping[str, str], path: str) -> bool:
    names = (path, *texts(entry, "ti_storages"))
    return (
        text(child(entry, "custom_properties"), "encryption").lower() == "drm"
        or needs.get("encryption", "").lower() == "true"
        or any(_PROTECTED_NAME in name.rpartition("/")[2] for name in names)
    )


def _merged(known: RemoteFile, other: RemoteFile) -> RemoteFile:
    return replace(
        known,
        urls=tuple(dict.fromkeys(known.urls + other.urls)),
        flags=known.flags + other.flags,
        md5=known.md5 or other.md5,
        size_bytes=known.size_bytes or other.size_bytes,
        is_protected=known.is_protected or other.is_protected,
        pages=max(known.pages, other.pages),
    )


def _with_pages(file: RemoteFile, pages: int) -> RemoteFile:
    if file.use is FileUse.DOCUMENT and file.pages == 0:
        return replace(file, pages=pages)
    return file
