"""Names that are known: which program gives them, and what it keeps under them."""

from __future__ import annotations

import re
from functools import lru_cache

from proxy.visibility.sessions import programs
from proxy.visibility.sessions.kinds import Clue, Kind, Where

_PREFIX = re.compile(r"__(?:host|secure|http|host-http)-")

_WEIGHTS = (
    (Kind.SERVER_HELD, 4.0, programs.SERVER_HELD),
    (Kind.CLIENT_HELD, 3.0, programs.CLIENT_HELD),
    (Kind.AFFINITY, 6.0, programs.AFFINITY),
    (Kind.IDENTITY, 3.5, programs.IDENTITY),
    (Kind.PREFERENCE, 4.0, programs.PREFERENCE),
    (Kind.MEASUREMENT, 6.5, programs.MEASUREMENT),
    (Kind.CSRF, 6.5, programs.CSRF),
)
_EXACT = {
    name: (kind, weight, program)
    for kind, weight, programs in _WEIGHTS
    for program, names in programs.items()
    for name in names.split()
}

_PATTERNS = tuple(
    (re.compile(pattern), kind, weight, program)
    for pattern, kind, weight, program in (
        (r"aspsessionid[a-z]{8}", Kind.SERVER_HELD, 4.0, "ASP"),
        (r"s?sess[0-9a-f]{32}", Kind.SERVER_HELD, 4.0, "Drupal"),
        (r"moodlesession.*", Kind.SERVER_HELD, 4.0, "Moodle"),
        (
            r"phpbb\w*_sid|jsessionid\.\w+|wp_woocommerce_session_.*",
            Kind.SERVER_HELD,
            4.0,
            "several programs",
        ),
        (r"wordpress(?:_logged_in|_sec)?_[0-9a-f]{32}", Kind.SERVER_HELD, 4.0, "WordPress"),
        (r"(?:next-auth|authjs)\.session-token(?:\.\d)?", Kind.CLIENT_HELD, 2.0, "Auth.js"),
        (r"sb-.*-auth-token(?:\.\d)?", Kind.CLIENT_HELD, 4.0, "Supabase"),
        (r"awselbauthsessioncookie-\d", Kind.CLIENT_HELD, 4.0, "AWS"),
        (r"prestashop-[0-9a-f]+", Kind.CLIENT_HELD, 3.0, "PrestaShop"),
        (r"mod_auth_openidc_session|_shibsession_.*", Kind.SERVER_HELD, 4.0, "login modules"),
        (r"bigipserver.*|bigip.*", Kind.AFFINITY, 5.0, "BIG-IP"),
        (r"awsalb(?:app|tg)-?.*|aws-?alb.*", Kind.AFFINITY, 5.0, "AWS"),
        (r"nlbi_.*", Kind.AFFINITY, 4.0, "Imperva"),
        (r"nsc_.*|citrix_ns_id.*", Kind.AFFINITY, 4.0, "Citrix"),
        (
            r"_ga_.*|_gac_.*|_gat_.*|_dc_gtm_.*|_gcl_.*|__utm.*|utm_.*",
            Kind.MEASUREMENT,
            6.5,
            "Google Analytics",
        ),
        (r"_hj.*", Kind.MEASUREMENT, 6.5, "Hotjar"),
        (r"_hp2_.*|_lr_.*|rl_.*|__hs_.*|kndctr_.*|sentry-.*", Kind.MEASUREMENT, 5.0, "several programs"),
        (r"ts[0-9a-f]{6,8}(?:_\d+)?", Kind.MEASUREMENT, 4.0, "BIG-IP's firewall"),
        (r"bn(?:i|es)_.*", Kind.AFFINITY, 4.0, "Barracuda"),
        (r"ajs_.*", Kind.MEASUREMENT, 6.5, "Segment"),
        (r"amp_.*|amplitude.*", Kind.MEASUREMENT, 6.5, "Amplitude"),
        (r"mp_.*_mixpanel|mp_.*", Kind.MEASUREMENT, 6.0, "Mixpanel"),
        (r"ph_.*_posthog", Kind.MEASUREMENT, 6.5, "PostHog"),
        (r"_pk_.*|matomo_(?!sess).*", Kind.MEASUREMENT, 6.5, "Matomo"),
        (r"_sp_(?:id|ses)\..*", Kind.MEASUREMENT, 6.5, "Snowplow"),
        (r"amcvs?_.*", Kind.MEASUREMENT, 6.5, "Adobe"),
        (r"visid_incap_.*|incap_ses_.*", Kind.MEASUREMENT, 6.5, "Imperva"),
        (r"_vwo_.*|_vis_opt_.*", Kind.MEASUREMENT, 6.5, "VWO"),
        (r"_uet.*|_cl(?:ck|sk)", Kind.MEASUREMENT, 6.5, "Microsoft"),
        (
            r"optanon.*|cookielawinfo-.*|cmplz_.*|_iub_cs-.*|didomi.*",
            Kind.MEASUREMENT,
            6.0,
            "consent banners",
        ),
        (r"intercom-.*|_?drift_.*|crisp-client.*", Kind.MEASUREMENT, 5.0, "chats with visitors"),
        (r"ab[._-]?test.*|experiment.*|exp_.*", Kind.MEASUREMENT, 2.5, "experiments"),
        (r"\.aspnetcore\.antiforgery\..*", Kind.CSRF, 6.5, "ASP.NET Core"),
        (r"wp-settings(?:-time)?-\d+", Kind.PREFERENCE, 4.0, "WordPress"),
    )
)
_FRAGMENTS = tuple(
    (re.compile(pattern), kind, weight, words)
    for pattern, kind, weight, words in (
        (r"csrf|xsrf|anti-?forgery", Kind.CSRF, 5.0, "a token against forged requests"),
        (r"consent|gdpr|cookie-?policy|cookie-?banner", Kind.MEASUREMENT, 3.5, "consent"),
        (r"analytic|visitor|track(?:er|ing)|(?:^|[._-])(?:utm|visits?|first-?visit)(?:$|[._-])",
         Kind.MEASUREMENT, 2.5, "the counting of visits"),
        (r"sticky|affinity|(?:^|[._-])(?:route|backend|upstream|lb|srv|node|server-?(?:id|name)?)(?:$|[._-])",
         Kind.AFFINITY, 2.5, "the choice of a server"),
        (r"(?:^|[._-])(?:lang|language|locale|theme|currency|timezone|tz|country|colou?r|dark|layout|sort|units|sidebar|view|display|prefs|preferences|settings|store|region)"
         r"(?:$|[._-])", Kind.PREFERENCE, 2.5, "a preference"),
        (r"remember", Kind.IDENTITY, 3.0, "a login that is remembered"),
        (r"api-?key|api-?token", Kind.IDENTITY, 3.0, "an API key"),
        (r"sess|(?:^|[._-])s?sid(?:$|[._-])", Kind.SERVER_HELD, 1.6, "a session"),
        (r"(?:^|[._-])(?:cart|basket|checkout)(?:$|[._-])", Kind.SERVER_HELD, 1.2, "a cart"),
    )
)  # fmt: skip
_OF_SESSIONS = frozenset(
    ("sid", "sessid", "session", "session-id", "x-session-id", "x-session-token", "session_token")
)
_TOKENS = re.compile(r"token|auth|jwt|bearer|access|ticket|login|user|signature")


@lru_cache(4096)
def bare(name: str) -> str:
    """A name in lower case, without the prefixes of RFC 6265bis §4.1.3."""
    return _PREFIX.sub("", name.lower(), count=1)


@lru_cache(4096)
def named(name: str, where: Where) -> tuple[Clue, ...]:
    """What the name of a credential tells."""
    plain = bare(name)
    known = _EXACT.get(plain)
    if where is not Where.COOKIE and plain in _OF_SESSIONS:
        return (Clue(Kind.SERVER_HELD, 4.0, "its name says that it is the key to a session"),)
    if known is None and where in (Where.QUERY, Where.PATH, Where.BODY):
        known = _EXACT.get(plain.replace("_", "").replace("-", ""))
    if known is not None:
        kind, weight, program = known
        return (Clue(kind, weight, _sentence(name, kind, program)),)
    for pattern, kind, weight, program in _PATTERNS:
        if pattern.fullmatch(plain):
            return (Clue(kind, weight, _sentence(name, kind, program)),)
    spelled = plain.replace("_", "-")
    for pattern, kind, weight, words in _FRAGMENTS:
        if pattern.search(spelled):
            return (Clue(kind, weight, f"its name sounds like {words}"),)
    if where is not Where.COOKIE and _TOKENS.search(plain):
        return (Clue(Kind.IDENTITY, 2.5, "its name sounds like a proof of who asks"),)
    return ()


_USED = {
    Kind.SERVER_HELD: "the key to a session in the server",
    Kind.CLIENT_HELD: "state that the client keeps",
    Kind.AFFINITY: "the choice of a server",
    Kind.IDENTITY: "who asks",
    Kind.PREFERENCE: "a preference",
    Kind.MEASUREMENT: "measurement or consent",
    Kind.CSRF: "a token against forged requests",
}


def _sentence(name: str, kind: Kind, program: str) -> str:
    return f"{name} is a known name for {_USED[kind]} ({program})"
