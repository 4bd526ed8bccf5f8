"""Headers that prove who asks, for private media hosts only.

Invariants:
  N1  Only addresses that `is_private` allows are given credentials; everybody else gets an
      empty mapping, also while there is no token.
  N2  With a MAC key each request has its own nonce; its time is the platform's, as far as it
      is known from the token file or from a `Date` the platform sent.
"""

import secrets
import string
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

from client.domain.clock import Clock
from client.service.secrets import Token
from sync.protocol.nd_auth import HEADER, SALT_LENGTH, mac_header
from sync.transport.port import NO_HEADERS

_SALT: Final = string.ascii_letters + string.digits
_NOTICEABLE_MS: Final = 30_000


class MediaSigner:
    """Signs requests of one source. May be used from several threads.

    Args:
        token: Gives the token, None when the school has none; asked once, at the first
            private address, since a keyring may be slow.
        clock: For the nonce.
        is_private: Tells the addresses of hosts that ask for a login.
    """

    def __init__(
        self,
        token: Callable[[], Token | None],
        clock: Clock,
        is_private: Callable[[str], bool],
    ) -> None:
        self._find_token = token
        self._clock = clock
        self._is_private = is_private
        self._token: Token | None = None
        self._asked = False
        self._offset_ms: int | None = None

    def __call__(self, url: str) -> Mapping[str, str]:
        """Give the headers for one address (N1)."""
        if not self._is_private(url):
            return NO_HEADERS
        token = self._known_token()
        if token is None:
            return NO_HEADERS
        if not token.mac_key:
            return {"Authorization": f"Bearer {token.access_token}"}
        parts = urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        return {
            HEADER: mac_header(
                access_token=token.access_token,
                mac_key=token.mac_key,
                nonce=self._nonce(token),
                method="GET",
                target=target,
                host=parts.netloc,
            )
        }

    def forget(self) -> None:
        """Ask for the token again next time: somebody saved another."""
        self._asked = False

    def saw(self, url: str, headers: Mapping[str, str]) -> None:
        """Learn the platform's clock from an answer of a private host (N2)."""
        if not self._is_private(url):
            return
        try:
            theirs = parsedate_to_datetime(headers.get("date", "")).timestamp() * 1000
            offset = int(theirs - self._clock.wall().timestamp() * 1000)
        except (TypeError, ValueError, OverflowError):
            return
        self._offset_ms = offset if abs(offset) > _NOTICEABLE_MS else 0

    def _known_token(self) -> Token | None:
        if not self._asked:
            self._token = self._find_token()
            self._asked = True
        return self._token

    def _nonce(self, token: Token) -> str:
        offset = token.diff_ms if self._offset_ms is None else self._offset_ms
        now_ms = int(self._clock.wall().timestamp() * 1000) + offset
        return f"{now_ms}:" + "".join(secrets.choice(_SALT) for _ in range(SALT_LENGTH))
