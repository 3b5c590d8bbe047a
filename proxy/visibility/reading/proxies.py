"""The formats that Squid and HAProxy have of their own."""

from __future__ import annotations

import re

from proxy.visibility.reading.patterns import QUOTED
from proxy.visibility.reading.roles import Role, Says

SQUID = re.compile(
    r"^(\d{9,11}\.\d{3}) ++(\d{1,12}) (\S++) ((?:TCP|NONE|UDP|ICP|TAG)[A-Z_]*+)/(\d{1,3}) "
    r"(\d{1,19}) (\S++) (\S++) [^\n]*? [A-Z_]++/(\S++) (\S++)[^\n]*+$",
    re.MULTILINE | re.ASCII,
)
"""`%ts.%03tu %6tr %>a %Ss/%03>Hs %<st %rm %ru %[un %Sh/%<a %mt`."""

SQUID_ROLES = (
    Role(Says.END_TIME),
    Role(Says.DURATION, unit=1e-3),
    Role(Says.CLIENT),
    Role(Says.SQUID),
    Role(Says.STATUS),
    Role(Says.RESPONSE_BYTES),
    Role(Says.METHOD),
    Role(Says.TARGET),
    Role(Says.UPSTREAM),
    Role(Says.RESPONSE_FIELD, "Content-Type"),
)

HAPROXY = re.compile(
    r"^(?:[^\n]{0,256}?\w\[\d++\]: )?([0-9A-Fa-f.:*\[\]]+:\d++) \[([^\]\n]++)\] \S++ [^\s/]++/(\S++) "
    r"(?:-?\d++/){3,4}(\+?\d++) (-?\d{1,3}) \+?(\d{1,19}) \S++ \S++ \S{4} "
    rf'\d++/\d++/\d++/\d++/\+?\d++ \d++/\d++ [^"\n]*+"({QUOTED})"[^\n]*+$',
    re.MULTILINE | re.ASCII,
)
"""HAProxy's `option httplog`, also as a system log has it."""

HAPROXY_ROLES = (
    Role(Says.CLIENT_PORT),
    Role(Says.TIME),
    Role(Says.UPSTREAM),
    Role(Says.DURATION, unit=1e-3),
    Role(Says.STATUS),
    Role(Says.RESPONSE_BYTES),
    Role(Says.REQUEST),
)
