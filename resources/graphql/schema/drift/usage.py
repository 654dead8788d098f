"""What a document uses of a schema, as coordinates: `Person`, `Person.name`, `Person.items(first:)`."""

from dataclasses import dataclass, field

from graphql import (
    ArgumentNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLSchema,
    GraphQLType,
    GraphQLUnionType,
    InlineFragmentNode,
    NamedTypeNode,
    Node,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    parse,
    print_ast,
    visit,
)


@dataclass(frozen=True, slots=True)
class UsedField:
    """A field that a document selects: of which type, and on which line."""

    type: str
    name: str
    line: int

    @property
    def place(self) -> str:
        """Its coordinate."""
        return f"{self.type}.{self.name}"


@dataclass(slots=True)
class Usage:
    """The places that a document uses; `fields` in the order of `text`, which is the document printed.

    `lines` has them by the line on which they are used, what stands there itself first.
    """

    text: str
    places: set[str] = field(default_factory=set)
    fields: list[UsedField] = field(default_factory=list)
    lines: dict[int, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, document: DocumentNode, schema: GraphQLSchema) -> "Usage":
        """Find what a document that fits a schema uses of it.

        A field of an interface is used of all types that implement it; of an input type all fields are, as
        the values of variables are not known here.
        """
        usage = cls(print_ast(document))
        types = TypeInfo(schema)
        visit(parse(usage.text), TypeInfoVisitor(types, _Uses(schema, types, usage)))
        return usage


class _Uses(Visitor):
    """Collects places while a document is gone through."""

    def __init__(self, schema: GraphQLSchema, types: TypeInfo, usage: Usage) -> None:
        super().__init__()
        self._schema = schema
        self._types = types
        self._usage = usage
        self._field = ""

    def enter_field(self, node: FieldNode, *_: object) -> None:
        """Take a field, its type, and what it is of."""
        parent, known = self._types.get_parent_type(), self._types.get_field_def()
        self._field = node.name.value
        if parent is None or known is None or self._field.startswith("__"):
            self._use(node, *self._taken(parent))
            return
        self._usage.fields.append(UsedField(parent.name, self._field, _line(node)))
        self._use(node, *self._fields_of(parent), *self._taken(parent), *self._taken(known.type))

    def enter_argument(self, node: ArgumentNode, *_: object) -> None:
        """Take an argument and its type, which is that of the variables in it too."""
        parent, argument = self._types.get_parent_type(), self._types.get_argument()
        directive = self._types.get_directive()
        if argument is None:
            return
        owners = [f"@{directive.name}"] if directive else self._fields_of(parent) if parent else []
        self._use(node, *(f"{owner}({node.name.value}:)" for owner in owners), *self._taken(argument.type))

    def enter_directive(self, node: DirectiveNode, *_: object) -> None:
        """Take a directive."""
        self._use(node, f"@{node.name.value}")

    def enter_named_type(self, node: NamedTypeNode, *_: object) -> None:
        """Take the type of a variable or of a fragment."""
        self._use(node, *self._taken(self._schema.get_type(node.name.value)))

    def enter_inline_fragment(self, node: InlineFragmentNode, *_: object) -> None:
        """Take the type in whose place a fragment stands."""
        self._use(node, *self._taken(self._types.get_parent_type()))

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: object) -> None:
        """Take the type in whose place a fragment stands."""
        self._use(node, *self._taken(self._types.get_parent_type()))

    def _use(self, node: Node, *places: str) -> None:
        self._usage.places.update(places)
        self._usage.lines.setdefault(_line(node), []).extend(places)

    def _taken(self, type_: GraphQLType | None) -> list[str]:
        """Name a type, and all that may be inside of an input type."""
        found: dict[str, None] = {}
        waiting = [get_named_type(type_)]
        while waiting:
            named = waiting.pop()
            if named is None or named.name in found:
                continue
            found |= dict.fromkeys(self._also(named))
            if isinstance(named, GraphQLInputObjectType):
                found |= dict.fromkeys(f"{named.name}.{name}" for name in named.fields)
                waiting += [get_named_type(each.type) for each in named.fields.values()]
        return list(found)

    def _fields_of(self, parent: GraphQLNamedType) -> list[str]:
        return [f"{name}.{self._field}" for name in self._also(parent)]

    def _also(self, type_: GraphQLNamedType) -> list[str]:
        """Name a type, and those that an answer may have in its place."""
        if isinstance(type_, GraphQLInterfaceType | GraphQLUnionType):
            return [type_.name, *(each.name for each in self._schema.get_possible_types(type_))]
        return [type_.name]


def _line(node: Node) -> int:
    return node.loc.start_token.line if node.loc else 0
