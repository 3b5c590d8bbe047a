from proxy.caching.age import age_value
from proxy.message.fields import Fields


def of(*values: bytes):
    return age_value(Fields((b"Age", value) for value in values))[1]


EXAMPLES = {
    "age-several": lambda: of(b"60", b"0"),
    "age-ill-formed": lambda: of(b"soon"),
}
