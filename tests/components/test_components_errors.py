"""What is wrong in a `defs.yaml` is said with its file, its line and its option, or the document's place."""

from pathlib import Path

import pytest

from pipelines import components
from pipelines.yaml_files import TYPES
from resources.errors import ExtractionError
from tests.components.yaml_defs import load, write
from tests.conftest import ROOT

LOOKUP = "query people($umid: String!) {\n  personTargetDataByUmid(umid: $umid) {\n    profileId\n  }\n}\n"
TYPE = "type: pipelines.components."
KEYS = f"{TYPE}KeyFeed\nattributes:\n  files: data/feed/{{date}}.csv\n"
LISTS = f"  schema_file: {ROOT / 'tests' / 'sandbox' / 'lists.graphql'}\n"
A_LIST = "query people($size: Int!) {\n  profiles(first: $size) {\n    nodes { profileId }\n  }\n}\n"


@pytest.fixture
def defs(tmp_path: Path) -> Path:
    write(tmp_path / "defs" / "profile_keys", KEYS)
    return tmp_path / "defs"


def said(defs: Path, yaml: str, document: str = LOOKUP) -> str:
    """Load a folder `people`; give what is said of it, without the folder of the test."""
    write(defs / "people", yaml, document=document)
    return complaint(defs)


def complaint(defs: Path) -> str:
    """Give what is said of all folders, without that of the test."""
    with pytest.raises(ExtractionError) as error:
        load(defs)
    return str(error.value).replace(f"{defs}/", "")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            "identiy: x",
            "people/defs.yaml:4: identiy: there is no such option; did you mean identity? There are",
        ),
        ("zzz: x", "people/defs.yaml:4: zzz: there is no such option; There are: description, owners, "),
        ("identity: 4", "people/defs.yaml:4: identity: Input should be a valid string"),
        ("kinds: umid", "people/defs.yaml:4: kinds: Input should be a valid list"),
        ("explode:\n    - a\n    - 4", "people/defs.yaml:6: explode.1: Input should be a valid string"),
        ("api: rest", "people/defs.yaml:4: api: Input should be 'targetdata' or 'graphql'"),
        ("partitions: hourly", "people/defs.yaml:4: partitions: Input should be 'daily' or 'none'"),
        ("max_failed: -1", "people/defs.yaml:4: max_failed: it is a number of keys, or a share of them"),
        ("max_failed: half", "people/defs.yaml:4: max_failed: it is a number of keys, or a share of them"),
        ("max_failed: true", "people/defs.yaml:4: max_failed: it is a number of keys, or a share of them"),
        (
            "retention_days: 0",
            "people/defs.yaml:4: retention_days: Input should be greater than or equal to 1",
        ),
        ("scalars:\n    Money: cash", "people/defs.yaml:4: scalars: Money cannot be kept as 'cash'"),
        ("owners: [nobody]", "people/defs.yaml:4: owners.0: an owner is a mail address or a team"),
        ("tags: {a b: c}", "people/defs.yaml:4: tags.a b: it has letters, digits and _-. only, 63 at most"),
        ("tags: {a: b c}", "people/defs.yaml:4: tags.a: it has letters, digits and _-. only"),
        ("group: größe", "people/defs.yaml:4: group: it has letters, digits and _ only, and"),
        ("group: a b", "people/defs.yaml:4: group: it has letters, digits and _ only, and"),
        ("retention_days: yes", "people/defs.yaml:4: retention_days: it is a number"),
        ("paging:\n    first_page: no", "people/defs.yaml:5: paging.first_page: it is a number"),
        (
            "group: '{{ nobody.team }}'",
            "people/defs.yaml:4: group: the template cannot be filled in: 'nobody' is",
        ),
        (
            "group: '{{ env.team '",
            "people/defs.yaml:4: group: the template cannot be filled in: unexpected end",
        ),
        (
            "group: '{{ env.NOT_SET }}'",
            "people/defs.yaml:4: group: the template gives nothing: is the variable",
        ),
        (
            "key_columns: {umid: id}",
            "people/defs.yaml:4: key_columns: these are of a file, and keys names none",
        ),
        (
            "paging:\n    strategy: offst",
            "people/defs.yaml:5: paging.strategy: Input should be 'cursor', 'offset'",
        ),
        (
            "paging:\n    row: x",
            "people/defs.yaml:5: paging.row: there is no such option; did you mean rows?",
        ),
        (
            "paging:\n    first_page: one",
            "people/defs.yaml:5: paging.first_page: Input should be a valid integer",
        ),
        ("document: none.graphql", "people/defs.yaml:4: document: there is no file people/none.graphql"),
        ("schema_file: none.graphql", "people/defs.yaml:4: schema_file: there is no schema none.graphql"),
        (
            "identity: nothing",
            "people/defs.yaml:4: identity: people/people.graphql:2:3: identity 'nothing' is no selected text",
        ),
        (
            "explode: [friends]\n  identity: profileId",
            "people/defs.yaml:4: explode: people/people.graphql:2:3: explode: friends is no list",
        ),
        ("kinds: [umid, crm]", "people/defs.yaml:4: kinds: people/people.graphql:2:3:"),
        ("root: nowhere", "people/defs.yaml:4: root: "),
        ("window: [from, to]", "people/defs.yaml:4: window: "),
        ("pseudonymise: [shoe]", "people/defs.yaml:4: pseudonymise: "),
        ("test_profiles: exclude", "people/defs.yaml:4: test_profiles: test profiles can be excluded"),
        ("only_permission: CS-OM=GRANTED", "people/defs.yaml:4: only_permission: "),
        (
            "api: graphql",
            "people/defs.yaml:4: api: graphql, and people/people.graphql is of targetdata: write # api",
        ),
    ],
)
def test_an_option_that_is_wrong_is_named_with_its_line(defs: Path, options: str, expected: str) -> None:
    yaml = f"{TYPE}GraphQLExtract\nattributes:\n  keys: profile_keys\n  {options}\n"
    found = said(defs, yaml)
    assert found.startswith(expected), found


def test_all_wrong_options_are_named_at_once(defs: Path) -> None:
    yaml = f"{TYPE}GraphQLExtract\nattributes:\n  keyz: profile_keys\n  kinds: umid\n"
    assert [line.partition(" ")[0] for line in said(defs, yaml).splitlines()] == [
        "people/defs.yaml:4:",
        "people/defs.yaml:3:",
    ]


@pytest.mark.parametrize(
    ("yaml", "expected"),
    [
        (
            "keys: profil_keys",
            "people/defs.yaml:3: keys: there is no asset profil_keys; did you mean profile_keys?",
        ),
        ("keys: profile_keys\n  partitions: none", "people/defs.yaml:4: partitions: profile_keys has Daily"),
        ("identity: profileId", "people/defs.yaml:2: keys: people looks up by umid: say where its keys are"),
        ("keys: ''", "people/defs.yaml:3: keys: String should have at least 1 character"),
        ("keys: a.csv\n  key_columns: {id: id}", "people/defs.yaml:4: key_columns: the key columns are umid"),
        ("keys: s3://key:secret@b/a.csv", "people/defs.yaml:3: keys: a URI with a user, a password or"),
        ("keys: s3://b/a.csv?k=secret", "people/defs.yaml:3: keys: a URI with a user, a password or"),
    ],
)
def test_keys_that_are_not_there_are_named(defs: Path, yaml: str, expected: str) -> None:
    assert said(defs, f"{TYPE}GraphQLExtract\nattributes:\n  {yaml}\n").startswith(expected)


def test_a_list_takes_no_keys(defs: Path) -> None:
    found = said(
        defs,
        f"{TYPE}GraphQLExtract\nattributes:\n{LISTS}  paging: {{strategy: whole}}\n  keys: profile_keys\n",
        A_LIST,
    )
    assert found == "people/defs.yaml:5: keys: people reads a list: it takes no keys"


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (LOOKUP + "}", "people/people.graphql:6:1: Syntax Error: Unexpected '}'."),
        (LOOKUP.replace("profileId", "profilId"), "people/people.graphql:3:5: Cannot query field 'profilId'"),
        (
            "# api: rest\n" + LOOKUP,
            "people/defs.yaml:2: document: people/people.graphql says api: rest; there are",
        ),
    ],
)
def test_a_document_that_does_not_fit_says_its_own_place(defs: Path, document: str, expected: str) -> None:
    yaml = f"{TYPE}GraphQLExtract\nattributes:\n  keys: profile_keys\n  identity: profileId\n"
    assert said(defs, yaml, document).startswith(expected)


def test_one_document_is_expected_in_the_folder(defs: Path) -> None:
    yaml = f"{TYPE}GraphQLExtract\nattributes:\n  keys: profile_keys\n"
    none = "people/defs.yaml:3: document: there is no .graphql document in "
    assert said(defs, yaml, "").replace(":2:", ":3:").startswith(none)
    (defs / "people" / "a.graphql").write_text(LOOKUP)
    assert "document: there are several (a.graphql, people.graphql): name the one it is" in said(defs, yaml)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            "",
            "profile_keys/defs.yaml:1: say where the keys are with one of files, ",
        ),
        (
            "files: a.csv\n  files_variable: FEED",
            "profile_keys/defs.yaml:4: files_variable: say where the keys are with one of",
        ),
        (
            "files_variable: s3://key:secret@b",
            "profile_keys/defs.yaml:3: files_variable: String should match",
        ),
        ("uri_variable: CRM", "profile_keys/defs.yaml:2: query: a database needs a query"),
        ("files: a.csv", "profile_keys/defs.yaml:3: files: The feed's pattern has no {date}"),
        ("files: '{day}.csv'", "profile_keys/defs.yaml:3: files: The feed's pattern may hold {date} or"),
        ("files: '{date}.csv'\n  late_seconds: on", "profile_keys/defs.yaml:4: late_seconds: it is a number"),
        (
            "files: '{date}.csv'\n  name: a-b",
            "profile_keys/defs.yaml:4: name: it has letters, digits and _ only",
        ),
        (
            "uri_variable: CRM\n  query: no.sql",
            "profile_keys/defs.yaml:4: query: there is no file profile_keys/no",
        ),
        ("files: a.csv\n  query: no.sql", "profile_keys/defs.yaml:4: query: a query is for a database"),
        (
            "files: a.csv\n  columns: {}",
            "profile_keys/defs.yaml:4: columns: Dictionary should have at least 1",
        ),
        (
            "files: s3://key:secret@b/{date}.csv",
            "profile_keys/defs.yaml:3: files: a URI with a user, a password",
        ),
        ("files: 's3://b/{date}?k=secret'", "profile_keys/defs.yaml:3: files: a URI with a user, a password"),
    ],
)
def test_keys_from_nowhere_or_with_a_secret_are_refused(defs: Path, options: str, expected: str) -> None:
    yaml = f"{TYPE}KeyFeed\n" + (f"attributes:\n  {options}\n" if options else "")
    write(defs / "profile_keys", yaml)
    found = said(defs, f"{TYPE}GraphQLExtract\nattributes:\n  keys: profile_keys\n")
    assert found.startswith(expected), found
    assert "secret" not in found.replace("is a secret", "")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            "of: nobody",
            "loads/defs.yaml:3: of: there is no folder nobody, and no extract nobody in this file",
        ),
        ("of: .", "loads/defs.yaml:3: of: there is no extract . in this file, which is in "),
        ("of: profile_keys", "loads/defs.yaml:3: of: what profile_keys asks is not known"),
        ("", "loads/defs.yaml:1: of: which extract? Name its folder"),
        ("schema_changes: all", "loads/defs.yaml:3: schema_changes: Input should be 'frozen' or 'additive'"),
    ],
)
def test_loads_of_nothing_are_refused(defs: Path, options: str, expected: str) -> None:
    write(defs / "loads", f"{TYPE}WarehouseLoad\n" + (f"attributes:\n  {options}\n" if options else ""))
    found = said(defs, f"{TYPE}GraphQLExtract\nattributes:\n  keys: profile_keys\n  identity: profileId\n")
    assert found.startswith(expected), found


def test_a_type_that_is_none_is_compared_with_all_that_there_are() -> None:
    assert sorted(TYPES) == sorted(f"pipelines.components.{name}" for name in components.__all__)


@pytest.mark.parametrize(
    ("yaml", "expected"),
    [
        ("", "people/defs.yaml: there is no component: begin with type: pipelines.components.GraphQLExtract"),
        ("# later\n", "people/defs.yaml: there is no component"),
        (f"{TYPE}GraphQLExtract\n---\n", "people/defs.yaml:3: there is no component"),
        ("attributes: {}\n", "people/defs.yaml:1: there is no component"),
        ("type:\n", "people/defs.yaml:1: there is no component"),
        ("- type\n", "people/defs.yaml:1: there is no component"),
        (
            f"\n{TYPE}GraphQlExtract\n",
            "people/defs.yaml:2: type: there is no pipelines.components.GraphQlExtract; did",
        ),
        (
            "type: GraphQLExtract\n",
            "people/defs.yaml:1: type: there is no GraphQLExtract; did you mean pipelines.c",
        ),
        (
            "type: pipelines.component.KeyFeed\n",
            "people/defs.yaml:1: type: there is no pipelines.component.KeyFeed;",
        ),
        (
            f"{TYPE}KeyFeed\nattribute: {{}}\n",
            "people/defs.yaml:2: attribute: a component has no such part; there",
        ),
        (
            f"{TYPE}KeyFeed\nattributes: [files]\n",
            "people/defs.yaml:2: attributes: write the options below it",
        ),
        (
            f"{TYPE}KeyFeed\nattributes:\n  name: a\n  name: b\n",
            "people/defs.yaml:4: name: it is written twice",
        ),
        (
            f"{TYPE}KeyFeed\nattributes:\n  columns: [a\n",
            "people/defs.yaml:4:1: this is no YAML: expected ','",
        ),
        (
            f"{TYPE}KeyFeed\nattributes:\n\tname: a\n",
            "people/defs.yaml:3:1: this is no YAML: found character",
        ),
    ],
)
def test_a_file_that_is_no_component_is_named(defs: Path, yaml: str, expected: str) -> None:
    found = said(defs, yaml)
    assert found.startswith(expected), found


@pytest.mark.parametrize("name", ["assets.py", "more/defs.yaml", "more/assets.py"])
def test_what_dagster_would_pass_over_is_refused(defs: Path, name: str) -> None:
    beside = defs / "people" / name
    beside.parent.mkdir(parents=True)
    beside.write_text(KEYS if name.endswith("yaml") else "")
    found = said(defs, f"{TYPE}GraphQLExtract\nattributes:\n  keys: profile_keys\n")
    assert found.startswith(f"people/defs.yaml: people/{name} is not read, as Dagster reads nothing beside")


def test_a_folder_whose_name_is_none_of_an_asset_is_refused(defs: Path) -> None:
    write(defs / "my-keys", KEYS)
    found = said(defs, f"{TYPE}GraphQLExtract\nattributes:\n  keys: profile_keys\n")
    assert found.startswith("my-keys/defs.yaml:2: name: the folder's name, my-keys, can be none of an asset")
