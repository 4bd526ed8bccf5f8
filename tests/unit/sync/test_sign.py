"""N1 and N2: who is given credentials, and by which clock they are signed."""

import base64
import hashlib
import hmac
import re

from client.domain.clock import FrozenClock
from client.service.secrets import Token
from sync.protocol.nd_auth import mac_header
from sync.transport.sign import MediaSigner

PRIVATE = "https://r1-ndr-private.ykt.cbern.com.cn/a%20b.ts?x=1"
PUBLIC = "https://r1-ndr.ykt.cbern.com.cn/a.jpg"
KEYED = Token(access_token="T", mac_key="K")


def signer(token: Token | None, clock: FrozenClock | None = None) -> MediaSigner:
    return MediaSigner(lambda: token, clock or FrozenClock(), lambda url: "-private." in url)


def moment_ms(headers) -> int:
    found = re.search(r'nonce="(\d+):(\w{8})"', headers["X-ND-AUTH"])
    assert found is not None
    return int(found[1])


def test_the_signature_is_that_of_the_platform() -> None:
    header = mac_header(
        access_token="T", mac_key="K", nonce="1:abcdefgh", method="GET", target="/a?b", host="h:1"
    )
    text = b"1:abcdefgh\nGET\n/a?b\nh:1\n"
    mac = base64.b64encode(hmac.new(b"K", text, hashlib.sha256).digest()).decode()
    assert header == f'MAC id="T",nonce="1:abcdefgh",mac="{mac}"'


def test_only_private_hosts_are_given_anything() -> None:  # N1
    assert signer(KEYED)(PUBLIC) == {}
    assert signer(None)(PRIVATE) == {}
    assert signer(Token(access_token="T"))(PRIVATE) == {"Authorization": "Bearer T"}
    assert list(signer(KEYED)(PRIVATE)) == ["X-ND-AUTH"]


def test_every_request_has_its_own_nonce() -> None:  # N2
    sign = signer(KEYED)
    assert len({sign(PRIVATE)["X-ND-AUTH"] for _ in range(20)}) == 20


def test_the_clock_is_the_platforms_as_far_as_it_is_known() -> None:  # N2
    clock = FrozenClock()
    here = int(clock.at.timestamp() * 1000)
    assert moment_ms(signer(KEYED, clock)(PRIVATE)) == here
    told = signer(Token(access_token="T", mac_key="K", diff_ms=5000), clock)
    assert moment_ms(told(PRIVATE)) == here + 5000
    told.saw(PUBLIC, {"date": "Tue, 18 May 2038 01:16:00 GMT"})
    told.saw(PRIVATE, {"date": "some day"})
    told.saw(PRIVATE, {})
    assert moment_ms(told(PRIVATE)) == here + 5000
    told.saw(PRIVATE, {"date": "Tue, 18 May 2027 04:16:00 GMT"})
    assert moment_ms(told(PRIVATE)) == here + 3 * 3600 * 1000
    told.saw(PRIVATE, {"date": "Tue, 18 May 2027 01:16:07 GMT"})
    assert moment_ms(told(PRIVATE)) == here  # a few seconds are the answer's own way


def test_the_token_is_asked_for_once_until_another_is_saved() -> None:
    asked: list[int] = []

    def token() -> Token:
        asked.append(1)
        return Token(access_token=f"T{len(asked)}")

    sign = MediaSigner(token, FrozenClock(), lambda url: True)
    assert asked == []
    assert sign(PRIVATE) == sign(PRIVATE) == {"Authorization": "Bearer T1"}
    sign.forget()
    assert sign(PRIVATE) == {"Authorization": "Bearer T2"}
