"""Settings of a room: one frozen value, stored as one text per name (docs/settings.md).

Invariants:
  S1  A stored text that cannot be read counts as its default; it never stops the program.
  S2  Only a text that reads back is accepted when somebody sets it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Any, Final

from client.domain.errors import UserError
from client.domain.timetable import DEFAULT_BELLS, Bell


class ThemeChoice(Enum):
    """Colours of the app."""

    LIGHT = "light"
    DARK = "dark"
    AUTO = "auto"


class LinkKind(Enum):
    """What the room is connected by; decides how careful fetching is."""

    BROADBAND = "broadband"
    SATELLITE = "satellite"
    PHONE = "phone"
    SCHOOL = "school"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Hours of the day in which fetching is allowed, `begin` included, `end` not; may wrap."""

    begin: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings, with their defaults."""

    theme: ThemeChoice = ThemeChoice.AUTO
    type_scale: int = 100
    """Size of letters in per cent: 100, 125 or 150."""
    language: str = "zh_CN"
    low_power: bool = False
    """老机器模式: no motion, no shadow, picture capped at 720p."""
    rendition: str = "360p"
    """Which size of a video is fetched unless another is asked for."""
    link_kind: LinkKind = LinkKind.BROADBAND
    link_budget_mb: int = 0
    """Megabytes a day, 0 for no limit."""
    link_month_mb: int = 0
    """Megabytes a month, 0 for no limit."""
    link_cap_kbps: int = 0
    """Kilobits a second that content may take, 0 for no limit."""
    link_hours: Hours | None = None
    """None: at any hour."""
    lan_share: bool = False
    """Whether lessons go to and come from other PCs in this network."""
    store_quota_mb: int = 0
    """Megabytes that lessons may take on this disk, 0 for no limit."""
    store_floor_mb: int | None = None
    """Megabytes that lessons leave free; None: 2 GB or a tenth of the disk, what is less."""
    bells: tuple[Bell, ...] = DEFAULT_BELLS


_BELL: Final = re.compile(r"(\d{1,2}) (\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(_[A-Z][A-Za-z]{1,3})?")
_HOURS: Final = re.compile(r"(\d{1,2})-(\d{1,2})")
_SCALES: Final = (100, 125, 150)
_MAX_BELLS: Final = 20
_DAY_MINUTES: Final = 24 * 60
_MAX_AMOUNT: Final = 10_000_000
_LEAST_FLOOR_MB: Final = 300


def _scale(text: str) -> int:
    value = int(text)
    if value not in _SCALES:
        raise ValueError(text)
    return value


def _language(text: str) -> str:
    if not _LANGUAGE.fullmatch(text):
        raise ValueError(text)
    return text


def _switch(text: str) -> bool:
    return {"on": True, "off": False}[text]


def _rendition(text: str) -> str:
    if not re.fullmatch(r"[1-9]\d{2,3}p", text):
        raise ValueError(text)
    return text


def _amount(text: str) -> int:
    value = int(text)
    if not 0 <= value <= _MAX_AMOUNT:
        raise ValueError(text)
    return value


def _floor(text: str) -> int | None:
    if text == "auto":
        return None
    if _amount(text) < _LEAST_FLOOR_MB:
        raise ValueError(text)
    return int(text)


def _hours(text: str) -> Hours | None:
    if text == "any":
        return None
    match = _HOURS.fullmatch(text)
    if match is None or int(match[1]) > 23 or int(match[2]) > 24:  # noqa: PLR2004 - hours
        raise ValueError(text)
    return Hours(begin=int(match[1]), end=int(match[2]))


def _bells(text: str) -> tuple[Bell, ...]:
    found = [_BELL.fullmatch(part.strip()) for part in text.split(",")]
    bells = tuple(
        Bell(
            period=int(match[1]),
            begins=int(match[2]) * 60 + int(match[3]),
            ends=int(match[4]) * 60 + int(match[5]),
        )
        for match in found
        if match
    )
    numbers = [bell.period for bell in bells]
    if len(bells) != len(found) or len(bells) > _MAX_BELLS or numbers != sorted(set(numbers)):
        raise ValueError(text)
    if not all(0 <= bell.begins < bell.ends <= _DAY_MINUTES for bell in bells):
        raise ValueError(text)
    return bells


READERS: Final[Mapping[str, Callable[[str], Any]]] = MappingProxyType(
    {
        "theme": ThemeChoice,
        "type_scale": _scale,
        "language": _language,
        "low_power": _switch,
        "rendition": _rendition,
        "link_kind": LinkKind,
        "link_budget_mb": _amount,
        "link_month_mb": _amount,
        "link_cap_kbps": _amount,
        "link_hours": _hours,
        "lan_share": _switch,
        "store_quota_mb": _amount,
        "store_floor_mb": _floor,
        "bells": _bells,
    }
)
"""How the text of each setting is read; the names are those of `Settings`."""


def settings_of(texts: Mapping[str, str]) -> Settings:
    """Read stored texts; unknown names and unreadable texts are passed over (S1)."""
    values = {}
    for name, reader in READERS.items():
        if text := texts.get(name, ""):
            try:
                values[name] = reader(text)
            except (ValueError, KeyError):
                continue
    return Settings(**values)


def check_setting(name: str, text: str) -> None:
    """Refuse a setting that does not exist or a text it cannot hold; empty means the default.

    Raises:
        UserError: `setting_unknown` or `setting_unreadable`.
    """
    reader = READERS.get(name)
    if reader is None:
        raise UserError("setting_unknown", {"name": name})
    if not text:
        return
    try:
        reader(text)
    except (ValueError, KeyError) as error:
        raise UserError("setting_unreadable", {"name": name, "value": text}) from error


def write_bells(bells: tuple[Bell, ...]) -> str:
    """Write bells as the setting `bells` holds them."""
    return ",".join(
        f"{bell.period} {bell.begins // 60}:{bell.begins % 60:02}"
        f"-{bell.ends // 60}:{bell.ends % 60:02}"
        for bell in bells
    )
