"""Names that are known: which program gives them, and what it keeps under them."""

from __future__ import annotations

import re
from functools import lru_cache

from proxy.visibility.sessions.kinds import Clue, Kind, Where

_PREFIX = re.compile(r"__(?:host|secure|http|host-http)-")

_SERVER_HELD = {
    "PHP": "phpsessid phpsessionid zendsessid",
    "Java's servlets": "jsessionid jsessionidsso jsessionid_ jservsessionid",
    "express-session": "connect.sid express.sid sails.sid koa.sid",
    "ASP.NET": "asp.net_sessionid .aspnetcore.session .aspnet.session",
    "Django": "sessionid",
    "Laravel": "laravel_session laravel-session",
    "Rails": "_session_id",
    "ColdFusion": "cfid cftoken cfglobals cfauthorization",
    "CodeIgniter": "ci_session ci_sessions",
    "CakePHP": "cakephp cake",
    "TYPO3": "fe_typo_user be_typo_user",
    "Roundcube": "roundcube_sessid roundcube_sessauth",
    "Beaker": "beaker.session.id",
    "web.py": "webpy_session_id",
    "Perl's CGI::Session": "cgisessid plack_session dancer.session",
    "Gitea": "i_like_gitea i_like_gogs macaronsession",
    "Beego": "beegosessionid beegosessionid_",
    "Grafana": "grafana_session",
    "OpenCart": "ocsessid",
    "Shopware": "sw-context-token session-1",
    "Nextcloud": "nc_session_id",
    "Keycloak": "auth_session_id auth_session_id_legacy",
    "F5": "mrhsession lastmrh_session",
    "Magento": "frontend frontend_cid adminhtml",
    "vBulletin": "bbsessionhash bb_sessionhash",
    "ServiceStack": "ss-id ss-pid",
    "Gerrit": "gerritaccount",
    "Better Auth": "better-auth.session_token",
    "Lucia": "auth_session",
    "Odoo and CherryPy": "session_id",
    "Zope": "_zopeid",
    "a Model Context Protocol server": "mcp-session-id",
}
_CLIENT_HELD = {
    "aiohttp-session": "aiohttp_session",
    "Mojolicious": "mojolicious",
    "Rack": "rack.session",
    "cookie-session": "express:sess koa:sess koa.sess session.sig",
    "Play": "play_session play_flash",
    "ASP.NET": ".aspxauth .aspnet.applicationcookie .aspnetcore.cookies .aspnetcore.identity.application "
    ".aspnetcore.identity.external .aspnetcore.mvc.cookietempdataprovider",
    "Auth0": "appsession",
    "oauth2-proxy": "_oauth2_proxy",
    "Keycloak": "keycloak_identity keycloak_identity_legacy kc_restart",
    "IBM WebSphere": "ltpatoken ltpatoken2",
    "SiteMinder": "smsession",
    "Windows Identity Foundation": "fedauth fedauth1 msisauth msisauth1",
    "Datasette": "ds_actor ds_messages",
    "Zope": "__ac",
    "Supabase": "supabase-auth-token",
}
_AFFINITY = {
    "AWS": "awsalb awsalbcors awselb awselbcors awsalbtg awsalbtgcors",
    "HAProxy": "serverid srv_id srvid haproxy_server",
    "Azure": "arraffinity arraffinitysamesite applicationgatewayaffinity applicationgatewayaffinitycors "
    "asp.net_affinity",
    "Google Cloud": "gclb gaesa",
    "Kubernetes' ingress-nginx": "ingresscookie ingress-cookie",
    "Apache's mod_proxy_balancer": "routeid balanceid",
    "nginx": "srv_route sticky",
    "Traefik": "_traefik_backend traefik_affinity lvs",
    "DigitalOcean": "do-lb",
    "Cloudflare": "__cflb",
    "Heroku": "heroku-session-affinity",
    "Oracle": "x-oracle-bmc-lbs-route",
    "Citrix": "citrix_ns_id nsc_persistence",
    "Cloud Foundry": "__vcap_id__ vcap_id",
    "Imperva": "nlbi",
    "load balancers": "stickyness stickiness sticky-session affinity lbcookie serverpool",
}
_IDENTITY = {
    "WordPress": "wordpress_sec",
    "a login that is remembered": "remember_token remember_user_token rememberme remember_me remember-me "
    "keep_logged_in autologin",
    "Vault": "x-vault-token",
    "GitLab": "private-token job-token deploy-token",
    "AWS": "x-amz-security-token x-amz-signature x-amz-credential",
    "Google Cloud": "x-goog-api-key x-goog-signature x-goog-credential",
    "Azure": "ocp-apim-subscription-key x-functions-key",
    "many APIs": "api-key api_key apikey x-api-key x-apikey x-api-token x-access-token x-id-token dpop "
    "access_token client_secret client_assertion sig signature password passwd pwd otp",
}
_PREFERENCE = {
    "Django": "django_language django_timezone",
    "ASP.NET": ".aspnetcore.culture",
    "Next.js": "next_locale",
    "Nuxt": "i18n_redirected nuxt-color-mode",
    "Laravel": "laravel_locale",
    "Magento": "x-magento-vary",
    "phpMyAdmin": "pma_lang pma_collation_connection",
    "many sites": "lang language locale hl lng i18next i18n wp_lang pll_language theme color_mode color-mode "
    "colorscheme color_scheme darkmode dark_mode dark-mode skin currency country timezone tz tzoffset "
    "fontsize font_size sidebar_collapsed sidebar_state per_page perpage page_size pagesize viewmode "
    "screenresolution dpr",
}
_MEASUREMENT = {
    "Google Analytics": "_ga _gid _gat _dc_gtm __utma __utmb __utmc __utmt __utmv __utmz __gads __gpi",
    "Google": "nid ide test_cookie _gcl_au _gcl_aw _gcl_dc _gac 1p_jar aec fpgclaw fplc fpid fpau",
    "Meta": "_fbp _fbc",
    "Microsoft": "_clck _clsk muid _uetsid _uetvid ai_user ai_session ai_authuser",
    "LinkedIn": "li_sugr bcookie lidc usermatchhistory analyticssynchistory li_gc",
    "TikTok": "_ttp _tt_enable_cookie",
    "Pinterest": "_pin_unauth",
    "X": "muc_ads personalization_id guest_id_ads guest_id_marketing",
    "Hotjar": "_hjid",
    "Segment": "ajs_anonymous_id ajs_user_id ajs_group_id analytics_session_id",
    "HubSpot": "hubspotutk __hstc __hssc __hssrc",
    "Adobe": "s_cc s_sq s_vi s_fid s_ecid mbox at_check",
    "Yandex": "_ym_uid _ym_d _ym_isad _ym_visorc yandexuid yabs-sid",
    "New Relic and Datadog": "_dd_s nrba_session dd_cookie_test",
    "Dynatrace": "dtcookie dtpc dtsa dtlatc rxvisitor rxvt",
    "Akamai": "ak_bmsc bm_sz bm_sv bm_mi _abck",
    "Cloudflare": "__cf_bm cf_clearance __cfduid _cfuvid __cfruid cf_ob_info cf_use_ob __cfseq",
    "Imperva": "visid_incap incap_ses reese84",
    "DataDome": "datadome",
    "PerimeterX": "_px _px2 _px3 _pxhd _pxvid pxcts",
    "Optimizely": "optimizelyenduserid optimizelysegments optimizelybuckets",
    "VWO": "_vwo_uuid _vwo_uuid_v2 _vis_opt_test_cookie",
    "Shopify": "_shopify_s _shopify_y _shopify_sa_p _shopify_sa_t",
    "consent banners": "optanonconsent optanonalertboxclosed cookieconsent cookieconsent_status "
    "cookie_consent "
    "cookie-consent cookie-agreed euconsent euconsent-v2 eupubconsent-v2 cookielawinfoconsent "
    "viewed_cookie_policy borlabs-cookie real_cookie_banner gdpr gdpr_consent consent usprivacy _iub_cs "
    "didomi_token cmplz_banner-status notice_preferences notice_gdpr_prefs "
    "truste.eu.cookie.notice_preferences tarteaucitron axeptio_cookies osano_consentmanager",
}
_CSRF = {
    "Django and CakePHP": "csrftoken csrfmiddlewaretoken x-csrftoken",
    "Laravel and Angular": "xsrf-token x-xsrf-token",
    "Rails": "authenticity_token x-csrf-token csrf_token",
    "Express": "_csrf x-csrf x-csrf-secret csrf csrf-token psifi.x-csrf-token",
    "Tornado": "_xsrf _streamlit_xsrf",
    "ASP.NET": "__requestverificationtoken requestverificationtoken",
    "Magento": "form_key",
    "Auth.js": "next-auth.csrf-token authjs.csrf-token",
    "WordPress": "x-wp-nonce _wpnonce",
    "Datasette": "ds_csrftoken",
    "Go": "_gorilla_csrf csrf_",
    "CodeIgniter": "csrf_cookie_name",
    "Symfony": "_csrf_token",
    "Gerrit": "xsrf_token",
    "Atlassian": "atlassian.xsrf.token",
}
_WEIGHTS = (
    (Kind.SERVER_HELD, 4.0, _SERVER_HELD),
    (Kind.CLIENT_HELD, 3.0, _CLIENT_HELD),
    (Kind.AFFINITY, 6.0, _AFFINITY),
    (Kind.IDENTITY, 3.5, _IDENTITY),
    (Kind.PREFERENCE, 4.0, _PREFERENCE),
    (Kind.MEASUREMENT, 6.5, _MEASUREMENT),
    (Kind.CSRF, 6.5, _CSRF),
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
        (r"ajs_.*", Kind.MEASUREMENT, 6.5, "Segment"),
        (r"amp_.*|amplitude.*", Kind.MEASUREMENT, 6.5, "Amplitude"),
        (r"mp_.*_mixpanel|mp_.*", Kind.MEASUREMENT, 6.0, "Mixpanel"),
        (r"ph_.*_posthog", Kind.MEASUREMENT, 6.5, "PostHog"),
        (r"_pk_(?:id|ses|ref|cvar|hsr)[._].*|matomo_.*|_pk_.*", Kind.MEASUREMENT, 6.5, "Matomo"),
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
