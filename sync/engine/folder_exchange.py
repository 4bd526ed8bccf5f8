"""An exchange whose answers come days later, in a folder that somebody carries.

Invariants:
  FX1  An answer is taken up once and then removed; taking it up again would change nothing.
  FX2  Only requests that this machine signed for this hub are taken up or removed; those of other
       rooms on the same stick are left alone, and so are those of a copy of this disk, which has
       the same key and other things to say.
"""

from dataclasses import replace

from client.domain.errors import ProtocolError
from client.domain.record.segment import covers
from client.domain.record.vector import Vector
from sync.engine.exchange import Ask, ExchangePorts, Outcome, Turn
from sync.protocol.exchange import Request, check_request, node_of, open_reply, read_request
from sync.transport.folder_carrier import FolderCarrier


def exchange_by_folder(ports: ExchangePorts, carrier: FolderCarrier) -> Outcome:
    """Take up what was answered and leave what is to be said. Blocking.

    Raises:
        StorageError: The folder or the log cannot keep it.
    """
    ports.seal()
    turn = Turn(ports)
    pulled_bytes = 0
    for name, envelope, answer in tuple(carrier.answers()):
        request = _own(ports, envelope)
        if request is None or not isinstance(request.have, Vector):
            continue
        try:
            reply = open_reply(answer, envelope, ports.hub_key, ports.verify)
            turn.take_in(
                Ask(have=request.have, here=request.have, segments=request.segments), reply
            )
        except ProtocolError:
            # Damaged on its way, or somebody's jest: it is asked again below.
            carrier.forget(name)
            continue
        pulled_bytes += len(answer)
        carrier.forget(name)
    # What was left and not answered yet is said again, with what is new, by what is left now.
    for name, envelope in tuple(carrier.open_requests()):
        if _own(ports, envelope) is not None:
            carrier.forget(name)
    left = 0
    for number, ask in enumerate(turn.everything()):
        carrier.ask(turn.envelope(ask), number)
        left += sum(one.seq - one.first + 1 for one in map(covers, ask.segments))
    return replace(turn.outcome, pulled_bytes=pulled_bytes, left_events=left)


def _own(ports: ExchangePorts, envelope: bytes) -> Request | None:
    """Read a request if this machine made it for this hub (FX2)."""
    own = node_of(ports.signer.public_key), ports.here.machine
    try:
        request = read_request(envelope)
        if (request.node, request.machine) != own:
            return None
        check_request(envelope, ports.signer.public_key, ports.hub_key, ports.verify)
    except ProtocolError:
        return None
    return request
