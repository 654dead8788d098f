"""Errors that a server provokes by what it answers, each time telling more than may be shown."""

import pyarrow as pa

from pipelines.defs.profiles_wide.values import typed
from resources import errors, failures
from tests.provocations.bench import Bench, Provocation, api, faults, mark, provokes, telling


@provokes(errors.ConfigurationError)
def redirected(bench: Bench) -> None:
    """The target of a redirection holds a password and more."""
    with faults(redirect_to=f"https://{mark('user')}:{mark('password')}@elsewhere.example/x#{mark('part')}"):
        bench.extract()


@provokes(errors.ConfigurationError)
def redirected_with_the_token(bench: Bench) -> None:
    """The token's own address redirects."""
    with faults(redirect_token_to=f"https://{mark('user')}@elsewhere.example/x?{mark('question')}"):
        bench.extract()


@provokes(errors.ConfigurationError)
def forbidden(bench: Bench) -> None:
    """The page of a 403 quotes a key."""
    with faults(status=403):
        bench.extract()


@provokes(errors.ConfigurationError)
def keys_that_do_not_fit(bench: Bench) -> None:
    """A table of keys lacks the column."""
    bench.extract(keys=pa.table({"id": [[key] for key in bench.keys["umid"].to_pylist()]}))


@provokes(errors.TokenRefused)
def refused_refresh_token(bench: Bench) -> None:
    """The answer quotes it."""
    with faults(refuse_refresh=401):
        bench.extract()


@provokes(errors.TokenRefused, errors.Unauthorized)
def refused_access_tokens(bench: Bench) -> None:
    """Fresh ones are refused, and the server sends other refresh tokens."""
    with faults(reject_fresh_tokens=True):
        bench.extract()


@provokes(errors.QueryError)
def refused_query(bench: Bench) -> None:
    """All keys fail with a message."""
    with faults(alias_errors=dict.fromkeys(bench.keys["umid"].to_pylist(), -1), **telling(bench)):
        bench.extract()


@provokes(errors.QueryError)
def refused_query_without_a_path(bench: Bench) -> None:
    """The message begins as one about the document and goes on with a key."""
    keys = bench.keys["umid"].to_pylist()
    with faults(
        alias_errors=dict.fromkeys(keys, -1),
        alias_error_message=f"Unknown type of key {mark('complaint-8270341')} {bench.key}",
        pathless=True,
    ):
        bench.extract()


def misfit(name: str, value: object) -> Provocation:
    """Let a field have a value that does not fit."""

    def provocation(bench: Bench) -> None:
        with faults(field_overrides={name: value}):
            bench.extract()

    provocation.__name__ = f"misfit_{name}"
    return provocation


for name_, value_ in {
    "changeDate": mark("in-an-instant"),
    "testProfile": mark("in-a-boolean"),
    "identifiers": mark("in-a-list"),
    "purposes": [mark("in-an-object")],
    "owner": {mark("in-a-name"): mark("in-a-text")},
}.items():
    provokes(errors.ValueMisfit)(misfit(name_, value_))


@provokes(errors.ValueMisfit)
def misfit_wide(_: Bench) -> None:
    """An attribute is no number."""
    typed(pa.array([mark("attribute"), "1"]), pa.int64(), "city")


@provokes(errors.ServerUnavailable, errors.Unavailable)
def down(bench: Bench) -> None:
    """The server is down, and its page tells."""
    with faults(status=500):
        bench.extract()


@provokes(errors.ServerUnavailable)
def open_circuit(bench: Bench) -> None:
    """The server breaks down after some answers: all requests end."""
    with faults(every=1, kinds=["drop", "truncated", "truncated-json", "html"]):
        bench.extract(max_attempts=20)


@provokes(errors.ServerUnavailable, errors.Throttled)
def throttled(bench: Bench) -> None:
    """The server asks to come back in an hour."""
    with faults(every=1, kinds=["429"], retry_after=3600):
        bench.extract()


@provokes(errors.ServerUnavailable)
def resumed(bench: Bench) -> None:
    """The server goes down in the middle; the retry of the step goes on there and succeeds."""
    if bench.context.retry_number:
        assert bench.extract(max_in_flight=1, max_batch=1)
        return
    with faults(outage=1000, outage_after=2):
        bench.extract(max_in_flight=1, max_batch=1)


@provokes(errors.Refused)
def refused_answer(bench: Bench) -> None:
    """A document of an asset's own gets an answer that is too long."""
    with (
        api(max_response_bytes=10) as targetdata,
        failures.named_failures(bench.context.instance, bench.context.run.run_id),
    ):
        targetdata.client.ask(f'{{ personTargetDataByUmid(umid: "{bench.key}") {{ owner }} }}')
