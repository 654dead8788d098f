"""Schemas of any shape, in SDL, with names that clash and arguments that mean something to paging."""

from hypothesis import strategies as st

LEAVES = ("ID", "String", "Int", "Boolean", "Kind", "Money", "DateTime")
WORDS = """
id user_id fooBar foo_bar FooBar fetchedAt aOfO0 a nodes edges node items pageInfo info
hasNextPage hasMore endCursor next total cursor page size
"""
NAMES = tuple(WORDS.split())
TAKEN = """
id: ID!|key: String!|start: Int!|end: Int!|from: DateTime!|to: DateTime!|kind: Kind!|size: Int!
first: Int|after: String|limit: Int! = 10|offset: Int|page: Int = 0|cursor: String!|ids: [ID!]
since: DateTime|until: DateTime|filter: Filter|paging: Paging
"""
ARGUMENTS = tuple(TAKEN.strip().replace("\n", "|").split("|"))
ROOTS = ("person", "people", "things", "page", "all_of_it")
WRAPPED = ("{}", "{}!", "[{}]", "[{}!]!", "[[{}]]")
OBJECTS, INTERFACES, UNION = ("O0", "O1", "O2", "O3"), ("I0", "I1"), "U0"
HEAD = """
scalar Money
scalar DateTime
enum Kind { A B }
input Filter { name: String first: Int changedFrom: DateTime changedTo: DateTime }
input Paging { limit: Int offset: Int }
"""


@st.composite
def fields(draw: st.DrawFn, types: tuple[str, ...], *, of_query: bool = False) -> dict[str, str]:
    """Draw some fields, each as SDL writes it, by name."""
    found = {}
    for name in draw(
        st.lists(st.sampled_from(ROOTS if of_query else NAMES), min_size=1, max_size=6, unique=True)
    ):
        chosen = draw(st.lists(st.sampled_from(ARGUMENTS), max_size=4, unique=True))
        arguments = f"({', '.join(chosen)})" if chosen and (of_query or draw(st.booleans())) else ""
        type_ = draw(st.sampled_from(WRAPPED)).format(draw(st.sampled_from(types)))
        ending = " @deprecated" if draw(st.integers(0, 9)) == 0 else ""
        found[name] = f"{name}{arguments}: {type_}{ending}"
    return found


@st.composite
def schemas(draw: st.DrawFn, *, abstract: bool = True) -> str:
    """Draw a schema; without `abstract` it has no interfaces and unions."""
    others = (*INTERFACES, UNION) if abstract else ()
    types = (*LEAVES, *OBJECTS, *others)
    interfaces = {name: draw(fields(types)) for name in INTERFACES} if abstract else {}
    texts = [f"interface {name} {{ {' '.join(own.values())} }}" for name, own in interfaces.items()]
    for name in OBJECTS:
        own, implemented = draw(fields(types)), ""
        if interfaces and draw(st.booleans()):
            chosen = draw(st.sampled_from(INTERFACES))
            own, implemented = own | interfaces[chosen], f" implements {chosen}"
        texts.append(f"type {name}{implemented} {{ {' '.join(own.values())} }}")
    if abstract:
        members = draw(st.lists(st.sampled_from(OBJECTS), min_size=1, unique=True))
        texts.append(f"union {UNION} = {' | '.join(members)}")
    roots = draw(fields((*OBJECTS, *others), of_query=True))
    texts.append(f"type Query {{ {' '.join(roots.values())} }}")
    return HEAD + "\n".join(texts)
