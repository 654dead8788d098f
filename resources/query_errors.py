"""What a database says of a statement that failed, as our errors: its words only where they hold no data."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pyarrow as pa

from resources.errors import ExtractionError, FeedError, ServerUnavailable

LATER_SECONDS = 60.0
# SQLSTATE classes: connection, resources, an operator's intervention, a conflict that resolves itself.
LOCKED_STATE = "55P03"  # another session holds a lock for longer than we wait
PASSING_STATES = ("08", "40", "53", "57", LOCKED_STATE)
WHO_LOCKS = "look who it is in pg_locks and pg_stat_activity, and let that end"
NUL_STATE = "22021"  # a byte that is none of the encoding's
TELLING_STATE = "42"  # syntax, names and rights: no data in their words
TELLING_KIND = re.compile(r"(?:Catalog|Binder|Parser) Error: .*")  # DuckDB's words for the same
LOST = ("closed the connection", "terminating connection", "conflict with recovery", "connection reset")


@contextmanager
def query_errors(
    what: str, *, failed: Callable[[str], ExtractionError] = FeedError, advice: str = "Mend the query"
) -> Iterator[None]:
    """Give a database's errors their name; its words only where they cannot hold data.

    What a person has to see to is made by `failed` of a message that ends with the advice.
    """
    from adbc_driver_manager import Error

    try:
        yield
    except Error as error:
        state, details = error.sqlstate or "", error.details
        said = _passing(what, str(error), state) or failed(
            f"{what} failed: {_telling(str(error), state, details)}. {advice}"
        )
        raise said from None
    except (pa.ArrowException, OSError) as error:  # while rows come in
        said = _passing(what, str(error), "") or failed(
            f"{what} failed: {_telling(str(error), '', ())}. {advice}"
        )
        raise said from None


def _passing(what: str, said: str, state: str) -> ExtractionError | None:
    if state.startswith(PASSING_STATES) or (not state and any(words in said for words in LOST)):
        why = f"{what} was interrupted by the database ({state or 'connection lost'})"
        if state == LOCKED_STATE:
            why = f"{what} has waited in vain for a lock that another session holds ({state}): {WHO_LOCKS}"
        return ServerUnavailable(why, after_seconds=LATER_SECONDS)
    return None


def _telling(said: str, state: str, details: Sequence[tuple[str | bytes, str | bytes]]) -> str:
    if state == NUL_STATE:
        return "a text holds a character that the database cannot store, as PostgreSQL cannot store NUL"
    primary = next((words for name, words in details if name == b"PG_DIAG_MESSAGE_PRIMARY"), b"")
    if state.startswith(TELLING_STATE) and isinstance(primary, bytes):
        return primary.decode()
    kind = TELLING_KIND.search(said)
    if kind:
        return kind.group()
    return f"a value or the server is in the way ({state or 'no code'}); the database's words may hold data"
