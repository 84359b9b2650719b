"""Bakes one image with Packer, unless one of the same digest exists.

On one machine, an application and an environment have one bake at a time. A second bake waits and then finds the
first one's image. Before each bake, the oven deletes what a killed bake left.
"""

import json
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from bakeroll.bake import catalogue, packer
from bakeroll.bake.catalogue import Images
from bakeroll.bake.folder import TOOLKIT, copy
from bakeroll.bake.recipe import Method, Recipe, why
from bakeroll.bake.sweep import Bake, sweep, sweep_bakes
from bakeroll.bake.template import PLUGINS_FILE, variables
from bakeroll.errors import BakeError, CloudError
from bakeroll.events import Event, Report
from bakeroll.process import Run, ToolFailed, alone
from bakeroll.release import Image
from bakeroll.settings import EnvironmentSettings

CONSOLE_LINES = 10
ENDED_BY_PACKER = "Client.UserInitiatedShutdown"
"""EC2's code for an instance that somebody terminated."""
LONGEST_BAKE_SECONDS = 3600.0
"""How long to wait for another bake of the same application and environment."""


@dataclass(frozen=True, slots=True)
class Bakery:
    """What every bake needs from outside.

    `work` is the .bakeroll folder. `operator` is who bakes, user@host. `endpoint` is EC2's address if it is not AWS's.
    `credentials` are environment variables for Packer, added to this process's own. `toolkit` holds packer/ and
    ansible/.
    """

    environment: EnvironmentSettings
    region: str
    images: Images
    run: Run
    report: Report
    now: Callable[[], datetime]
    work: Path
    operator: str
    endpoint: str = ""
    credentials: Mapping[str, str] = field(default_factory=dict)
    toolkit: Path = TOOLKIT

    @property
    def scope(self) -> str:
        """The scope of the lock, and the prefix of bakes' names."""
        return f"{self.environment.application}-{self.environment.name}"

    @property
    def layers(self) -> tuple[Path, Path]:
        return self.toolkit, self.environment.source


@dataclass(frozen=True, slots=True)
class Order:
    """What Packer and Ansible get for one image. `variables` are Ansible's."""

    source: str
    templates: Mapping[str, str]
    playbook: Mapping[str, Path]
    method: Method
    variables: Mapping[str, object]
    version: str = ""
    revision: str = ""


def find_or_bake(bakery: Bakery, order: Order, recipe: Recipe, max_age: timedelta | None = None) -> Image:
    """Return an image of `recipe` that is at most `max_age` old. Bake it if the catalogue has none."""
    if image := _find_and_report(bakery, recipe, max_age):
        return image
    bakery.work.mkdir(parents=True, exist_ok=True)
    with alone(bakery.work / f"bake-{bakery.scope}.lock", partial(_waiting, bakery)):
        if image := _find_and_report(bakery, recipe, max_age):
            return image
        sweep(bakery.images, bakery.scope, bakery.work.resolve(), now=bakery.now(), report=bakery.report)
        return _bake(bakery, order, recipe)


def find(bakery: Bakery, recipe: Recipe, max_age: timedelta | None = None) -> Image | None:
    """The image of `recipe` in the catalogue, if it is at most `max_age` old."""
    image = catalogue.with_digest(bakery.images, recipe.digest)
    return None if image and max_age is not None and bakery.now() - image.created_at > max_age else image


def _find_and_report(bakery: Bakery, recipe: Recipe, max_age: timedelta | None) -> Image | None:
    image = find(bakery, recipe, max_age)
    if image and recipe.kind == "base":
        bakery.report(Event("bake", f"base image {image.id} exists already, recipe {recipe.digest[:8]}", "detail"))
    elif image:
        bakery.report(Event("bake", f"{image.id} exists already, recipe {recipe.digest[:8]}", "done"))
    return image


def _bake(bakery: Bakery, order: Order, recipe: Recipe) -> Image:
    if PLUGINS_FILE in order.templates:
        packer.require_plugins(bakery.run)
    why_now = find_reason(bakery, recipe)
    bakery.report(Event("bake", f"{recipe.kind} image: {why_now}"))
    image = catalogue.image_of(_get_ami(bakery, _run_packer(bakery, order, recipe)))
    kind = "base image " if recipe.kind == "base" else ""
    bakery.report(Event("bake", f"{kind}{image.id} ready, recipe {recipe.digest[:8]}: {why_now}", "done"))
    return image


def find_reason(bakery: Bakery, recipe: Recipe) -> str:
    """Why `recipe` has no image yet: what changed since the last bake."""
    environment = bakery.environment
    last = catalogue.before(bakery.images, recipe.kind, environment.application, environment.name)
    if last and last.digest == recipe.digest:
        return f"the last is {(bakery.now() - last.created_at).days} days old"
    return why(last.recipe if last else "", recipe)


def _run_packer(bakery: Bakery, order: Order, recipe: Recipe) -> str:
    """Run Packer on `order` and return the new image's id. In any case nothing else of the bake is left."""
    bake = Bake(bakery.scope, f"{bakery.now():%Y%m%dT%H%M%S}-{secrets.token_hex(4)}", bakery.work.resolve())
    transcript = packer.Transcript()
    try:
        _lay_out(bakery, order, recipe, bake)
        bakery.run(
            packer.BUILD,
            cwd=bake.folder,
            env=packer.environment(bake.work, bake.folder, bake.temporary, bakery.credentials),
            log=bake.log,
            on_line=lambda line: _report(bakery, transcript.read(line)),
        )
    except ToolFailed:
        raise _failed(bakery, bake, transcript) from None
    except BaseException:
        _clean_up(bakery, bake)
        raise
    bake.forget()
    if not transcript.image:
        raise BakeError("Packer succeeded but named no image.", log=bake.log)
    return transcript.image


def _report(bakery: Bakery, event: Event | None) -> None:
    if event:
        bakery.report(event)


def _failed(bakery: Bakery, bake: Bake, transcript: packer.Transcript) -> BakeError:
    last_words = [] if transcript.reason else _read_last_words(bakery, bake)  # before the builder is deleted
    return BakeError(
        "\n".join([transcript.failure, *last_words]),
        left=_clean_up(bakery, bake),
        next_step=f"Fix it, then run: fab bake --env={bakery.environment.name}",
        log=bake.log,
    )


def _read_last_words(bakery: Bakery, bake: Bake) -> list[str]:
    """What the builder says about a failure. Packer may say only ResourceNotReady."""
    try:
        found = bakery.images.last_words(catalogue.BAKE, bake.id)
    except CloudError:
        return []
    if found is None:
        return []
    has_died = found.reason and not found.reason.startswith(ENDED_BY_PACKER)
    console = [f"  {line}" for line in found.console[-CONSOLE_LINES:]]
    return [
        *([f"The builder {found.id} ended: {found.reason}"] if has_died else []),
        *([f"The last lines of the console of {found.id}:", *console] if console else []),
    ]


def _clean_up(bakery: Bakery, bake: Bake) -> str:
    """Delete what the bake left, and say so in a sentence."""
    try:
        swept = sweep_bakes(bakery.images, [bake])
    except CloudError as error:
        return f"Could not delete what {bake.id} left; the next bake will. {error.what}"
    left = "No builder, key pair, security group or image of the attempt is left."
    return f"{left} Packer had left {', '.join(swept)}, which is deleted." if swept else left


def _lay_out(bakery: Bakery, order: Order, recipe: Recipe, bake: Bake) -> None:
    """Write Packer's working folder."""
    bake.folder.mkdir(parents=True)
    bake.temporary.mkdir(mode=0o700)
    bake.temporary.joinpath("cp").mkdir(mode=0o700)
    bake.log.parent.mkdir(parents=True, exist_ok=True)
    copy(order.playbook, bake.folder / "ansible")
    for name, text in order.templates.items():
        (bake.folder / name).write_text(text, encoding="utf-8")
    (bake.folder / "variables.json").write_text(json.dumps(order.variables), encoding="utf-8")
    given = variables(_packer_variables(bakery, order, recipe, bake))
    (bake.folder / "bake.auto.pkrvars.json").write_text(given, encoding="utf-8")


def _packer_variables(bakery: Bakery, order: Order, recipe: Recipe, bake: Bake) -> dict[str, str | Mapping[str, str]]:
    environment = bakery.environment
    run_tags = {
        "Name": f"bakeroll bake {bake.id}",
        catalogue.BAKE: bake.id,
        catalogue.APPLICATION: environment.application,
        catalogue.ENVIRONMENT: environment.name,
    }
    image_name = _image_name(bakery, order, bake)
    image_tags = {
        **run_tags,
        **catalogue.tags_of(recipe, order.source, order.version, order.revision),
        "Name": image_name,
        catalogue.BAKED_BY: bakery.operator,
    }
    return {
        "key_pair": bake.key_pair,
        "image_name": image_name,
        "image_tags": image_tags,
        "run_tags": run_tags,
        **({"endpoint": bakery.endpoint} if bakery.endpoint else {}),
    }


def _image_name(bakery: Bakery, order: Order, bake: Bake) -> str:
    """An AMI's name must be unique in its account, with at most 128 characters of a small set (CreateImage)."""
    what = f"{bakery.environment.application}-{order.version or 'base'}"
    return f"{re.sub(r'[^A-Za-z0-9()./_-]', '-', what)[:90]}-{bake.name}"


def _get_ami(bakery: Bakery, image_id: str) -> catalogue.Ami:
    ami = bakery.images.get(image_id)
    if ami is None:
        raise BakeError(f"Packer made {image_id}, but EC2 does not know it.")
    return ami


def _waiting(bakery: Bakery, seconds: float) -> None:
    if not seconds:
        bakery.report(Event("bake", f"waiting for another bake of {bakery.scope} on this machine"))
    if seconds > LONGEST_BAKE_SECONDS:
        raise BakeError(f"Another bake of {bakery.scope} on this machine has not ended within an hour.")
