"""Copies of syntax nodes with some parts changed; they keep their place in the source, for errors."""

from typing import TypeVar

from graphql import Node

AnyNode = TypeVar("AnyNode", bound=Node)


def with_changes(node: AnyNode, **parts: object) -> AnyNode:
    """Copy a node with other parts."""
    kept = {key: getattr(node, key, None) for key in (*node.keys, "loc")}
    return type(node)(**kept | parts)
