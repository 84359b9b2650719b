"""The sections of deploy.yml: what each key may hold, and its default.

Leaves the meaning of each setting to the room that uses it. Every key is explained in the repository's own
deploy.yml.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

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

PATTERNS = {
    NAME: "small letters, digits, + . and -, and begin with a letter or digit",
    ENVIRONMENT_NAME: "letters, digits, _ . and -, and begin with a letter or digit",
    HTTP_PATH: "a path that begins with /",
}


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


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
