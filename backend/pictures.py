"""Product pictures: small SVG drawings made from a product's category, colour and number; pure."""

from __future__ import annotations

from hashlib import sha256
from random import Random

from backend.catalogue import Catalogue, Product

MEDIA_TYPE = "image/svg+xml"

SHAPES = {
    "lanterns": (
        '<path d="M130 66q30-42 60 0" fill="none" stroke="#4a4a52" stroke-width="4"/>'
        '<path d="M122 82l14-20h48l14 20z" fill="#4a4a52"/>'
        '<rect x="126" y="82" width="68" height="96" rx="6" class="g"/>'
        '<path d="M160 158c-16-14-8-28 0-42c8 14 16 28 0 42z" fill="#fff3c4" opacity=".95"/>'
        '<rect x="116" y="178" width="88" height="14" rx="4" fill="#4a4a52"/>'
    ),
    "vases": (
        '<path d="M140 50h40c-4 26-6 34 10 58c20 30 14 76-10 84h-40c-24-8-30-54-10-84c16-24 14-32 10-58z"'
        ' class="g"/>'
        '<path d="M138 118c-12 20-14 42-8 58" class="s"/>'
    ),
    "bottles": (
        '<rect x="148" y="34" width="24" height="14" rx="4" fill="#4a4a52"/>'
        '<path d="M150 48h20v34c0 14 26 18 26 44v58q0 8-8 8h-56q-8 0-8-8v-58c0-26 26-30 26-44z" class="g"/>'
        '<path d="M134 130v46" class="s"/>'
    ),
    "tumblers": (
        '<path d="M112 66h96l-12 120q-1 6-8 6h-56q-7 0-8-6z" class="g"/>'
        '<path d="M117 108h86l-8 74q-1 5-7 5h-56q-6 0-7-5z" fill="#fff" opacity=".28"/>'
        '<path d="M128 84l8 86" class="s"/>'
    ),
    "prisms": (
        '<path d="M40 130l98-4" stroke="#fff" stroke-width="5"/>'
        '<path d="M180 116l104 14v10l-102-18z" fill="#d9534f"/>'
        '<path d="M182 122l102 18v10l-100-22z" fill="#e8b33a"/>'
        '<path d="M184 128l100 22v10l-98-26z" fill="#3fa36c"/>'
        '<path d="M186 134l98 26v10l-96-30z" fill="#4468c9"/>'
        '<path d="M160 54l68 126h-136z" class="g"/><path d="M160 74l-46 88" class="s"/>'
    ),
    "lenses": (
        '<path d="M196 148l44 44" stroke="#4a4a52" stroke-width="14" stroke-linecap="round"/>'
        '<circle cx="150" cy="106" r="58" class="g" stroke="#4a4a52" stroke-width="6"/>'
        '<path d="M112 98q8-26 32-32" class="s"/>'
    ),
    "mirrors": (
        '<ellipse cx="160" cy="116" rx="64" ry="80" fill="#4a4a52"/>'
        '<ellipse cx="160" cy="116" rx="54" ry="70" class="g"/>'
        '<path d="M130 96l36-40M132 124l54-60" class="s"/>'
    ),
    "marbles": (
        '<circle cx="160" cy="120" r="64" class="g"/>'
        '<path d="M104 134c38-60 62 22 112-30c-8 56-62 22-112 30z" fill="#fff" opacity=".5"/>'
        '<path d="M122 92q10-20 32-24" class="s"/>'
    ),
}


def draw(seed: int, product: Product) -> bytes:
    """The product's picture, an SVG document in UTF-8; the same bytes for the same seed and product."""
    random = Random(f"{seed}/picture/{product.number}")
    scale = random.uniform(0.84, 1.02)
    colour = product.colour.value
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 240" width="320" height="240">'
        f"<title>{product.name}</title><style>"
        f".g{{fill:{colour};fill-opacity:.8;stroke:{colour};stroke-width:3}}"
        ".s{fill:none;stroke:#fff;stroke-width:6;stroke-linecap:round;opacity:.65}</style>"
        f'<rect width="320" height="240" fill="{colour}" opacity=".13"/>'
        f'<circle cx="{random.randint(40, 280)}" cy="{random.randint(30, 90)}" r="{random.randint(50, 110)}"'
        ' fill="#fff" opacity=".5"/>'
        '<ellipse cx="160" cy="196" rx="92" ry="9" opacity=".1"/>'
        f'<g transform="translate({160 * (1 - scale):.2f} {196 * (1 - scale):.2f}) scale({scale:.3f})">'
        f"{SHAPES[product.ware.slug]}</g></svg>"
    ).encode()


class Pictures:
    """Pictures at URLs that name their content, so what is behind such a URL never changes (RFC 8246)."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._urls: dict[str, str] = {}

    def url(self, product: Product) -> str:
        url = self._urls.get(product.sku)
        if url is None:
            digest = sha256(draw(self._catalogue.seed, product)).hexdigest()[:10]
            url = self._urls[product.sku] = f"/pictures/{product.sku}.{digest}.svg"
        return url

    def find(self, path: str) -> tuple[Product, bytes] | None:
        """The product and picture behind a URL's path, or None where that path names no picture's content."""
        product = self._catalogue.product(path.removeprefix("/pictures/").partition(".")[0])
        if product is None or self.url(product) != path:
            return None
        return product, draw(self._catalogue.seed, product)
