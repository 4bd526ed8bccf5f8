"""Making a PC ready to be copied: what must differ between copies is taken away (`seal-image`).

Without it two copies of a disk write on under one name. Nothing is lost by that, but each of them
has to find it out.

Invariants:
  IM1  Facts that no hub is known to hold are not deleted unless somebody is sure.
  IM2  A death in the middle leaves a profile that opens; the key goes first and the facts last.
"""

from typing import Final

from client.domain.clock import Clock
from client.domain.errors import UserError
from client.domain.record.bodies import EventType
from client.service.paths import Profile
from client.store.disk import disk_errors
from client.store.durable import sync_folder
from client.store.presence import Presence
from client.store.repair import FILE, KEY_COPY, KEY_FILE, LOCK_FILE, open_journal
from client.store.sentinel import Sentinel

_NO_FACTS: Final = frozenset({EventType.INCARNATION.value, EventType.GOES_ON.value})


def seal_image(profile: Profile, clock: Clock, sentinel: Sentinel, *, is_sure: bool) -> int:
    """Delete keys, sentinel and journal of a profile; the next start begins as a new PC. Blocking.

    Returns:
        How many facts were deleted here.

    Raises:
        UserError: `image_has_facts`: some are known to no hub, and `is_sure` is not given (IM1);
            `image_in_use`: Tongke is open.
        StorageError: The disk refuses.
    """
    facts = 0
    if (profile.folder / FILE).exists():
        journal = open_journal(profile.folder, clock).journal
        try:
            facts = sum(event.type not in _NO_FACTS for _, event in journal.events())
            is_safe = journal.is_acknowledged()
        finally:
            journal.close()
        if facts and not is_safe and not is_sure:
            raise UserError("image_has_facts", {"n": facts})
    presence = Presence(profile.folder / LOCK_FILE)
    try:
        with presence.alone() as is_alone:
            if not is_alone:
                raise UserError("image_in_use")
            _delete(profile, sentinel)
    finally:
        presence.close()
    return facts


def _delete(profile: Profile, sentinel: Sentinel) -> None:
    folder = profile.folder
    with disk_errors():
        for key in (folder / KEY_FILE, folder / KEY_COPY):
            # Also those that were set aside, and what a death left half written.
            for path in key.parent.glob(f"{key.name}*"):
                path.unlink(missing_ok=True)
        for path in (folder, (folder / KEY_COPY).parent):
            if path.exists():
                sync_folder(path)
    sentinel.remove()
    journal = folder / FILE
    copies = [*folder.glob(f"{journal.stem}.backup-*"), *folder.glob(f"{FILE}.damaged-*")]
    with disk_errors():
        for path in (*copies, *folder.glob(f"{FILE}-*"), journal):
            path.unlink(missing_ok=True)
        sync_folder(folder)
