"""All checks in the order in which things break."""

from collections.abc import Callable

from pipelines.api import Api
from pipelines.doctor import account, address, aliases, feed, instance, lookup, privacy, settings, stores
from pipelines.doctor.address import Address
from pipelines.doctor.examination import Check
from pipelines.doctor.finding import Finding
from pipelines.doctor.setup import Setup
from pipelines.doctor.whose import command, setting
from pipelines.variables import GRAPHQL, PREFIX

ENV = "mend it in .env or in the environment; docs/settings.md has all of them"
REACH = "look at the URL; behind a proxy, {0}TRUST_ENV=true; a firewall may be in the way"


def checks(*, other_api: bool, probe: bool) -> list[Check]:
    """Give the checks; `probe` asks for the alias limit too."""
    return [
        Check("settings", settings.settings, ENV),
        Check("names", settings.names, ENV),
        Check("env-file", settings.env_file, "make .env readable"),
        *_account(probe=probe),
        Check(
            "feed",
            feed.feed,
            f"mend {setting('feed')}, TARGETDATA_FEED_COLUMN or the query",
            ("settings",),
            30,
        ),
        Check(
            "lake",
            stores.lake,
            f"choose another place with {setting('lake')}, or mend this one",
            ("settings",),
        ),
        Check(
            "warehouse", stores.warehouse, "mend TARGETDATA_WAREHOUSE; see docs/warehouse.md", ("settings",)
        ),
        Check("privacy", privacy.privacy, "set TARGETDATA_PRIVACY_KEY; see docs/privacy.md", ("settings",)),
        *_dagster(),
        *(_other_api() if other_api else ()),
    ]


def _account(*, probe: bool) -> list[Check]:
    of, reach = account.address_of_account, REACH.format(PREFIX)
    checks = [
        Check("url", account.base_url, f"mend {setting('base_url')}", ("settings",)),
        *_way("", of, reach),
        Check("token", account.token, command("login"), ("url",)),
        Check("access", account.access, command("login"), ("token", "tls", "connection")),
        Check(
            "schema",
            lambda s: account.schema(s, Api.TARGETDATA),
            command("schema pull --api targetdata"),
            ("access",),
            30,
        ),
        Check("lookup", lookup.lookup, f"{command('schema diff')}; then look at the key", ("access",)),
    ]
    if probe:
        checks.append(Check("aliases", aliases.aliases, command("schema diff"), ("access",), 60))
    return checks


def _way(prefix: str, of: Callable[[Setup], Address], reach: str) -> list[Check]:
    """Give the checks of the way to a server."""

    def on(look: Callable[[Address], Finding]) -> Callable[[Setup], Finding]:
        return lambda setup: look(of(setup))

    url, connection, tls = (f"{prefix}{name}" for name in ("url", "connection", "tls"))
    return [
        Check(f"{prefix}proxy", on(address.proxy), reach, (url,)),
        Check(connection, on(address.connection), reach, (url,)),
        Check(tls, on(address.tls), reach, (connection,)),
        Check(f"{prefix}clock", on(address.clock), reach, (tls,)),
    ]


def _dagster() -> list[Check]:
    advice = "mend dagster.yaml in the folder that DAGSTER_HOME names; .dagster/dagster.yaml is an example"
    return [
        Check("dagster", instance.instance, advice),
        Check("daemon", instance.daemon, advice, ("dagster",)),
        Check("pool", instance.pool, advice, ("dagster", "settings")),
        Check("monitoring", instance.monitoring, advice, ("dagster",)),
        Check("definitions", instance.definitions, f"{instance.VALIDATE} shows more", ("settings",), 60),
    ]


def _other_api() -> list[Check]:
    reach = REACH.format(GRAPHQL)
    ready = ("graphql-tls", "graphql-connection")
    return [
        Check("graphql-url", account.other_url, "mend GRAPHQL_URL", ("settings",)),
        *_way("graphql-", account.address_of_other, reach),
        Check("graphql-answer", account.answer, "mend GRAPHQL_BEARER_TOKEN or GRAPHQL_HEADERS", ready),
        Check(
            "graphql-schema",
            lambda setup: account.schema(setup, Api.GRAPHQL),
            command("schema pull --api graphql"),
            ("graphql-answer",),
            30,
        ),
    ]
