"""The contestants, and how each is started."""

from tests.benchmarks.contestant import Contestant
from tests.benchmarks.documents import BY_CURSOR, BY_OFFSET, BY_UMID, PAGE_ROWS, SCHEMA

HERE = "tests.benchmarks.contestants"
EXTRACT = ("-m", "pipelines.cli", "extract")
OPTIONS = ("--schema", str(SCHEMA), "--url", "{url}", "--out", "{folder}/profiles.parquet")
SAME_PAGES = {"GRAPHQL_PAGE_SIZE": str(PAGE_ROWS)}

OURS = Contestant(
    name="targetdata extract", arguments=(*EXTRACT, str(BY_CURSOR), *OPTIONS), environment=SAME_PAGES
)
OFFSET = Contestant(
    name="targetdata extract, by offset",
    arguments=(*EXTRACT, str(BY_OFFSET), *OPTIONS),
    environment=SAME_PAGES,
)
IDENTITY = Contestant(
    name="targetdata extract, with an identity",
    arguments=(*OURS.arguments, "--identity", "profileId"),
    environment=SAME_PAGES,
)
DAGSTER = Contestant(
    name="Dagster run",
    arguments=("-m", "dagster", "asset", "materialize", "-m", f"{HERE}.location", "--select", "by_cursor"),
    environment={"BENCHMARK_URL": "{url}", "BENCHMARK_LAKE": "{folder}", "DAGSTER_HOME": ""},
    table="by_cursor/part-*.parquet",
)
FLOOR = Contestant(name="floor", arguments=("-m", f"{HERE}.floor", "{url}", "{folder}", "1"))
FLOOR_THREADS = Contestant(
    name="floor, two threads decode", arguments=("-m", f"{HERE}.floor", "{url}", "{folder}", "2")
)
FLOOR_LISTS = Contestant(
    name="floor, lists of Python", arguments=("-m", f"{HERE}.floor_lists", "{url}", "{folder}")
)
DLT_NESTED = Contestant(
    name="dlt, nested kept",
    arguments=("-m", f"{HERE}.dlt_list", "{url}", "{folder}", "nested"),
    table="lake/profiles/*.parquet",
    holds="rows",
)
DLT_CHILDREN = Contestant(
    name="dlt, child tables",
    arguments=("-m", f"{HERE}.dlt_list", "{url}", "{folder}"),
    table="lake/profiles/*.parquet",
    holds="children",
)
SINGER = Contestant(
    name="Singer SDK, tap alone",
    arguments=("-m", f"{HERE}.singer_tap", "{url}"),
    holds="records",
)
LOOKUPS = Contestant(
    name="targetdata extract, lookups",
    arguments=(*EXTRACT, str(BY_UMID), *OPTIONS, "--keys", "{keys}", "--identity", "profileId"),
)
NAIVE = Contestant(
    name="naive loop, lookups",
    arguments=("-m", f"{HERE}.naive", "{url}", "{folder}", "{keys}"),
    holds="rows",
    fewer=10,
)
OURS_CHILDREN = Contestant(
    name="targetdata extract, child tables",
    arguments=(*OURS.arguments, "--identity", "profileId", "--explode", "*"),
    environment=SAME_PAGES,
    holds="children",
)
