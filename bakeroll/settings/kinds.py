"""The kinds of values in deploy.yml, each with its bounds. Every text has a greatest length, every number a limit.

The message for a wrong number says everything that the number may be, in the words that `wanted` was given.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, ValidationError, ValidatorFunctionWrapHandler, WrapValidator
from pydantic_core import PydanticCustomError

NAME = r"^[a-z0-9][a-z0-9+.-]+$"
ENVIRONMENT_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
HTTP_PATH = r"^/[!-~]*$"
ACCOUNT = r"^([0-9]{12})?$"
ARGUMENT = r"^[^\x00]*$"
LINE = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"
WORD = r"^[!-z|}~]*$"

PATTERNS = {
    NAME: "lower-case letters, digits, + . and -, and begin with a letter or digit",
    ENVIRONMENT_NAME: "letters, digits, _ . and -, and begin with a letter or digit",
    HTTP_PATH: "a path that begins with /, of printable ASCII without spaces",
    ACCOUNT: "the 12 digits of an account",
    ARGUMENT: "a text without the character U+0000",
    LINE: "a text on one line, without control characters",
    WORD: "one word of printable ASCII, without {",
}
"""What a text must be, by its pattern."""

DAY = 24 * 3600
WEEK = 7 * DAY
MOST_INSTANCES = 10_000


def wanted(what: str) -> WrapValidator:
    """A validator whose message for any wrong number is `what`. True and false are no numbers."""

    def validated(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        try:
            if not isinstance(value, bool):
                return handler(value)
        except ValidationError:
            pass
        raise PydanticCustomError("wanted", what)

    return WrapValidator(validated)


Name = Annotated[str, Field(pattern=NAME, max_length=40)]
"""A Debian package's name (Debian Policy 5.6.1). It also names the unit, the user and the image."""
EnvironmentName = Annotated[str, Field(pattern=ENVIRONMENT_NAME, max_length=40)]
HttpPath = Annotated[str, Field(pattern=HTTP_PATH, max_length=1024)]
Account = Annotated[str, Field(pattern=ACCOUNT)]
Argument = Annotated[str, Field(pattern=ARGUMENT, max_length=4096)]
"""An argument of a command, as execve(2) takes it."""
Line = Annotated[str, StringConstraints(strip_whitespace=True, pattern=LINE, max_length=4096)]
"""A text for people, or a command line. It is written on one line of a file."""
Word = Annotated[str, StringConstraints(strip_whitespace=True, pattern=WORD, max_length=255)]
"""A name or an address of AWS or apt. Packer would read {{ }} in it as its own template syntax."""

Amount = Annotated[
    Annotated[str, Field(pattern=r"^(100|[0-9]{1,2})%$")] | Annotated[int, Field(ge=0, le=MOST_INSTANCES)],
    wanted(f"a whole number from 0 to {MOST_INSTANCES}, or a share from 0% to 100%"),
]
"""A number of instances, or a share of the desired capacity, such as "50%"."""

Port = Annotated[int, Field(ge=1, le=65535), wanted("a whole number from 1 to 65535")]
Percentage = Annotated[int, Field(ge=1, le=100), wanted("a whole number from 1 to 100")]
HealthyChecks = Annotated[int, Field(ge=1, le=100), wanted("a whole number from 1 to 100")]
Days = Annotated[float, Field(gt=0, le=3650, allow_inf_nan=False), wanted("a number above 0 and at most 3650")]
UpToADay = Annotated[float, Field(ge=0, le=DAY, allow_inf_nan=False), wanted(f"a number from 0 to {DAY}")]
UpToAWeek = Annotated[float, Field(ge=0, le=WEEK, allow_inf_nan=False), wanted(f"a number from 0 to {WEEK}")]
ADayAtMost = Annotated[float, Field(ge=1, le=DAY, allow_inf_nan=False), wanted(f"a number from 1 to {DAY}")]
AWeekAtMost = Annotated[float, Field(ge=1, le=WEEK, allow_inf_nan=False), wanted(f"a number from 1 to {WEEK}")]
"""For what always takes some time."""
Significance = Annotated[float, Field(gt=0, lt=0.5, allow_inf_nan=False), wanted("a number above 0 and below 0.5")]
LocalSize = Annotated[int, Field(ge=0, le=1000), wanted("a whole number from 0 to 1000")]
LocalDelay = Annotated[int, Field(ge=0, le=3600), wanted("a whole number from 0 to 3600")]
Period = Annotated[
    Literal[1, 5, 10, 20, 30] | Annotated[int, Field(ge=60, le=DAY, multiple_of=60)],
    wanted(f"1, 5, 10, 20, 30, or a multiple of 60 up to {DAY}"),
]
"""Seconds over which CloudWatch aggregates a metric."""


def is_nothing(amount: str | int) -> bool:
    """Whether an amount is no instance, or a share of 0%."""
    return int(str(amount).removesuffix("%")) == 0
