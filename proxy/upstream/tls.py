"""How connections to `https` servers are secured."""

from __future__ import annotations

import ssl

from proxy.message.errors import ConfigurationError
from proxy.upstream.settings import UpstreamSettings


def tls_context(settings: UpstreamSettings) -> ssl.SSLContext:
    """TLS 1.2 or later, speaking HTTP/1.1 (RFC 7301), with certificates verified as the settings say.

    Raises `ConfigurationError` where a file can't be used.
    """
    context = _trusting(settings)
    context.set_alpn_protocols(["http/1.1"])
    if not settings.tls_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if settings.tls_certificate is not None:
        try:
            context.load_cert_chain(settings.tls_certificate, settings.tls_key, password=_no_password)
        except (OSError, ValueError) as error:
            raise _unusable("certificate", settings.tls_certificate, error) from error
    elif settings.tls_key is not None:
        raise ConfigurationError("a TLS key without its certificate", evidence=repr(settings.tls_key))
    return context


def _trusting(settings: UpstreamSettings) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=settings.tls_ca_file)
    except OSError as error:
        raise _unusable("list of certificate authorities", settings.tls_ca_file or "", error) from error


def _no_password() -> str:
    raise ValueError("the key is protected by a password")


def _unusable(what: str, path: str, error: OSError | ValueError) -> ConfigurationError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return ConfigurationError(f"can't use the {what} {path}", evidence=reason)
