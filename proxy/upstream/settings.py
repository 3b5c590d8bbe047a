"""How the way upstream behaves: times in seconds, sizes in bytes."""

from __future__ import annotations

from dataclasses import dataclass

from proxy.message.head import HeadLimits


@dataclass(frozen=True, slots=True)
class UpstreamSettings:
    """One server's limits.

    `connect` covers name lookup, TCP and TLS together. `first_byte` runs from the end of the request to the
    end of the response's head, and anew from each 1xx response. `between_bytes` limits each silence in the
    content, and each stretch in which the server takes nothing of ours. `expectation` is how long content
    waits for a 100 (Continue) before it is sent all the same (RFC 9110 §10.1.1).

    At most `connections` are open at once, and `waiting` requests wait for one, each at most `wait`. Of
    those that are done, `idle_connections` are kept for `idle`: shorter than the keep-alive times that are
    usual for servers, so that it's mostly the proxy that closes. `names` is how long an address is good for.
    The head of a response may have `head_bytes`, in at most `head_fields` field lines.

    `tls_verify` off accepts any certificate. `tls_ca_file` names a PEM file of certificate authorities, in
    the place of the system's. `tls_server_name` is sent in SNI and looked for in the certificate, in the
    place of the server's own name. `tls_certificate` and `tls_key` name PEM files by which the proxy
    identifies itself; the key may stand in the certificate's file.
    """

    connect: float = 5.0
    first_byte: float = 60.0
    between_bytes: float = 60.0
    expectation: float = 1.0
    connections: int = 256
    waiting: int = 1024
    wait: float = 5.0
    idle: float = 50.0
    idle_connections: int = 64
    names: float = 10.0
    head_bytes: int = 65536
    head_fields: int = 256
    tls_verify: bool = True
    tls_ca_file: str | None = None
    tls_server_name: str | None = None
    tls_certificate: str | None = None
    tls_key: str | None = None

    @property
    def limits(self) -> HeadLimits:
        """How long the head of a response may be."""
        return HeadLimits(line=min(8192, self.head_bytes), block=self.head_bytes, fields=self.head_fields)
