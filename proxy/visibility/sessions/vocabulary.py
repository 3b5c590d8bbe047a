"""The names of payload keys that a log may tell: those that say nothing of whose payload it is."""

from __future__ import annotations

_WORDS = """
    iss sub aud exp nbf iat jti nonce azp acr
    amr auth_time at_hash c_hash s_hash sid scope scopes scp client_id cnf act may_act roles role groups
    permissions entitlements typ ver kid oid tid upn tenant tenant_id org org_id name given_name
    family_name preferred_username email email_verified picture locale zoneinfo user users user_id
    userid userId uid username login account account_id admin is_admin authenticated is_authenticated
    logged_in loggedIn isLoggedIn logged_in_at last_login last_seen last_activity cart cart_id cartId
    basket basket_id items order_id orders wishlist currency lang language theme timezone tz country
    region flash flashes messages message next return_to returnTo redirect state views visits
    visit_count count counter csrf csrf_token csrfToken csrf_secret csrfSecret session session_id
    sessionid data passport oauth oauth_state oauth_token access refresh access_token refresh_token
    token id key value created created_at createdAt updated updated_at expires expires_at expiresAt
    maxAge _expire _maxAge _fresh _id _user_id _remember _permanent _flashes _csrf_token _csrf __flash
    _auth_user_id _auth_user_backend _auth_user_hash _language _session_expiry django_timezone
    sessionId sign signature csrf-token live_socket_id user_token guardian_default_token
"""

KEYS = frozenset(_WORDS.split())
"""Claims that IANA registers, and what web frameworks and their libraries call things."""
