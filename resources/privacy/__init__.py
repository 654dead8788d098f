"""Duties towards the people in the data: pseudonyms, and who must not come back. It needs no Dagster."""

from resources.privacy.rules import Privacy, TestProfiles
from resources.privacy.screen import Screen
from resources.privacy.suppression import Suppression

__all__ = ["Privacy", "Screen", "Suppression", "TestProfiles"]
