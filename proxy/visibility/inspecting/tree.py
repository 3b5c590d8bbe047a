"""Paths gathered into a tree that learns which segments are values; it stays small whatever comes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, Protocol, Self, TypeVar

from proxy.visibility.inspecting.segments import general, is_value, kind_of

MOST_WORDS = 200
"""How many words are told apart at one place in the paths, until they are taken for values of one kind."""

MOST_NODES = 6_000
"""How many places the tree has at most."""

DEEPEST = 16
"""How many segments of a path are looked at; what follows is one value."""

REST = "{rest}"


class Gathered(Protocol):
    """What is gathered about an endpoint."""

    def merge(self, other: Self) -> None:
        """Take in what was gathered elsewhere about what turned out to be the same endpoint."""

    @property
    def weight(self) -> int:
        """How many exchanges are in it."""


G = TypeVar("G", bound=Gathered)


class Node(Generic[G]):
    """A place in the tree. `settled`: there were too many words here, so new ones are values."""

    __slots__ = ("children", "gathered", "settled")

    def __init__(self) -> None:
        self.children: dict[str, Node[G]] = {}
        self.gathered: G | None = None
        self.settled = False

    @property
    def weight(self) -> int:
        """How many exchanges there were here and below."""
        own = self.gathered.weight if self.gathered is not None else 0
        return own + sum(child.weight for child in self.children.values())

    def words(self) -> list[str]:
        """The children that are told apart by their own word."""
        return [name for name in self.children if not is_value(name)]

    def merge(self, other: Node[G]) -> None:
        """Take in another node, which is empty afterwards."""
        if other.gathered is not None:
            if self.gathered is None:
                self.gathered = other.gathered
            else:
                self.gathered.merge(other.gathered)
        self.settled |= other.settled
        for name, child in other.children.items():
            mine = self.children.get(name)
            if mine is None:
                self.children[name] = child
            else:
                mine.merge(child)
        other.gathered, other.children = None, {}

    def join(self, names: list[str], kind: str) -> None:
        """Make one child called `kind` out of those called `names`."""
        joined = self.children.setdefault(kind, Node()) if names else None
        for name in names:
            if name != kind and joined is not None:
                joined.merge(self.children.pop(name))

    def settle(self) -> None:
        """Take the words here for values, but for those that have a good part of the traffic."""
        self.settled = True
        weights = {name: self.children[name].weight for name in self.words()}
        enough = max(8, sum(weights.values()) // 50)
        for name, weight in weights.items():
            if weight < enough:
                self.join([name], general(name))

    def fold(self, depth: int) -> None:
        """Make one of all that lies deeper than `depth` below this node."""
        if depth > 0:
            for child in self.children.values():
                child.fold(depth - 1)
            return
        self.join(list(self.children), REST)
        rest = self.children.get(REST)
        while rest is not None and rest.children:
            below, rest.children = rest.children, {}
            for child in below.values():
                rest.merge(child)

    def count(self) -> int:
        """How many nodes there are from here on."""
        return 1 + sum(child.count() for child in self.children.values())

    def walk(self, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Node[G]]]:
        """Every node from here on, with its path."""
        yield path, self
        for name, child in self.children.items():
            yield from child.walk((*path, name))


class Tree(Generic[G]):
    """All paths of some traffic. The first step is the host.

    `changes` grows whenever some places became one: what was found before is then to be looked up again.
    """

    __slots__ = ("changes", "depth", "nodes", "root", "words")

    def __init__(self, words: int = MOST_WORDS) -> None:
        self.root: Node[G] = Node()
        self.words = words
        self.nodes = 1
        self.depth = DEEPEST
        self.changes = 0

    def find(self, authority: str, path: str) -> Node[G] | None:
        """The place of a path that has been there before; None for a new one."""
        node = self.root
        for step in self._steps(authority, path):
            child = node.children.get(step)
            if child is None and node.settled and not is_value(step):
                child = node.children.get(general(step))
            if child is None:
                return None
            node = child
        return node

    def place(self, authority: str, path: str) -> Node[G]:
        """The place of a path, made where there is none."""
        node, crowded = self._place(authority, path)
        if crowded is not None or self.nodes > MOST_NODES:
            if crowded is not None:
                crowded.settle()
            self._shrink()
            node, _ = self._place(authority, path)
        return node

    def merge(self, other: Tree[G]) -> None:
        """Take in another tree, which is not to be used afterwards."""
        self.root.merge(other.root)
        self.depth = min(self.depth, other.depth)
        self._settle_again(self.root)
        self._shrink()

    def _steps(self, authority: str, path: str) -> list[str]:
        segments = path.split("/")[1:] if path[:1] == "/" else [path]
        if len(segments) > self.depth:
            return [authority, *map(kind_of, segments[: self.depth]), REST]
        return [authority, *map(kind_of, segments)]

    def _place(self, authority: str, path: str) -> tuple[Node[G], Node[G] | None]:
        node = self.root
        crowded: Node[G] | None = None
        for step in self._steps(authority, path):
            child = node.children.get(step)
            if child is None:
                name = general(step) if node.settled and not is_value(step) else step
                child = node.children.get(name)
            if child is None:
                child = node.children[name] = Node()
                self.nodes += 1
                if len(node.children) > self.words and not node.settled:
                    crowded = crowded or node
            node = child
        return node, crowded

    def _settle_again(self, node: Node[G]) -> None:
        if node.settled or len(node.children) > self.words:
            node.settle()
        for child in node.children.values():
            self._settle_again(child)

    def _shrink(self) -> None:
        """Settle the most crowded places until the tree is small enough; cut off the depths if need be."""
        self.changes += 1
        self.nodes = self.root.count()
        while self.nodes > MOST_NODES:
            open_ones = [node for _, node in self.root.walk() if not node.settled and len(node.words()) > 1]
            for node in sorted(open_ones, key=lambda one: -len(one.children))[: len(open_ones) // 4 + 1]:
                node.settle()
            if not open_ones:
                if self.depth == 1:
                    return
                self.depth = max(1, self.depth // 2)
                self.root.fold(self.depth + 1)
            self.nodes = self.root.count()
