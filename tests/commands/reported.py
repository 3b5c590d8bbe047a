"""A report with something in every part of it, and with what a hostile client may have sent."""

from __future__ import annotations

from proxy.visibility.inspecting import report as r

HOSTILE = '<script>alert("x")</script>\x1b[2J'


def exchange(number: int = 1, target: str = "/products/1") -> r.Exchange:
    return r.Exchange(f"line {number}", 1_700_000_000.0, "GET", target, 200, 512, 0.0123, "127.0.0.1")


def full() -> r.Report:
    """Every part filled."""
    figures = r.Figures(
        1200, 600_000, 1200, 600_000, 300, 90_000, 900, 510_000, 12, 30, 0.25, 0.15,
        r.Durations(1200, 0.004, 0.02, 0.15, 1.5),
    )  # fmt: skip
    cost = r.Cost("set-cookie", "The response sets a cookie.", "RFC 9111 §7.3", 700, 400_000)
    change = r.Change("drop-set-cookie sid", "stop sending Set-Cookie: sid", "if nobody needs it", "some do")
    before, after = r.Effect(1200, 300, 0.25, 900, 510_000), r.Effect(1200, 1080, 0.9, 120, 60_000)
    prediction = r.Prediction(
        "GET /products/{id}", (change,), before, after, 780, 450_000, "Hits 25 % → 90 %.", 0.25
    )
    dependence = r.Dependence(
        "cookie sid", r.Answer.DEPENDS, 0.97, 20, 35, 12, "Answers differ with the cookie sid.",
        ("cookie lang",), False, (exchange(1), exchange(2), exchange(3)),
    )  # fmt: skip
    finding = r.Finding(
        "undeclared-variance", r.Severity.CRITICAL, "A cache would mix users up.", "Say Vary or private.",
        "RFC 9111 §4.1", 35, HOSTILE, ("GET /cart",), (exchange(4, f"/{HOSTILE}"),), "explicit",
    )  # fmt: skip
    endpoint = r.Endpoint(
        f"/products/{{id}}{HOSTILE}", "shop.example", {"GET": 1190, "HEAD": 10}, {"200": 1150, "304": 50},
        figures, r.Opacity(1200, 800, 700, 300, 2 / 3), 812, False, (cost,),
        (dependence, r.Dependence("query page", r.Answer.UNKNOWN, 0.1, 1, 0, 2, "Too few were seen.")),
        {"none": 10}, ("accept-encoding",), ("application/json",), ("sid",), ("page",), "server-held",
    )  # fmt: skip
    credential = r.Credential(
        "cookie", "sid", "server-held", 0.97, "an opaque key", ("its name is known for it",), 40,
        True, 900, 40, ("GET /",), ("GET /cart",), ("GET /cart",),
    )  # fmt: skip
    opacity = r.Opacity(1200, 800, 700, 300, 2 / 3)
    slices = tuple(r.Slice(1_700_000_000.0 + 10 * n, 10.0, 20 + n, n, n % 3, 5000) for n in range(60))
    return r.Report(
        r.FORMAT,
        (r.Source(HOSTILE, "pellucid/1", 1200, 3, ("TIME",), (r.Fault(7, "not a record"),)),),
        1_700_000_000.0,
        1_700_000_600.0,
        r.Sampling(1200, 1200, 1.0, True),
        r.Summary(
            figures, opacity, (r.Advice(cost, ("GET /",), "Drop the cookie.", prediction),), (finding,)
        ),
        slices,
        (endpoint,),
        (credential,),
        (finding,),
        (r.ReasonCount("fresh", "It is fresh.", "RFC 9111 §4.2", 300, 320),),
        (prediction,),
        (exchange(9),),
        (r.ErrorGroup("GET /broken", 502, "refused", 12, exchange(8)),),
        (r.Lacking("What answers depend on", "a digest of the content"),),
        ("--status 200",),
    )


def empty() -> r.Report:
    """A report on nothing."""
    nothing = r.Summary(r.Figures(), r.Opacity())
    return r.Report(r.FORMAT, (), None, None, r.Sampling(0, 0, 1.0, True), nothing)
