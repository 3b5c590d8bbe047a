"""What went wrong on the way upstream, in the words of RFC 9209 §2.3."""

from __future__ import annotations

import errno
import ssl

from proxy.message.errors import MalformedMessage
from proxy.message.grammar import shortened
from proxy.upstream.address import Server
from proxy.upstream.contract import (
    BrokenResponse,
    MalformedResponse,
    Overloaded,
    TooSlow,
    Unreachable,
    UpstreamError,
)

_UNROUTABLE = frozenset((errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN))
_EXHAUSTED = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL))


def lookup_failure(error: Exception, server: Server) -> UpstreamError:
    """The server's name has no address, or its lookup failed."""
    return Unreachable(
        f"the name {server.host} can't be resolved",
        evidence=_text(error),
        server=str(server),
        token="dns_error",
    )


def late_connection(
    error: BaseException, seconds: float, server: Server, *, looking_up: bool
) -> UpstreamError:
    """There was no connection in time; `looking_up` where not even an address was known by then."""
    return TooSlow(
        f"no connection to {server} within {seconds:g} s",
        evidence=str(error),
        server=str(server),
        token="dns_timeout" if looking_up else "connection_timeout",
    )


def connect_failure(error: BaseException, server: Server) -> UpstreamError:
    """No connection came about; `error` is what the system or the TLS library said."""
    address, evidence = str(server), _text(error)
    if isinstance(error, ssl.SSLError):
        return Unreachable(
            f"no TLS with {address}", evidence=evidence, server=address, token=_tls_token(error)
        )
    number = error.errno if isinstance(error, OSError) else None
    if number in _EXHAUSTED:
        return Overloaded(f"no room for a connection to {address}", evidence=evidence, server=address)
    if number == errno.ECONNREFUSED:
        token = "connection_refused"
    elif number in _UNROUTABLE:
        token = "destination_ip_unroutable"
    elif isinstance(error, ConnectionError):
        token = "connection_terminated"
    else:
        token = "destination_unavailable"
    return Unreachable(f"no connection to {address}", evidence=evidence, server=address, token=token)


def connection_loss(cause: BaseException | None, server: Server, *, answered: bool) -> UpstreamError:
    """The connection ended before the response did; `answered` where some of it had come."""
    address, evidence = str(server), _text(cause) if cause else ""
    kind = BrokenResponse if answered else Unreachable
    if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError):
        return kind(f"TLS with {address} broke", evidence=evidence, server=address, token=_tls_token(cause))
    if not answered:
        return Unreachable(
            f"{address} closed the connection without an answer",
            evidence=evidence,
            server=address,
            token="connection_terminated",
        )
    return BrokenResponse(f"the response of {address} broke off", evidence=evidence, server=address)


def malformed_head(error: MalformedMessage, server: Server) -> UpstreamError:
    """What came as a head is none, or it leaves open where the content ends."""
    coding = "transfer coding" in error.message
    return MalformedResponse(
        error.message,
        evidence=error.evidence,
        server=str(server),
        token="http_response_transfer_coding" if coding else "",
    )


def malformed_content(error: MalformedMessage, server: Server) -> UpstreamError:
    """The chunked coding is broken, or its trailer section over its limits."""
    large = error.status == 431 and "trailer" in error.message
    return MalformedResponse(
        error.message,
        evidence=error.evidence,
        server=str(server),
        token="http_response_trailer_section_size" if large else "http_response_transfer_coding",
    )


def long_head(length: int, server: Server) -> UpstreamError:
    """More bytes of head than are taken."""
    return MalformedResponse(
        "the head of the response is too long",
        evidence=f"{length} bytes",
        server=str(server),
        token="http_response_header_section_size",
    )


def no_status_line(beginning: bytes, server: Server) -> UpstreamError:
    """Something other than HTTP/1 came: HTTP/0.9, HTTP/2 or another protocol altogether."""
    return MalformedResponse(
        f"{server} doesn't answer in HTTP/1", evidence=shortened(beginning), server=str(server)
    )


def unasked_switch(server: Server) -> UpstreamError:
    """A 101 (Switching Protocols) in answer to a request without `Upgrade`."""
    return MalformedResponse(
        "protocols switched though nothing was asked (RFC 9110 §7.8)", evidence="101", server=str(server)
    )


def silence(seconds: float, server: Server, *, begun: bool) -> UpstreamError:
    """Nothing came for too long: of the head, or once that was there (`begun`) of the content."""
    if begun:
        return TooSlow(
            f"nothing more of the response from {server} for {seconds:g} s",
            server=str(server),
            token="connection_read_timeout",
        )
    return TooSlow(f"no answer from {server} within {seconds:g} s", server=str(server))


def _tls_token(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return "tls_certificate_error"
    return "tls_alert_received" if "ALERT" in (error.reason or "") else "tls_protocol_error"


def _text(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
