"""A server's schema: by introspection, or learned from what it refuses."""
