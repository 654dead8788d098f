"""A server's schema: pulled or, without introspection, learned; documents rewritten to fit it; its drift."""

from resources.graphql.schema.drift.changes import Change, Kind
from resources.graphql.schema.drift.comparison import Drift, find_drift
from resources.graphql.schema.fitting.fit import Fitted, fit_document
from resources.graphql.schema.pulling.prober import Ask
from resources.graphql.schema.pulling.pull import PulledSchema, pull_schema

__all__ = [
    "Ask",
    "Change",
    "Drift",
    "Fitted",
    "Kind",
    "PulledSchema",
    "find_drift",
    "fit_document",
    "pull_schema",
]
