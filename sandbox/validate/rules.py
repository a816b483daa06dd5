"""The handful of rules that the tables of blocks and elements are made of."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from sandbox.validate.walk import Rule, Surface, Walk, below, kind_of, listed, named

Check = Callable[[Walk, Mapping[str, Any], str], None]

EVERYWHERE: frozenset[Surface] = frozenset(("message", "modal", "home"))
LONGEST_ID = 255
LONGEST_URL = 3000


@dataclass(frozen=True, slots=True)
class Spec:
    """What one kind of object may hold, and where it may stand."""

    required: Mapping[str, Rule] = field(default_factory=dict)
    optional: Mapping[str, Rule] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    surfaces: frozenset[Surface] = EVERYWHERE


Registry = Mapping[str, Spec]


def check_object(walk: Walk, value: Any, pointer: str, *, spec: Spec, kind: str | None = None) -> None:
    """Hold an object against its specification: missing, unknown and wrong properties."""
    if not isinstance(value, Mapping):
        walk.fault(pointer, f"{named(pointer)} must be an object and is {kind_of(value)}")
        return
    name = kind or named(pointer)
    before = len(walk.faults)
    for key in spec.required:
        if value.get(key) is None:
            walk.fault(pointer, f"{name} must have the property {key!r}")
    for key, member in value.items():
        if key != "type" or kind is None:
            check_property(walk, member, below(pointer, key), spec=spec, name=name)
    # Relations between properties are only worth stating when each of them has a shape that can be compared.
    if len(walk.faults) == before:
        for check in spec.checks:
            check(walk, value, pointer)


def check_property(walk: Walk, member: Any, pointer: str, *, spec: Spec, name: str) -> None:
    key = pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~")
    rule = spec.required.get(key) or spec.optional.get(key)
    if rule is None:
        walk.fault(pointer, f"{name} has no property {key!r}")
    elif member is not None:
        rule(walk, member, pointer)
    elif key not in spec.required:
        walk.fault(pointer, f"{key} must be left out rather than sent as null")


def shape(spec: Spec) -> Rule:
    def rule(walk: Walk, value: Any, pointer: str) -> None:
        check_object(walk, value, pointer, spec=spec)

    return rule


def one_of(registry: Registry, allowed: Collection[str], *, place: str) -> Rule:
    """An object whose `type` names its specification; only some types may stand in this place."""

    def rule(walk: Walk, value: Any, pointer: str) -> None:
        if not isinstance(value, Mapping):
            walk.fault(pointer, f"{named(pointer)} must be an object and is {kind_of(value)}")
            return
        kind = value.get("type")
        if not isinstance(kind, str):
            walk.fault(pointer, f"{named(pointer)} must have a type that is a string, and has {kind_of(kind)}")
        elif kind not in registry:
            walk.fault(below(pointer, "type"), f"there is no type {kind!r} here; known are {listed(allowed)}")
        elif kind not in allowed:
            walk.fault(below(pointer, "type"), f"{kind} may not stand in {place}; allowed are {listed(allowed)}")
        else:
            spec = registry[kind]
            if walk.surface not in spec.surfaces:
                places = listed(spec.surfaces)
                walk.fault(below(pointer, "type"), f"{kind} works in {places} only, and this is a {walk.surface}")
            check_object(walk, value, pointer, spec=spec, kind=kind)

    return rule


def string(most: int | None = None, *, least: int = 0, pattern: str | None = None, like: str = "") -> Rule:
    compiled = re.compile(pattern) if pattern else None

    def rule(walk: Walk, value: Any, pointer: str) -> None:
        if not isinstance(value, str):
            walk.fault(pointer, f"{named(pointer)} must be a string and is {kind_of(value)}")
            return
        within(walk, len(value), pointer, least=least, most=most, unit="characters")
        if compiled and not compiled.fullmatch(value):
            walk.fault(pointer, f"{named(pointer)} must look like {like} and is {value[:80]!r}")

    return rule


def within(walk: Walk, size: float, pointer: str, *, least: float | None, most: float | None, unit: str = "") -> None:
    """Say so when a size is outside its limits."""
    tail = f" {unit}" if unit else ""
    if most is not None and size > most:
        walk.fault(pointer, f"{named(pointer)} may be at most {most:,}{tail} and is {size:,}")
    if least is not None and size < least:
        walk.fault(pointer, f"{named(pointer)} must be at least {least:,}{tail} and is {size:,}")


def flag(walk: Walk, value: Any, pointer: str) -> None:
    if not isinstance(value, bool):
        walk.fault(pointer, f"{named(pointer)} must be true or false and is {kind_of(value)}")


def whole(least: int | None = None, most: int | None = None) -> Rule:
    def rule(walk: Walk, value: Any, pointer: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            walk.fault(pointer, f"{named(pointer)} must be a whole number and is {kind_of(value)}")
            return
        within(walk, value, pointer, least=least, most=most)

    return rule


def number(walk: Walk, value: Any, pointer: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        walk.fault(pointer, f"{named(pointer)} must be a number and is {kind_of(value)}")


def choice(*allowed: str) -> Rule:
    def rule(walk: Walk, value: Any, pointer: str) -> None:
        if not isinstance(value, str) or value not in allowed:
            shown = repr(value[:80]) if isinstance(value, str) else kind_of(value)
            walk.fault(pointer, f"{named(pointer)} must be one of {', '.join(allowed)} and is {shown}")

    return rule


def listing(rule: Rule, *, least: int = 0, most: int | None = None, unique: bool = False) -> Rule:
    """A list of so many things, each of which follows a rule."""

    def check(walk: Walk, value: Any, pointer: str) -> None:
        if not isinstance(value, list | tuple):
            walk.fault(pointer, f"{named(pointer)} must be a list and is {kind_of(value)}")
            return
        within(walk, len(value), pointer, least=least, most=most, unit="items")
        for position, item in enumerate(value):
            rule(walk, item, below(pointer, position))
            if unique and item in value[:position]:
                walk.fault(below(pointer, position), f"each item of {named(pointer)} must be there once")

    return check


def link(*schemes: str, most: int = LONGEST_URL) -> Rule:
    """A web address that a client can open."""
    allowed = schemes or ("https", "http")

    def rule(walk: Walk, value: Any, pointer: str) -> None:
        if not isinstance(value, str):
            walk.fault(pointer, f"{named(pointer)} must be a string and is {kind_of(value)}")
            return
        within(walk, len(value), pointer, least=None, most=most, unit="characters")
        try:
            parts = urlsplit(value)
        except ValueError:
            parts = urlsplit("")
        has_target = parts.netloc if parts.scheme in {"http", "https"} else parts.path or parts.netloc
        if re.search(r"[\s<>]", value) or parts.scheme not in allowed or not has_target:
            walk.fault(pointer, f"{named(pointer)} must be a {' or '.join(allowed)} address and is {value[:80]!r}")

    return rule


def exactly_one(*keys: str) -> Check:
    def check(walk: Walk, value: Mapping[str, Any], pointer: str) -> None:
        present = [key for key in keys if key in value]
        if len(present) != 1:
            walk.fault(pointer, f"exactly one of {', '.join(keys)} must be there, and there are {len(present)}")

    return check


def at_least_one(*keys: str) -> Check:
    def check(walk: Walk, value: Mapping[str, Any], pointer: str) -> None:
        if not any(value.get(key) for key in keys):
            walk.fault(pointer, f"at least one of {', '.join(keys)} must be there, and there is none")

    return check


def ordered(low: str, high: str) -> Check:
    """Two limits that must not cross; Slack sends some of them as strings."""

    def check(walk: Walk, value: Mapping[str, Any], pointer: str) -> None:
        if low in value and high in value and float(value[low]) > float(value[high]):
            walk.fault(pointer, f"{low} may not be above {high}: {value[low]} is above {value[high]}")

    return check
