"""The platform's request signature, `X-ND-AUTH` (PLATFORM §2): a pure function.

The token belongs to a person of the school who logged in; nothing here obtains or renews one.
"""

import base64
import hashlib
import hmac
from typing import Final

HEADER: Final = "X-ND-AUTH"
SALT_LENGTH: Final = 8


def mac_header(
    *, access_token: str, mac_key: str, nonce: str, method: str, target: str, host: str
) -> str:
    """Give the value of the header for one request.

    Args:
        access_token: The session's id.
        mac_key: The session's key.
        nonce: `<milliseconds>:<8 characters>`; the platform judges it by its own clock.
        method: `GET`.
        target: Path and query exactly as sent.
        host: As in the Host header, with its port if one is sent.
    """
    text = f"{nonce}\n{method}\n{target}\n{host}\n".encode()
    mac = base64.b64encode(hmac.new(mac_key.encode(), text, hashlib.sha256).digest()).decode()
    return f'MAC id="{access_token}",nonce="{nonce}",mac="{mac}"'
