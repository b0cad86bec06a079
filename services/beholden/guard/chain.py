"""The life of a request: the places that every call passes, in order, and why in that order."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from beholden.core.caller import CALLER
from beholden.guard.call import Answer, Call, Next, Place
from beholden.guard.decision import Asking
from beholden.guard.errors import Errors
from beholden.guard.facts import Gathering
from beholden.guard.identity import Identity
from beholden.guard.limits import Limits
from beholden.guard.obligations import Obligations
from beholden.guard.recording import Recording
from beholden.guard.review import Withholding
from beholden.guard.streams import Renewal, messages, send_each
from beholden.guard.telemetry import Telemetry
from beholden.guard.validation import Validation


def places(
    *,
    telemetry: Telemetry,
    identity: Identity,
    limits: Limits,
    gathering: Gathering,
    asking: Asking,
    recording: Recording,
    renewal: Renewal,
    withholding: Withholding,
) -> Sequence[Place]:
    """Each place holds the ones below it: it sees the call before them, and their answer after."""
    return (
        telemetry,  # first, so that refusals are counted and timed too
        Errors(),  # next, so that every place below may raise, and one table says what callers see
        identity,  # nothing is received for somebody unknown, nor written: anybody could fill the ledger
        limits,  # per tenant, so after identity; before parsing, which is what large requests cost
        Validation(),  # facts are drawn from requests that are as the protos say
        gathering,  # all that the law may know, from who calls, what they declare and ask
        asking,  # nothing has been inferred yet, and if the law cannot be asked nothing will be
        recording,  # decision, or refusal, durable before anything is done; outcome before it is told
        renewal,  # a stream that is refused later is undone here, and the outcome above says so
        withholding,  # what people must look at first is what the obligations below leave of the answer
        Obligations(),  # the outcome written down is the answer as the caller gets it
    )


async def handler(call: Call) -> Answer:
    """The end of the chain: the servicer, which may ask `core.caller` who calls.

    gRPC runs each call in a context of its own, which the caller is forgotten with.
    """
    CALLER.set(call.caller())
    answering = call.handle(messages(call) if call.method.client_streaming else call.request)
    if call.method.server_streaming:
        await send_each(call, answering)
        return None
    response = await answering
    if not isinstance(response, call.method.response):
        raise TypeError(f"{call.method.name} answered {type(response).__name__}")
    return response


def link(places: Sequence[Place], end: Next) -> Next:
    """One function of the places and what is at their end."""
    rest = end
    for place in reversed(places):
        rest = partial(_pass, place, rest)
    return rest


async def _pass(place: Place, rest: Next, call: Call) -> Answer:
    return await place(call, rest)
