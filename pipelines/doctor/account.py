"""Checks of the account: its base URL, its refresh token, and what the server says of that."""

from pipelines.api import Api
from pipelines.doctor.address import Address
from pipelines.doctor.finding import Finding, not_checked, ok, problem, warning
from pipelines.doctor.settings import accounts, in_file
from pipelines.doctor.setup import Setup
from pipelines.doctor.whose import command
from pipelines.other_api import graphql_environment
from pipelines.root import ROOT
from pipelines.schema.diff import compared
from pipelines.variables import GRAPHQL, PREFIX, value, variables
from resources.graphql.schema import Kind
from resources.graphql.sending.settings import check_url

DAY_SECONDS = 86400
FEW_DAYS = 14  # before a refresh token ends


def base_url(setup: Setup) -> Finding:
    """Look at the shape of the base URL."""
    if not setup.settings.base_url:
        return _without_account(setup)
    setup.account.check_url()
    return ok(setup.settings.base_url)


def _without_account(setup: Setup) -> Finding:
    named = variables("base_url", PREFIX)[0]
    if not setup.settings.account and (found := accounts()):
        return problem(
            f"{named} is not set, but {', '.join(found)} have one", f"targetdata doctor --account {found[0]}"
        )
    if graphql_environment().url:
        return not_checked(f"{named} is not set, only {GRAPHQL}URL is")
    return problem(
        f"{named} is not set", f"copy .env.example to .env and fill it in, then {command('login')}"
    )


def address_of_account(setup: Setup) -> Address:
    """Give the way to the account."""
    return _address(setup, Api.TARGETDATA, setup.settings.base_url, PREFIX)


def address_of_other(setup: Setup) -> Address:
    """Give the way to the other API."""
    return _address(setup, Api.GRAPHQL, graphql_environment().url, GRAPHQL)


def _address(setup: Setup, api: Api, url: str, prefix: str) -> Address:
    limits = setup.connection(api)
    return Address(url, prefix, trust_env=limits.trust_env, ca_file=limits.ca_file)


def token(setup: Setup) -> Finding:
    """Say where the refresh token is from; its value is shown nowhere."""
    setup.account.read_refresh_token()
    settings, given = setup.settings, value("refresh_token", PREFIX)
    if settings.refresh_token_file:
        return ok(f"from the file {settings.refresh_token_file}")
    if not given:
        return ok(f"from the keyring, the service {settings.refresh_token_keyring}")
    name = next(name for name in variables("refresh_token", PREFIX) if value("refresh_token", PREFIX))
    return ok(f"{name}, from {'.env' if in_file(name) else 'the environment'}")


def access(setup: Setup) -> Finding:
    """Make an access token, and say what is known of the refresh token then."""
    facts = setup.account.prove()
    says = f"an access token was made, good for {facts.seconds:,.0f} s; the refresh token {{}}"
    if facts.rotates:
        return warning(
            says.format("is another one in the answer: the server seems to rotate them"),
            "ask the vendor whether the old one stays good; else every run needs a new one",
        )
    match facts.refresh_seconds:
        case None:
            return ok(says.format("has no end that the server tells"))
        case 0.0:
            return ok(says.format("does not end, unless nobody uses it for long"))
        case seconds if seconds < FEW_DAYS * DAY_SECONDS:
            return warning(
                says.format(f"ends in {seconds / DAY_SECONDS:,.1f} days"), f"{command('login')}, in time"
            )
        case seconds:
            return ok(says.format(f"ends in {seconds / DAY_SECONDS:,.0f} days"))


def answer(setup: Setup) -> Finding:
    """Send the smallest query to the other API."""
    said = setup.other.client.ask("{ __typename }")
    if not said.get("data"):
        return problem(
            "it refuses the query { __typename }, as any GraphQL server answers it",
            f"look at {GRAPHQL}URL: does it end with the path of the API?",
        )
    kind = (
        "a bearer token" if setup.other.bearer_token else "headers" if setup.other.headers_json else "nothing"
    )
    return ok(f"it answers; {kind} was sent to say who asks")


def other_url(_: Setup) -> Finding:
    """Look at the shape of the other API's URL."""
    url = graphql_environment().url
    check_url(url)
    return ok(url)


def schema(setup: Setup, api: Api) -> Finding:
    """Compare the schema file with the API's schema, as `schema diff` does."""
    drift, left_out = compared(
        api.schema_file,
        ROOT / "pipelines" / "defs",
        api=api,
        resource=setup.connection(api),
        unmarked=api is Api.TARGETDATA,
    )
    pull = f"{command('schema pull')} --api {api} --dry-run, then without --dry-run"
    if left_out:
        return problem(f"{', '.join(left_out)} does not fit the schema file", pull)
    used = {kind: len(drift.of(kind, used=True)) for kind in Kind}
    kinds = [f"{len(drift.of(kind))} {kind} ({used[kind]} in use)" for kind in Kind if drift.of(kind)]
    says = f"changes since it was pulled: {', '.join(kinds) or 'none'}"
    if not drift.introspected:
        says = f"introspection is not allowed, so only what the queries use is known; {says}"
    if used[Kind.BREAKING]:
        return problem(says, pull)
    if used[Kind.DANGEROUS]:
        return warning(says, f"{command('schema diff')} --api {api} says which; {pull}")
    return ok(says)
