"""All strategies, each with a policy that is quick in the model."""

from bakeroll.settings import Canary, Policy
from tests.roll.scene import POLICY

STRATEGIES = ("surge", "rolling", "canary", "blue-green", "refresh")


def policy(strategy: str, **changes: object) -> Policy:
    canary = Canary(watch=5, interval=1)
    return POLICY.model_copy(update={"strategy": strategy, "canary": canary, **changes})
