from proxy.caching.ill_formed import ill_formed_response
from proxy.message.cache_control import NO_DIRECTIVES
from proxy.message.fields import Fields

EXAMPLES = {
    "ill-formed": lambda: ill_formed_response(
        Fields([(b"Last-Modified", b"yesterday")]), NO_DIRECTIVES, b"cache-control", 0.0
    ),
}
