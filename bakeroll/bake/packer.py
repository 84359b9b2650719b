"""Packer's command and environment, and the events and errors in its output.

Reads both of Packer's output forms: the ui form (`==> amazon-ebs.image: Stopping the source instance...`) and
`-machine-readable`, which wraps the same sentences in `TIME,TARGET,TYPE,DATA…`. Leaves what is built to the templates.
"""

import json
import os
import re
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bakeroll.errors import BakeError
from bakeroll.events import Event
from bakeroll.process import Run, ToolFailed

MAX_REASON_LINES = 12

_SAYS = re.compile(r"^(?:==>|-->)?\s*amazon-ebs\.image: ?(.*)$", re.DOTALL)
_TASK = re.compile(r"^TASK \[(?:[\w.-]+ : )?(.+?)\] \*")
_FATAL = re.compile(r"^(?:fatal|failed): \[.*?\].*? => (\{.*)$")
_ARTIFACT = re.compile(r"\b(ami-[0-9a-f]+)$")

# What Packer says, and what a person sees of it. The rest is detail.
_PROGRESS = (
    (re.compile(r"^Launching a source AWS instance"), "launching the builder"),
    (re.compile(r"^Instance ID: (i-[0-9a-f]+)"), "builder {} pending"),
    (re.compile(r"^Connected to SSH!"), "builder answers"),
    (re.compile(r"^Stopping the source instance"), "stopping the builder"),
    (re.compile(r"^AMI: (ami-[0-9a-f]+)"), "image {} pending"),
    (re.compile(r"^Terminating the source AWS instance"), "terminating the builder"),
    (re.compile(r"^Cancelling build after"), "interrupted: Packer is cleaning up"),
)


@dataclass
class Transcript:
    """What matters in Packer's output so far: the image it made, or why it made none."""

    image: str = ""
    task: str = ""
    reason: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def read(self, line: str) -> Event | None:
        """Read one line of either form. Return its event, if there is one to show."""
        kind, text = _understood(line)
        if kind == "artifact":
            self.image = text
            return None
        if kind == "error":
            self.errors.append(text)
        if found := _TASK.match(text):
            self.task = found[1]
            return Event("bake", f"ansible: {self.task}")
        if found := _FATAL.match(text):
            self.reason = _ansible_reason(found[1])
        return _progress(text) or (Event("bake", text, "detail") if text else None)

    @property
    def failure(self) -> str:
        """What failed: the Ansible task with its message, or else Packer's last error."""
        if self.reason:
            return "\n".join([f"Ansible failed at “{self.task}”:", *self.reason])
        own = [each for each in self.errors if not each.startswith(("Build '", "Some builds didn't"))]
        return own[-1] if own else "Packer failed"


def read_version(run: Run) -> str:
    """Packer's version, such as "1.6.6". Raises BakeError if there is no Packer."""
    try:
        said = run(["packer", "version"], env=QUIET)
    except FileNotFoundError:
        said = ""
    except ToolFailed as error:
        said = "\n".join(error.tail)
    found = re.search(r"Packer v(\d+\.\d+\.\d+)", said)
    if not found:
        raise BakeError("Packer is not installed.", next_step="apt-get install packer")
    return found[1]


def require_plugins(run: Run) -> None:
    """Check that Packer 1.7 or later has the plugins that plugins.pkr.hcl names. Raises BakeError if not."""
    try:
        installed = run(["packer", "plugins", "installed"], env=QUIET)
    except ToolFailed as error:
        installed = "\n".join(error.tail)
    missing = [name for name in PLUGINS if f"/{name}/" not in installed.replace(os.sep, "/")]
    if missing:
        raise BakeError(
            f"Packer has no plugin {' and '.join(missing)}.",
            next_step="; ".join(f"packer plugins install {name}" for name in missing),
        )


PLUGINS = ("github.com/hashicorp/amazon", "github.com/hashicorp/ansible")

QUIET: Mapping[str, str] = {"CHECKPOINT_DISABLE": "1", "PACKER_NO_COLOR": "1"}
"""Without it Packer asks HashiCorp for updates on every run."""


def environment(work: Path, folder: Path, temporary: Path, credentials: Mapping[str, str]) -> dict[str, str]:
    """The variables that Packer and Ansible get in addition to this process's environment.

    `work` stays from bake to bake, `folder` is Packer's working folder. Each bake has a new `temporary` folder. Its
    name is short because a socket's path may have 108 characters (unix(7)). Packer 1.6.6 leaves the builder's private
    key in it.
    """
    return {
        **QUIET,
        **credentials,
        "PATH": f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "TMPDIR": str(temporary),
        "PACKER_CACHE_DIR": str(temporary / "cache"),
        "ANSIBLE_CONFIG": str(folder / "ansible" / "ansible.cfg"),
        "ANSIBLE_HOME": str(temporary / "ansible"),
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(temporary / "cp"),
        "ANSIBLE_NOCOLOR": "1",
        # Ansible starts in half the time if its modules are compiled already.
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(work / "pycache"),
    }


BUILD = ("packer", "build", "-machine-readable", "-on-error=cleanup", ".")


def _understood(line: str) -> tuple[str, str]:
    """The kind of a line of either form ("say", "message", "error", "artifact", "") and its sentence."""
    fields = line.split(",", 3)
    if len(fields) == 4 and fields[0].isdigit():
        return _from_machine(fields[2], fields[3])
    return "message", _sentence(line)


def _from_machine(kind: str, data: str) -> tuple[str, str]:
    if kind == "ui":
        level, _, text = data.partition(",")
        return level, _sentence(_unescaped(text))
    if kind == "artifact" and data.startswith("0,id,"):
        found = _ARTIFACT.search(_unescaped(data))
        return ("artifact", found[1]) if found else ("", "")
    return ("error", _unescaped(data)) if kind == "error" else ("", "")


def _unescaped(text: str) -> str:
    # Packer writes line ends as \n and does not escape a \n in the text. It stays, so that JSON can be read.
    return text.replace("%!(PACKER_COMMA)", ",").removeprefix("\\n")


def _sentence(text: str) -> str:
    text = text.strip()
    found = _SAYS.match(text)
    return (found[1] if found else text.removeprefix("==> ")).strip()


def _progress(text: str) -> Event | None:
    for pattern, sentence in _PROGRESS:
        if found := pattern.match(text):
            return Event("bake", sentence.format(*found.groups()))
    return None


def _ansible_reason(result: str) -> list[str]:
    """The lines of a failed task's result that say why it failed."""
    try:
        fields = json.loads(result)
    except json.JSONDecodeError:
        return [result]
    texts = [fields.get(key) or "" for key in ("msg", "stdout", "stderr")]
    lines = [line.strip() for text in texts for line in str(text).splitlines() if line.strip()]
    return list(dict.fromkeys(lines))[-MAX_REASON_LINES:]
