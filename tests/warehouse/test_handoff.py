"""Hand-off: SQL for warehouses that load by themselves, run on DuckDB, parsed in the others' dialects."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from random import Random

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp
from typer.testing import CliRunner, Result

from pipelines.cli import app
from pipelines.handoff import chosen
from resources.errors import ConfigurationError, LakeError, PartitionMissing
from resources.graphql.query import Query
from resources.graphql.scalars import MOST_DIGITS, WORDS
from resources.lake import Lake
from resources.warehouse.dialects import Dialect
from resources.warehouse.handoff import HandOff, Part, named_table
from resources.warehouse.lint import Finding, Severity, lint
from tests.engine.random_graphs import SCALARS, World

DAY, NEXT, HOUR = "date=2026-11-22", "date=2026-11-23", "hour=20261122T05Z"
STAGES = {
    Dialect.SNOWFLAKE: "@raw.lake/it's",
    Dialect.BIGQUERY: "gs://bucket/it's",
    Dialect.DUCKDB: "/data/it's",
}
SCHEMA = pa.schema(
    [
        ("profile_id", pa.string()),
        ("visits", pa.int64()),
        ("spent", pa.decimal128(18, 2)),
        ("ratio", pa.float64()),
        ("is_test", pa.bool_()),
        ("born", pa.date32()),
        ("woken", pa.time64("us")),
        ("local", pa.timestamp("us")),
        ("fetched_at", pa.timestamp("us", tz="UTC")),
        ("tags", pa.list_(pa.string())),
        (
            "consents",
            pa.list_(
                pa.struct(
                    [
                        ("domain", pa.string()),
                        ("changed", pa.timestamp("us", tz="UTC")),
                        ("purposes", pa.list_(pa.struct([("name", pa.string()), ("value", pa.bool_())]))),
                    ]
                )
            ),
        ),
        ("matrix", pa.list_(pa.list_(pa.int64()))),
        ("home", pa.struct([("city", pa.string()), ("since", pa.date32())])),
    ]
)
AT = datetime(2026, 11, 23, 4, 5, 6, 789, tzinfo=UTC)
ROWS = [
    {
        "profile_id": "it's \\N",
        "visits": 2**62,
        "spent": Decimal("1234567890123456.78"),
        "ratio": 0.1,
        "is_test": True,
        "born": date(1979, 2, 1),
        "woken": time(6, 30, 0, 5),
        "local": datetime(2026, 11, 22, 23, 59, 59, 1),
        "fetched_at": AT,
        "tags": ["a", None, ""],
        "consents": [
            {"domain": "x.de", "changed": AT, "purposes": [{"name": "ads", "value": None}]},
            {"domain": None, "changed": None, "purposes": []},
            None,
        ],
        "matrix": [[1, None], [], None],
        "home": {"city": "Köln", "since": date(2020, 1, 1)},
    },
    dict.fromkeys(SCHEMA.names),
]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(path=str(tmp_path / "it's [a] lake*" / "visits=7"))


def publish(lake: Lake, folder: str, rows: list[dict[str, object]], schema: pa.Schema = SCHEMA) -> None:
    with lake.write(folder, {"people": schema}, run="run") as writer:
        writer.write({"people": pa.Table.from_pylist(rows, schema)})


def run_on(
    database: duckdb.DuckDBPyConnection, lake: Lake, key: str | None = None, into: str | None = None
) -> None:
    found = chosen(lake, "people", Dialect.DUCKDB, key=key, into=into)
    assert found.findings == []
    database.execute(found.ddl())
    for manifest in found.manifests:
        for statement in found.load(manifest, str(lake.root)):
            database.execute(statement)


def table(database: duckdb.DuckDBPyConnection, name: str = "people") -> pa.Table:
    return database.sql(f"FROM {name} ORDER BY ALL").to_arrow_table()


def test_duckdb_has_the_rows_and_types_of_the_lake_and_a_repeat_changes_nothing(lake: Lake) -> None:
    publish(lake, DAY, ROWS)
    publish(lake, NEXT, ROWS[:1])
    with duckdb.connect() as database:
        database.execute("SET TimeZone = 'UTC'")
        run_on(database, lake)
        loaded = table(database)
        assert loaded.drop_columns("date").schema.equals(SCHEMA)
        assert loaded.schema.field("date").type == pa.date32()
        rows = loaded.to_pylist()
        days = [row.pop("date") for row in rows]
        assert rows == [ROWS[0], ROWS[0], ROWS[1]]
        assert days == [date(2026, 11, 22), date(2026, 11, 23), date(2026, 11, 22)]
        run_on(database, lake)
        assert table(database).equals(loaded)


def test_a_partition_that_is_handed_off_again_is_replaced_and_no_other(lake: Lake) -> None:
    publish(lake, DAY, ROWS)
    publish(lake, NEXT, ROWS)
    with duckdb.connect() as database:
        run_on(database, lake)
        publish(lake, DAY, [ROWS[1]])
        publish(lake, NEXT, [])
        run_on(database, lake, key="2026-11-22")
        counted = database.execute("SELECT date, count(*) FROM people GROUP BY date ORDER BY date").fetchall()
        assert counted == [(date(2026, 11, 22), 1), (date(2026, 11, 23), 2)]


@pytest.mark.parametrize(
    ("folder", "key", "column", "value"),
    [
        (HOUR, "20261122T05Z", "hour", datetime(2026, 11, 22, 5, tzinfo=UTC)),
        ("partition=it%27s%2Fa", "it's/a", "partition", "it's/a"),
        ("", None, None, None),
    ],
)
def test_any_partition_has_its_own_column_and_is_replaced_as_a_whole(
    lake: Lake, folder: str, key: str | None, column: str | None, value: object
) -> None:
    publish(lake, folder, ROWS)
    with duckdb.connect() as database:
        database.execute("SET TimeZone = 'UTC'; CREATE SCHEMA raw")
        for _ in range(2):
            run_on(database, lake, key, into="raw.people")
        rows = table(database, "raw.people").to_pylist()
        assert [row.pop(column) for row in rows if column] == [value, value] * bool(column)
        assert rows == ROWS


def test_columns_that_a_partition_lacks_are_null(lake: Lake) -> None:
    old = pa.schema(
        [
            ("home", pa.struct([("since", pa.date32())])),
            ("profile_id", pa.string()),
            ("consents", pa.list_(pa.struct([("domain", pa.string())]))),
        ]
    )
    row = {"profile_id": "a", "home": {"since": date(2020, 1, 1)}, "consents": [{"domain": "x.de"}]}
    publish(lake, DAY, [row], old)
    publish(lake, NEXT, ROWS[:1])
    with duckdb.connect() as database:
        run_on(database, lake)
        (found, _) = table(database).to_pylist()
        assert found == dict.fromkeys(SCHEMA.names) | {
            "profile_id": "a",
            "home": {"city": None, "since": date(2020, 1, 1)},
            "consents": [{"domain": "x.de", "changed": None, "purposes": None}],
            "date": date(2026, 11, 22),
        }
    narrow = chosen(lake, "people", Dialect.BIGQUERY, key=None, into=None).findings
    assert {f.column for f in narrow if "it lacks fields in date=2026-11-22" in f.says} == {
        "home",
        "consents",
    }
    assert not chosen(lake, "people", Dialect.SNOWFLAKE, key=None, into=None).errors


def test_types_that_differ_between_partitions_are_said(lake: Lake) -> None:
    publish(lake, DAY, [{"a": "x"}], pa.schema([("a", pa.string())]))
    publish(lake, NEXT, [{"a": 1}], pa.schema([("a", pa.int64())]))
    with pytest.raises(LakeError, match=r"people\.a is int64 in date=2026-11-23 and string in"):
        chosen(lake, "people", Dialect.DUCKDB, key=None, into=None)
    assert chosen(lake, "people", Dialect.DUCKDB, key="2026-11-22", into=None).manifests


def test_what_is_not_there_is_said_with_what_is(lake: Lake) -> None:
    with pytest.raises(ConfigurationError, match="there is no lake"):
        chosen(lake, "people", Dialect.DUCKDB, key=None, into=None)
    publish(lake, DAY, ROWS)
    with pytest.raises(PartitionMissing, match=r"there is no table persons in .*; there is people"):
        chosen(lake, "persons", Dialect.DUCKDB, key=None, into=None)
    with pytest.raises(PartitionMissing, match="people has no partition 2026-11-23; it has 2026-11-22"):
        chosen(lake, "people", Dialect.DUCKDB, key="2026-11-23", into=None)
    publish(lake, HOUR, ROWS)
    with pytest.raises(LakeError, match=r"columns of their own \(date, hour\)"):
        chosen(lake, "people", Dialect.DUCKDB, key=None, into=None)


# The statements for others, which no test can run ------------------------------------------------------

KINDS = {
    Dialect.SNOWFLAKE: "Create Create Copy Transaction Delete Insert Commit Drop",
    Dialect.BIGQUERY: "Create LoadData Transaction Delete Insert Commit Drop",
    Dialect.DUCKDB: "Create Transaction Delete Insert Commit",
}
OWN = [
    (pa.field("date", pa.date32()), pa.scalar(date(2026, 11, 22))),
    (pa.field("hour", pa.timestamp("us", tz="UTC")), pa.scalar(AT, pa.timestamp("us", tz="UTC"))),
    (pa.field("partition", pa.string()), pa.scalar("it's \\ a")),
    None,
]


def parsed(
    dialect: Dialect,
    schema: pa.Schema,
    own: tuple[pa.Field, pa.Scalar] | None = OWN[0],
    into: str | None = None,
) -> list[exp.Expression]:
    """Write the statements of a partition, and parse them in the warehouse's dialect."""
    target = named_table(into, "people", dialect)
    written = HandOff(dialect, "people", target, schema, own and own[0])
    part = Part(DAY if own else "", "part-00000.parquet", schema, own)
    statements = [written.ddl(), *written.load(part, STAGES[dialect])]
    found = [each for text in statements for each in sqlglot.parse(text, read=dialect)]
    assert len(found) == len(statements)
    return [each for each in found if each is not None]


@pytest.mark.parametrize("own", OWN)
@pytest.mark.parametrize("dialect", Dialect)
def test_each_statement_is_one_in_its_dialect(
    dialect: Dialect, own: tuple[pa.Field, pa.Scalar] | None
) -> None:
    schema = pa.schema([field for field in SCHEMA if field.name != "matrix"])
    found = parsed(dialect, schema, own, into="raw.people")
    assert [type(each).__name__ for each in found] == KINDS[dialect].split()
    created = found[0].find(exp.Schema)
    assert created
    assert [each.name for each in created.expressions] == [*schema.names, *([own[0].name] if own else [])]
    inserted = found[-2] if dialect is Dialect.DUCKDB else found[-3]
    assert isinstance(inserted, exp.Insert)
    assert len(inserted.expression.expressions) == len(inserted.this.expressions) == len(created.expressions)
    literals = {each.this for each in found[-2 if dialect is Dialect.DUCKDB else -3].find_all(exp.Literal)}
    assert not own or str(own[1].as_py()) in literals


def kinds(dialect: Dialect, schema: pa.Schema) -> dict[str, str]:
    created = parsed(dialect, schema)[0].find(exp.Schema)
    assert created
    return {each.name: each.kind.sql(dialect) for each in created.expressions}


def test_types_are_those_that_each_warehouse_reads_from_parquet() -> None:
    bigquery, snowflake = kinds(Dialect.BIGQUERY, SCHEMA), kinds(Dialect.SNOWFLAKE, SCHEMA)
    assert bigquery["consents"] == (
        "ARRAY<STRUCT<`domain` STRING, `changed` TIMESTAMP, "
        "`purposes` ARRAY<STRUCT<`name` STRING, `value` BOOL>>>>"
    )
    assert [bigquery[name] for name in ("local", "fetched_at", "date")] == ["DATETIME", "TIMESTAMP", "DATE"]
    assert [snowflake[name] for name in ("tags", "consents", "home")] == ["ARRAY", "ARRAY", "OBJECT"]
    assert [snowflake[name] for name in ("local", "fetched_at")] == ["TIMESTAMPNTZ", "TIMESTAMPLTZ"]


@pytest.mark.parametrize(
    ("digits", "scale", "kind"),
    [
        (38, 9, "NUMERIC(38, 9)"),
        (38, 10, "BIGNUMERIC(38, 10)"),
        (30, 0, "BIGNUMERIC(30, 0)"),
        (29, 0, "NUMERIC(29, 0)"),
    ],
)
def test_bigquery_has_two_types_of_decimals(digits: int, scale: int, kind: str) -> None:
    schema = pa.schema([("a", pa.decimal128(digits, scale)), ("b", pa.list_(pa.decimal128(digits, scale)))])
    found = kinds(Dialect.BIGQUERY, schema)
    assert (found["a"], found["b"]) == (kind, f"ARRAY<{kind}>")


def test_local_timestamps_are_cast_back_where_bigquery_reads_them_as_instants() -> None:
    inserted = parsed(Dialect.BIGQUERY, SCHEMA)[-3].sql("bigquery")
    assert "CAST(`local` AS DATETIME)" in inserted
    assert "CAST(`fetched_at`" not in inserted


# Any schema --------------------------------------------------------------------------------------------

LEAVES = [kept.arrow for kept in WORDS.values()]


@st.composite
def types(draw: st.DrawFn) -> pa.DataType:
    digits = draw(st.integers(1, MOST_DIGITS))
    decimal = pa.decimal128(digits, draw(st.integers(0, digits)))
    kind = draw(st.sampled_from([*LEAVES, decimal]))
    for _ in range(draw(st.integers(0, 4))):
        other = draw(st.sampled_from(LEAVES))
        struct = pa.struct([(draw(names), kind), ("other", other)])
        kind = draw(st.sampled_from([pa.list_(kind), struct]))
    return kind


names = st.from_regex(r"[_a-z][_a-z0-9]{0,8}", fullmatch=True) | st.sampled_from(
    ["select", "date", "A", "a", "ä b", 'q"`uote\\', "_table_x", "order"]
)


@given(st.dictionaries(names, types(), min_size=1, max_size=5), st.sampled_from(OWN))
@settings(max_examples=150)
def test_any_schema_gives_statements_that_parse_or_an_error_of_the_linter(
    columns: dict[str, pa.DataType], own: tuple[pa.Field, pa.Scalar] | None
) -> None:
    schema = pa.schema(list(columns.items()))
    for dialect in Dialect:
        found = lint(schema, own and own[0], "people", dialect)
        if any(finding.severity is Severity.ERROR for finding in found):
            continue
        statements = parsed(dialect, schema, own)
        assert [type(each).__name__ for each in statements] == KINDS[dialect].split()
        if dialect is Dialect.DUCKDB:
            with duckdb.connect() as database:
                database.execute(statements[0].sql(dialect))


@given(st.integers(0, 2**64).map(Random))
@settings(max_examples=50)
def test_any_table_of_the_engine_gives_statements_that_duckdb_runs(random: Random) -> None:
    world = World(random)
    query = Query.parse(world.document, schema=world.schema, path="q", name="q", scalars=SCALARS)
    schema = query.tables["q"]
    assert lint(schema, None, "q", Dialect.DUCKDB) == []
    with duckdb.connect() as database:
        created = HandOff(Dialect.DUCKDB, "q", named_table(None, "q", Dialect.DUCKDB), schema).ddl()
        database.execute(f"SET TimeZone = 'UTC'; {created}")
        assert database.sql("FROM q").to_arrow_table().schema.equals(schema)


# The linter --------------------------------------------------------------------------------------------


def said(dialect: Dialect, *fields: tuple[str, pa.DataType], own: pa.Field | None = None) -> list[str]:
    found = lint(pa.schema(list(fields)), own, "people", dialect)
    return [f"{finding.severity} {finding.column}: {finding.says}" for finding in found]


DEEP = pa.int64()
for _ in range(16):
    DEEP = pa.struct([("a", DEEP)])
INSTANT, LOCAL = pa.timestamp("us", tz="UTC"), pa.timestamp("us")


@pytest.mark.parametrize(
    ("dialect", "fields", "column", "says"),
    [
        (Dialect.BIGQUERY, [("a", pa.list_(pa.list_(pa.int64())))], "error a", "a list of lists is refused"),
        (Dialect.BIGQUERY, [("a", pa.list_(pa.int64()))], "warning a", "null arrives as an empty one"),
        (Dialect.BIGQUERY, [("a", pa.time64("us"))], "warning a", "TIME is not among the types"),
        (Dialect.BIGQUERY, [("a", pa.list_(LOCAL))], "error a[]", "is read as an instant of UTC"),
        (Dialect.BIGQUERY, [("a", DEEP)], "error a" + ".a" * 15, "more than 15 structs deep"),
        (Dialect.BIGQUERY, [("_PARTITIONa", pa.int64())], "error _PARTITIONa", "may begin with _PARTITION"),
        (Dialect.BIGQUERY, [("a" * 301, pa.int64())], "error " + "a" * 301, "300 characters at most"),
        (Dialect.BIGQUERY, [("größe", pa.int64())], "error größe", "letters of ASCII"),
        (Dialect.BIGQUERY, [("a", pa.int64()), ("A", pa.int64())], "error A", "in case only"),
        (Dialect.BIGQUERY, [("people", pa.int64())], "warning people", "has the table's name"),
        (Dialect.DUCKDB, [("a", pa.int64()), ("A", pa.int64())], "error A", "in case only"),
        (
            Dialect.DUCKDB,
            [("s", pa.list_(pa.struct([("a", LOCAL), ("A", LOCAL)])))],
            "error s[].A",
            "in case only",
        ),
        (Dialect.DUCKDB, [("a", pa.binary())], "error a", "binary has no type"),
        (Dialect.SNOWFLAKE, [("a", pa.list_(pa.duration("s")))], "error a[]", "duration[s] has no type"),
        (Dialect.SNOWFLAKE, [("a", pa.struct([("b", INSTANT)]))], "warning a.b", "is kept as text"),
        (Dialect.SNOWFLAKE, [("a", pa.string())], "warning *", "an empty text"),
        (Dialect.SNOWFLAKE, [("a" * 256, pa.int64())], "error " + "a" * 256, "255 characters at most"),
    ],
)
def test_the_linter_says_what_is_refused_or_misread(
    dialect: Dialect, fields: list[tuple[str, pa.DataType]], column: str, says: str
) -> None:
    lines = said(dialect, *fields)
    assert [line for line in lines if line.startswith(f"{column}: ") and says in line], lines


@pytest.mark.parametrize("dialect", Dialect)
def test_the_linter_has_nothing_to_say_of_plain_columns(dialect: Dialect) -> None:
    plain = [(name, SCHEMA.field(name).type) for name in ("visits", "spent", "ratio", "born", "fetched_at")]
    plain.append(("local", LOCAL))
    assert said(dialect, *plain, own=pa.field("date", pa.date32())) == []
    (clash,) = said(dialect, ("Date", pa.int64()), own=pa.field("date", pa.date32()))
    assert clash.startswith("error date: has the name of the column")


def test_the_hours_of_a_table_reach_bigquerys_limit() -> None:
    (line,) = said(Dialect.BIGQUERY, ("a", pa.int64()), own=pa.field("hour", INSTANT))
    assert line.startswith("warning hour: a table has 10,000 partitions at most")


def test_duckdb_refuses_what_the_linter_says_it_refuses() -> None:
    doubled = pa.schema([("s", pa.struct([("a", pa.int64()), ("A", pa.int64())]))])
    with duckdb.connect() as database, pytest.raises(duckdb.Error, match="Duplicate"):
        created = HandOff(Dialect.DUCKDB, "q", named_table(None, "q", Dialect.DUCKDB), doubled).ddl()
        database.execute(created)


# The command -------------------------------------------------------------------------------------------


@pytest.fixture
def command(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> Iterator["Command"]:
    from pipelines.environment import environment

    publish(lake, DAY, ROWS, SCHEMA)
    publish(lake, NEXT, ROWS, SCHEMA)
    monkeypatch.setenv("TARGETDATA_LAKE", str(lake.root))
    environment.cache_clear()
    yield Command()
    environment.cache_clear()


class Command:
    def __call__(self, *arguments: str, code: int = 0) -> Result:
        done = CliRunner().invoke(app, ["handoff", "people", *arguments])
        assert done.exit_code == code, done.output
        return done


def test_the_command_prints_a_script_that_duckdb_runs(command: Command) -> None:
    printed = command("--to", "duckdb").stdout
    assert "-- date=2026-11-22\nBEGIN TRANSACTION;" in printed
    with duckdb.connect() as database:
        for _ in range(2):
            database.execute(printed)
            assert database.execute("SELECT count(*), count(DISTINCT date) FROM people").fetchone() == (4, 2)


def test_findings_are_no_part_of_the_script_and_an_error_leaves_none(command: Command) -> None:
    done = command("--to", "snowflake", "--stage", "@raw/lake", "--partition", "2026-11-22")
    assert "warning: consents[].changed: " in done.stderr
    assert "warning" not in done.stdout
    assert "@raw/lake/people/date=2026-11-22/" in done.stdout
    refused = command("--to", "bigquery", "--stage", "gs://raw/lake", code=1)
    assert "error: matrix: a list of lists is refused" in refused.stderr
    assert refused.stdout == ""
    assert "error: matrix: " in command("--to", "bigquery", "--lint-only", code=1).stdout


def test_a_stage_is_asked_for_where_the_warehouse_has_none(command: Command) -> None:
    asked = command("--to", "snowflake", code=1).stderr
    assert "say with --stage where snowflake loads from: a stage, as in --stage @my_stage/lake" in asked
    assert "--stage s3://x is no place that snowflake loads from" in (
        command("--to", "snowflake", "--stage", "s3://x", code=1).stderr
    )
    created = command("--to", "snowflake", "--ddl-only").stdout
    assert [type(each).__name__ for each in sqlglot.parse(created, read="snowflake")] == ["Create"]
    assert "is no name of a table" in command("--to", "duckdb", "--into", "a b c", code=1).stderr


def test_the_command_prints_json(command: Command) -> None:
    found = json.loads(command("--to", "duckdb", "--json").stdout)
    assert (found["table"], found["to"], found["findings"]) == ("people", "duckdb", [])
    assert [(load["partition"], load["rows"]) for load in found["loads"]] == [(DAY, 2), (NEXT, 2)]
    with duckdb.connect() as database:
        for statement in [found["ddl"], *found["loads"][0]["statements"]]:
            database.execute(statement)
    refused = json.loads(command("--to", "bigquery", "--json", code=1).stdout)
    assert (refused["ddl"], refused["loads"]) == (None, [])
    assert refused["findings"][0]["severity"] == "error"
    assert {"column", "says", "do", "documentation"} < set(refused["findings"][0])


def test_the_file_of_a_part_is_that_of_the_lake(lake: Lake) -> None:
    publish(lake, DAY, ROWS)
    found = chosen(lake, "people", Dialect.DUCKDB, key=None, into=None)
    (manifest,) = found.manifests
    assert pq.read_schema(lake.root / "people" / DAY / manifest.file).remove_metadata().equals(SCHEMA)
    assert found.handoff.schema.equals(SCHEMA)
    assert all(isinstance(finding, Finding) for finding in found.findings)
