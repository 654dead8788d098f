"""Settings for all tests."""

from hypothesis import settings

settings.register_profile("shared machine", deadline=None, print_blob=True)
settings.load_profile("shared machine")
