"""Packer's and Ansible's own lines, and what is told of them."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from bakeroll.bake.packer import Transcript, environment, read_version
from bakeroll.errors import BakeError
from bakeroll.events import Event
from bakeroll.process import ToolFailed

MACHINE = "1795232138,,ui,"


def read(*lines: str) -> tuple[Transcript, list[str]]:
    """The transcript of `lines`, and what a person saw of it."""
    transcript = Transcript()
    events = [transcript.read(line) for line in lines]
    return transcript, [event.text for event in events if event and event.kind == "progress"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("==> amazon-ebs.image: Launching a source AWS instance...", "launching the builder"),
        (MACHINE + "say,==> amazon-ebs.image: Launching a source AWS instance...", "launching the builder"),
        (MACHINE + "message,    amazon-ebs.image: Instance ID: i-444f00e9", "builder i-444f00e9 pending"),
        ("    amazon-ebs.image: Instance ID: i-444f00e902e55233a", "builder i-444f00e902e55233a pending"),
        (MACHINE + "say,==> amazon-ebs.image: Connected to SSH!", "builder answers"),
        (MACHINE + "message,    amazon-ebs.image: TASK [seal : Out%!(PACKER_COMMA) keys] **", "ansible: Out, keys"),
        ("    amazon-ebs.image: TASK [Install links 1.4.0-1] *****", "ansible: Install links 1.4.0-1"),
        (MACHINE + "say,==> amazon-ebs.image: Stopping the source instance...", "stopping the builder"),
        (MACHINE + "message,    amazon-ebs.image: AMI: ami-0b7c91", "image ami-0b7c91 pending"),
        (MACHINE + "say,==> amazon-ebs.image: Terminating the source AWS instance...", "terminating the builder"),
        (MACHINE + "error,Cancelling build after receiving terminated", "interrupted: Packer is cleaning up"),
    ],
)  # fmt: skip
def test_what_matters_is_told_in_either_form(line: str, told: str) -> None:
    assert read(line)[1] == [told]


def test_the_rest_is_detail() -> None:
    line = MACHINE + "say,==> amazon-ebs.image: Authorizing access to port 22 from [0.0.0.0/0] in the temporary..."
    assert Transcript().read(line) == Event(
        "bake", "Authorizing access to port 22 from [0.0.0.0/0] in the temporary...", "detail"
    )


@pytest.mark.parametrize("line", ["", "1795232138,,error-count,1", "1795231413,amazon-ebs.image,artifact-count,1"])
def test_empty_lines_and_counts_are_not_told(line: str) -> None:
    assert Transcript().read(line) is None


def test_the_image_is_the_artifacts() -> None:
    transcript, _ = read(
        "1795231413,amazon-ebs.image,artifact,0,builder-id,mitchellh.amazonebs",
        "1795231413,amazon-ebs.image,artifact,0,id,eu-west-1:ami-0b7c91",
        "1795231413,amazon-ebs.image,artifact,0,string,AMIs were created:\\neu-west-1: ami-0b7c91\\n",
        "1795231413,amazon-ebs.image,artifact,0,end",
    )
    assert transcript.image == "ami-0b7c91"


def test_a_failed_task_is_told_with_its_message_and_the_tools_last_words() -> None:
    transcript, _ = read(
        MACHINE + "message,    amazon-ebs.image: TASK [application : Install links 1.4.0-1] ****",
        MACHINE + 'message,    amazon-ebs.image: fatal: [default]: FAILED! => {"changed": false%!(PACKER_COMMA) "msg": '
        "\"'apt-get install' failed: E: Sub-process /usr/bin/dpkg returned an error code (1)\\n\"%!(PACKER_COMMA) "
        '"stdout": "Setting up links...\\ndpkg: error processing package links (--configure)"}',
        MACHINE + "error,==> amazon-ebs.image: Provisioning step had errors: Running the cleanup provisioner",
        MACHINE + "error,Build 'amazon-ebs.image' errored after 5 seconds: Error executing Ansible",
    )
    assert transcript.failure.splitlines() == [
        "Ansible failed at “Install links 1.4.0-1”:",
        "'apt-get install' failed: E: Sub-process /usr/bin/dpkg returned an error code (1)",
        "Setting up links...",
        "dpkg: error processing package links (--configure)",
    ]


def test_without_a_failed_task_packers_own_last_error_is_told() -> None:
    transcript, _ = read(
        MACHINE + "error,==> amazon-ebs.image: Timeout waiting for SSH.",
        MACHINE + "error,Build 'amazon-ebs.image' errored after 4 seconds 309 milliseconds: Timeout waiting for SSH.",
        "1795232142,,error-count,1",
        MACHINE + "error,\\n==> Some builds didn't complete successfully and had errors:",
        "1795232142,amazon-ebs.image,error,Timeout waiting for SSH.",
        MACHINE + "error,--> amazon-ebs.image: Timeout waiting for SSH.",
    )
    assert transcript.failure == "Timeout waiting for SSH."


def said(text: str, code: int = 0) -> Callable[..., str]:
    def run(
        argv: Sequence[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: str | None = None,
        log: Path | None = None,
        on_line: Callable[[str], None] | None = None,
    ) -> str:
        assert argv == ["packer", "version"]
        if code:
            raise ToolFailed(argv, code, text.splitlines())
        return text

    return run


@pytest.mark.parametrize(
    ("text", "found"), [("Packer v1.6.6\n", "1.6.6"), ("Packer v1.11.2\n\nYour version …", "1.11.2")]
)
def test_packer_tells_its_version(text: str, found: str) -> None:
    assert read_version(said(text)) == found


def test_a_missing_packer_is_named_with_how_to_get_it() -> None:
    with pytest.raises(BakeError, match="not installed") as caught:
        read_version(said("setpriv: failed to execute packer: No such file or directory", 127))
    assert "packer" in caught.value.next_step


def test_control_sockets_have_room_in_their_names(tmp_path: Path) -> None:
    given = environment(tmp_path, tmp_path, Path("/tmp/bakeroll-20261121T033537-caf1851f"), {"AWS_ACCESS_KEY_ID": "x"})
    longest = f"{given['ANSIBLE_SSH_CONTROL_PATH_DIR']}/{'0' * 10}.{'x' * 17}"
    assert len(longest) < 108
    assert given["AWS_ACCESS_KEY_ID"] == "x"
