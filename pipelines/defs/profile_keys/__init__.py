"""The keys of a day."""
