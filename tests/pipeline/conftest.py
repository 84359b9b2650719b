"""Real Git repositories, as the tests of the package's version have them."""

from tests.deb.conftest import make_repository, repository

__all__ = ["make_repository", "repository"]
