"""What the repository needs of the world: somewhere to keep objects, and a key."""

from typing import Protocol


class ObjectStore(Protocol):
    """Objects by key. Failures other than an unmet condition are CloudErrors."""

    def get(self, key: str, largest: int) -> tuple[bytes, str] | None:
        """Content and entity tag; None where there is no such object. One of more than `largest` bytes is refused."""
        ...

    def put(
        self, key: str, content: bytes, *, if_match: str = "", if_absent: bool = False, cache_control: str = ""
    ) -> bool:
        """Write an object. False, with nothing written, where its tag is not `if_match` or it is not absent."""
        ...


class Signer(Protocol):
    """The key of a repository."""

    def sign(self, text: str) -> str:
        """`text`, signed in the clear."""
        ...

    def verify(self, signed: str) -> str:
        """The text under our key's signature; PublishError where it is not ours, or is not all that there is."""
        ...
