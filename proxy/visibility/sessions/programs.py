"""The names of cookies, fields and parameters, by what programs keep under them; in lower case."""

from __future__ import annotations

SERVER_HELD = {
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
    "Nextcloud": "nc_session_id oc_sessionpassphrase",
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
CLIENT_HELD = {
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
AFFINITY = {
    "AWS": "awsalb awsalbcors awselb awselbcors awsalbtg awsalbtgcors",
    "HAProxy": "serverid srv_id srvid serverused haproxy_server",
    "Azure": "arraffinity arraffinitysamesite applicationgatewayaffinity applicationgatewayaffinitycors "
    "asp.net_affinity aslbsa aslbsacors tipmix x-ms-routing-name",
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
IDENTITY = {
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
PREFERENCE = {
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
MEASUREMENT = {
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
    "Snap, Reddit and others": "_scid _scid_r _sctr _rdt_uuid __qca _pubcid __eoi _cc_id cto_bundle",
    "Heap, FullStory and others": "fs_uid fs_lua _mkto_trk __kla_id _ce.s _cb _chartbeat2 _parsely_visitor",
    "Shopify": "_shopify_s _shopify_y _shopify_sa_p _shopify_sa_t",
    "consent banners": "optanonconsent optanonalertboxclosed cookieconsent cookieconsent_status "
    "cookie_consent "
    "cookie-consent cookie-agreed euconsent euconsent-v2 eupubconsent-v2 cookielawinfoconsent "
    "viewed_cookie_policy borlabs-cookie real_cookie_banner gdpr gdpr_consent consent usprivacy _iub_cs "
    "didomi_token cmplz_banner-status notice_preferences notice_gdpr_prefs "
    "truste.eu.cookie.notice_preferences tarteaucitron axeptio_cookies osano_consentmanager",
}
CSRF = {
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
