"""Finds and reads deploy.yml, and gives the settings of one environment."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import ValidationError

from bakeroll.errors import SettingsError
from bakeroll.settings.explaining import did_you_mean, explained, located
from bakeroll.settings.kinds import is_nothing
from bakeroll.settings.models import (
    BakeSettings,
    Environment,
    LocalFleet,
    PackageSettings,
    Policy,
    RepositorySettings,
    Section,
    Settings,
)
from bakeroll.settings.reading import FILE, Keys, read, text_of
from bakeroll.wording import excerpt

S = TypeVar("S", bound=Section)

MOST_MISTAKES = 20
"""How many mistakes one error lists."""
OWN = "self"
"""EC2's name for images of the calling account."""


@dataclass(frozen=True, slots=True)
class EnvironmentSettings:
    """All settings of one application in one environment. `root` is the folder of deploy.yml."""

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
    """The nearest folder, from `start` upwards, that holds a deploy.yml. If there is none, `start`."""
    return next((each for each in (start, *start.parents) if (each / FILE).exists()), start)


def names(root: Path) -> list[str]:
    """The environments in `root`/deploy.yml. Raises SettingsError as `load` does."""
    return sorted(parse(text_of(root / FILE)).environments)


def load(root: Path, environment: str) -> EnvironmentSettings:
    """Read `root`/deploy.yml and return the settings of `environment`.

    Raises SettingsError, with the file, the line and the nearest known name, if the file is missing, is no YAML, has
    an unknown key or a value of the wrong kind, or has no such environment.
    """
    settings = parse(text_of(root / FILE))
    found = settings.environments.get(environment)
    if found is None:
        known = ", ".join(sorted(settings.environments))
        hint = did_you_mean(environment, settings.environments)
        raise SettingsError(f"{FILE} has no environment “{excerpt(environment)}”.{hint} It has: {known}.")
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
        bake=_bake(settings, found),
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
    """The settings in `text` (YAML). SettingsError names the line and key of each mistake."""
    found = read(text)
    if not isinstance(found.document, dict):
        raise SettingsError(f"{FILE} holds no settings.", next_step="See the example: the toolkit's own deploy.yml")
    try:
        settings = Settings.model_validate(found.document)
    except ValidationError as error:
        mistakes = error.errors()
        listed = [explained(each, found.tree) for each in mistakes[:MOST_MISTAKES]]
        more = [f"And {len(mistakes) - MOST_MISTAKES} more."] if len(mistakes) > MOST_MISTAKES else []
        raise SettingsError("\n".join(listed + more)) from None
    if impossible := [located(found.tree, *each) for each in _impossible(settings)]:
        raise SettingsError("\n".join(impossible))
    return settings


def _impossible(settings: Settings) -> Iterator[tuple[Keys, str]]:
    """Values that are valid one by one and cannot work together: the key, and a sentence."""
    for name, each in settings.environments.items():
        policy = _laid_over(settings.policy, each.policy)
        # In blue-green a whole second group takes over, so the amounts do not matter.
        if policy.strategy != "blue-green" and is_nothing(policy.max_surge) and is_nothing(policy.max_unavailable):
            yield (
                _policy_key(name, each, "max_surge"),
                f"“max_surge” and “max_unavailable” are both 0 in {name}, so a roll could replace nothing; "
                "one of them must be above 0.",
            )
        if each.local.desired > each.local.maximum:
            yield (
                ("environments", name, "local", "desired"),
                f"“environments.{name}.local.desired” is {each.local.desired}; it must be at most “maximum”, "
                f"which is {each.local.maximum}.",
            )


def _policy_key(name: str, environment: Environment, key: str) -> Keys:
    return ("environments", name, "policy", key) if key in environment.policy.model_fields_set else ("policy", key)


def schema() -> dict[str, Any]:
    """The JSON schema of deploy.yml, for editors."""
    return Settings.model_json_schema()


def _laid_over(below: S, above: S) -> S:
    values = below.model_dump(exclude_unset=True) | above.model_dump(exclude_unset=True)
    return type(below).model_validate(values)


def _bake(settings: Settings, environment: Environment) -> BakeSettings:
    """In a local cloud the only source images are its own, so the owner that the file names for AWS is replaced."""
    bake = _laid_over(settings.bake, environment.bake)
    if environment.cloud == "aws" or "owner" in environment.bake.source_ami.model_fields_set:
        return bake
    return bake.model_copy(update={"source_ami": bake.source_ami.model_copy(update={"owner": OWN})})
