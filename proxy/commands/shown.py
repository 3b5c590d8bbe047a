"""Text that others wrote, as it may be printed."""

from __future__ import annotations


def shown(text: str) -> str:
    """Text from messages: what can't be seen, or turns the direction of writing, as `\\u{…}`."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else f"\\u{{{ord(one):x}}}" for one in text)
