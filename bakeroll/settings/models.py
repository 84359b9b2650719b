"""The sections of deploy.yml: what each key may hold, and its default.

Leaves the meaning of each setting to the room that uses it. The repository's own deploy.yml explains every key.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bakeroll.settings.kinds import (
    Account,
    ADayAtMost,
    Amount,
    Argument,
    AWeekAtMost,
    Days,
    EnvironmentName,
    HealthyChecks,
    HttpPath,
    Line,
    LocalDelay,
    LocalSize,
    Name,
    Percentage,
    Period,
    Port,
    Significance,
    UpToADay,
    UpToAWeek,
    Word,
)

Lines = Annotated[tuple[Line, ...], Field(max_length=200)]
Words = Annotated[tuple[Word, ...], Field(max_length=200)]


class Section(BaseModel):
    """A mapping of deploy.yml: frozen, with no unknown key. deploy.yml itself explains each key."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PackageSettings(Section):
    """How the package is built."""

    maintainer: Line = "Nobody <nobody@example.invalid>"
    description: Line = ""
    command: Line = ""
    depends: Lines = ()


class RepositorySettings(Section):
    """The signed apt repository."""

    bucket: Word = "bakeroll-apt"
    suite: Word = "stable"
    component: Word = "main"
    key: Line = ""
    url: Word = ""


class SourceAmi(Section):
    """What a base image starts from."""

    owner: Word = "136693071363"
    name: Line = "debian-12-amd64-*"


class BakeSettings(Section):
    """How images are baked."""

    source_ami: SourceAmi = SourceAmi()
    instance_type: Word = "t3.small"
    ssh_username: Word = "admin"
    subnet: Word = ""
    base_max_age_days: Days = 30


class Metric(Section):
    """A CloudWatch metric with values per instance. A roll compares new instances with old ones by it."""

    namespace: Line
    name: Line
    statistic: Literal["Average", "Sum", "Minimum", "Maximum"] = "Average"
    dimension: Line = "InstanceId"
    period: Period = 60
    worse: Literal["higher", "lower"] = "higher"
    significance: Significance = 0.01


class Check(Section):
    """What a canary must pass: exactly one of these."""

    http: HttpPath | None = None
    command: Annotated[tuple[Argument, ...], Field(min_length=1, max_length=200)] | None = None
    alarm: Line | None = None
    metric: Metric | None = None

    @model_validator(mode="after")
    def _is_one(self) -> "Check":
        given = [each for each in self.model_fields_set if getattr(self, each) is not None]
        if len(given) != 1 or len(self.model_fields_set) != 1:
            raise ValueError("exactly one of http, command, alarm and metric")
        return self


class Canary(Section):
    """How many instances come first, and what they must pass for how long."""

    size: Amount = 1
    watch: UpToADay = 300
    interval: UpToADay = 10
    checks: Annotated[tuple[Check, ...], Field(max_length=50)] = ()


class Refresh(Section):
    """The settings of AWS's instance refresh besides the amounts."""

    checkpoints: Annotated[tuple[Percentage, ...], Field(max_length=100)] = ()
    checkpoint_delay: UpToADay = 300
    alarms: Lines = ()
    warmup: UpToADay | None = None
    timeout: AWeekAtMost = 3600


class Policy(Section):
    """How a fleet is rolled."""

    strategy: Literal["surge", "rolling", "blue-green", "canary", "refresh"] = "surge"
    max_surge: Amount = "100%"
    max_unavailable: Amount = 0
    healthy_checks: HealthyChecks = 2
    in_service_timeout: ADayAtMost = 300
    drain_timeout: UpToADay = 330
    soak: UpToAWeek = 0
    canary: Canary = Canary()
    refresh: Refresh = Refresh()


class LocalFleet(Section):
    """The fleet that the local cloud makes for an environment that has none. On AWS you make the fleet."""

    desired: LocalSize = 2
    maximum: LocalSize = 8
    instance_type: Word = "t3.small"
    deregistration_delay: LocalDelay = 2


class Environment(Section):
    """Where an application is deployed. `policy`, `bake` and `repository` override the file's own."""

    cloud: Literal["aws", "local"] = "aws"
    account: Account = ""
    region: Word = ""
    fleet: Line = ""
    target_groups: Words = ()
    confirm: bool = False
    policy: Policy = Policy()
    bake: BakeSettings = BakeSettings()
    repository: RepositorySettings = RepositorySettings()
    local: LocalFleet = LocalFleet()


class Settings(Section):
    """The whole of deploy.yml."""

    application: Name
    source: Line = "."
    port: Port = 8000
    health: HttpPath = "/health"
    version: HttpPath | None = "/version"
    package: PackageSettings = PackageSettings()
    repository: RepositorySettings = RepositorySettings()
    bake: BakeSettings = BakeSettings()
    policy: Policy = Policy()
    table: Word = "bakeroll"
    environments: dict[EnvironmentName, Environment] = Field(min_length=1, max_length=100)
