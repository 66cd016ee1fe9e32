"""What a request may hold, how many texts may wait, how long things may take."""

from dataclasses import dataclass

__all__ = ["Limits"]


@dataclass(frozen=True)
class Limits:
    """Limits of a service; ValueError where a request of the largest kind could never be accepted.

    texts: in a request; characters: of a text (of each one in a pair); bytes: of a body; waiting: texts that
    are accepted and not yet answered, of all requests together; arrival: seconds that a body may take to
    arrive; stop: seconds after which a stop no longer waits for answers.
    """

    texts: int = 64
    characters: int = 10_000
    bytes: int = 1_000_000
    waiting: int = 512
    arrival: float = 10.0
    stop: float = 25.0

    def __post_init__(self) -> None:
        if self.waiting < self.texts:
            raise ValueError(
                f"a request may hold {self.texts} texts, but only {self.waiting} may wait: let as many wait"
            )
