"""The three styles, by name."""

from __future__ import annotations

from backend.styles.contract import Style
from backend.styles.resources import Resources
from backend.styles.sessions import Sessions
from backend.styles.tokens import Tokens

STYLES: dict[str, type[Style]] = {style.name: style for style in (Sessions, Resources, Tokens)}
