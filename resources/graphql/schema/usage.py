"""What a document uses of a schema, as coordinates: `Person`, `Person.name`, `Person.items(first:)`."""

from dataclasses import dataclass, field

from graphql import (
    ArgumentNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLSchema,
    GraphQLType,
    GraphQLUnionType,
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
    """The places that a document uses; `fields` in the order of `text`, which is the document printed."""

    text: str
    places: set[str] = field(default_factory=set)
    fields: list[UsedField] = field(default_factory=list)

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
        self._take(parent)
        if parent is None or known is None or self._field.startswith("__"):
            return
        line = node.loc.start_token.line if node.loc else 0
        self._usage.fields.append(UsedField(parent.name, self._field, line))
        self._usage.places |= {f"{name}.{self._field}" for name in self._also(parent)}
        self._take(known.type)

    def enter_argument(self, node: ArgumentNode, *_: object) -> None:
        """Take an argument and its type, which is that of the variables in it too."""
        parent, argument = self._types.get_parent_type(), self._types.get_argument()
        if argument is not None and parent is not None and self._types.get_directive() is None:
            self._usage.places |= {f"{name}.{self._field}({node.name.value}:)" for name in self._also(parent)}
            self._take(argument.type)

    def enter_directive(self, node: DirectiveNode, *_: object) -> None:
        """Take a directive."""
        self._usage.places.add(f"@{node.name.value}")

    def _take(self, type_: GraphQLType | None) -> None:
        named = get_named_type(type_)
        if named is None or named.name in self._usage.places:
            return
        self._usage.places |= self._also(named)
        if isinstance(named, GraphQLInputObjectType):
            for name, input_field in named.fields.items():
                self._usage.places.add(f"{named.name}.{name}")
                self._take(input_field.type)

    def _also(self, type_: GraphQLNamedType) -> set[str]:
        """Name a type, and those that an answer may have in its place."""
        if isinstance(type_, GraphQLInterfaceType | GraphQLUnionType):
            return {type_.name, *(each.name for each in self._schema.get_possible_types(type_))}
        return {type_.name}
