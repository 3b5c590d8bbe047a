from proxy.caching.policy import Policy
from proxy.caching.targeted import effective_directives
from proxy.message.fields import Fields


def of(value: bytes):
    fields = Fields([(b"CDN-Cache-Control", value), (b"Cache-Control", b"max-age=60")])
    return effective_directives(fields, Policy()).reasons


EXAMPLES = {
    "targeted": lambda: of(b"max-age=600"),
    "targeted-ill-formed": lambda: of(b"max-age = 600"),
    "targeted-empty": lambda: of(b""),
}
