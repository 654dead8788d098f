"""The feed: a partition's distinct keys, from files or a query."""

from resources.feed.keys import KeySource
from resources.feed.resource import Feed
from resources.feed.sql import SqlKeys
from resources.key_files import FeedKeys, read_key_file, read_keys

__all__ = ["Feed", "FeedKeys", "KeySource", "SqlKeys", "read_key_file", "read_keys"]
