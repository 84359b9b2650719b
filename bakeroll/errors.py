"""Every failure that can be foreseen, with its exit code.

BakerollError            1  nothing changed, or everything is restored
├── SettingsError        1  deploy.yml is missing, malformed or names something unknown
├── SourceError          1  Git: no repository, no commit, a dirty tree
├── BuildError           1  the package could not be built, or the application's tests failed
├── PublishError         1  the repository refused the package
├── BakeError            1  Packer or Ansible failed
├── CloudError           1  the API of AWS (or of the local cloud) refused or did not answer
├── LocalCloudError      1  the local cloud cannot run here, or is not running
├── DocumentUnreadable   1  an item of the table is damaged, or a newer bakeroll wrote it
├── RollFailed           1  a roll could not begin, or had to stop
│   └── RolledBack       3  the new instances are terminated; the old ones serve
├── LeaseHeld            4  somebody else is rolling this fleet
└── ConfirmationNeeded   5  the operator did not confirm

Ctrl-C is Python's KeyboardInterrupt and ends with 130.
"""

from pathlib import Path


class BakerollError(Exception):
    """What failed on which resource, what was left, the next command, the log, and a roll's timeline."""

    exit_code = 1
    timeline: Path | None = None

    def __init__(self, what: str, *, left: str = "", next_step: str = "", log: Path | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.left = left
        self.next_step = next_step
        self.log = log


class SettingsError(BakerollError):
    """deploy.yml is missing, malformed, or has no such environment or key."""


class SourceError(BakerollError):
    """The Git repository cannot give a version or a tree to build."""


class BuildError(BakerollError):
    """The package could not be built."""


class PublishError(BakerollError):
    """The apt repository could not take the package."""


class BakeError(BakerollError):
    """An image could not be baked. No builder, key or image of the attempt is left unless the error names it."""


class CloudError(BakerollError):
    """AWS's API answered an error or nothing, after all retries of the call.

    `is_passing` says that the same call may soon succeed: throttled, unavailable, no answer. `is_lacking` says that
    AWS has no capacity of that kind in the zone now.
    """

    is_passing = False
    is_lacking = False


class LocalCloudError(BakerollError):
    """The local cloud cannot run on this machine, or is not running."""


class DocumentUnreadable(BakerollError):
    """An item of the table is damaged, or a newer bakeroll wrote it. Its content is not guessed."""


class RollFailed(BakerollError):
    """A roll could not begin, or had to stop."""


class RolledBack(RollFailed):
    """The new instances did not come into service and are terminated. The old ones served all the time."""

    exit_code = 3


class LeaseHeld(BakerollError):
    """Somebody else is rolling this fleet."""

    exit_code = 4


class ConfirmationNeeded(BakerollError):
    """The operator had to confirm and did not."""

    exit_code = 5
