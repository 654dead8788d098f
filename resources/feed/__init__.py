"""The feed: a partition's distinct keys, from files or a query."""

from resources.feed.keys import FeedKeys, KeySource
from resources.feed.reader import read_key_file, read_keys
from resources.feed.resource import Feed
from resources.feed.sql import SqlKeys

__all__ = ["Feed", "FeedKeys", "KeySource", "SqlKeys", "read_key_file", "read_keys"]
