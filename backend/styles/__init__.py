"""The styles, by name. `flask` is no style of this framework's: it is the same shop in another one."""

from __future__ import annotations

from backend.styles.contract import Style
from backend.styles.resources import Resources
from backend.styles.sessions import Sessions
from backend.styles.tokens import Tokens

STYLES: dict[str, type[Style]] = {style.name: style for style in (Sessions, Resources, Tokens)}
FLASK = "flask"
SUMMARIES = {name: style.summary for name, style in STYLES.items()} | {
    FLASK: "State is in Flask's session: in a signed cookie, or on the server behind an opaque one."
}
