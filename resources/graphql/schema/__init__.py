"""A server's schema: pulled, or learned where introspection is refused; and documents rewritten to fit it."""

from resources.graphql.schema.fit import Fitted, fit_document
from resources.graphql.schema.prober import Ask
from resources.graphql.schema.pull import PulledSchema, pull_schema

__all__ = ["Ask", "Fitted", "PulledSchema", "fit_document", "pull_schema"]
