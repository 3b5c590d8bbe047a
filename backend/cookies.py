"""Set-Cookie fields as (name, value) pairs: never readable by scripts, never sent along from other sites."""

from __future__ import annotations


def set_cookie(name: str, value: str, *, path: str = "/", max_age: int | None = None) -> tuple[str, str]:
    """Hands out a cookie, until the browser closes unless `max_age` seconds are given."""
    age = "" if max_age is None else f"; Max-Age={max_age}"
    return "Set-Cookie", f"{name}={value}{age}; Path={path}; HttpOnly; SameSite=Lax"


def expire_cookie(name: str, *, path: str = "/") -> tuple[str, str]:
    """Takes a cookie back."""
    return set_cookie(name, "", path=path, max_age=0)
