from proxy.caching.immutable import spares_validation
from proxy.caching.policy import Policy
from proxy.caching.stored import StoredResponse
from proxy.caching.targeted import effective_directives
from proxy.message.cache_control import parse_cache_control
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response


def reload():
    fields = Fields([(b"Cache-Control", b"max-age=60, immutable")])
    stored = StoredResponse(Request(b"GET", b"/"), Response(200, fields), 0, 0, 3, complete_length=3)
    wishes = parse_cache_control([b"max-age=0"])
    because = spares_validation(stored, effective_directives(fields, Policy()), wishes, fresh=True)
    return [because] if because else []


EXAMPLES = {"immutable": reload}
