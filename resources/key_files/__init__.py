"""The distinct keys of files in any format; it knows nothing of Dagster."""

from resources.key_files.keys import FeedKeys
from resources.key_files.reader import read_key_file, read_keys

__all__ = ["FeedKeys", "read_key_file", "read_keys"]
