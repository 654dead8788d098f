"""How a document is paged: by keys in batches of aliases, or as a list; inferred from the document."""

from collections.abc import Mapping, Sequence

from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    NonNullTypeNode,
    OperationDefinitionNode,
    VariableDefinitionNode,
    is_composite_type,
    is_leaf_type,
)

from resources.errors import ConfigurationError
from resources.graphql.plan.keyed import Keyed, key_variables
from resources.graphql.plan.listed import Listed
from resources.graphql.plan.lists import ListInference
from resources.graphql.plan.paging import Paging
from resources.graphql.plan.place import Places
from resources.graphql.plan.rows import row_type
from resources.graphql.plan.vocabulary import MORE
from resources.graphql.plan.window import Window, infer_window
from resources.graphql.scalars import Scalars

__all__ = ["Keyed", "Listed", "Paging", "Plan", "Window", "chained", "check_variables", "infer_plan"]

Plan = Keyed | Listed


def infer_plan(
    operation: OperationDefinitionNode,
    root: FieldNode,
    schema: GraphQLSchema,
    scalars: Scalars,
    paging: Paging | None = None,
    window: Window | tuple[str, str] | None = None,
) -> tuple[Plan, Window | None]:
    """Choose how to page a document, and find its window."""
    paging = paging or Paging()
    places = Places(root, schema)
    if not is_composite_type(places.root.named):
        raise GraphQLError(f"{root.name.value} is {places.root.type}: it has no rows", root)
    lists = ListInference(operation, places, paging, scalars)
    of_pages = set() if paging.strategy == "keyed" else lists.of_pages
    keys = {key.variable.name.value for key in key_variables(operation, root, of_pages)}
    keyed = paging.strategy == "keyed" or not (_is_list(places, paging) or lists.is_paged)
    found = infer_window(operation, window, keys if keyed else (), scalars)
    wanted = key_variables(operation, root, of_pages.union(found.names if found else ()))
    if keyed and places.root.is_list:
        raise GraphQLError(f"{root.name.value} gives a list, and a lookup by key gives one object", root)
    if keyed and wanted:
        _refuse_objects(wanted, schema, scalars)
        return Keyed(operation, root, row_type(places.root), wanted, scalars), found
    if paging.strategy == "keyed":
        raise GraphQLError(
            f"{root.name.value} takes no required variable, so there is no key to look up; "
            "write its argument as a variable, as in query q($umid: String!)",
            root,
        )
    return lists.plan(found.names if found else ()), found


def _refuse_objects(keys: Sequence[VariableDefinitionNode], schema: GraphQLSchema, scalars: Scalars) -> None:
    for key in keys:
        type_name = scalars.of_variable(key).name
        if not is_leaf_type(schema.type_map[type_name]):
            raise GraphQLError(
                f"${key.variable.name.value} is a key and {type_name} an input object: write the object in "
                "the document, with a variable for each field that is a key, as in (input: {id: $id})",
                key,
            )


def _is_list(places: Places, paging: Paging) -> bool:
    """Say whether the root is a list or an object that says how its list goes on."""
    children = [] if places.root.is_list else places.children(places.root)
    return (
        places.root.is_list
        or paging.wants_list
        or any(child.name == "page_info" or child.name in MORE for child in children)
    )


def chained(plan: Plan, kinds: Sequence[str]) -> Plan:
    """Ask by several kinds of identifiers in turn, if there are any."""
    if not kinds:
        return plan
    if not isinstance(plan, Keyed):
        raise GraphQLError("a list is not asked by kinds of identifiers", plan.node)
    return plan.chained(kinds)


def check_variables(name: str, plan: Plan, variables: Mapping[str, object]) -> None:
    """Refuse, before a server is asked, what is required and not given, and what the query does not have."""
    definitions = {d.variable.name.value: d for d in plan.operation.variable_definitions}
    if unknown := sorted(set(variables) - set(definitions)):
        raise ConfigurationError(f"{name} has no variable {', '.join(unknown)}")
    position = plan.position if isinstance(plan, Listed) else None
    taken = plan.own if isinstance(plan, Keyed) else {position}
    if ours := sorted(set(variables) & taken):
        raise ConfigurationError(f"{name}: {', '.join(ours)} is filled by the extraction itself")
    missing = [
        variable
        for variable, d in definitions.items()
        if isinstance(d.type, NonNullTypeNode) and d.default_value is None
        if variable not in plan.own and variables.get(variable) is None
    ]
    if missing:
        raise ConfigurationError(
            f"{name} needs a value for {', '.join(missing)}: give it as in "
            f"variables={{{missing[0]!r}: …}} or --var {missing[0]}=…"
        )
