"""Settings and fixtures for all tests."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings

from resources.graphql.query import Query
from resources.targetdata import TargetDataResource
from tests.databases import postgresql
from tests.sandbox import Sandbox
from tests.warehouse.warehouse_targets import Target, duckdb_target, postgresql_target

settings.register_profile("shared machine", deadline=None, print_blob=True, derandomize="CI" in os.environ)
settings.load_profile("shared machine")

ROOT = Path(__file__).resolve().parent.parent
PROFILES_QUERY = ROOT / "pipelines" / "defs" / "profiles" / "profiles.graphql"
SCHEMA = ROOT / "pipelines" / "schema.graphql"

MEMORY = Path("/dev/shm")

Connect = Callable[..., TargetDataResource]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """What a test opens and this closes."""
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def sandbox(stack: ExitStack) -> Sandbox:
    """A fresh sandbox of 200 people."""
    return stack.enter_context(Sandbox(people=200, seed=7))


@pytest.fixture
def connect(stack: ExitStack) -> Connect:
    """Make resources for a sandbox; they are closed at the end."""

    def make(sandbox: Sandbox, **settings: object) -> TargetDataResource:
        values = {"base_url": sandbox.url, "refresh_token": sandbox.refresh_token} | settings
        resource = TargetDataResource(**values)
        stack.callback(resource.close)
        return resource

    return make


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder in memory, where there is one: what is killed there is not the machine, and fsync is free."""
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        yield Path(folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The day's folder of the feed."""
    (tmp_path / "2026-11-22").mkdir()
    return tmp_path / "2026-11-22"


@pytest.fixture(scope="session")
def profiles_query() -> Query:
    """The shipped query."""
    return Query.load(PROFILES_QUERY, schema=SCHEMA, identity="profileId")


@pytest.fixture(scope="session")
def postgresql_uri() -> Iterator[str]:
    """A PostgreSQL server for all tests of a process."""
    with postgresql() as uri:
        yield uri


@pytest.fixture
def duckdb_file(memory: Path) -> Target:
    """A warehouse in a DuckDB file, which is not there yet."""
    return duckdb_target(memory)


@pytest.fixture
def postgresql_schema(postgresql_uri: str) -> Target:
    """A warehouse in an empty schema of the PostgreSQL server."""
    return postgresql_target(postgresql_uri)


@pytest.fixture(params=["duckdb_file", "postgresql_schema"], ids=["duckdb", "postgresql"])
def target(request: pytest.FixtureRequest) -> Target:
    """A warehouse, of each kind that is run."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Target)
    return found
