"""The process that is the cloud: starts its parts, serves the API, and stops all of it again.

`client.control.up` starts it. Over a pipe it reports what it is doing, that it is ready, or why it cannot start, as one
JSON object a line.
"""

import argparse
import fcntl
import logging
import os
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from local_cloud.config import ACCOUNT, REGION, Config, endpoint, from_environment
from local_cloud.errors import LocalCloudError
from local_cloud.host import memory, preflight
from local_cloud.host.sweep import sweep
from local_cloud.programs import run
from local_cloud.report import Report

os.environ |= {  # before moto is imported: it reads these then
    "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_DEFAULT_REGION": REGION,
}
for _name in ("AWS_PROFILE", "AWS_ENDPOINT_URL"):
    os.environ.pop(_name, None)

_HOUSEKEEPING = 60.0

log = logging.getLogger(__name__)


def main() -> int:
    """Run the daemon to its end; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--report", type=int, default=1, help="the descriptor that progress is reported at")
    report = Report(parser.parse_args().report)
    memory.bound()
    os.umask(0o022)  # it makes machines' root file systems, however private its starter's files are
    try:
        config = from_environment()
        preflight.check(config)
        with _holding_lock(config):
            serve(config, report)
    except LocalCloudError as error:
        report.say(failed=error.what, left=error.left, next_step=error.next_step)
        return 1
    except Exception as error:
        log.exception("the daemon failed")
        report.say(failed=f"The local cloud's daemon failed: {error!r}", left="", next_step="See its log")
        return 1
    return 0


@contextmanager
def _holding_lock(config: Config) -> Iterator[None]:
    """Hold the lock on the state directory. The kernel releases it however this process ends."""
    config.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    config.state.chmod(0o700)
    with config.lock.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LocalCloudError(f"Another daemon runs on {config.state}.", left="It keeps running.") from None
        file.truncate(0)
        file.write(f"{os.getpid()} {config.port}")
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def serve(config: Config, report: Report) -> None:
    """Run the cloud until SIGTERM or SIGINT."""
    from local_cloud.daemon.cloud import LocalCloud  # brings moto: a second that a refusal need not wait for

    # A descriptor wakes this thread whichever thread the kernel gives the signal to, and at any time.
    ended, ending = os.pipe()
    os.set_blocking(ending, False)
    signal.set_wakeup_fd(ending)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if left := sweep(config):
        raise LocalCloudError(f"This was left by an earlier daemon and cannot be removed: {', '.join(left)}.")

    def tell(text: str) -> None:
        log.info("%s", text)
        report.say(tell=text)

    cloud = LocalCloud(config, run, tell)
    try:
        cloud.start()
        report.say(ready={"url": endpoint(config).url, "region": REGION, "account": ACCOUNT, "pid": os.getpid()})
        report.close()
        log.info("ready")
        while not select.select([ended], [], [], _HOUSEKEEPING)[0]:
            cloud.keep_house()
    finally:
        cloud.stop()
        if left := sweep(config):
            log.error("left behind: %s", ", ".join(left))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    sys.exit(main())
