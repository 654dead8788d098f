"""What `targetdata schema` does: fetch an API's schema, and compare it."""
