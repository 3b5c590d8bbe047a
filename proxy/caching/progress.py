"""What the rules of one exchange know so far: filled in step by step, and rendered as its `Decision`."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from proxy.caching.age import current_age
from proxy.caching.cache_status import with_cache_status
from proxy.caching.decision import Because, Decision, Outcome
from proxy.caching.effects import Answer, Arrived, Content, Store, Unreached, Validate
from proxy.caching.freshness import lifetime_of
from proxy.caching.ill_formed import ill_formed_request
from proxy.caching.key import cache_key
from proxy.caching.policy import Policy
from proxy.caching.reuse import Plan
from proxy.caching.stored import StoredResponse
from proxy.caching.tags import hidden
from proxy.caching.targeted import effective_directives
from proxy.message.cache_control import parse_cache_control
from proxy.message.request import Request
from proxy.message.response import Response


@dataclass(slots=True)
class Progress:
    """One exchange under way. Times are in seconds since the epoch.

    `cached` says whether the cache takes part at all. `alone`: no client waits for the answer. `sent` is the
    request as it was forwarded last. `shown` is the stored response to answer with, as updated; `source` the
    entry to read its content from.
    """

    request: Request
    policy: Policy
    cached: bool = True
    alone: bool = False
    now: float = 0.0
    stored: list[StoredResponse] = field(default_factory=list)
    plan: Plan | None = None
    sent: Request | None = None
    arrived: Arrived | None = None
    unreached: Unreached | None = None
    reasons: list[Because] = field(default_factory=list)
    outcome: Outcome = Outcome.FORWARDED
    forward: str | None = None
    collapsed: bool | None = None
    shown: StoredResponse | None = None
    source: StoredResponse | None = None
    store: Store | None = None
    answer: Answer | None = None
    key: bytes = field(init=False)

    def __post_init__(self) -> None:
        self.key = cache_key(self.request)

    @property
    def selected(self) -> StoredResponse | None:
        """The stored response that was chosen for the request, whether it can be used or not."""
        return self.plan.selected if self.plan is not None else None

    @property
    def matching(self) -> tuple[StoredResponse, ...]:
        """All stored responses that could have been chosen."""
        return self.plan.matching if self.plan is not None else ()

    def arrival(self) -> Arrived:
        """The response that has arrived. Only for steps that follow on one."""
        if self.arrived is None:
            raise LookupError("no response has arrived in this exchange")
        return self.arrived

    def tell(self, *reasons: Because) -> None:
        """Add what was found, once each."""
        for because in reasons:
            if because not in self.reasons:
                self.reasons.append(because)

    def tell_first(self, *reasons: Because) -> None:
        """Add what turns out to matter more than all that was found so far."""
        self.reasons = [*reasons, *(because for because in self.reasons if because not in reasons)]

    def ttl_of(self, stored: StoredResponse) -> int:
        """A stored response's remaining freshness in whole seconds, negative when it is stale."""
        plan = self.plan
        if plan is not None and plan.ttl is not None and stored is plan.selected and self.sent is None:
            return plan.ttl  # nothing has taken time since it was weighed
        effective = effective_directives(stored.response.fields, self.policy)
        lifetime = lifetime_of(stored, effective, self.policy)
        return math.floor(lifetime.seconds - current_age(stored, self.now))

    def finish(
        self,
        response: Response,
        content: Content,
        *,
        ttl: int | None = None,
        stored: bool | None = None,
        background: Validate | None = None,
    ) -> None:
        """Set the answer, with the decision rendered into its head."""
        if self.cached:
            asked = self.request.fields
            directives = parse_cache_control(asked.all(b"cache-control"))
            self.tell(*ill_formed_request(asked, directives, self.now))
        forwarded = self.forward is not None
        decision = Decision(
            self.outcome,
            tuple(self.reasons),
            self.plan.until if self.plan is not None and not forwarded else None,
            self.forward,
            self.arrived.response.status if forwarded and self.arrived is not None else None,
            ttl,
            stored if forwarded else None,
            self.collapsed if forwarded else None,
        )
        fields = with_cache_status(hidden(response.fields, self.policy), decision, self.policy, self.key)
        head = Response(response.status, fields, response.reason, response.version)
        self.answer = Answer(head, content, decision, self.store, background, source=self.source)
