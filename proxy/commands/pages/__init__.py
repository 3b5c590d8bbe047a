"""HTML pages that stand by themselves: everything in one file, nothing fetched, no script."""

from __future__ import annotations

from proxy.commands.pages.rendering import render

__all__ = ["render"]
