import os
import select
import stat
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Timer

import pytest

from bakeroll.apt.keys import GnupgKey, keyring_key, local_key
from bakeroll.errors import PublishError
from bakeroll.process import run


def test_the_local_key_is_made_once_in_a_private_folder(tmp_path: Path) -> None:
    home = tmp_path / "made" / "gnupg"

    first, second = local_key(home, run=run), local_key(home, run=run)

    assert first.fingerprint == second.fingerprint
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_what_is_signed_can_be_verified_with_sha512(key: GnupgKey) -> None:
    signed = key.sign("Suite: dev\n")

    assert "Hash: SHA512" in signed
    assert key.verify(signed) == "Suite: dev\n"


def test_a_changed_text_and_a_strangers_are_refused(key: GnupgKey, stranger: GnupgKey) -> None:
    for text in (key.sign("Suite: dev\n").replace("dev", "bad"), stranger.sign("Suite: dev\n"), "Suite: dev\n"):
        with pytest.raises(PublishError, match=r"not signed by|must be exactly one signed text"):
            key.verify(text)


@pytest.mark.parametrize(
    "beside",
    [
        pytest.param(lambda signed: "SHA256: forged\n" + signed, id="before"),
        pytest.param(lambda signed: signed + "SHA256: forged\n", id="after"),
        pytest.param(lambda signed: signed + signed, id="twice"),
        pytest.param(lambda signed: "\n" + signed, id="an empty line"),
        pytest.param(lambda signed: signed + "\n", id="an empty line after"),
        pytest.param(lambda signed: signed.removesuffix("-----END PGP SIGNATURE-----\n"), id="no end"),
        pytest.param(lambda signed: signed.replace("\n", "\r\n"), id="other ends of lines"),
    ],
)
def test_nothing_may_stand_beside_the_signed_text(beside: Callable[[str], str], key: GnupgKey) -> None:
    signed = key.sign("Suite: dev\n- and a dash\n-----BEGIN PGP SIGNATURE-----\n")

    assert key.verify(signed) == "Suite: dev\n- and a dash\n-----BEGIN PGP SIGNATURE-----\n"
    with pytest.raises(PublishError, match="InRelease must be exactly one signed text"):
        key.verify(beside(signed))


def test_no_agent_outlives_a_signature(tmp_path: Path) -> None:
    home = tmp_path / "gnupg"
    local_key(home, run=run).sign("text\n")

    assert all(_ends(agent) for agent in _agents(home))


def test_an_agent_that_is_ending_is_not_met_by_the_next_signature(tmp_path: Path) -> None:
    """gpg answers "Connection reset by peer" to who meets one."""
    socket = tmp_path / "S.gpg-agent"
    socket.touch()

    def slow(argv: Sequence[str], **_: object) -> str:
        if "--kill" in argv:
            Timer(0.1, socket.unlink).start()
        return f"{socket}\n"

    GnupgKey("0" * 40, slow, tmp_path).sign("text\n")

    assert not socket.exists()


def _agents(home: Path) -> list[int]:
    """Those that there are, or that were told to end and have not yet."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has just ended
            if str(home).encode() in (command := path.read_bytes()) and b"gpg-agent" in command:
                found.append(int(path.parent.name))
    return found


def _ends(pid: int) -> bool:
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([process], [], [], 10)[0])
    finally:
        os.close(process)


def test_a_key_of_the_users_keyring_signs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = local_key(tmp_path / "gnupg", run=run)
    monkeypatch.setenv("GNUPGHOME", str(tmp_path / "gnupg"))

    theirs = keyring_key(made.fingerprint, run=run)

    assert theirs.verify(theirs.sign("text\n")) == "text\n"
    run(["gpgconf", "--kill", "gpg-agent"])


def test_a_missing_an_expired_and_an_unnamed_key_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "g").mkdir(mode=0o700)
    monkeypatch.setenv("GNUPGHOME", str(tmp_path / "g"))
    past = ["--faked-system-time", "20200101T000000", "--passphrase", ""]
    run(["gpg", "--batch", "--quiet", *past, "--quick-generate-key", "old", "ed25519", "sign", "1d"])

    with pytest.raises(PublishError, match="names no key"):
        keyring_key("", run=run)
    with pytest.raises(PublishError, match="Your keyring does not have the secret key"):
        keyring_key("0" * 40, run=run)
    with pytest.raises(PublishError, match="has expired"):
        keyring_key("old", run=run)
    run(["gpgconf", "--kill", "gpg-agent"])
