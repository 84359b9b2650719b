"""A failure, told: what is repeated of what was given stays readable."""

from bakeroll.console.failure import object_of, text_of
from bakeroll.errors import BakerollError


def test_an_endless_argument_is_not_repeated_whole() -> None:
    error = BakerollError(f"There is no instance “{'x' * 100_000}” here.", next_step=f"fab logs {'y' * 100_000}")

    for text in (text_of(error), str(object_of(error))):
        assert "There is no instance “xxx" in text
        assert "xxx” here." in text
        assert len(text) < 3000


def test_a_long_line_that_can_be_read_is_left_as_it_is() -> None:
    what = " ".join(f"i-{number:017x}" for number in range(50))

    assert text_of(BakerollError(what)) == f"✗ {what}"
