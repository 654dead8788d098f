"""What may be one page of a list is not taken for the list."""

from collections.abc import Collection, Mapping, Sequence

from graphql import GraphQLError

from resources.graphql.columns import Scalar
from resources.graphql.plan.arguments import is_number_in_filter, number_argument, paging_argument
from resources.graphql.plan.place import Place, bound
from resources.graphql.scalars import Scalars


def refuse_first_page_only(
    line: Sequence[Place], types: Mapping[str, Scalar], scalars: Scalars, window: Collection[str]
) -> None:
    """Refuse a field on the way to the rows that takes what may be a position or a size.

    One object is found by any number. `types` are those of the variables that may be null; those of the
    `window` are no positions.
    """
    for place in line:
        found = [b for b in bound(place) if b.variable not in window]
        bounds = {b.names for b in bound(place) if b.variable in window}
        if name := paging_argument(place, scalars) or (
            line[-1].is_list and number_argument(place, scalars, bounds)
        ):
            raise GraphQLError(
                f"{place.shown} takes {name}, so this may read its first page only: bind its position to "
                "a variable to read all pages (or name it: Paging(position=…)), or say "
                'that one answer is all: Paging(strategy="whole")',
                place.node,
            )
        for b in found:
            if b.variable in types and is_number_in_filter(b, types[b.variable]):
                raise GraphQLError(
                    f"is ${b.variable} a position, so that this reads one page? If it is, say so: "
                    f'Paging(position="{b.variable}", strategy=…); if it only filters: '
                    'Paging(strategy="whole")',
                    place.node,
                )
