"""What a server has against a document that once fitted it: the changes that show without introspection."""

from collections.abc import Callable, Mapping, Sequence

from graphql import (
    ArgumentNode,
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    GraphQLSchema,
    NameNode,
    NonNullTypeNode,
    OperationDefinitionNode,
    SelectionNode,
    parse_value,
    print_ast,
    value_from_ast_untyped,
)

from resources.graphql.changed import with_changes
from resources.graphql.schema.drift.changes import Change, Kind
from resources.graphql.schema.drift.usage import Usage, UsedField
from resources.graphql.schema.pulling import wording
from resources.graphql.schema.pulling.complaints import Complaint, complaints
from resources.graphql.schema.pulling.literals import literal
from resources.graphql.sending.answer import Answer

AskWith = Callable[[str, Mapping[str, object]], Mapping[str, object]]

SKIP = DirectiveNode(  # validated as ever; but nobody is looked up, and no list is read
    name=NameNode(value="skip"),
    arguments=(ArgumentNode(name=NameNode(value="if"), value=BooleanValueNode(value=True)),),
)


def refusals(
    ask: AskWith, name: str, document: DocumentNode, known: GraphQLSchema
) -> tuple[list[Change], list[str]]:
    """Send a document with dummy values; give what the server refuses of it, and what that leaves open."""
    usage = Usage.of(_skipped(document), known)
    answer = ask(usage.text, _dummies(document, known))
    said = [error.shown().removesuffix(" [without a code]") for error in Answer.of(answer).errors]
    changes: list[Change] = []
    notes: list[str] = []
    for number, complaint in enumerate(complaints(answer)):
        words = said[number] if number < len(said) else complaint.message
        if wording.UNFIT_VALUE.search(complaint.message):
            notes.append(f"{name}: the server does not take a dummy value, and so may not have checked all")
        else:
            place = _place(complaint, usage.fields) or name
            changes.append(
                Change(Kind.BREAKING, place, f"The server refuses {place}: {words}", used_by=(name,))
            )
    return changes, notes


def _skipped(document: DocumentNode) -> DocumentNode:
    """Leave out all that a document asks, but for its validation."""
    definitions = [
        _nothing_of(d) if isinstance(d, OperationDefinitionNode) else d for d in document.definitions
    ]
    return with_changes(document, definitions=tuple(definitions))


def _nothing_of(node: OperationDefinitionNode) -> OperationDefinitionNode:
    roots = tuple(map(_without, node.selection_set.selections))
    return with_changes(node, selection_set=with_changes(node.selection_set, selections=roots))


def _without(node: SelectionNode) -> SelectionNode:
    has_one = any(directive.name.value == "skip" for directive in node.directives)
    return node if has_one else with_changes(node, directives=(*node.directives, SKIP))


def _dummies(document: DocumentNode, known: GraphQLSchema) -> dict[str, object]:
    """Give the required variables values that mean nothing."""
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    return {
        variable.variable.name.value: value_from_ast_untyped(
            parse_value(literal(print_ast(variable.type), known))
        )
        for operation in operations
        for variable in operation.variable_definitions
        if isinstance(variable.type, NonNullTypeNode) and variable.default_value is None
    }


def _place(complaint: Complaint, fields: Sequence[UsedField]) -> str:
    """Find the field that a complaint is about, by its line, its name and its type; empty if it is none."""
    said = wording.field_meant(complaint.message, {field.name for field in fields})
    named = [field for field in fields if field.name == said]
    pointed = [field for field in fields if field.line in complaint.lines]
    typed = [field for field in named if wording.names_type(complaint.message, field.type)]
    found = pointed or typed or (named if len({field.place for field in named}) == 1 else [])
    return found[0].place if found else ""
