"""The daemon's own process, before it serves."""

import os

import pytest

from bakeroll.local import daemon


def test_machines_files_are_readable_whatever_the_umask_of_the_starter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAKEROLL_LOCAL_PORT", "none")  # refused, before anything is made
    monkeypatch.setattr("sys.argv", ["daemon"])
    before = os.umask(0o077)
    try:
        assert daemon.main() == 1
    finally:
        left = os.umask(before)
    assert left == 0o022
