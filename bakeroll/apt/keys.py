"""The key that signs a repository, in a GnuPG keyring."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from bakeroll.errors import PublishError
from bakeroll.process import Run, ToolFailed, alone
from bakeroll.wording import excerpt

LOCAL_NAME = "bakeroll, local repository"
FRAME = ("-----BEGIN PGP SIGNED MESSAGE-----", "-----BEGIN PGP SIGNATURE-----", "-----END PGP SIGNATURE-----")
"""The lines around a clear-signed text. In the text, a line that begins with a dash is escaped (RFC 9580, 7)."""
AGENT_SECONDS = 5.0
"""How long gpg's agent may take to end."""
UNUSABLE = {"e": "has expired", "r": "is revoked", "d": "is disabled", "i": "is invalid"}


@dataclass(frozen=True, slots=True)
class GnupgKey:
    """A secret key in a keyring. `home` is the local cloud's keyring, or None for the user's."""

    fingerprint: str
    run: Run
    home: Path | None = None

    def sign(self, text: str) -> str:
        arguments = ["--local-user", f"{self.fingerprint}!", "--digest-algo", "SHA512", "--clear-sign"]
        try:
            with _agent(self.home, self.run) if self.home else nullcontext():
                return _gpg(self.run, self.home, *arguments, stdin=text)
        except ToolFailed as error:
            raise PublishError(f"gpg could not sign with {self.fingerprint}: {_last(error)}") from None

    def verify(self, signed: str) -> str:
        _refuse_what_is_not_signed(signed)
        with tempfile.TemporaryDirectory(prefix="bakeroll-") as folder:
            keyring = Path(folder) / "key.gpg"
            _gpg(self.run, self.home, "--output", str(keyring), "--export", self.fingerprint)
            try:
                return self.run(["gpgv", "--quiet", "--keyring", str(keyring), "--output", "-"], stdin=signed)
            except ToolFailed as error:
                raise PublishError(
                    f"The repository is not signed by {self.fingerprint}: {_last(error)}",
                    left="Nothing was written.",
                    next_step="Set repository.key to the key that signed it, or publish to another suite",
                ) from None

    def public_key(self) -> str:
        return _gpg(self.run, self.home, "--armor", "--export-options", "export-minimal", "--export", self.fingerprint)


def _refuse_what_is_not_signed(text: str) -> None:
    """Refuse text around the signed text, and several signed texts. gpgv accepts both; other readers might not."""
    lines = text.removesuffix("\n").split("\n")
    frames = [line for line in lines if line in FRAME]
    if tuple(frames) != FRAME or (lines[0], lines[-1]) != (FRAME[0], FRAME[-1]):
        raise PublishError(
            "The repository’s InRelease must be exactly one signed text, and it is not.",
            left="Nothing was written.",
            next_step="Check who writes to the bucket. If it has versioning, restore an earlier version of the object.",
        )


def keyring_key(fingerprint: str, *, run: Run) -> GnupgKey:
    """The key with that fingerprint in the user's keyring. Raises PublishError if it cannot sign."""
    if not fingerprint:
        raise PublishError(
            "deploy.yml names no key that signs the repository.",
            next_step="gpg --quick-generate-key 'apt repository' ed25519 sign; set repository.key to its fingerprint",
        )
    found = _secret_key(run, None, fingerprint)
    if found is None:
        raise PublishError(
            f"Your keyring does not have the secret key {fingerprint}.",
            next_step=f"Import it with gpg --import, then check: gpg --list-secret-keys {fingerprint}",
        )
    validity, full = found
    if validity in UNUSABLE:
        raise PublishError(f"The key {full} {UNUSABLE[validity]}.", next_step=f"gpg --quick-set-expire {full} 2y")
    return GnupgKey(full, run)


def local_key(home: Path, *, run: Run) -> GnupgKey:
    """The local cloud's key, without a passphrase, in its own keyring. Made on first use."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    home.chmod(0o700)
    try:
        with _agent(home, run):
            found = _secret_key(run, home, LOCAL_NAME)
            if found is None:
                _gpg(run, home, "--passphrase", "", "--quick-generate-key", LOCAL_NAME, "ed25519", "sign", "never")
                found = _secret_key(run, home, LOCAL_NAME)
    except ToolFailed as error:
        raise PublishError(f"gpg could not make a key in {home}: {_last(error)}") from None
    if found is None:
        raise PublishError(f"gpg made no key in {home}.")
    return GnupgKey(found[1], run, home)


@contextmanager
def _agent(home: Path, run: Run) -> Iterator[None]:
    """Use the gpg agent of `home` alone and end it afterwards. gpg starts it, and it would outlive us."""
    with alone(home / ".lock"):
        try:
            yield
        finally:
            run(["gpgconf", "--homedir", str(home), "--kill", "gpg-agent"])
            _await_its_end(home, run)


def _await_its_end(home: Path, run: Run) -> None:
    """Wait for the agent's end. It comes a moment after the command, and a connection until then would be reset."""
    socket = Path(run(["gpgconf", "--homedir", str(home), "--list-dirs", "agent-socket"]).strip())
    ends = time.monotonic() + AGENT_SECONDS
    while socket.exists() and time.monotonic() < ends:
        time.sleep(0.005)


def _gpg(run: Run, home: Path | None, *arguments: str, stdin: str | None = None) -> str:
    where = ["--homedir", str(home)] if home else []
    return run(["gpg", "--batch", "--no-tty", "--quiet", *where, *arguments], stdin=stdin, env={"LC_ALL": "C.UTF-8"})


def _secret_key(run: Run, home: Path | None, wanted: str) -> tuple[str, str] | None:
    """Validity and fingerprint of a secret key (gnupg's doc/DETAILS: record sec, fields 2 and, of fpr, 10)."""
    try:
        lines = _gpg(run, home, "--with-colons", "--list-secret-keys", wanted).splitlines()
    except ToolFailed:
        return None
    records = [line.split(":") for line in lines]
    validity = next((record[1] for record in records if record[0] == "sec"), None)
    fingerprint = next((record[9] for record in records if record[0] == "fpr"), None)
    return (validity, fingerprint) if validity is not None and fingerprint else None


def _last(error: ToolFailed) -> str:
    return excerpt(error.tail[-1]) if error.tail else "it gave no reason"
