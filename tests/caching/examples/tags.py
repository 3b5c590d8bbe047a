from proxy.caching.policy import Policy
from proxy.caching.tags import beyond_limit
from proxy.message.fields import Fields

EXAMPLES = {
    "tags-beyond-limit": lambda: [beyond_limit(Fields([(b"Cache-Tag", b"x" * 2000)]), Policy())],
}
