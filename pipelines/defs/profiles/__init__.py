"""The profiles of a day: the heart, a document and an asset."""
