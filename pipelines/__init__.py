"""The code location: what Dagster loads, and the command line."""
