"""Duties towards the people in the data: pseudonyms, and who must not come back. It needs no Dagster."""

from resources.privacy.suppression import Suppression

__all__ = ["Suppression"]
