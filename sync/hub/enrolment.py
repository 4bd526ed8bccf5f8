"""Letting nodes in by code, and the care of codes and nodes.

Invariants:
  N1  Only a proof made with a present code enrols, and only the key that signed the request.
  N2  A code for one school enrols for that school whatever the applicant says.
  N3  A school is its id. The first of a name gets the id that all hubs give to this name, others
      of the same name one that is drawn; where a name alone does not tell the school, nobody is
      enrolled.
  N4  What was let in, sent away or refused stands in the audit log; refusals of strangers at most
      once in a second, with how many there were, so that nobody fills the disk.
"""

import secrets
import threading
from collections.abc import Callable
from typing import Final

from client.domain.clock import Clock
from client.domain.errors import ClassroomError, UserError
from client.domain.signer import Signer, Verify
from sync.hub.ports import Audit, Code, Directory, Node, Role
from sync.protocol.enrol import (
    Grant,
    Hello,
    check_applicant,
    code_key,
    is_proven,
    make_code,
    pack_grant,
    read_enrol,
    site_of,
)
from sync.protocol.exchange import NAME_BYTES, node_of

_QUIET_S: Final = 1.0


class Registrar:
    """Answers requests for enrolment.

    Args:
        signer: The hub's key.
        hello: What the hub says of itself; proofs hold for it alone.
        directory: Keeps who is enrolled.
        audit: Hears of every decision.
        verify: Checks signatures.
    """

    def __init__(
        self, signer: Signer, hello: Hello, directory: Directory, audit: Audit, verify: Verify
    ) -> None:
        self._signer = signer
        self._hello = hello
        self._directory = directory
        self._audit = audit
        self._verify = verify

    def answer(self, data: bytes) -> bytes:
        """Enrol whoever proves to know a code, and give the reply. Any thread may call.

        Raises:
            ProtocolError: `not_canonical`, `message_invalid`, `too_large`, `version_unknown` or
                `signature_bad`.
            UserError: `code_unknown`, `school_ambiguous` or `node_revoked`.
            StorageError: The disk refused; nobody was enrolled.
        """
        request = read_enrol(data)
        applicant = request.applicant
        # All are tried: how long it takes tells nothing of which one it was.
        codes = self._directory.codes()
        proven = [code for code in codes if is_proven(request, self._hello, code.key)]
        if not proven:
            raise UserError("code_unknown")
        check_applicant(request, self._hello, self._verify)
        code = proven[0]
        known = self._directory.find(node_of(applicant.key))
        grant = granted(code, applicant.school, known, self._directory)
        node = Node(
            key=applicant.key,
            role=code.role,
            site=grant.site,
            school=grant.school,
            room=applicant.room,
            machines=(applicant.machine,),
        )
        if known is not None and known.is_revoked:
            raise UserError("node_revoked")
        enrolled = self._directory.enrol(node)
        self._audit.note("enrolled", **described(enrolled))
        return pack_grant(grant, applicant, self._hello, code.key, self._signer)


class Refusals:
    """Notes refusals without letting strangers fill the disk (N4). Any thread may call."""

    def __init__(self, audit: Audit, clock: Clock) -> None:
        self._audit = audit
        self._clock = clock
        self._gate = threading.Lock()
        self._last_s = -_QUIET_S
        self._unsaid = 0

    def note(self, error: ClassroomError, door: str, address: str) -> None:
        """Hear that `door` refused somebody."""
        now = self._clock.monotonic()
        with self._gate:
            if now - self._last_s < _QUIET_S:
                self._unsaid += 1
                return
            self._last_s, unsaid, self._unsaid = now, self._unsaid, 0
        values = {"why": error.code, "door": door, "from": address}
        self._audit.note("refused", **values, **({"more": str(unsaid)} if unsaid else {}))


def granted(code: Code, school: str, known: Node | None, directory: Directory) -> Grant:
    """Decide under which school a code enrols (N2, N3).

    | code for a school | role | enrolled before, under this name | site                     |
    |-------------------|------|----------------------------------|--------------------------|
    | yes               | any  | -                                | of that school           |
    | no                | hub  | -                                | all                      |
    | no                | room | yes                              | as before                |
    | no                | room | no                               | the school of this name  |

    Raises:
        UserError: `school_ambiguous`: there are several schools of this name.
    """
    if code.site:
        return Grant(site=code.site, school=code.school)
    if code.role is Role.HUB:
        return Grant(site=b"", school="")
    if known is not None and known.site and site_of(known.school) == site_of(school):
        return Grant(site=known.site, school=school)
    return Grant(site=the_site(directory, school), school=school)


def sites_named(directory: Directory, school: str) -> tuple[bytes, ...]:
    """List the schools that people call so, those of codes included."""
    name = site_of(school)
    rows: tuple[Node | Code, ...] = (*directory.nodes(), *directory.codes())
    found = (one.site for one in rows if one.site and site_of(one.school) == name)
    return tuple(dict.fromkeys(found))


def the_site(directory: Directory, school: str) -> bytes:
    """Give the school of a name, also if it is the first one (N3).

    Raises:
        UserError: `school_ambiguous`.
    """
    found = sites_named(directory, school) or (site_of(school),)
    if len(found) > 1:
        raise UserError("school_ambiguous")
    return found[0]


def new_site() -> bytes:
    """Draw an id for another school of a name that is taken (N3)."""
    return secrets.token_bytes(NAME_BYTES)


def add_code(
    directory: Directory,
    audit: Audit,
    *,
    site: bytes = b"",
    school: str = "",
    role: Role = Role.ROOM,
    write: Callable[[str], None] = lambda _code: None,
) -> str:
    """Draw a code and keep its key; the code itself is returned and told to `write`, never kept.

    It holds for the school `site`, which people call `school`; for whichever is named if empty.

    `write` is called before the code holds: if it raises there is no code.
    """
    text = make_code()
    write(text)
    code = Code(key=code_key(text), role=role, site=site, school=school)
    directory.set_codes((*directory.codes(), code))
    audit.note("code_made", role=role.value, site=site.hex(), school=school)
    return text


def close_codes(directory: Directory, audit: Audit) -> int:
    """Withdraw all codes and tell how many there were. Who is enrolled stays so."""
    count = len(directory.codes())
    directory.set_codes(())
    audit.note("codes_closed", count=str(count))
    return count


def revoke(directory: Directory, audit: Audit, name: str) -> Node:
    """Refuse a node from now on. `name` is its short name in hexadecimal digits.

    Raises:
        UserError: `node_unknown`.
    """
    try:
        short = bytes.fromhex(name)
    except ValueError as error:
        raise UserError("node_unknown") from error
    node = directory.revoke(short)
    audit.note("revoked", **described(node))
    return node


def described(node: Node) -> dict[str, str]:
    """Name a node for people."""
    return {
        "node": node.name.hex(),
        "role": node.role.value,
        "site": node.site.hex(),
        "school": node.school,
        "room": node.room,
    }
