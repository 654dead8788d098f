"""Page after page: batches of keys, or a list along a cursor, an offset or page numbers."""
