"""How partitions are published whole, and read while others are: files, manifests, claims, commits.

It needs no Dagster, and nothing else of the lake.
"""
