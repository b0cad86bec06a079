"""What only streams pass: the law asked again while they last, and each message and answer by itself."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from google.protobuf.message import Message

from beholden.core.caller import CALLER
from beholden.core.errors import Unauthenticated
from beholden.core.law import Decision
from beholden.guard.call import Answer, Call, Next
from beholden.guard.obligations import Duties, keep
from beholden.guard.permission import LivePermission, Permissions


class Renewal:
    """Lets a stream go on only while its caller's token is good and the law allows it.

    The obligations are those that hold by then.
    """

    def __init__(self, permissions: Permissions) -> None:
        self._permissions = permissions

    async def __call__(self, call: Call, proceed: Next) -> Answer:
        """Raises Denied, once that is written down; Unavailable, Unauthenticated."""
        if not call.method.streams:
            return await proceed(call)

        def told(decision: Decision, duties: Duties) -> None:
            call.decision, call.duties = decision, duties
            call.tally.asked += 1

        permission = LivePermission(
            self._permissions,
            call.caller(),
            decision=call.decision,
            reviewable=call.reviewable,
            told=told,
        )
        left = call.principal.expires - self._permissions.clock() / 1e9
        end = asyncio.get_running_loop().time() + left if math.isfinite(left) else None
        try:
            async with asyncio.timeout_at(end) as token:
                return await permission.hold(lambda: proceed(call))
        except TimeoutError:
            if not token.expired():
                raise
            raise Unauthenticated(
                "the token has expired while the stream lasted; begin again with a new one"
            ) from None


async def messages(call: Call) -> AsyncIterator[Message]:
    """What a servicer reads: every message, `core.caller` knowing the pictures of the one just given."""
    yield call.request
    async for message in call.rest:
        CALLER.set(call.caller())
        yield message


async def send_each(call: Call, answers: AsyncGenerator[Message]) -> None:
    """Sends a stream's answers, each without what the decision does not allow in it by then."""
    if not isinstance(answers, AsyncGenerator):
        # A servicer that wrote its answers by itself would go around the obligations.
        answers.close()
        raise TypeError(f"{call.method.name} is no asynchronous generator")
    async with aclosing(answers) as each:
        async for answer in each:
            if not isinstance(answer, call.method.response):
                raise TypeError(f"{call.method.name} answered {type(answer).__name__}")
            call.tally.withhold(keep(call.duties, call.method.duties, answer))
            call.tally.answer(answer)
            await call.send(answer)
