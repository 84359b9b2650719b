"""What the repository needs from outside: an object store and a key."""

from typing import Protocol


class ObjectStore(Protocol):
    """Objects by key. Every failure except an unmet condition is a CloudError."""

    def get(self, key: str, largest: int) -> tuple[bytes, str] | None:
        """Content and entity tag. None if there is no such object. Refuses an object of more than `largest` bytes."""
        ...

    def put(
        self, key: str, content: bytes, *, if_match: str = "", if_absent: bool = False, cache_control: str = ""
    ) -> bool:
        """Write an object. Write nothing and return False if its tag is not `if_match`, or if it is not absent."""
        ...


class Signer(Protocol):
    """The key of a repository."""

    def sign(self, text: str) -> str:
        """The text, clear-signed."""
        ...

    def verify(self, signed: str) -> str:
        """The text that our key signed. Raises PublishError if another key signed it, or if there is other text."""
        ...
