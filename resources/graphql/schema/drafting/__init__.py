"""A new query, drafted from the schema: roots, arguments, selection, identity."""
