"""What instances are launched from: launch template versions or launch configurations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from bakeroll.aws.launch_configurations import LaunchConfigurations
from bakeroll.aws.launch_templates import LaunchTemplates
from bakeroll.aws.session import Clients
from bakeroll.fleet import LAUNCH_CONFIGURATION, Subnet, TemplateVersion


class Templates:
    """Versions of launch templates. If the template is LAUNCH_CONFIGURATION, versions are launch configurations."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def version_of(self, template: str, version: str) -> TemplateVersion:
        """The version's number and image. A version that cannot change is read once."""
        if template == LAUNCH_CONFIGURATION:
            return self._configurations.version_of(version)
        return self._templates.version_of(template, version)

    def launching(self, template: str, version: str, subnet: Subnet) -> Mapping[str, Any]:
        """The parameters for RunInstances to launch from the version in the subnet, without count and tags."""
        if template == LAUNCH_CONFIGURATION:
            return self._configurations.launching(version, subnet)
        return self._templates.launching(template, version, subnet)

    def make_version(self, template: str, source: str, image: str, token: str) -> str:
        """Make a copy of `source` with another image and return its number. The same token makes only one."""
        if template == LAUNCH_CONFIGURATION:
            return self._configurations.make_version(source, image, token)
        return self._templates.make_version(template, source, image, token)

    def versions_made(self, template: str, tokens: Sequence[str]) -> Sequence[str]:
        """The numbers of the versions that were made with one of these tokens."""
        if template == LAUNCH_CONFIGURATION:
            return self._configurations.versions_made(tokens)
        return self._templates.versions_made(template, tokens)

    def delete_version(self, template: str, version: str) -> None:
        """Delete a version that a roll made. Leave others alone. A missing one is no error."""
        if template == LAUNCH_CONFIGURATION:
            self._configurations.delete_version(version)
        else:
            self._templates.delete_version(template, version)

    @cached_property
    def _configurations(self) -> LaunchConfigurations:
        return LaunchConfigurations(self._clients.autoscaling)

    @cached_property
    def _templates(self) -> LaunchTemplates:
        return LaunchTemplates(self._clients.ec2)
