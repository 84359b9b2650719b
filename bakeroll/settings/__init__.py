"""Reads deploy.yml into typed, frozen settings.

    reading     reads its YAML, within limits
    kinds       the kinds of values, with their bounds
    models      the shape of the file and its defaults
    explaining  the message for a mistake
    loading     finds and reads the file; gives the settings of one environment

Leaves the meaning of each setting to the room that uses it. The repository's own deploy.yml explains every key.
"""

from bakeroll.settings.loading import EnvironmentSettings, folder, load, names, parse, schema
from bakeroll.settings.models import Canary, Check, Metric, Policy, Refresh, RepositorySettings, Section, SourceAmi
from bakeroll.settings.reading import FILE

__all__ = [
    "FILE",
    "Canary",
    "Check",
    "EnvironmentSettings",
    "Metric",
    "Policy",
    "Refresh",
    "RepositorySettings",
    "Section",
    "SourceAmi",
    "folder",
    "load",
    "names",
    "parse",
    "schema",
]
