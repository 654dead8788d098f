"""What a request asks for: root fields found by a pattern, since parsing would cost more than answering."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

LOOKUP, CURSOR, OFFSET, TYPENAME = "personTargetDataByUmid", "profiles", "profilesByOffset", "__typename"
ROOT = re.compile(
    rf"(?:(\w+)\s*:\s*)?\b({LOOKUP}|{OFFSET}|{CURSOR})\s*\(((?:\s*,?\s*\w+\s*:\s*(?:\$?\w+|\"[^\"]*\"))+)\s*\)"
)
ARGUMENT = re.compile(r"(\w+)\s*:\s*(?:\$(\w+)|\"([^\"]*)\"|(\w+))")
MAX_DOCUMENTS = 4096


@dataclass(frozen=True, slots=True)
class Root:
    """A root field of a document: its response name, and for each argument a variable or a literal."""

    alias: str
    field: str
    variables: Mapping[str, str]
    literals: Mapping[str, str]

    def value(self, argument: str, variables: Mapping[str, object]) -> object:
        """Give what an argument is in a request; None where it is left out."""
        name = self.variables.get(argument)
        return variables.get(name) if name else self.literals.get(argument)


@lru_cache(MAX_DOCUMENTS)
def roots(document: str) -> tuple[Root, ...]:
    """Find the root fields of a document, those of a batch too."""
    found = []
    for alias, field, arguments in ROOT.findall(document):
        parts = ARGUMENT.findall(arguments)
        variables = {name: variable for name, variable, _, _ in parts if variable}
        literals = {name: text or word for name, variable, text, word in parts if not variable}
        found.append(Root(alias or field, field, variables, literals))
    return tuple(found)
