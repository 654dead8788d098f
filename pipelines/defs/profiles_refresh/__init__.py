"""Profiles that nobody has asked for in long."""
