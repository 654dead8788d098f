"""One request, tried until it is answered: circuit( retry( throttle( gql( bearer + gate( network )))))."""

from collections.abc import Mapping
from contextlib import suppress
from typing import NoReturn

from resources.errors import Attempt, Refused, Throttled, Unauthorized
from resources.graphql.sending.answer import Answer
from resources.graphql.sending.batch_size import BatchSize
from resources.graphql.sending.circuit import Circuit
from resources.graphql.sending.retry import Retry, give_up
from resources.graphql.sending.throttle import Throttle
from resources.graphql.sending.tokens import TokenSource
from resources.graphql.sending.transport import PreparedRequest, Transport

PROBE = PreparedRequest("{ __typename }")  # what any server answers


class Sender:
    """Sends requests to one endpoint."""

    def __init__(
        self, transport: Transport, retry: Retry, throttle: Throttle, tokens: TokenSource | None
    ) -> None:
        self.throttle = throttle
        self._retry = retry
        self._transport = transport
        self._tokens = tokens
        self._circuit = Circuit(transport.host)
        self._answered = PROBE  # the last request that was answered with data

    async def answer(
        self,
        request: PreparedRequest,
        *,
        size: int,
        batch: BatchSize | None = None,
        attempts: int | None = None,
    ) -> Answer:
        """Give the server's answer, errors in it included; `size` is the number of keys asked for.

        Raises Refused where the server refuses the document as a whole and Unavailable where `attempts`
        were not enough: the caller may ask for less. All else is final.
        """
        return Answer.of(await self.send(request, size=size, batch=batch, attempts=attempts))

    async def send(
        self,
        request: PreparedRequest,
        *,
        size: int = 1,
        batch: BatchSize | None = None,
        attempts: int | None = None,
    ) -> Mapping[str, object]:
        """Give the answer as it was decoded; raises as `answer` does."""

        async def attempt() -> Mapping[str, object]:
            if self._tokens:
                await self._tokens.get()  # a renewal must not take a place, nor the request's own time
            token = self._tokens.get if self._tokens else None
            async with self.throttle.slot(size=size, batch=batch, prepare=token):
                return await self._circuit.send(lambda: self._sent(request), proof=self._proof)

        try:
            async with self._circuit.closed():
                return await self._retry.call(attempt, attempts=attempts)
        except (Unauthorized, Throttled) as error:
            self.give_up(error)

    async def _sent(self, request: PreparedRequest) -> Mapping[str, object]:
        answer = await self._transport.send(request)
        if answer["data"]:
            self._answered = request
        return answer

    async def _proof(self) -> None:
        with suppress(Refused):  # by a server that is up
            await self._transport.send(self._answered)

    def give_up(self, error: Attempt) -> NoReturn:
        """End the run with what a person or the orchestrator should know."""
        refusal = self._tokens.refusal() if self._tokens else "the resource has no token"
        give_up(error, host=self._transport.host, refusal=refusal)

    async def close(self) -> None:
        """End a renewal that is under way, and the session."""
        if self._tokens:
            await self._tokens.close()
        await self._transport.close()
