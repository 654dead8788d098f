"""Keys looked up in batches of aliases: each key is answered once, whatever has to be tried again."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from resources.errors import Attempt, QueryError, Refused, TokenRefused, Unauthorized, Unavailable
from resources.graphql.plan import Keyed
from resources.graphql.raw import LOOKUPS, RawRow, opened
from resources.graphql.sending.answer import Answer, ServerError
from resources.graphql.sending.batch_size import BatchSize
from resources.graphql.sending.sender import PROBE, Sender
from resources.graphql.sending.transport import PreparedRequest

KEY_ATTEMPTS = 3  # a key whose alias failed is asked again alone, this often in all
BATCH_ATTEMPTS = 3  # a batch that goes on failing is split before all attempts are used
HOPELESS = 3  # keys that fail alone before any was answered: it is not the keys
PAUSE_SECONDS = 0.5

Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one key: `row` is None where it was not found or failed.

    `answered_by` is the kind of identifier that led to the row, where several are asked in turn.
    """

    key: Key
    row: Mapping[str, object] | None
    error: ServerError | None
    attempts: int
    fetched_at: datetime
    answered_by: str | None = None

    @property
    def status(self) -> str:
        """Say found, not_found or failed."""
        if self.error:
            return "failed"
        return "not_found" if self.row is None else "found"


class Lookup:
    """Asks for batches of keys; a batch that is refused is split until the culprit is alone."""

    def __init__(
        self,
        plan: Keyed,
        sender: Sender,
        batch: BatchSize,
        shared: Mapping[str, object],
        *,
        good: Key | None = None,
    ) -> None:
        self._plan = plan
        self._sender = sender
        self._batch = batch
        self._shared = shared
        self._texts: dict[int, str] = {}
        self._good = good  # a key that was answered, now or in an earlier run
        self._failed_keys = 0

    async def ask(self, keys: Sequence[Key]) -> list[Outcome]:
        """Give one outcome a key, in the order of the keys."""
        if len(keys) == 1:
            return [await self._ask_alone(keys[0], 1)]
        try:
            answer = await self._send(keys, BATCH_ATTEMPTS)
        except Unavailable as error:
            if error.unreachable:
                self._sender.give_up(error)
            return await self._split(keys, too_many=error.timed_out)
        except Refused:
            return await self._split(keys, too_many=True)
        if not trusted(answer, len(keys)):
            return await self._split(keys, too_many=True)
        self._batch.accepted(len(keys))
        return await self._outcomes(keys, answer)

    async def _split(self, keys: Sequence[Key], *, too_many: bool) -> list[Outcome]:
        """Ask for the halves, one after the other; a half that is refused is split again.

        `too_many` if the server may mind the number of keys; if not, later batches stay as they are.
        """
        if too_many:
            self._batch.refused(len(keys))
        middle = len(keys) // 2
        return await self.ask(keys[:middle]) + await self.ask(keys[middle:])

    async def _outcomes(self, keys: Sequence[Key], answer: Answer) -> list[Outcome]:
        """Keep the good answers of a batch; a key that an error names is asked again, alone."""
        now = datetime.now(UTC)
        bad = {str(error.path[0]) for error in answer.errors}
        outcomes: list[Outcome] = []
        for alias, key in ((f"k{index}", key) for index, key in enumerate(keys)):
            if alias in bad:
                outcomes.append(await self._ask_alone(key, 2))
            else:
                self._good = key
                outcomes.append(Outcome(key, _row(answer, alias), None, 1, now))
        return outcomes

    async def _ask_alone(self, key: Key, attempt: int, *, is_up: bool = False) -> Outcome:
        """Ask for one key until it is answered or its attempts are used up."""
        try:
            answer = await self._send([key], None)
        except (Refused, Unavailable) as error:
            if isinstance(error, Unavailable) and not is_up:
                await self._require_server(error)
                return await self._ask_alone(key, attempt + 1, is_up=True)
            return self._failed(key, _as_server_error(error), attempt, error)
        except TokenRefused as error:
            cause = error.__cause__
            if not (isinstance(cause, Unauthorized) and cause.in_answer):
                raise
            await self._require_server(cause)  # which raises too, if it is the token
            return self._failed(key, _as_server_error(cause), attempt, cause)
        if trusted(answer, 1) and not answer.errors:
            self._good = key
            return Outcome(key, _row(answer, "k0"), None, attempt, datetime.now(UTC))
        if attempt < KEY_ATTEMPTS:
            await asyncio.sleep(PAUSE_SECONDS * (attempt - 1))
            return await self._ask_alone(key, attempt + 1)
        return self._failed(key, _first_error(answer), attempt)

    async def _require_server(self, failure: Attempt) -> None:
        """Give up for now, unless the server answers what it answered before: then it is the key's own."""
        try:
            await self._sender.send(self._probe(), attempts=1)
        except Refused:
            return
        except Unavailable as error:
            error.attempts, error.seconds = error.attempts + failure.attempts, error.seconds + failure.seconds
            self._sender.give_up(error)

    def _probe(self) -> PreparedRequest:
        """Ask for a key that was answered, as what lies behind the server may be down while it is up."""
        return PROBE if self._good is None else self._request([self._good])

    def _failed(self, key: Key, error: ServerError, attempt: int, cause: Attempt | None = None) -> Outcome:
        """Lay it on the key only where others are answered; else it is the document or the server."""
        self._failed_keys += 1
        hopeless = self._failed_keys >= HOPELESS and self._good is None
        if hopeless and isinstance(cause, Unavailable):
            self._sender.give_up(cause)
        if hopeless:
            raise QueryError(
                f"the server refuses the query: {cause or error.shown()}. If its schema is another than the "
                "query's, pull it (targetdata schema pull)"
            ) from cause
        return Outcome(key, None, error, attempt, datetime.now(UTC))

    async def _send(self, keys: Sequence[Key], attempts: int | None) -> Answer:
        request = self._request(keys)
        return await self._sender.answer(request, size=len(keys), batch=self._batch, attempts=attempts)

    def _request(self, keys: Sequence[Key]) -> PreparedRequest:
        size = len(keys)
        if size not in self._texts:
            self._texts[size] = self._plan.batch(size)
        variables = {**self._shared, **self._plan.variables(keys)}
        return PreparedRequest(self._texts[size], variables, shape=LOOKUPS)


def trusted(answer: Answer, size: int) -> bool:
    """Say whether all aliases are there and each error names one; else no key of the batch is answered."""
    aliases = [f"k{index}" for index in range(size)]
    named = all(error.path and error.path[0] in aliases for error in answer.errors)
    return answer.data is not None and named and all(alias in answer.data for alias in aliases)


def _row(answer: Answer, alias: str) -> Mapping[str, object] | None:
    row = opened((answer.data or {}).get(alias))
    if row is None or isinstance(row, RawRow):
        return row
    raise QueryError("the server answered something else than an object to a lookup")


def _first_error(answer: Answer) -> ServerError:
    return answer.errors[0] if answer.errors else ServerError("neither data nor errors", "NO_DATA", ())


def _as_server_error(error: Attempt) -> ServerError:
    return ServerError(str(error), error.kind.upper(), ())
