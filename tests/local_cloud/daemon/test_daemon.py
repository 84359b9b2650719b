"""The daemon's own process, before it serves."""

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from local_cloud.daemon import __main__ as daemon

CLONE = Path(__file__).parents[3]


def test_machines_files_are_readable_whatever_the_umask_of_the_starter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAKEROLL_LOCAL_PORT", "none")  # refused, before anything is made
    monkeypatch.setattr("sys.argv", ["daemon"])
    before = os.umask(0o077)
    try:
        assert daemon.main() == 1
    finally:
        left = os.umask(before)
    assert left == 0o022


def test_the_daemon_is_refused_memory_beyond_its_bound_and_goes_on() -> None:
    program = (
        "from local_cloud.host import memory\n"
        "memory._MOST = memory._LEAST = 300 * 1024**2\n"
        "memory.bound()\n"
        "try: bytearray(10**9)\n"
        "except MemoryError: print('refused', memory.is_full())\n"
    )

    said = subprocess.run([sys.executable, "-c", program], cwd=CLONE, capture_output=True, text=True, check=True).stdout

    assert said == "refused False\n"


@pytest.mark.machine
def test_a_start_that_fails_says_why_and_keeps_the_state_as_it_was(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "mmdebstrap"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'E: no network'\nexit 1\n")
    program.chmod(0o755)
    kept = tmp_path / "state" / "state.pickle"
    kept.parent.mkdir()
    (kept.parent / "lock").touch()  # by which a cloud knows its own directory
    kept.write_bytes(pickle.dumps(None))
    cloud = {
        "BAKEROLL_LOCAL_STATE": str(kept.parent),
        "BAKEROLL_LOCAL_CACHE": str(tmp_path / "cache"),
        "BAKEROLL_LOCAL_BRIDGE": "brdaemon0",
        "BAKEROLL_LOCAL_NETWORK": "10.107.0.0/16",
        "BAKEROLL_LOCAL_PORT": "5707",
    }
    before = kept.stat().st_mtime_ns
    done = subprocess.run(
        [sys.executable, "-m", "local_cloud.daemon"],
        cwd=CLONE,
        env={**os.environ, **cloud, "PATH": f"{program.parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1
    assert said[-1]["failed"] == "mmdebstrap could not build the source image: E: no network"
    assert kept.stat().st_mtime_ns == before
