"""What a hub says when it does not answer: an HTTP status and `[1, code]` or `[1, code, seconds]`.

The status is for whatever stands between; rooms believe neither it nor the body: both are unsigned.

Invariants:
  F1  Every code that a hub may refuse with has one status; an unknown code is read as `busy`.
"""

from types import MappingProxyType
from typing import Final

from client.domain.canon import Wire, decode_array, encode
from client.domain.errors import ProtocolError
from sync.protocol.exchange import FORMAT

BUSY: Final = "busy"
STATUS_OF: Final = MappingProxyType(
    {
        "message_invalid": 400,
        "not_canonical": 400,
        "node_unknown": 401,
        "signature_bad": 401,
        "code_unknown": 401,
        "node_revoked": 403,
        "site_denied": 403,
        "school_ambiguous": 403,
        "not_found": 404,
        "method_wrong": 405,
        "too_slow": 408,
        "too_large": 413,
        "type_wrong": 415,
        "version_unknown": 426,
        "too_often": 429,
        BUSY: 503,
        "disk_full": 507,
    }
)
"""HTTP status by code."""

_MAX_BYTES: Final = 256


def pack_refusal(code: str, retry_after_s: int = 0) -> bytes:
    """Give the body of a refusal."""
    row: list[Wire] = [FORMAT, code]
    return encode([*row, retry_after_s] if retry_after_s else row)


def read_refusal(body: bytes) -> tuple[str, int] | None:
    """Read code and seconds to wait; None where no hub of ours wrote this body."""
    try:
        row = decode_array(body, max_bytes=_MAX_BYTES)
    except ProtocolError:
        return None
    match row:
        case [1, str(code)]:
            return (code if code in STATUS_OF else BUSY), 0
        case [1, str(code), int(seconds), *_] if seconds >= 0:
            return (code if code in STATUS_OF else BUSY), seconds
        case _:
            return None
