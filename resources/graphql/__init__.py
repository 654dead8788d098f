"""The engine, for any GraphQL API: pages, retries, limits, Arrow tables. No Dagster, no vendor."""
