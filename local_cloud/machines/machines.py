"""The instances: real machines, each a root filesystem with systemd in namespaces of its own.

Owns processes, disks and states of machines. Knows nothing of the API: whoever needs to know what becomes of a
machine passes `changed`. A machine's disk is an overlay over an image's layers; stopped, only the disk is left.
"""

import logging
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from local_cloud.config import Config
from local_cloud.host import cgroup
from local_cloud.host.network import Network
from local_cloud.machines import boot
from local_cloud.machines.consoles import Consoles, tail
from local_cloud.machines.disks import Disks
from local_cloud.machines.inside import Inside
from local_cloud.machines.machine import Changed, Machine, State

STOP_SECONDS = 5.0
"""Seconds that a machine has to shut itself down in order."""
_POWEROFF = signal.SIGRTMIN + 4  # systemd(1): start poweroff.target

log = logging.getLogger(__name__)


class Machines:
    """All machines of one cloud. Every change runs in a thread of its own and is reported to `changed`."""

    def __init__(
        self, config: Config, layers: Path, network: Network, inside: Inside, consoles: Consoles, changed: Changed
    ) -> None:
        self._config, self._network = config, network
        self._disks = Disks(config.instances, layers)
        self._inside, self._consoles, self._changed = inside, consoles, changed
        self._machines: dict[str, Machine] = {}
        self._stopping = False

    def state(self, instance: str) -> State | None:
        machine = self._machines.get(instance)
        return machine.state if machine else None

    def addresses(self, instance: str) -> tuple[str, ...]:
        machine = self._machines.get(instance)
        return machine.addresses if machine else ()

    def alive(self) -> set[str]:
        """The machines that are not terminated, nor about to be."""
        return {each.id for each in list(self._machines.values()) if each.state not in ("shutting-down", "terminated")}

    def running(self) -> int:
        """How many take something of this machine, those included that boot or end."""
        return sum(each.state not in ("stopped", "terminated") for each in list(self._machines.values()))

    def layers(self, instance: str) -> tuple[str, ...]:
        return self._machines[instance].layers

    def layers_in_use(self) -> set[str]:
        return {layer for machine in list(self._machines.values()) for layer in machine.layers}

    def console(self, instance: str) -> bytes:
        return tail(self._disks.console(instance))

    def launch(self, instance: str, hostname: str, layers: Sequence[str], addresses: Sequence[str]) -> None:
        """Make a machine and boot it: pending, then running, or terminated with the reason."""
        machine = Machine(instance, hostname, tuple(layers), tuple(addresses))
        self._machines[instance] = machine
        self._do(machine, lambda: self._launch(machine))

    def adopt(self, instance: str, hostname: str, layers: Sequence[str], addresses: Sequence[str]) -> None:
        """Take up a stopped machine whose disk an earlier daemon left."""
        self._machines[instance] = Machine(instance, hostname, tuple(layers), tuple(addresses), "stopped")

    def start(self, instance: str) -> None:
        machine = self._machines[instance]
        machine.state = "pending"
        self._do(machine, lambda: self._boot(machine))

    def stop(self, instance: str) -> None:
        machine = self._machines[instance]
        machine.state = "stopping"
        self._do(machine, lambda: self._power_off(machine, "stopped"))

    def reboot(self, instance: str) -> None:
        machine = self._machines[instance]
        self._do(machine, lambda: self._reboot(machine))

    def terminate(self, instance: str) -> None:
        machine = self._machines[instance]
        machine.state = "shutting-down"
        self._do(machine, lambda: self._terminate(machine))

    def kill(self, instance: str) -> None:
        """Have a machine that runs die, as if its host failed: not shut down in order, and gone with its disk."""
        machine = self._machines.get(instance)
        if machine and machine.state == "running":
            machine.state = "shutting-down"
            self._do(machine, lambda: self._fail(machine, "the machine died (a fault on demand)"))

    def snapshot(self, instance: str, layer: str, *, reboot: bool) -> tuple[str, ...]:
        """Make what the machine has written the new `layer`; return all its layers, top first.

        With `reboot` the machine is shut down in order before and booted after. Without, its files are
        copied while it runs, as they are on the disk just then.
        """
        machine = self._machines[instance]
        with machine.changing:
            was = machine.state
            if not reboot and was == "running":
                self._disks.copy(instance, layer)
                return (layer, *machine.layers)
            self._halt(machine)
            self._disks.move(instance, layer)
            machine.layers = (layer, *machine.layers)
            if was == "running":
                machine.state = "pending"
                self._do(machine, lambda: self._boot(machine))
            return machine.layers

    def forget(self, instance: str) -> None:
        """Drop a terminated machine and the log of its console."""
        self._machines.pop(instance, None)
        self._disks.forget(instance)

    def stop_all(self) -> None:
        """Pull the plug of every machine: the cloud goes down."""
        self._stopping = True
        for machine in list(self._machines.values()):
            cgroup.kill(self._cgroup(machine))

    def _do(self, machine: Machine, change: Callable[[], None]) -> None:
        def body() -> None:
            with machine.changing:
                try:
                    change()
                except Exception as error:
                    if not self._stopping:
                        log.exception("%s failed", machine.id)
                        self._fail(machine, str(error))

        threading.Thread(target=body, name=machine.id, daemon=True).start()

    def _launch(self, machine: Machine) -> None:
        if machine.state != "pending":
            return
        self._disks.make(machine.id)
        self._boot(machine)

    def _boot(self, machine: Machine) -> None:
        """Start PID 1 and wait until the machine can be reached."""
        if machine.state != "pending":  # terminated meanwhile
            return
        if not machine.is_plugged:
            self._network.attach(machine.id, machine.addresses)
            machine.is_plugged = True
            self._inside.serve(machine.id)
        console = self._consoles.open(self._disks.console(machine.id))
        group = cgroup.create(self._config.bridge, machine.id)
        disk = self._disks.of(machine.id)
        machine.console = console
        machine.process = subprocess.Popen(
            boot.command(machine, bridge=self._config.bridge, disk=disk, group=group, console=console.device),
            cwd=self._disks.layers,
            stdin=subprocess.DEVNULL,
            stdout=console.theirs,
            stderr=console.theirs,
            start_new_session=True,
        )
        threading.Thread(target=self._watch, args=(machine, machine.process), name=machine.id, daemon=True).start()
        self._await_boot(machine, machine.process)

    def _await_boot(self, machine: Machine, process: subprocess.Popen[bytes]) -> None:
        boot.wait_for_ssh(machine.addresses[0], process, lambda: machine.state == "pending")
        if process.poll() is None and machine.state == "pending":
            machine.is_up = True
            self._become(machine, "running")

    def _watch(self, machine: Machine, process: subprocess.Popen[bytes]) -> None:
        """See a machine end. reboot(2): a restart ends PID 1 of a pid namespace by SIGHUP, a power-off by SIGINT."""
        code = process.wait()
        with machine.changing:
            if machine.process is not process or self._stopping:
                return
            booted = machine.state == "running"
            self._release(machine)
            if code == -signal.SIGHUP:
                machine.state = "pending"
                self._boot(machine)
            elif booted:
                self._become(machine, "stopped", "Client.InstanceInitiatedShutdown: Instance initiated shutdown")
            elif machine.state == "pending":
                last = self.console(machine.id).decode(errors="replace").splitlines()[-1:]
                self._fail(machine, f"the boot ended with {code}: {' '.join(last)}")

    def _power_off(self, machine: Machine, state: State) -> None:
        self._halt(machine)
        self._become(machine, state)

    def _halt(self, machine: Machine) -> None:
        """Shut down in order, at the latest after STOP_SECONDS by force; the machine's processes are gone after."""
        process, machine.process = machine.process, None
        if process is None:
            return
        init = cgroup.init_of(self._cgroup(machine))
        if init and machine.is_up:  # earlier than that, systemd may not hear it
            with suppress(ProcessLookupError):
                os.kill(init, _POWEROFF)
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
        self._release(machine)
        process.wait()

    def _release(self, machine: Machine) -> None:
        machine.process, machine.is_up = None, False
        if not cgroup.kill(self._cgroup(machine)):
            log.error("%s has processes that cannot be ended", machine.id)
        if machine.console:
            self._consoles.close(machine.console)
            machine.console = None

    def _reboot(self, machine: Machine) -> None:
        if machine.state == "running":
            self._halt(machine)
            machine.state = "pending"
            self._boot(machine)

    def _terminate(self, machine: Machine) -> None:
        self._halt(machine)
        self._forget(machine)
        self._become(machine, "terminated")

    def _fail(self, machine: Machine, reason: str) -> None:
        self._release(machine)
        log.error("%s: %s", machine.id, reason)
        self._forget(machine)
        self._become(machine, "terminated", f"Server.InternalError: {reason}")

    def _forget(self, machine: Machine) -> None:
        """Remove all of a machine but the log of its console."""
        self._inside.close(machine.id)
        if machine.is_plugged:
            self._network.detach(machine.id, machine.addresses)
        machine.is_plugged = False
        self._disks.delete(machine.id)
        machine.layers = ()

    def _become(self, machine: Machine, state: State, reason: str = "") -> None:
        machine.state = state
        log.info("%s is %s%s", machine.id, state, f" ({reason})" if reason else "")
        self._changed(machine.id, state, reason)

    def _cgroup(self, machine: Machine) -> Path:
        return cgroup.of_cloud(self._config.bridge) / machine.id
