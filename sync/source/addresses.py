"""Which addresses may be asked, and where they are reached.

Invariants:
  A1  Without a base only https addresses of the listed hosts are reachable. With a base only
      addresses under it: as they stand, or as a platform host that is found below the base.
  A2  An address that names user, odd port, parent folders or a part of the platform that is
      never talked to (the key service) is refused.
  A3  Hosts of one family are interchangeable; the one that answered last is asked first.
"""

import threading
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from client.domain.catalogue import RemoteFile
from client.domain.errors import ProtocolError

DATA_FILE: Final = Path(__file__).resolve().parents[2] / "assets" / "platform.toml"
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
CATALOGUE: Final = "catalogue"
MEDIA: Final = "media"
_HTTPS_PORT: Final = 443


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosts:
    """The platform's hosts as data."""

    domain: str
    families: Mapping[str, tuple[str, ...]]
    private: frozenset[str]
    never: frozenset[str]

    def family_of(self, name: str) -> tuple[str, ...]:
        """Give the interchangeable hosts `name` belongs to, only itself when it has none."""
        return next((family for family in self.families.values() if name in family), (name,))

    @property
    def listed(self) -> frozenset[str]:
        """All names that may be asked without a base."""
        return frozenset(name for family in self.families.values() for name in family)


def load_hosts(path: Path = DATA_FILE) -> Hosts:
    """Read the hosts from `platform.toml`."""
    with path.open("rb") as file:
        data = tomllib.load(file)
    families = {name: tuple(hosts) for name, hosts in data["families"].items()}
    private = frozenset(name for family in data["private"]["families"] for name in families[family])
    return Hosts(
        domain=data["domain"], families=families, private=private, never=frozenset(data["never"])
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """An address taken apart: platform host (empty if the base has none) and path with query."""

    name: str
    path: str


class AddressBook:
    """Turns addresses of documents into reachable ones. May be used from any thread.

    Args:
        base: Address all hosts are found below, e.g. `http://127.0.0.1:8099`; None for the
            platform's own hosts.
        hosts: The platform's hosts, by default those of `platform.toml`.

    Raises:
        ProtocolError: `address_refused` if `base` is no plain http(s) address.
    """

    def __init__(self, base: str | None = None, hosts: Hosts | None = None) -> None:
        self._hosts = hosts or load_hosts()
        self._base = _checked_base(base) if base else None
        self._lock = threading.Lock()
        self._good: dict[tuple[str, ...], str] = {}
        """Family to the name that answered last. Guarded by `_lock`."""

    @property
    def is_loopback(self) -> bool:
        """Tell whether everything is reached on this machine: a test peer, no pace needed."""
        return self._base is not None and urlsplit(self._base).hostname in LOOPBACK

    def resolve(self, url: str, family: str = CATALOGUE) -> tuple[str, ...]:
        """Give the reachable addresses of `url`, the best first.

        Args:
            url: A full address as documents hold it, or a path of `family`.
            family: Which hosts hold a bare path.

        Raises:
            ProtocolError: `address_refused`.
        """
        place = self._place(url, family)
        return tuple(self._address(name, place.path) for name in self._ordered(place.name))

    def redirect(self, url: str) -> str:
        """Give the one reachable address of a redirect's target."""
        place = self._place(url, CATALOGUE)
        return self._address(place.name, place.path)

    def media_urls(self, file: RemoteFile) -> tuple[str, ...]:
        """Give all reachable addresses of a file, the best first, each once.

        Raises:
            ProtocolError: `address_refused` if none of its addresses may be asked.
        """
        found: list[str] = []
        refused: ProtocolError | None = None
        for url in file.urls or (file.path,):
            try:
                found += self.resolve(url, MEDIA)
            except ProtocolError as error:
                refused = error
        if not found and refused is not None:
            raise refused
        return tuple(dict.fromkeys(found))

    def path_of(self, url: str) -> str:
        """Give the host-less path, the identity of a document or file."""
        return self._place(url, CATALOGUE).path

    def logical(self, url: str) -> str:
        """Give the platform's own address of what a document names, whatever the base.

        What is kept must outlive the base it was read from.

        Raises:
            ProtocolError: `address_refused`.
        """
        place = self._place(url, CATALOGUE)
        return f"https://{place.name}.{self._hosts.domain}{place.path}" if place.name else url

    def is_private(self, url: str) -> bool:
        """Tell whether a reachable address belongs to a host that asks for the school's login."""
        try:
            return self._place(url, CATALOGUE).name in self._hosts.private
        except ProtocolError:
            return False

    def worked(self, url: str) -> None:
        """Note that this reachable address answered: its host is asked first from now on."""
        name = self._place(url, CATALOGUE).name
        with self._lock:
            self._good[self._hosts.family_of(name)] = name

    def failed(self, url: str) -> None:
        """Note that this reachable address did not answer: others are asked first."""
        name = self._place(url, CATALOGUE).name
        family = self._hosts.family_of(name)
        with self._lock:
            if name in family and self._good.get(family, family[0]) == name:
                self._good[family] = family[(family.index(name) + 1) % len(family)]

    def _ordered(self, name: str) -> Sequence[str]:
        family = self._hosts.family_of(name)
        with self._lock:
            first = self._good.get(family, name)
        start = family.index(first)
        return family[start:] + family[:start]

    def _address(self, name: str, path: str) -> str:
        if self._base is None:
            return f"https://{name}.{self._hosts.domain}{path}"
        return f"{self._base}/{name}{path}" if name else f"{self._base}{path}"

    def _place(self, url: str, family: str) -> _Place:
        place = self._taken_apart(url, family)
        steps = unquote(place.path).split("/")
        first = place.name or steps[1]
        if first in self._hosts.never or ".." in steps:
            raise refused_address(url)
        return place

    def _taken_apart(self, url: str, family: str) -> _Place:
        if url.startswith("/") and not url.startswith("//"):
            return _Place(name=self._hosts.families[family][0], path=url)
        if self._base is not None and url.startswith(self._base + "/"):
            return self._below_base(url.removeprefix(self._base))
        parts = _split(url)
        name = (parts.hostname or "").removesuffix("." + self._hosts.domain)
        is_ours = name != parts.hostname and (self._base is not None or name in self._hosts.listed)
        if not (is_ours and "." not in name and name and _is_plain(parts) and parts.path):
            raise refused_address(url)
        return _Place(name=name, path=_path_and_query(parts))

    def _below_base(self, rest: str) -> _Place:
        """Take `/NAME/path` apart if NAME is a known host, else leave it as it stands."""
        name, slash, path = rest[1:].partition("/")
        if slash and name in self._hosts.listed:
            return _Place(name=name, path="/" + path)
        return _Place(name="", path=rest)


def refused_address(url: str) -> ProtocolError:
    """Make the error for an address that may not be asked."""
    return ProtocolError("address_refused", {"url": url[:200]})


def _checked_base(base: str) -> str:
    parts = _split(base)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
        raise refused_address(base)
    return base.rstrip("/")


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise refused_address(url) from error
    return parts


def _is_plain(parts: SplitResult) -> bool:
    is_usual_port = parts.port in (None, _HTTPS_PORT)
    return parts.scheme == "https" and is_usual_port and parts.username is None


def _path_and_query(parts: SplitResult) -> str:
    return parts.path + (f"?{parts.query}" if parts.query else "")
