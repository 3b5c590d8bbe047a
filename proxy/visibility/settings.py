"""What a user may set of the record."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LogSettings:
    """`redact` names further fields, and `redact_parameters` query parameters, whose values are credentials.

    `key` is the secret with which credentials are digested; empty: a new one each time that the proxy is
    started, its workers together. With one key the lines of several proxies, and of several starts, can be
    compared.
    """

    redact: tuple[str, ...] = ()
    redact_parameters: tuple[str, ...] = ("access_token", "api_key", "apikey", "key", "password", "token")
    key: str = ""
