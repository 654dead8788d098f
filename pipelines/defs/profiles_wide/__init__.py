"""The profiles of a day, flat."""
