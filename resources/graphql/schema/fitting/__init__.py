"""Documents that are rewritten to fit a schema."""
