"""A stored response as the rules see it: everything but its content."""

from __future__ import annotations

from dataclasses import dataclass, replace

from proxy.message.request import Request
from proxy.message.response import Response


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """A response in the cache, with what is needed to decide about its reuse (RFC 9111 §3, §4).

    `request` is the request that brought it (the fields that matter to `Vary` suffice). `request_time` and
    `response_time` are the local clock's seconds since the epoch (RFC 9111 §4.2.3). `length` is the number
    of bytes of content held. `first` is the offset of the first of them within the representation and
    `complete_length` the length of the whole representation, None where unknown: the response is complete
    when `first == 0 and length == complete_length`. `invalidated` is set when it may only be used after
    validation (RFC 9111 §4.4). `arriving` is set while all of it is still on its way and nobody knows how
    much that is: `length` says nothing then. `stale_from` is the time, in seconds since the epoch, from which
    on it counts as stale whatever its lifetime; None where nobody has said so.
    """

    request: Request
    response: Response
    request_time: float
    response_time: float
    length: int
    first: int = 0
    complete_length: int | None = None
    invalidated: bool = False
    arriving: bool = False
    stale_from: float | None = None

    @property
    def complete(self) -> bool:
        """Whether the whole representation is held (RFC 9111 §3.3), or will be by the time it is read."""
        return self.arriving or (self.first == 0 and self.length == self.complete_length)

    def softened(self, at: float) -> StoredResponse:
        """This as it is after a soft purge at `at`, in seconds since the epoch: stale from then on.

        Unchanged where it was requested after that, or has been stale from an earlier moment on already.
        """
        if self.request_time > at or (self.stale_from is not None and self.stale_from <= at):
            return self
        return replace(self, stale_from=at)
