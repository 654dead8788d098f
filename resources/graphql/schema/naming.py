"""The words by which paging and windows are known, in snake case; as the plan of a document knows them."""

POSITIONS = {
    **dict.fromkeys(("after", "cursor", "next_token", "page_token"), "cursor"),
    **dict.fromkeys(("offset", "skip"), "offset"),
    **dict.fromkeys(("page", "page_number", "current_page"), "page"),
}
SIZES = ("first", "limit", "page_size", "per_page", "size", "take", "count", "max_results")
FILTERS = frozenset({"where", "filter", "filters", "filter_by", "condition", "conditions", "criteria"})

MORE = ("has_next_page", "has_next", "has_more", "has_more_pages", "more")
NEXT_CURSOR = ("end_cursor", "next_cursor", "next_token", "next_page_token", "cursor", "next", "next_page")
NEXT_PAGE = ("next", "next_page")
TOTAL = ("total_count", "total", "total_items", "total_results", "total_elements", "total_records")
TOTAL_PAGES = ("total_pages", "page_count", "last_page", "pages")
ABOUT = frozenset(
    {"page_info", "info", "meta", "metadata", "pagination", "paging", "pager", "paginator", "paginator_info"}
)
BOUNDS = (("from", "to"), ("since", "until"), ("start", "end"), ("begin", "end"), ("after", "before"))
