"""The one root of the project's exceptions: each carries its evidence and the status to answer with."""

from __future__ import annotations


class PellucidError(Exception):
    """Anything that Pellucid itself reports as wrong.

    `status` is the HTTP status code to answer with where the error ends an exchange (None where it
    can't), `evidence` the piece of input that shows what is wrong (never a credential).
    """

    status: int | None = None

    def __init__(self, message: str, *, evidence: str = "", status: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.evidence = evidence
        if status is not None:
            self.status = status

    def __str__(self) -> str:
        return f"{self.message}: {self.evidence}" if self.evidence else self.message


class ConfigurationError(PellucidError):
    """A flag, a setting or a file that can't be used as it was given: exit status 2."""


class MalformedMessage(PellucidError):  # noqa: N818 - the RFC's own word
    """A message whose bytes don't follow RFC 9112's grammar, or whose framing is ambiguous."""

    status = 400
