"""Answers that are kept on disk beside what they were made from: given again without the rules, or memory.

Where memory has no licence for a request, its bytes are the name of an answer. What is read with that name is
all that is sent and recorded, but for the age; the store sees to it that it is only found while what it was
made from is as it was.
"""

from __future__ import annotations

from hashlib import blake2b
from operator import itemgetter

import msgspec

from proxy.caching.ageing import told_at
from proxy.caching.decision import Outcome
from proxy.engine.licence import Licence
from proxy.message.request import Request
from proxy.server.lane.answers import Answered, Kind
from proxy.server.lane.heads import Blocks, Names, Part, Secrets
from proxy.server.lane.standing import RULES_ASK, Register
from proxy.storage.contract import Kept, Recall
from proxy.visibility.redaction import DIGEST, Redaction

_ANSWER, _MORE_NAMES = b"=", b"?"
_METHODS = (b"GET /", b"HEAD /")
_PERSONAL = frozenset((b"authorization", b"proxy-authorization", b"cookie"))
"""Fields whose values nothing is kept of, not even in a name."""

_USUAL = RULES_ASK | {b"accept-encoding"}
"""By these all requests are told apart: where no other field matters, one look is enough."""

_SHORTEST = 5.0
"""Seconds that an answer has to hold for, to be worth its keeping."""

_NAMED = 32
_OFTEN = 4
_MORE_OFTEN = 128
_LEAST_COUNTED = 4096
_MOST_COUNTED = 65_536
_FOR_EACH = 64
_MOST_WANTED = 256
_MOST_TEXTS = 256
_LONGEST_TEXT = 256


class _Written(msgspec.Struct, array_like=True, gc=False):
    """An answer as it is kept; see `Template`, `Ageing` and `Licence`. `whole`: with its entry's content."""

    head: bytes
    tail: bytes
    evidence: str
    before: bytes
    outcome: str
    status: int
    slug: str
    sent: int
    whole: bool
    initial: float
    response_time: float
    lifetime: float
    since: float
    until: float


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Written).decode


class Rendered(msgspec.Struct, gc=False):
    """What is recorded of an answer; see `Rendering`."""

    tail: bytes
    kind: Kind
    sent: int
    forward: str = ""
    upstream: float | None = None


class Found(msgspec.Struct, gc=False):
    """An answer to a request: what is sent, what is recorded (`before`, `fields`), and what it is from."""

    data: bytes
    before: bytes
    fields: bytes
    rendered: Rendered
    kept: Kept


class Recalled:
    """Finds answers by requests, and has them kept. `meaning` tells apart all that is not said in a request.

    `longest` is the longest request line in bytes. What is found often is to be had in memory: see `wanted`.
    """

    def __init__(
        self,
        recall: Recall,
        meaning: bytes,
        blocks: Blocks,
        register: Register,
        redaction: Redaction,
        longest: int,
    ) -> None:
        self._recall = recall.recall
        self._remember = recall.remember
        self.note = recall.note
        self._digest = blake2b(digest_size=_NAMED, key=meaning)
        self._usual = register.named(_USUAL)
        self._blocks = blocks
        self._register = register
        self._redaction = redaction
        self._longest = longest
        self._texts: dict[tuple[Names, Part], bytes] = {}
        self._kinds: dict[tuple[str, int, str], Kind] = {}
        self._uses = Uses(register)
        self._wanted: set[bytes] = set()
        self.may_climb = True  # whether there is any room in memory

    def find(self, line: bytes, raw: bytes, now: float) -> Found | None:
        """The answer to the request with that line and header block; None where there is none, or not now."""
        if line[:5] not in _METHODS and line[:6] not in _METHODS:
            return None
        names = self._usual
        read = self._blocks.read(raw, names)
        if read is None or len(line) > self._longest:
            return None
        name = self._name(line, names, read[0])
        kept = self._recall(name)
        if kept is None:
            return None
        if kept.answer[:1] == _MORE_NAMES:
            names = self._register.named(_USUAL.union(kept.answer[1:].split(b",")))
            read = self._blocks.read(raw, names)
            if read is None:
                return None
            name = self._name(line, names, read[0])
            kept = self._recall(name)
            if kept is None or kept.answer[:1] == _MORE_NAMES:
                return None
        if self.may_climb and self._uses.often(name):
            if len(self._wanted) >= _MOST_WANTED:
                self._wanted.clear()
            self._wanted.add(line)
            return None
        _, secrets, fields = read
        return self._found(kept, secrets, fields, now)

    def wanted(self, line: bytes) -> bool:
        """Whether that request is asked for so often that it's to be answered from memory. Says so once."""
        if line not in self._wanted:
            return False
        self._wanted.remove(line)
        return True

    def keep(self, line: bytes, received: Request, licence: Licence, answered: Answered) -> bool:
        """Have an answer kept, where it may be: False where it may not."""
        template = answered.template
        if licence.wider or licence.until - licence.since < _SHORTEST:
            return False
        if licence.content and not licence.whole:
            return False
        if DIGEST.search((template.before + template.tail).decode() + template.evidence):
            return False  # nobody else has the key that it was made with
        asked = licence.asked | {b"host"}
        names = self._usual if asked <= _USUAL else self._register.named(asked | _USUAL)
        part = part_of(received, names)
        if any(name in _PERSONAL for name, _ in part):
            return False
        self._put(self._name(line, names, part), licence, _ANSWER + _encode(_written(licence, answered)))
        usual = self._usual
        if names is not usual:
            more = _MORE_NAMES + b",".join(sorted(names.wanted - _USUAL))
            self._put(self._name(line, usual, part_of(received, usual)), licence, more)
        return True

    def _put(self, name: bytes, licence: Licence, answer: bytes) -> None:
        self._remember(name, licence.key, licence.found, licence.entry, answer)

    def _name(self, line: bytes, names: Names, part: Part) -> bytes:
        text = self._texts.get((names, part))
        if text is None:
            text = self._text(names, part)
        digest = self._digest.copy()
        digest.update(b"%b\n%b" % (line, text))
        return digest.digest()

    def _text(self, names: Names, part: Part) -> bytes:
        """All of a name but the line: what other fields matter than usual, and what is in those that do.

        In which order fields of different names come is of no matter to the rules (RFC 9110 §5.3).
        """
        text = b",".join(sorted(names.wanted - _USUAL))
        ordered = sorted(part, key=itemgetter(0))
        text = b"\n".join([text, *(b"%b:%b" % field for field in ordered)])
        if len(text) <= _LONGEST_TEXT:
            if len(self._texts) >= _MOST_TEXTS:
                self._texts.clear()
            self._texts[names, part] = text
        return text

    def _found(self, kept: Kept, secrets: Secrets, fields: bytes, now: float) -> Found | None:
        written = _decode(kept.answer[1:])
        content = kept.content if written.whole else b""
        if not written.since <= now < written.until or content is None or len(content) != written.sent:
            return None
        age, ttl = told_at(written.initial, written.response_time, written.lifetime, now)
        if secrets:
            evidence = written.evidence % {"age": age, "ttl": ttl}
            if self._redaction.quotes(evidence, secrets):
                return None
        told = {b"age": age, b"ttl": ttl}
        kind = written.outcome, written.status, written.slug
        kind = self._kinds.get(kind) or self._kind(kind)
        rendered = Rendered(written.tail % told, kind, written.sent)
        return Found(written.head % told + content, written.before, fields, rendered, kept)

    def _kind(self, kind: tuple[str, int, str]) -> Kind:
        found = self._kinds[kind] = Outcome(kind[0]), kind[1], kind[2]
        return found


class Uses:
    """Counts how often answers are given from disk, against as many others as there are in memory."""

    def __init__(self, register: Register) -> None:
        self._places = register.places
        self._counts: dict[bytes, int] = {}
        self._given = 0

    def often(self, name: bytes) -> bool:
        """Note a use; whether there are so many that it's better to have it in memory.

        While there is room, that is soon; later, when it is used more often than those there on average, and
        so often that it pays.
        """
        self._given += 1
        held = len(self._places.young)
        if self._given >= min(max(_LEAST_COUNTED, _FOR_EACH * held), _MOST_COUNTED):
            self._given = 0
            self._counts = {name: count >> 1 for name, count in self._counts.items() if count > 1}
        count = self._counts.get(name, 0) + 1
        if count < _OFTEN or (count < _MORE_OFTEN and not self._places.roomy):
            self._counts[name] = count
            return False
        self._counts.pop(name, None)
        return True


def _written(licence: Licence, answered: Answered) -> _Written:
    template, ageing = answered.template, licence.ageing
    outcome, status, slug = template.kind
    return _Written(
        template.head,
        template.tail,
        template.evidence,
        template.before,
        str(outcome),
        status,
        slug,
        template.sent,
        bool(licence.content),
        ageing.initial,
        ageing.response_time,
        ageing.lifetime,
        licence.since,
        licence.until,
    )


def part_of(received: Request, names: Names) -> Part:
    """What a request has in the fields called any of `names`."""
    return names.part((name.lower(), value) for name, value in received.fields)
