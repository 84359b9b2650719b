"""The cloud's parts, put together: what starts after what, and stops before what."""

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence, Set
from dataclasses import asdict
from typing import Any, Protocol

from werkzeug.serving import BaseWSGIServer

from local_cloud.balancing.addresses import Addresses
from local_cloud.balancing.balancers import Balancers
from local_cloud.balancing.moves import Wanted
from local_cloud.config import ZONES, Config, endpoint
from local_cloud.daemon.api import Api, ForInstances, NoBrowsers
from local_cloud.daemon.bounded import Bounded
from local_cloud.daemon.front import Front
from local_cloud.daemon.state import State
from local_cloud.errors import LocalCloudError
from local_cloud.faults.afflictions import Afflictions
from local_cloud.faults.fault import CUTTING_OFF, Fault, Refused, must_be_there
from local_cloud.faults.in_force import Faults
from local_cloud.faults.stale import Stale
from local_cloud.hooks import catalogue, groups, images, instances, kept, load_balancers
from local_cloud.hooks.cloud import Cloud
from local_cloud.hooks.serving import application, serve
from local_cloud.hooks.surroundings import InThisCloud
from local_cloud.host import cgroup
from local_cloud.host.network import Network
from local_cloud.host.packet_filter import PacketFilter
from local_cloud.host.room import Room, room
from local_cloud.machines import source_image
from local_cloud.machines.consoles import Consoles
from local_cloud.machines.images import Images
from local_cloud.machines.inside import Inside
from local_cloud.machines.machines import Machines
from local_cloud.machines.metadata import Facts
from local_cloud.machines.proxy import Proxy
from local_cloud.programs import Run
from local_cloud.scaling.engine import Scaling

log = logging.getLogger(__name__)


class Part(Protocol):
    """Something with a loop of its own that acts on the cloud: the balancers, the scaling."""

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def status(self) -> Any: ...


class LocalCloud(Cloud):
    """One cloud, from `start` to `stop`. `parts` are started last and stopped first."""

    def __init__(self, config: Config, run: Run, tell: Callable[[str], None]) -> None:
        self.config, self._run, self._tell = config, run, tell
        self.state = State(config.state, kept.collect, kept.S3_OBJECT)
        self.changed = self.state.changed
        self.network = Network(config, run)
        self.packet_filter = PacketFilter(config, run)
        self.faults = Faults()
        self.inside = Inside(self.network, Proxy(config.network, os.environ), self._facts)
        self.images = Images(config.state / "images", lambda: self.machines.layers_in_use())
        consoles = Consoles(self.inside.loop)
        layers = self.images.layers_directory
        self.machines = Machines(config, layers, self.network, self.inside, consoles, self._machine_changed)
        self.addresses = Addresses(config, self.network, load_balancers.addresses_taken)
        self.balancers = Balancers(config.state / "balancers", self._wanted, self._adopt)
        self.scaling = Scaling(InThisCloud(groups.groups_now, self.balancers), self.changed)
        afflictions = Afflictions(self.faults, self._cut_off, self.machines.kill)
        self.parts: dict[str, Part] = {
            "load_balancers": self.balancers,
            "groups": self.scaling,
            "faults": afflictions,
        }
        self._servers: list[BaseWSGIServer] = []
        self._is_ending = False
        self._started_at = time.time()

    def start(self) -> None:
        catalogue.install(self)
        source = source_image.provide(self.config.cache, self._run, self._tell)
        self._restore()
        self.images.start(source)
        images.register_source_image(self, source)
        instances.settle(self)
        images.settle(self)
        load_balancers.settle()
        groups.settle()
        self._remove_dead_disks()
        self.images.collect()
        self.network.start()
        self.packet_filter.start()
        self.addresses.start()
        self.inside.start()
        self.state.start()
        self.state.save()
        for part in self.parts.values():
            part.start()
        self._serve()

    def stop(self) -> None:
        self._is_ending = True
        for server in self._servers:
            server.shutdown()
            server.server_close()
        for part in self.parts.values():
            part.stop()
        self.machines.stop_all()
        self.inside.stop()
        try:
            self.state.stop()
        except OSError as error:
            log.error("the last changes are not kept: %s", error)
        self.network.stop()

    def keep_house(self) -> None:
        """Now and then: forget the instances that ended long ago, and the logs of their consoles."""
        for instance in instances.forget_terminated():
            self.machines.forget(instance)
            self.changed()

    def status(self) -> dict[str, Any]:
        if self._is_ending:  # whoever asks wants to know whether the cloud is up
            return {}
        names = images.image_names()
        return {
            "pid": os.getpid(),
            "state": str(self.config.state),
            "uptime": round(time.time() - self._started_at, 1),
            "endpoint": endpoint(self.config).url,
            "trouble": self.state.failure,
            "room": asdict(self.room()),
            "images": [{"id": image, "name": names.get(image, "")} for image in self.images.ids()],
            "instances": instances.instances(),
            **{name: part.status() for name, part in self.parts.items()},
        }

    def room(self) -> Room:
        ours = cgroup.processes(cgroup.of_cloud(self.config.bridge))
        return room(self.machines.running(), ours)

    def _restore(self) -> None:
        try:
            found = self.state.load()
            if found:
                kept.restore(found)
        except Exception as error:
            log.exception("the state cannot be read")
            raise LocalCloudError(
                f"The kept state in {self.config.state} cannot be read: {error!r}.",
                left="It was not changed.",
                next_step=f"Start over, without images, buckets and fleets: {self.config.command}reset",
                log=self.config.log,
            ) from None

    def _remove_dead_disks(self) -> None:
        """Disks of machines that did not outlive the last daemon."""
        if self.config.instances.exists():
            for directory in self.config.instances.iterdir():
                if self.machines.state(directory.name) is None:
                    source_image.discard(directory)

    def _serve(self) -> None:
        api = Api(application(), self.state.save)
        front = Front(api, self.faults, Stale(instances.younger_than), self.status, self._check)
        gateway = str(self.config.gateway)
        self._servers = [
            serve("127.0.0.1", self.config.port, NoBrowsers(Bounded(front))),
            serve(gateway, self.config.port, NoBrowsers(Bounded(ForInstances(api)))),
        ]
        for server in self._servers:
            threading.Thread(target=server.serve_forever, args=(0.1,), name="api", daemon=True).start()

    def _machine_changed(self, instance: str, state: Any, reason: str) -> None:
        instances.machine_changed(self, instance, state, reason)
        if state == "terminated":
            self.faults.forget(instance)
        self.balancers.wake()
        self.scaling.wake()

    def _wanted(self) -> Sequence[Wanted]:
        """What the load balancers should be; whatever listens then is open to instances."""
        wanted = load_balancers.wanted_now()
        layouts = [each.layout for each in wanted]
        self.packet_filter.admit({(layout.address, each.port) for layout in layouts for each in layout.listeners})
        return wanted

    def _check(self, fault: Fault) -> None:
        """Raise Refused for a fault that waits for what is not here."""
        if fault.kind in CUTTING_OFF and not self.packet_filter.is_on:
            raise Refused(f"The fault “{fault.kind}” needs nftables, and there is none here.")
        known = {
            "action": kept.actions(),
            "image": set(self.images.ids()),
            "instance": self.machines.alive(),
            "zone": set(ZONES),
        }
        must_be_there(fault, known)

    def _cut_off(self, instances: Set[str]) -> None:
        self.packet_filter.cut_off({address for each in instances for address in self.machines.addresses(each)})

    def _adopt(self, process: int) -> None:
        """Let the cloud's end be a load balancer's end, too."""
        group = cgroup.create(self.config.bridge, "balancers")
        (group / "cgroup.procs").write_text(str(process))

    def _facts(self, instance: str) -> Facts | None:
        return instances.facts(instance)
