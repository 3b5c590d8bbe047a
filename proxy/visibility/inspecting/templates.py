"""The names of endpoints: what was learned of the paths, once all of them have been seen."""

from __future__ import annotations

from collections import defaultdict
from typing import TypeVar

from proxy.visibility.inspecting.segments import general, is_phrase, mask_of, suffix_of
from proxy.visibility.inspecting.tree import Gathered, Node, Tree

ALIKE = 3
"""How many words of one form, with digits in it, are values: `P0001`, `P0002` and `P0017`."""

PHRASES = 8
"""How many words that are made of several are values, as are this many files of one format."""

WORDS = 40
"""How many other words at one place are values; twice as many directly below the host."""

G = TypeVar("G", bound=Gathered)


def endpoints(tree: Tree[G]) -> dict[tuple[str, str], G]:
    """What was gathered by host and template. The tree is not to be used afterwards.

    A place becomes a value once enough different words were seen there, and then stays one: more traffic
    never takes a name back.
    """
    for host in tree.root.children.values():
        _name(host, 0)
    found: dict[tuple[str, str], G] = {}
    for path, node in tree.root.walk():
        if node.gathered is not None and path:
            template = "/".join(path[1:])
            absolute = template in ("*", "") and len(path) == 2 and path[1] == "*"
            found[path[0], template if absolute else "/" + template] = node.gathered
    return found


def _name(node: Node[G], depth: int) -> None:
    """Join the children that are values, then theirs."""
    _join_alike(node)
    _join_files(node)
    phrases = [word for word in node.words() if is_phrase(word)]
    if len(phrases) >= PHRASES and len(phrases) * 2 > len(node.words()):
        for word in phrases:
            node.join([word], general(word))
    words = node.words()
    if depth == 0:
        if len(words) > 2 * WORDS:
            node.settle()
    elif node.settled or len(words) > WORDS:
        settled = [word for word in words if not node.children[word].children or len(words) > WORDS]
        for word in settled:
            node.join([word], word if "{" in word else general(word))
    for child in node.children.values():
        _name(child, depth + 1)


def _join_alike(node: Node[G]) -> None:
    """Words with digits in them: many of one form, or very many of any."""
    forms: dict[str, list[str]] = defaultdict(list)
    for word in node.words():
        mask = mask_of(word.removesuffix(suffix_of(word))) if "{" not in word else ""
        if mask:
            forms[mask].append(word)
    everything = sum(map(len, forms.values())) >= PHRASES
    for words in forms.values():
        if len(words) >= ALIKE or everything:
            for word in words:
                node.join([word], general(word))


def _join_files(node: Node[G]) -> None:
    """Many files of one format."""
    formats: dict[str, list[str]] = defaultdict(list)
    for word in node.words():
        suffix = suffix_of(word)
        if suffix and "{" not in word and not node.children[word].children:
            formats[suffix].append(word)
    for words in formats.values():
        if len(words) >= PHRASES:
            for word in words:
                node.join([word], general(word))
