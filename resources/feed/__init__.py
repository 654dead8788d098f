"""The feed: the distinct keys in a day's event files."""

from resources.feed.reader import FeedKeys, read_key_file, read_keys

__all__ = ["FeedKeys", "read_key_file", "read_keys"]
