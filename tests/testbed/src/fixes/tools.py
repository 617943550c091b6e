"""How a fix is put in: before, around or instead of an API's method."""

import fnmatch
import functools
import ipaddress
import re

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, EmptyResult  # noqa: F401


class Refused(ServiceException):
    """An error with the code and the message of the real service."""

    def __init__(self, code, message):
        # The status is that of the service's model.
        super().__init__(code, message)


def snake(api):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", api).lower()


def before(owner, *apis):
    """The function is called first, and may raise. It gets the response object, whose `_get_param` has the parameters."""

    def put(check):
        for api in apis:
            original = getattr(owner, api, None) or getattr(owner, snake(api))

            def call(self, *args, original=original, **kwargs):
                check(self, *args, **kwargs)
                return original(self, *args, **kwargs)

            setattr(owner, original.__name__, functools.wraps(original)(call))
        return check

    return put


def around(owner, api):
    """The function is called instead and gets the original first."""

    def put(instead):
        original = getattr(owner, api, None) or getattr(owner, snake(api))

        def call(self, *args, **kwargs):
            return instead(functools.partial(original, self), self, *args, **kwargs)

        setattr(owner, original.__name__, functools.wraps(original)(call))
        return instead

    return put


def lacking(owner, api):
    """The function is the API, which moto does not have."""

    def put(method):
        setattr(owner, snake(api), method)
        return method

    return put


def canonical(cidr):
    """`10.0.0.0/8` for `10.1.2.3/8`; what is no CIDR as it is."""
    try:
        return str(ipaddress.ip_network(cidr, strict=False)) if cidr else cidr
    except ValueError:
        return cidr


def matches(pattern, value):
    """EC2's wildcards in values of filters; literal ones come as `[*]` from the proxy."""
    return fnmatch.fnmatchcase(value, pattern)


def tagged(items, filters):
    """The items that fit the `tag:KEY` and `tag-key` filters."""
    for name, values in (filters or {}).items():
        if name == "tag-key":
            items = [item for item in items if any(matches(v, tag["key"]) for tag in item.get_tags() for v in values)]
        elif name.startswith("tag:"):
            key = name[len("tag:") :]
            has = lambda item: any(tag["key"] == key and matches(v, tag["value"]) for tag in item.get_tags() for v in values)
            items = [item for item in items if has(item)]
    return items


def without_tags(filters):
    return {name: values for name, values in (filters or {}).items() if not name.startswith("tag")}


def known(ids, items, code, noun):
    """Refuses ids that no item has."""
    missing = sorted(set(ids or []) - {item.id for item in items})
    if missing:
        raise Refused(code, f"The {noun} '{missing[0]}' does not exist")
