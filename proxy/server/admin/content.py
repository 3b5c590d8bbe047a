"""What is sent to the admin address."""

from __future__ import annotations

from aiohttp import web

from proxy.message.errors import PellucidError


class Unfit(PellucidError):  # noqa: N818 - as the other refusals are called
    """The content of a request can't be used."""

    status = 400


async def json_content(request: web.Request, largest: int) -> bytes:
    """The content of a request, of `largest` bytes at most. Raises Unfit.

    Only JSON is taken, which no page of another origin can send unasked.
    """
    if request.content_type != "application/json":
        raise Unfit("the content is given as JSON, with that media type", status=415)
    content = bytearray()
    async for piece in request.content.iter_any():
        content += piece
        if len(content) > largest:
            raise Unfit(f"more than {largest} bytes at one time", status=413)
    return bytes(content)
