"""The names by which credentials are known. In bytes and lower case, as fields are looked up."""

from __future__ import annotations

import re

_WORD = re.compile(rb"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")

SCHEMES = frozenset(
    b"""
    apikey aws4-hmac-sha256 basic bearer concealed digest dpop gnap hoba jwt key mutual negotiate ntlm oauth
    privatetoken scram-sha-1 scram-sha-256 token vapid
    """.split()
)
"""The authentication schemes whose name is kept. Any other word may itself be the credential."""

FIELDS = frozenset(
    b"""
    authentication-info proxy-authentication-info cookie2 set-cookie2 dpop
    api-key apikey x-api-key x-apikey x-api-token x-auth-token x-auth-key x-access-token x-refresh-token
    x-id-token x-session-token x-session-id x-csrf-token x-csrftoken x-xsrf-token
    x-amz-security-token x-amzn-oidc-data x-amzn-oidc-accesstoken x-goog-iap-jwt-assertion x-goog-api-key
    cf-access-jwt-assertion cf-access-client-secret x-vault-token x-gitlab-token private-token job-token
    deploy-token ocp-apim-subscription-key x-functions-key x-shopify-access-token
    x-forwarded-access-token x-auth-request-access-token
    """.split()
)
"""Fields that are hidden whole, beside those that a setting names."""

PARAMETERS = frozenset(
    b"""
    accesstoken refreshtoken idtoken authtoken sessiontoken csrftoken xsrftoken token bearer jwt assertion
    clientsecret clientassertion secret apikey authorization code codeverifier otp
    password passwd pwd passphrase sid session sessionid jsessionid phpsessid sig signature
    xamzsignature xamzsecuritytoken xamzcredential xgoogsignature xgoogcredential samlresponse samlrequest
    """.split()
)
"""Parameters in URIs that are hidden, beside those that a setting names; `normalized`."""

WORDS = frozenset(
    b"""
    apikey aspxauth assertion auth authorization cookie csrf hmac jwt passphrase passwd password pwd secret
    session sessid sid token xsrf
    """.split()
)
"""A parameter or field whose name ends with one of these words holds a credential: `reset_token`, `X-Jwt`."""

PAIRS = frozenset(b"accesskey apikey authkey devicecode secretkey sessionid sessionkey signingkey".split())
"""Two words that mean a credential together, at the end of a name: `x-api-key`."""

PLACES = frozenset(
    b"page next prev previous continuation continue cursor sync pagination start scroll".split()
)
"""With these before it a token says where in a list to go on, and lets nobody in."""

URIS = frozenset(
    b"""
    referer location content-location destination
    x-original-url x-original-uri x-rewrite-url x-forwarded-uri
    """.split()
)
"""Fields whose value is one URI reference."""

FRAMING = frozenset(
    b"""
    host content-length transfer-encoding connection te trailer upgrade expect accept accept-encoding
    user-agent content-type date via
    """.split()
)
"""Fields that frame a message or describe its sender, and carry no credential."""


def means_secret(name: bytes) -> bool:
    """Whether the words of a name, such as `resetToken`, say that what it names is a credential."""
    words = [word.lower() for word in _WORD.findall(name)]
    if not words:
        return False
    if b"".join(words[-2:]) in PAIRS:
        return True
    return words[-1] in WORDS and not (words[-1] == b"token" and words[-2:-1] and words[-2] in PLACES)


def normalized(name: bytes) -> bytes:
    """A parameter's name without what differs between spellings: `access_token`, `accessToken`."""
    return name.strip().lower().replace(b"-", b"").replace(b"_", b"")
