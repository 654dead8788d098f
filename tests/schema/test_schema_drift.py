"""The kept schema against the server's: each change is found, sorted, and told whether a query uses it."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from random import Random
from typing import Any

import pytest
from graphql import (
    BreakingChangeType,
    DangerousChangeType,
    DocumentNode,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    build_schema,
    execute_sync,
    find_breaking_changes,
    find_dangerous_changes,
    introspection_from_schema,
    parse,
    print_schema,
    specified_rules,
    validate,
    validate_schema,
)
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipelines.schema.answers import answering
from resources.graphql.schema import Change, Drift, Kind, find_drift
from resources.graphql.schema.drift.changes import FORMS, NO_CHANGE, compare
from tests.conftest import PROFILES_QUERY, ROOT, SCHEMA, Connect
from tests.engine.random_graphs import World
from tests.imitations import (
    Errors,
    Imitation,
    core,
    double_quotes,
    java,
    no_locations,
    no_suggestions,
    old_java,
    only_locations,
)
from tests.sandbox import Sandbox

LIVE = ROOT / "tests" / "sandbox" / "schema.graphql"
FOREIGN = ROOT / "tests" / "sandbox" / "foreign.graphql"
BOTH = """
scalar Money
enum Kind { A B }
enum Unused { A B }
input Filter { name: String }
directive @fast(level: Int) repeatable on FIELD | QUERY
interface Node { id: ID! }
type Person implements Node { id: ID! kind: Kind spent(in: String = "EUR", at: Int): Money  other: Other }
type Firm implements Node { id: ID! name: String }
type Other implements Node { id: ID! unused: Unused }
union Any = Person | Firm
type Query { person(id: ID!, filter: Filter): Person  any: Any  node: Node }
"""
DOCUMENT = """
query q($id: ID!, $filter: Filter) {
  person(id: $id, filter: $filter) { id kind spent(at: 1) @fast }
  any { ... on Person { kind } }
}
"""
EDITS = [
    ("kind: Kind spent", "spent", "breaking", "Person.kind", True),
    ("  other: Other", "", "breaking", "Person.other", False),
    ("name: String }\ntype Other", "}\ntype Other".replace("}", "x: Int }"), "breaking", "Firm.name", False),
    ("Money  other", "Int  other", "breaking", "Person.spent", True),
    ("enum Kind { A B }", "enum Kind { A }", "breaking", "Kind.B", True),
    ("enum Kind { A B }", "enum Kind { A B C }", "dangerous", "Kind.C", True),
    ("enum Unused { A B }", "enum Unused { B }", "breaking", "Unused.A", False),
    ("enum Unused { A B }", "enum Unused { A B C }", "dangerous", "Unused.C", False),
    ("scalar Money", "enum Money { A }", "breaking", "Money", True),
    ('in: String = "EUR"', "in: String!", "breaking", "Person.spent(in:)", True),
    ('in: String = "EUR"', 'in: String! = "EUR"', "breaking", "Person.spent(in:)", False),
    ("at: Int)", "at: String)", "breaking", "Person.spent(at:)", True),
    (", at: Int)", ")", "breaking", "Person.spent(at:)", True),
    ('in: String = "EUR", ', "", "breaking", "Person.spent(in:)", False),
    ("at: Int)", "at: Int, by: Int!)", "breaking", "Person.spent(by:)", True),
    ("at: Int)", "at: Int, by: Int)", "dangerous", "Person.spent(by:)", True),
    ('"EUR"', '"USD"', "dangerous", "Person.spent(in:)", True),
    ("Filter { name: String", "Filter { name: Int", "breaking", "Filter.name", True),
    ("Filter { name: String", "Filter { name: String x: Int!", "breaking", "Filter.x", True),
    ("Filter { name: String", "Filter { name: String x: Int", "dangerous", "Filter.x", True),
    ("Any = Person | Firm", "Any = Person", "breaking", "Any", True),
    ("Any = Person | Firm", "Any = Person | Firm | Other", "dangerous", "Any", True),
    ("Firm implements Node", "Firm", "breaking", "Firm", False),
    ("directive @fast(level: Int) repeatable on FIELD | QUERY", "", "breaking", "@fast", True),
    ("FIELD | QUERY", "FIELD", "breaking", "@fast", True),
    ("(level: Int)", "", "breaking", "@fast(level:)", True),
    ("(level: Int)", "(level: Int!)", "breaking", "@fast(level:)", True),
    ("(level: Int)", "(level: String)", "breaking", "@fast(level:)", False),
    ("(level: Int)", "(level: Int, x: Int!)", "breaking", "@fast(x:)", True),
    ("(level: Int)", "(level: Int, x: Int)", "safe", "@fast(x:)", True),
    ("FIELD | QUERY", "FIELD | QUERY | MUTATION", "safe", "@fast", True),
    ("kind: Kind spent", "kind: Kind! spent", "safe", "Person.kind", True),
    ("kind: Kind spent", "kind: Kind more: Int spent", "safe", "Person.more", False),
    ("person(id: ID!", "person(id: ID", "safe", "Query.person(id:)", True),
    ("at: Int)", "at: Int = 2)", "safe", "Person.spent(at:)", True),
    ("scalar Money", "scalar Money type Fresh { a: Int }", "safe", "Fresh", False),
    ("  node: Node", "", "breaking", "Query.node", False),
]


def changed(old: str, new: str) -> GraphQLSchema:
    assert old in BOTH
    return build_schema(BOTH.replace(old, new))


def opened(schema: GraphQLSchema) -> Callable[[str, Mapping[str, object]], Mapping[str, object]]:
    """Ask a schema that may be introspected."""
    return lambda text, variables: dict(
        execute_sync(schema, parse(text), variable_values=dict(variables)).formatted
    )


def closed(
    schema: GraphQLSchema, imitation: Imitation = core
) -> Callable[[str, Mapping[str, object]], Mapping[str, object]]:
    """Ask a schema that may not, with errors as some server words them."""

    def ask(text: str, variables: Mapping[str, object]) -> Mapping[str, object]:
        document = parse(text)
        rules = [*specified_rules, NoSchemaIntrospectionCustomRule]
        errors: Errors = imitation(validate(schema, document, rules), document)
        return {"errors": errors} if errors else opened(schema)(text, variables)

    return ask


def by_place(drift: Drift) -> dict[str, Change]:
    assert len({change.place for change in drift.changes}) == len(drift.changes)
    return {change.place: change for change in drift.changes}


@pytest.mark.parametrize(("old", "new", "kind", "place", "used"), EDITS)
def test_each_kind_of_change_is_found_at_its_place_and_told_whether_the_query_uses_it(
    old: str, new: str, kind: str, place: str, used: bool
) -> None:
    drift = find_drift(opened(changed(old, new)), build_schema(BOTH), {"q": parse(DOCUMENT)})
    change = by_place(drift)[place]
    assert (change.kind, bool(change.used_by)) == (kind, used), change
    assert drift.introspected
    assert drift.notes == ()


ARGUED = """
enum Level { LOW HIGH }
input Window { first: Int! = 10, kind: String }
directive @near(level: Level, km: Int) repeatable on FIELD
type Query {
  person(umid: String, size: Int! = 1, window: Window): Person
  people: [Person]
}
type Person { name: String }
"""
LOST = [
    ("umid: String,", "umid: String!,", "{ person { name } }", {"Query.person(umid:)"}),
    ("umid: String,", "umid: String!,", "{ people { name } }", set()),
    ("size: Int! = 1", "size: Int!", "{ person { name } }", {"Query.person"}),
    ("first: Int! = 10", "first: Int!", '{ person(window: {kind: "a"}) { name } }', {"Query.person"}),
    ("km: Int", "km: String", "{ people { name @near(km: 1) } }", {"@near(km:)"}),
    ("km: Int", "km: String", "query ($km: Int) { people { name @near(km: $km) } }", {"@near(km:)"}),
    ("km: Int", "km: String", "{ people { name @near } }", set()),
    ("km: Int", "km: Int!", "{ people { name @near } }", {"@near(km:)"}),
    ("LOW HIGH", "LOW", "{ people { name @near(level: HIGH) } }", {"Level.HIGH"}),
    ("repeatable on", "on", "{ people { name @near(km: 1) @near(km: 2) } }", set()),
]


@pytest.mark.parametrize(("old", "new", "text", "places"), LOST)
def test_whatever_makes_a_query_fail_is_breaking_and_used_and_named_once(
    old: str, new: str, text: str, places: set[str]
) -> None:
    known, live, document = build_schema(ARGUED), build_schema(ARGUED.replace(old, new)), parse(text)
    assert validate(known, document) == []
    drift = find_drift(opened(live), known, {"q": document, "r": document, "s": parse("{ __typename }")})
    used = drift.of(Kind.BREAKING, used=True)
    assert [(c.place, c.used_by) for c in used] == [(place, ("q", "r")) for place in places]


def test_an_error_is_placed_where_it_is_in_a_query_of_many_lines() -> None:
    known = build_schema("type Query { a(one: String, two: String, three: Int! = 1): A } type A { b: Int }")
    live = build_schema("type Query { a(one: String, two: String, three: Int!): A } type A { b: Int }")
    long = "x" * 50
    text = f'query ($n: Int = 1) {{ a(one: "{long}", two: "{long}", three: $n) {{ b }} }}'
    loose = parse(text.replace("$n: Int = 1", "$n: Int"))
    assert not find_drift(opened(live), known, {"q": parse(text)}).of(Kind.BREAKING)
    (change,) = find_drift(opened(live), known, {"q": loose}).of(Kind.BREAKING)
    assert (change.place, change.used_by) == ("Query.a(three:)", ("q",))
    assert "expecting type 'Int!'" in change.text


def test_a_servers_schema_that_breaks_a_rule_for_schemas_is_compared_all_the_same() -> None:
    introspection: dict[str, Any] = dict(introspection_from_schema(build_schema(BOTH)))
    (person,) = [t for t in introspection["__schema"]["types"] if t["name"] == "Person"]
    person["fields"] = [f for f in person["fields"] if f["name"] != "id"]
    drift = find_drift(lambda *_: {"data": introspection}, build_schema(BOTH), {"q": parse(DOCUMENT)})
    assert by_place(drift)["Person.id"].used_by == ("q",)


def test_all_that_graphql_core_tells_has_a_form() -> None:
    untold = {BreakingChangeType.DIRECTIVE_REPEATABLE_REMOVED}
    assert set(FORMS) == {*BreakingChangeType, *DangerousChangeType} - untold


def test_an_interface_concerns_a_query_that_asks_for_it() -> None:
    document = parse("{ node { id ... on Firm { name } } }")
    without = changed("Firm implements Node", "Firm")
    (change,) = find_drift(opened(without), build_schema(BOTH), {"q": document}).changes
    assert (change.place, change.used_by) == ("Firm", ("q",))
    wider = changed("Firm implements Node { id: ID!", "Firm implements Node { id: ID! id2: ID")
    (change,) = find_drift(opened(wider), build_schema(BOTH), {"q": document}).changes
    assert (change.kind, change.used_by) == (Kind.SAFE, ())
    back = find_drift(opened(build_schema(BOTH)), without, {"q": parse("{ node { id } }")})
    assert by_place(back)["Firm"].kind == "dangerous"
    assert by_place(back)["Firm"].used_by == ("q",)


def test_a_field_of_an_interface_is_used_of_all_types_that_have_it() -> None:
    live = changed("Person implements Node { id: ID!", "Person implements Node { id(form: Int): ID!")
    (change,) = find_drift(opened(live), build_schema(BOTH), {"q": parse("{ node { id } }")}).changes
    assert (change.place, change.used_by) == ("Person.id(form:)", ("q",))


def test_a_type_of_which_only_its_name_is_asked_is_used() -> None:
    live = build_schema(BOTH.replace("interface Node", "interface Thing").replace("Node", "Thing"))
    document = parse("{ any { ... on Node { __typename } } }")
    changes = find_drift(opened(live), build_schema(BOTH), {"q": document}).changes
    assert [c.used_by for c in changes if c.place == "Node"] == [("q",)]


def test_the_same_schema_with_other_descriptions_has_not_changed() -> None:
    described = BOTH.replace("type Person", '"somebody" type Person').replace("scalar", "scalar Spare scalar")
    assert compare(build_schema(described), build_schema(described.replace("somebody", "a person"))) == []


def test_changes_that_are_used_come_first_in_each_kind() -> None:
    text = BOTH.replace("kind: Kind spent", "more: Int spent").replace("  other: Other", "")
    changes = find_drift(opened(build_schema(text)), build_schema(BOTH), {"q": parse(DOCUMENT)}).changes
    assert [change.place for change in changes] == ["Person.kind", "Person.other", "Person.more"]
    assert changes[-1].text == "Person.more was added."


def edited(world: World, random: Random) -> tuple[str, set[str], str]:
    """Edit one field wherever it is defined; give the schema, its places, and the schema without it."""
    types = [t for t in world.schema.type_map.values() if hasattr(t, "fields") and t.name != "Query"]
    names = sorted({name for t in types if not t.name.startswith("__") for name in t.fields})
    name = random.choice(names)
    lines = print_schema(world.schema).splitlines()
    owner, places = "", set()
    out: list[str] = []
    without: list[str] = []
    form = random.choice(["{name}: Boolean", "{name}(needed: Int!): {type}", "{name}: [{type}]", ""])
    for line in lines:
        words = line.split()
        owner = words[1] if line.startswith(("type ", "interface ")) else owner
        if line.startswith((f"  {name}:", f"  {name}(")):
            places.add(f"{owner}.{name}")
            type_ = line.rpartition(": ")[2]
            out += [f"  {form.format(name=name, type=type_)}"] if form else []
        else:
            out.append(line)
            without.append(line)
    return "\n".join(out), places, "\n".join(without)


def works(document: DocumentNode, schema: GraphQLSchema) -> bool:
    return not validate(schema, document)


@given(st.integers(0, 2**64).map(Random))
@settings(max_examples=20)
def test_an_edit_of_any_field_is_sorted_as_graphql_core_does_and_used_if_the_query_needs_it(
    random: Random,
) -> None:
    world = World(random, rows=1)
    text, places, without_text = edited(world, random)
    assume("{\n}" not in text + without_text)
    new, without = build_schema(text), build_schema(without_text)
    assume(not validate_schema(new) and not validate_schema(without))
    document = parse(world.document)
    drift = find_drift(opened(new), world.schema, {"q": document})
    for kind, found in (("breaking", find_breaking_changes), ("dangerous", find_dangerous_changes)):
        said = [c.description for c in found(world.schema, new) if not c.description.startswith(NO_CHANGE)]  # type: ignore[operator]
        assert sorted(c.text for c in drift.of(Kind(kind))) == sorted(said)
    at_places = [c for c in drift.changes if c.place.partition("(")[0] in places]
    used = not works(document, without)
    assert any(c.used_by for c in at_places) == (used and bool(at_places))
    if not works(document, new):
        assert drift.of(Kind.BREAKING, used=True)
    hidden = find_drift(closed(new), world.schema, {"q": document})
    assert bool(hidden.changes) == (not works(document, new))
    assert {c.place for c in hidden.changes} <= places or not hidden.changes


@pytest.mark.parametrize(
    "imitation",
    [core, double_quotes, no_suggestions, no_locations, only_locations, java, old_java],
    ids=lambda i: i.__name__,
)
def test_without_introspection_what_the_query_lost_is_named_whatever_the_servers_words(
    imitation: Imitation,
) -> None:
    live = build_schema(LIVE.read_text().replace("  value: String\n", "", 1).replace("  owner: String\n", ""))
    known, document = build_schema(SCHEMA.read_text()), parse(PROFILES_QUERY.read_text())
    drift = find_drift(closed(live, imitation), known, {"profiles": document})
    assert {c.place for c in drift.changes} == {"Identifier.value", "PersonTargetData.owner"}
    assert {(c.kind, c.used_by) for c in drift.changes} == {(Kind.BREAKING, ("profiles",))}
    assert "does not allow introspection" in drift.notes[0]


def test_an_object_that_became_a_leaf_and_another_argument_show_without_introspection() -> None:
    text = LIVE.read_text().replace("permissions: [PermissionDto]", "permissions: String")
    live = build_schema(
        text.replace("personTargetDataByUmid(umid: String!)", "personTargetDataByUmid(umid: ID!)")
    )
    known, document = build_schema(SCHEMA.read_text()), parse(PROFILES_QUERY.read_text())
    places = {c.place for c in find_drift(closed(live), known, {"q": document}).changes}
    assert places == {"PersonTargetData.permissions", "Query.personTargetDataByUmid"}


def test_a_dummy_value_that_a_server_does_not_take_is_no_change() -> None:
    schema = build_schema("scalar Odd type Query { a(odd: Odd!): Int }")

    def refusing(text: str, variables: Mapping[str, object]) -> Mapping[str, object]:
        if "__schema" in text:
            return {"errors": [{"message": "no"}]}
        return {"errors": [{"message": 'Variable "$odd" got invalid value "schema-probe"; it is odd'}]}

    drift = find_drift(refusing, schema, {"q": parse("query ($odd: Odd!) { a(odd: $odd) }")})
    assert drift.changes == ()
    assert "may not have checked all" in drift.notes[1]


def test_an_answer_that_may_hold_a_value_is_not_shown() -> None:
    def leaking(text: str, _: Mapping[str, object]) -> Mapping[str, object]:
        return {"errors": [{"message": "no such person: Ada Lovelace"}]}

    drift = find_drift(leaking, build_schema(SCHEMA.read_text()), {"q": parse(PROFILES_QUERY.read_text())})
    (change,) = drift.changes
    assert change.kind is Kind.BREAKING
    assert "Ada" not in str(drift)


def test_nobody_is_looked_up_to_see_what_a_server_refuses(connect: Connect, stack: ExitStack) -> None:
    sandbox = stack.enter_context(Sandbox(people=5, variant="foreign"))
    known = build_schema(FOREIGN.read_text())
    query = parse("query q($umid: String!) { personTargetDataByUmid(umid: $umid) { profileId } }")
    drift = find_drift(answering(connect(sandbox).client), known, {"q": query})
    assert drift.changes == ()
    asked = [r for r in sandbox.requests if r.path == "/graphql"]
    assert len(asked) == 3, "two for introspection, one for the document"
    assert "@skip(if: true)" in asked[-1].query
