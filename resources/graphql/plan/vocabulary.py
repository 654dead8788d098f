"""The words by which lists are known: names of arguments and fields, in snake case."""

from typing import Literal, get_args

from resources.graphql.columns import Scalar
from resources.graphql.plan.window import temporal
from resources.graphql.scalars import INT64

Strategy = Literal["cursor", "offset", "page", "whole", "keyed"]
STRATEGIES: tuple[str, ...] = get_args(Strategy)

POSITIONS: dict[str, Strategy] = {
    **dict.fromkeys(("after", "cursor", "next_token", "page_token"), "cursor"),
    **dict.fromkeys(("offset", "skip", "start", "start_index"), "offset"),
    **dict.fromkeys(("page", "page_number", "current_page", "page_index", "page_no", "page_num"), "page"),
}
SIZES = frozenset(
    {"first", "limit", "page_size", "per_page", "items_per_page", "size", "take", "count", "max_results"}
    | {"top", "rows"}
)
FILTERS = frozenset({"where", "filter", "filters", "filter_by", "condition", "conditions", "criteria"})

# The first name that is found counts.
MORE = ("has_next_page", "has_next", "has_more", "has_more_pages", "more")
NEXT_CURSOR = (
    "end_cursor",
    "next_cursor",
    "next_token",
    "next_page_token",
    "cursor",
    "next",
    "next_page",
    "after",
)
NEXT_PAGE = ("next", "next_page")
TOTAL = ("total_count", "total", "total_items", "total_results", "total_elements", "total_records")
TOTAL_PAGES = ("total_pages", "page_count", "pages")
LAST_PAGE = ("last_page",)  # the number of pages where they count from 1; else it may be the last one's index
IS_LAST = ("is_last", "is_last_page", "last_page", "last")
ABOUT_PAGES = frozenset(  # objects that speak of the list beside them, whatever holds both
    {"page_info", "pagination", "pagination_info", "paging", "pager", "paginator", "paginator_info"}
)
ABOUT = ABOUT_PAGES | {"info", "meta", "metadata", "page"}  # those of the field that is paged


def fits(strategy: Strategy, type_: Scalar) -> bool:
    """Say whether a variable of this type may be such a position, and is not the bound of a filter."""
    if temporal(type_) or type_.name.startswith("[") or type_.name in ("Boolean", "Float"):
        return False
    return strategy == "cursor" or type_.name not in ("String", "ID")


def is_integer(type_: Scalar) -> bool:
    """Say whether a type holds whole numbers."""
    return type_.kept == INT64
