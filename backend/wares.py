"""What Pane & Prism sells: the words and colours that the seeded catalogue is put together from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ware:
    """A category: its part of URLs, its title, what its things are called, their price range in cents."""

    slug: str
    title: str
    nouns: tuple[str, ...]
    low: int
    high: int
    use: str


@dataclass(frozen=True, slots=True)
class Colour:
    """A colour of glass and its value in CSS."""

    name: str
    value: str


WARES = (
    Ware(
        "lanterns",
        "Lanterns",
        ("Lantern", "Storm Lantern", "Table Lantern", "Porch Lantern"),
        2400,
        11900,
        "It takes a tea light or a small bulb, and its handle folds flat",
    ),
    Ware(
        "vases",
        "Vases",
        ("Vase", "Bud Vase", "Tall Vase", "Bowl Vase"),
        1400,
        8900,
        "It stands steady even with long stems and goes in the dishwasher",
    ),
    Ware(
        "bottles",
        "Bottles",
        ("Bottle", "Carafe", "Flask", "Decanter"),
        900,
        5400,
        "Its ground stopper keeps what is in it fresh",
    ),
    Ware(
        "tumblers",
        "Tumblers",
        ("Tumbler", "Water Glass", "Beaker", "Goblet"),
        600,
        2900,
        "It is thin at the rim, heavy at the foot, and stacks",
    ),
    Ware(
        "prisms",
        "Prisms",
        ("Prism", "Wedge Prism", "Window Prism", "Desk Prism"),
        1100,
        7400,
        "It throws a clean spectrum across the room from a hand's width of sun",
    ),
    Ware(
        "lenses",
        "Lenses",
        ("Lens", "Reading Lens", "Pocket Lens", "Loupe"),
        1200,
        8200,
        "It is ground by hand and comes with a cloth",
    ),
    Ware(
        "mirrors",
        "Mirrors",
        ("Mirror", "Wall Mirror", "Hand Mirror", "Porthole Mirror"),
        1900,
        14900,
        "Its silver is sealed at the back, so it also hangs well in a bathroom",
    ),
    Ware(
        "marbles",
        "Marbles",
        ("Marble", "Marble Pair", "Shooter Marble", "Swirl Marble"),
        200,
        1900,
        "No two come out of the fire alike",
    ),
)

COLOURS = (
    Colour("Amber", "#d98a1f"),
    Colour("Sea Green", "#2f9c86"),
    Colour("Cobalt", "#2b4fb8"),
    Colour("Rose", "#cf5c7c"),
    Colour("Honey", "#c9a227"),
    Colour("Ink", "#36405c"),
    Colour("Moss", "#6f8a3a"),
    Colour("Violet", "#7a4fb0"),
)

FINISHES = (
    "Clear",
    "Frosted",
    "Smoked",
    "Ribbed",
    "Pale",
    "Rippled",
    "Etched",
    "Fluted",
    "Bright",
    "Quiet",
    "Deep",
    "Seeded",
)

ORIGINS = (
    "Blown in small batches by two people and one furnace",
    "Pressed in a hundred-year-old iron mould",
    "Made from glass that was a bottle once",
    "Drawn, cut and fire-polished by hand",
    "Cast slowly and cooled for three days, so it is free of strain",
    "Turned on the pipe until the wall is even all around",
)
