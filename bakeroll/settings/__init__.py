"""deploy.yml to typed, frozen settings, read once.

    reading     its YAML, bounded
    kinds       the kinds of values, with their bounds
    models      the shape of the file and its defaults
    explaining  what is said of a mistake
    loading     the file, found and read; what is in force in one environment

Leaves the meaning of each setting to the room that uses it. Every key is explained in the repository's own deploy.yml.
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
