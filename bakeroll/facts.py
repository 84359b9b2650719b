"""Facts about the world before a roll. Frozen data; no input or output."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Launch:
    """What a group launches. `types` is empty if AWS chooses them.

    `on_demand` is the share in percent; the rest is spot.
    `is_protected` is EC2's termination protection, DisableApiTermination.
    """

    types: tuple[str, ...]
    on_demand: int = 100
    is_protected: bool = False


@dataclass(frozen=True, slots=True)
class InstanceType:
    """An instance type. `boot_modes` holds legacy-bios, uefi, or both."""

    name: str
    vcpus: int
    architectures: tuple[str, ...]
    boot_modes: tuple[str, ...]
    needs_ena: bool = False


@dataclass(frozen=True, slots=True)
class Quota:
    """How many vCPUs of these instance types may run. `used` is None if AWS publishes no usage."""

    code: str
    types: tuple[str, ...]
    limit: int
    used: int | None
    is_spot: bool = False


@dataclass(frozen=True, slots=True)
class Room:
    """How many addresses of a subnet are free."""

    subnet: str
    zone: str
    free: int


@dataclass(frozen=True, slots=True)
class Image:
    """An image in EC2's words. `state` is empty if this account sees none, `boot_mode` if the type decides."""

    id: str
    state: str = ""
    architecture: str = ""
    boot_mode: str = ""
    has_ena: bool = True
    deprecated: datetime | None = None


@dataclass(frozen=True, slots=True)
class Balancer:
    """A target group or a classic load balancer. Durations are whole seconds.

    `delay` is how long a deregistered instance may finish open requests. `threshold` is how many consecutive passes
    make a target healthy, `first` how many a new target needs.
    """

    name: str
    delay: int
    interval: int
    threshold: int
    first: int = 1
    slow_start: int = 0
