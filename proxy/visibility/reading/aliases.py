"""The names that JSON access logs have for the pieces of an exchange."""

from __future__ import annotations

import re

from proxy.visibility.reading.nginx import field_name
from proxy.visibility.reading.roles import Role, Says

_NAMES: dict[Says, str] = {
    Says.PEER: """
        remote_addr client_ip clientip remote_ip client_addr client_address client source_ip source.ip
        client.ip client.address source.address clienthost remote_host remoteaddr remoteip ip x_real_ip
        request.client_ip
        request.remote_ip request.remote_addr req.remoteaddress req.ip host_ip httprequest.remoteip remote
    """,
    Says.END_TIME: """
        time_local time_iso8601 msec @timestamp timestamp ts time datetime date logged_at end_time time_end
    """,
    Says.TIME: """
        startutc startlocal start_time starttime start time_start started begin_time received_at started_at
    """,
    Says.REQUEST: "request request_line requestline http_request req request.line",
    Says.METHOD: """
        request_method method http_method requestmethod verb req_method http.request.method http.method
        request.method req.method httprequest.requestmethod cs_method
    """,
    Says.TARGET: """
        request_uri request_url uri url target requestpath request_path request_target raw_uri
        url.original http.url http.target request.uri request.url req.url httprequest.requesturl requri
        full_path
    """,
    Says.PATH: "path uri_path document_uri url.path http.path request.path req.path pathname cs_uri_stem",
    Says.QUERY: "args query query_string querystring url.query request.query cs_uri_query",
    Says.VERSION: """
        server_protocol protocol http_version requestprotocol proto http.version request.proto
        request.protocol http.flavor httprequest.protocol
    """,
    Says.SCHEME: "scheme requestscheme url.scheme request.scheme http.scheme",
    Says.AUTHORITY: """
        http_host host vhost server_name virtual_host requesthost domain url.domain request.host req.host
        authority http.host
    """,
    Says.STATUS: """
        status status_code statuscode response_status response_code responsecode http_status
        downstreamstatus http.response.status_code http.status_code response.status response.status_code
        res.statuscode httprequest.status sc_status code
    """,
    Says.RESPONSE_BYTES: """
        body_bytes_sent response_size resp_body_size responsesize downstreamcontentsize body_bytes
        http.response.body.bytes response.size response_bytes bytes_written size bytes bytes_sent bytes_out
        httprequest.responsesize sent_bytes content_bytes
    """,
    Says.REQUEST_BYTES: """
        content_length request_body_size requestcontentsize http.request.body.bytes bytes_in bytes_read
        request_bytes
    """,
    Says.UPSTREAM: "upstream_addr upstream backend serviceaddr upstream_host upstream_server backend_name",
    Says.CACHE: "upstream_cache_status cache_status cache x_cache_status cache_result hitmiss handling",
    Says.SQUID: "squid_request_status squid_status",
    Says.ID: "request_id requestid req_id x_request_id trace_id correlation_id id http.request.id",
    Says.COMPLETE: "request_completion",
    Says.DIGEST: "content_digest",
}
_DURATIONS = re.compile(
    r"(?:req(?:uest)?_?)?(?:duration|latency|elapsed|took|response_?time|request_?time|time_taken|upstream_time"
    r"|processing_time|taken|httprequest\.latency|event\.duration)_?(ms|msec|millis|us|usec|micros|ns|nanos|s|sec|seconds)?"
)
_UNITS = {"m": 1e-3, "u": 1e-6, "n": 1e-9, "s": 1.0}
_FIELDS = {
    "referer": "Referer",
    "referrer": "Referer",
    "http_referrer": "Referer",
    "user_agent": "User-Agent",
    "useragent": "User-Agent",
    "agent": "User-Agent",
    "user_agent.original": "User-Agent",
    "http_user_agent": "User-Agent",
    "httprequest.useragent": "User-Agent",
    "httprequest.referer": "Referer",
    "http.request.referrer": "Referer",
    "http.user_agent": "User-Agent",
    "http_referer": "Referer",
    "x_forwarded_for": "X-Forwarded-For",
    "xff": "X-Forwarded-For",
    "accept_language": "Accept-Language",
    "cookie": "Cookie",
    "authorization": "Authorization",
}
_RESPONSE_FIELDS = {
    "cache_control": "Cache-Control",
    "etag": "ETag",
    "x_cache": "X-Cache",
    "vary": "Vary",
    "set_cookie": "Set-Cookie",
    "location": "Location",
    "response_content_type": "Content-Type",
    "http.response.mime_type": "Content-Type",
}
_PREFIXES = (
    ("sent_http_", Says.RESPONSE_FIELD),
    ("upstream_http_", None),
    ("http_", Says.REQUEST_FIELD),
    ("cookie_", Says.COOKIE),
    ("request.headers.", Says.REQUEST_FIELD),
    ("http.request.headers.", Says.REQUEST_FIELD),
    ("req.headers.", Says.REQUEST_FIELD),
    ("request_headers.", Says.REQUEST_FIELD),
    ("response.headers.", Says.RESPONSE_FIELD),
    ("http.response.headers.", Says.RESPONSE_FIELD),
    ("res.headers.", Says.RESPONSE_FIELD),
    ("response_headers.", Says.RESPONSE_FIELD),
    ("resp_headers.", Says.RESPONSE_FIELD),
    ("downstream_", Says.RESPONSE_FIELD),
    ("request_", Says.REQUEST_FIELD),
)
_BY_NAME = {name: says for says, names in _NAMES.items() for name in names.split()}
_RANKS = {name: rank for names in _NAMES.values() for rank, name in enumerate(names.split())}
_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}")
_TRAEFIK = re.compile(r"(?:request|downstream)_[A-Z]")


def role_of(name: str) -> tuple[int, Role] | None:
    """What the member `name` (nested: joined by dots) says, and its rank among those that say the same."""
    plain = name.lower().replace("-", "_").lstrip("$")
    if plain in _BY_NAME:
        return _RANKS[plain], Role(_BY_NAME[plain])
    if plain in _FIELDS:
        return 0, Role(Says.REQUEST_FIELD, _FIELDS[plain])
    if plain in _RESPONSE_FIELDS:
        return 0, Role(Says.RESPONSE_FIELD, _RESPONSE_FIELDS[plain])
    duration = _DURATIONS.fullmatch(plain)
    if duration is not None:
        unit = "n" if plain == "event.duration" or name == "Duration" else (duration[1] or "s")[0]
        return 0, Role(Says.DURATION, unit=_UNITS[unit])
    return _field(name, plain)


def _field(name: str, plain: str) -> tuple[int, Role] | None:
    for prefix, says in _PREFIXES:
        if not plain.startswith(prefix):
            continue
        bare = name.lstrip("$")[len(prefix) :]
        if says is None or not _FIELD_NAME.fullmatch(bare):
            return None
        if prefix in ("request_", "downstream_") and not _TRAEFIK.match(name):
            return None
        if says is not Says.COOKIE and bare.islower() and "-" not in bare:
            bare = field_name(bare)
        return 1, Role(says, bare)
    return None
