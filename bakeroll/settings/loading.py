"""deploy.yml, found and read: the settings that are in force in one environment."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import ValidationError

from bakeroll.errors import SettingsError
from bakeroll.settings.explaining import FILE, did_you_mean, explained
from bakeroll.settings.models import (
    BakeSettings,
    LocalFleet,
    PackageSettings,
    Policy,
    RepositorySettings,
    Section,
    Settings,
)

S = TypeVar("S", bound=Section)


@dataclass(frozen=True, slots=True)
class EnvironmentSettings:
    """All that is in force for one application in one environment. `root` is the folder of deploy.yml."""

    name: str
    root: Path
    application: str
    source: Path
    port: int
    health: str
    version: str | None
    package: PackageSettings
    repository: RepositorySettings
    bake: BakeSettings
    policy: Policy
    table: str
    cloud: Literal["aws", "local"]
    account: str
    region: str
    fleet: str
    target_groups: tuple[str, ...]
    confirm: bool
    local: LocalFleet


def folder(start: Path) -> Path:
    """The nearest folder, from `start` upwards, that holds a deploy.yml; `start` itself where none does."""
    return next((each for each in (start, *start.parents) if (each / FILE).exists()), start)


def names(root: Path) -> list[str]:
    """The environments of `root`/deploy.yml. Raises SettingsError as `load` does."""
    return sorted(parse(_read(root / FILE)).environments)


def load(root: Path, environment: str) -> EnvironmentSettings:
    """Read `root`/deploy.yml and return what is in force for `environment`.

    Raises SettingsError, with the file, the line and the nearest known name, for a file that is missing,
    is no YAML, or has an unknown key, a value of the wrong kind or no such environment.
    """
    settings = parse(_read(root / FILE))
    found = settings.environments.get(environment)
    if found is None:
        known = ", ".join(sorted(settings.environments))
        hint = did_you_mean(environment, settings.environments)
        raise SettingsError(f"{FILE} has no environment “{environment}”.{hint} It has: {known}.")
    return EnvironmentSettings(
        name=environment,
        root=root,
        application=settings.application,
        source=(root / settings.source).resolve(),
        port=settings.port,
        health=settings.health,
        version=settings.version,
        package=settings.package,
        repository=_laid_over(settings.repository, found.repository),
        bake=_laid_over(settings.bake, found.bake),
        policy=_laid_over(settings.policy, found.policy),
        table=settings.table,
        cloud=found.cloud,
        account=found.account,
        region=found.region,
        fleet=found.fleet or f"{settings.application}-{environment}",
        target_groups=found.target_groups,
        confirm=found.confirm,
        local=found.local,
    )


def parse(text: str) -> Settings:
    """The settings that `text` (YAML) holds; SettingsError names line and nearest key of a mistake."""
    try:
        document = yaml.safe_load(text)
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise SettingsError(f"{FILE}, line {line}: not YAML: {error.problem}.") from None
    if not isinstance(document, dict):
        raise SettingsError(f"{FILE} holds no settings.", next_step="See the example: deploy.yml of the toolkit")
    try:
        return Settings.model_validate(document)
    except ValidationError as error:
        # An amount is one of two kinds, and pydantic says of each why it is not that one: the last is enough.
        told = [each for each in error.errors() if "constrained-str" not in each["loc"]]
        raise SettingsError("\n".join(explained(each, tree) for each in told)) from None


def schema() -> dict[str, Any]:
    """The JSON schema of deploy.yml, for editors."""
    return Settings.model_json_schema()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SettingsError(
            f"There is no {FILE} in {path.parent}.", next_step="Run fab where your application's deploy.yml lies"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}.") from None


def _laid_over(below: S, above: S) -> S:
    values = below.model_dump(exclude_unset=True) | above.model_dump(exclude_unset=True)
    return type(below).model_validate(values)
