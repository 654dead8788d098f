"""The loads into the warehouse."""
