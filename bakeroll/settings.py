"""deploy.yml to typed, frozen settings, read once.

Owns the shape of the file, its defaults and what is said of a mistake in it. Leaves the meaning of each
setting to the room that uses it. Every key is explained in the repository's own deploy.yml.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bakeroll.errors import SettingsError

FILE = "deploy.yml"

NAME = r"^[a-z0-9][a-z0-9+.-]+$"
ENVIRONMENT_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
HTTP_PATH = r"^/\S*$"

Name = Annotated[str, Field(pattern=NAME, max_length=40)]
"""A Debian package's name (Debian Policy 5.6.1); it names the unit, the user and the image as well."""
EnvironmentName = Annotated[str, Field(pattern=ENVIRONMENT_NAME, max_length=40)]
HttpPath = Annotated[str, Field(pattern=HTTP_PATH)]
Seconds = Annotated[float, Field(ge=0)]
Amount = Annotated[str, Field(pattern=r"^[0-9]+%$")] | Annotated[int, Field(ge=0)]
"""A number of instances, or a share of the desired capacity such as "50%"."""


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


S = TypeVar("S", bound=Section)

PATTERNS = {
    NAME: "small letters, digits, + . and -, and begin with a letter or digit",
    ENVIRONMENT_NAME: "letters, digits, _ . and -, and begin with a letter or digit",
    HTTP_PATH: "a path that begins with /",
}


class PackageSettings(Section):
    maintainer: str = "Nobody <nobody@example.invalid>"
    description: str = ""
    command: str = ""
    depends: tuple[str, ...] = ()


class RepositorySettings(Section):
    bucket: str = "bakeroll-apt"
    suite: str = "stable"
    component: str = "main"
    key: str = ""
    url: str = ""


class SourceAmi(Section):
    owner: str = "136693071363"
    name: str = "debian-12-amd64-*"


class BakeSettings(Section):
    source_ami: SourceAmi = SourceAmi()
    instance_type: str = "t3.small"
    ssh_username: str = "admin"
    subnet: str = ""
    base_max_age_days: float = Field(default=30, gt=0)


class Metric(Section):
    """A CloudWatch metric with values of each instance, by which new instances are compared with old ones."""

    namespace: str
    name: str
    statistic: Literal["Average", "Sum", "Minimum", "Maximum"] = "Average"
    dimension: str = "InstanceId"
    period: Literal[1, 5, 10, 20, 30] | Annotated[int, Field(ge=60, multiple_of=60)] = 60
    worse: Literal["higher", "lower"] = "higher"
    significance: float = Field(default=0.01, gt=0, lt=0.5)


class Check(Section):
    """What a canary must stand: exactly one of these."""

    http: HttpPath | None = None
    command: tuple[str, ...] | None = None
    alarm: str | None = None
    metric: Metric | None = None

    @model_validator(mode="after")
    def _is_one(self) -> "Check":
        if len(self.model_fields_set) != 1:
            raise ValueError("exactly one of http, command, alarm and metric")
        return self


class Canary(Section):
    """How many instances come first, and what they must stand for how long."""

    size: Amount = 1
    watch: Seconds = 300
    interval: Seconds = 10
    checks: tuple[Check, ...] = ()


class Refresh(Section):
    """What AWS's own instance refresh is told besides the amounts."""

    checkpoints: tuple[Annotated[int, Field(ge=1, le=100)], ...] = ()
    checkpoint_delay: Seconds = 300
    alarms: tuple[str, ...] = ()
    warmup: Seconds | None = None
    timeout: Seconds = 3600


class Policy(Section):
    """How a fleet is rolled."""

    strategy: Literal["surge", "rolling", "blue-green", "canary", "refresh"] = "surge"
    max_surge: Amount = "100%"
    max_unavailable: Amount = 0
    healthy_checks: int = Field(default=2, ge=1)
    in_service_timeout: Seconds = 300
    drain_timeout: Seconds = 330
    soak: Seconds = 0
    canary: Canary = Canary()
    refresh: Refresh = Refresh()


class LocalFleet(Section):
    """What the local cloud makes for an environment that has no fleet yet; AWS's fleets are yours."""

    desired: int = Field(default=2, ge=0)
    maximum: int = Field(default=8, ge=1)
    instance_type: str = "t3.small"
    deregistration_delay: int = Field(default=2, ge=0, le=3600)


class Environment(Section):
    """Where an application is deployed. `policy`, `bake` and `repository` are laid over the file's own."""

    cloud: Literal["aws", "local"] = "aws"
    account: str = ""
    region: str = ""
    fleet: str = ""
    target_groups: tuple[str, ...] = ()
    confirm: bool = False
    policy: Policy = Policy()
    bake: BakeSettings = BakeSettings()
    repository: RepositorySettings = RepositorySettings()
    local: LocalFleet = LocalFleet()


class Settings(Section):
    """deploy.yml, whole."""

    application: Name
    source: str = "."
    port: int = Field(default=8000, ge=1, le=65535)
    health: HttpPath = "/health"
    version: HttpPath | None = "/version"
    package: PackageSettings = PackageSettings()
    repository: RepositorySettings = RepositorySettings()
    bake: BakeSettings = BakeSettings()
    policy: Policy = Policy()
    table: str = "bakeroll"
    environments: dict[EnvironmentName, Environment] = Field(min_length=1)


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
        hint = _did_you_mean(environment, settings.environments)
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
        raise SettingsError("\n".join(_explain(each, tree) for each in told)) from None


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


def _explain(error: Any, tree: yaml.Node | None) -> str:
    location = error["loc"]
    where = f"{FILE}, line {_line(tree, location)}: "
    if error["type"] == "extra_forbidden":
        section, known = _section(location[:-1])
        return f"{where}“{location[-1]}” is no setting of {section}.{_did_you_mean(str(location[-1]), known)}"
    if error["type"] == "missing":
        return f"{where}“{location[-1]}” is missing."
    named = ".".join(str(part) for part in location if part != "[key]" and not str(part).startswith("constrained-"))
    return f"{where}“{named}” is {_shown(error['input'])}; it must be {_wanted(error)}."


def _shown(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, dict | list):
        return "a list" if isinstance(value, list) else "a mapping"
    return f"“{value}”"


def _wanted(error: Any) -> str:
    """What a value should have been, from pydantic's name of the error."""
    match error["type"].split("_"):
        case ["dict" | "model", *_]:
            return "a mapping of keys to values"
        case ["tuple" | "list", *_]:
            return "a list"
        case ["int", *_]:
            return "a whole number" + (" or a share such as 50%" if "constrained-int" in error["loc"] else "")
        case ["float", *_]:
            return "a number"
        case ["bool", *_]:
            return "true or false"
        case ["string", "pattern", *_]:
            return PATTERNS.get(error["ctx"]["pattern"], f"like {error['ctx']['pattern']}")
        case ["value", "error"]:
            return str(error["msg"]).removeprefix("Value error, ")
        case ["string", "type"]:
            return "a text; put it in quotation marks" if error["input"] is not None else "a text"
    said = str(error["msg"])
    return said.removeprefix("Input should be ").removeprefix("Value should be ") if " should " in said else said


def _line(node: yaml.Node | None, location: tuple[int | str, ...]) -> int:
    line = 1
    for part in location:
        if isinstance(node, yaml.MappingNode):
            pair = next(((key, value) for key, value in node.value if key.value == str(part)), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line


def _section(location: tuple[int | str, ...]) -> tuple[str, Mapping[str, Any]]:
    """How a section is called in a sentence, and the keys that it knows."""
    models: dict[str, tuple[str, type[Section]]] = {
        "package": ("package", PackageSettings),
        "repository": ("repository", RepositorySettings),
        "bake": ("bake", BakeSettings),
        "source_ami": ("bake.source_ami", SourceAmi),
        "policy": ("a roll policy", Policy),
        "canary": ("a canary", Canary),
        "checks": ("a check", Check),
        "metric": ("a metric", Metric),
        "refresh": ("an instance refresh", Refresh),
        "local": ("a local fleet", LocalFleet),
    }
    if not location:
        return FILE, Settings.model_fields
    if len(location) == 2 and location[0] == "environments":
        return "an environment", Environment.model_fields
    name, model = models[next(str(part) for part in reversed(location) if isinstance(part, str))]
    return name, model.model_fields


def _did_you_mean(word: str, known: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f" Did you mean “{near[0]}”?" if near else ""


if __name__ == "__main__":
    import json

    print(json.dumps(schema(), indent=2))
