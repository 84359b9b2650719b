"""No request is sent to a fleet's services where what the roll relies on does not hold any more."""

from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from pytest_mock import MockerFixture

from bakeroll.aws.guard import guarded
from bakeroll.errors import LeaseHeld
from tests.aws.conftest import NAME, Account


class Held:
    """A lease that is lost after so many checks."""

    def __init__(self, checks: int) -> None:
        self.left = checks

    def check(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise LeaseHeld("lost the lease")


def test_a_request_is_refused_before_it_is_sent_and_the_caller_hears_why(account: Account) -> None:
    member = next(iter(account.group.lifecycles))

    with guarded(account.clients, Held(0).check):
        with pytest.raises(LeaseHeld, match="lost the lease"):
            account.machines.terminate([member])
        with pytest.raises(LeaseHeld, match="lost the lease"):
            account.scaling.set_maximum(NAME, 9)
        with pytest.raises(LeaseHeld, match="lost the lease"):
            account.clients.elbv2.describe_target_groups()

    assert account.group.maximum == 8
    assert account.group.lifecycles[member] == "InService"


def test_a_request_is_not_sent_again_where_the_lease_was_lost_meanwhile(
    account: Account, mocker: MockerFixture
) -> None:
    mocker.patch("botocore.endpoint.time.sleep")
    sent: list[str] = []

    def fail(request: object, **_: object) -> AWSResponse:
        sent.append("request")
        return AWSResponse("http://nowhere", 503, headers, mocker.Mock(stream=lambda: iter([b""])))

    headers: Any = {}
    events: Any = account.clients.autoscaling.meta.events

    with guarded(account.clients, Held(1).check):
        events.register_first("before-send", fail)
        with pytest.raises(LeaseHeld, match="lost the lease"):
            account.scaling.suspend(NAME, ["AZRebalance"])

    assert sent == ["request"]


def test_the_table_is_asked_whatever_holds(account: Account) -> None:
    with guarded(account.clients, Held(0).check):
        assert account.table.get("fleet#links-dev", "lease") is None


def test_requests_are_free_again_when_the_roll_is_over(account: Account) -> None:
    with guarded(account.clients, Held(0).check):
        pass

    account.scaling.set_maximum(NAME, 9)

    assert account.group.maximum == 9
