"""What the parts of a text of reminders are: words, numbers or a list. What does not go together is refused when a text
is saved, also where no sample comes to it. Rule 90.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import singledispatch
from itertools import pairwise

from jinja2 import nodes

from bot.domain.errors import TemplateRefused

LOOP = "invoices"
WORDS = frozenset({"customer", "code", "company", "today", "currency", "total", "overdue", "payment_note"})
NUMBERS = frozenset({"count", "oldest_days", "level"})
PARTS = frozenset({"days_overdue", "days_left", "level"})  # of an invoice, that are numbers
ORDERED = frozenset({"lt", "lteq", "gt", "gteq"})
CONTAINED = frozenset({"in", "notin"})
SIGNS: Mapping[str, str] = {"lt": "<", "lteq": "<=", "gt": ">", "gteq": ">=", "in": "in", "notin": "not in"}
MOST_GIVEN: Mapping[str, int] = {"default": 2}  # how many values a filter takes


class Kind(StrEnum):
    """What a part of a text comes to."""

    WORDS = "words"
    NUMBER = "a number"
    MIXED = "now words, now a number"
    LIST = "the list of invoices"
    INVOICE = "an invoice"


def refused(node: nodes.Node, said: str, field: str) -> TemplateRefused:
    """A refusal with the line."""
    return TemplateRefused(f"Line {node.lineno}: {said}.", field=field)


def check_kinds(node: nodes.Node, field: str) -> None:
    """Everything that is said or compared, in every branch. Refuses: TemplateRefused."""
    if isinstance(node, nodes.Expr):
        _kind(node, field)
        return
    for child in node.iter_child_nodes():
        if isinstance(node, nodes.Output) and isinstance(child, nodes.Expr):
            _said(child, field)
        else:
            check_kinds(child, field)


def _said(node: nodes.Expr, field: str) -> Kind:
    """What is printed, or changed by a filter: a part, and not a whole list."""
    kind = _kind(node, field)
    if kind in {Kind.LIST, Kind.INVOICE}:
        raise refused(
            node, f"{kind.value} cannot be said as a whole; say a part, such as {{{{ invoice.number }}}}", field
        )
    return kind


@singledispatch
def _kind(_node: nodes.Node, _field: str) -> Kind:
    return Kind.WORDS


@_kind.register
def _name(node: nodes.Name, _field: str) -> Kind:
    known = {LOOP: Kind.LIST, **dict.fromkeys(NUMBERS, Kind.NUMBER), **dict.fromkeys(WORDS, Kind.WORDS)}
    return known.get(node.name, Kind.INVOICE)


@_kind.register
def _part(node: nodes.Getattr, _field: str) -> Kind:
    return Kind.NUMBER if node.attr in PARTS else Kind.WORDS


@_kind.register
def _const(node: nodes.Const, _field: str) -> Kind:
    return Kind.WORDS if isinstance(node.value, str) else Kind.MIXED if node.value is None else Kind.NUMBER


@_kind.register
def _filter(node: nodes.Filter, field: str) -> Kind:
    assert node.node is not None, "a block of a filter was refused"
    if len(node.args) > MOST_GIVEN.get(node.name, 0) or node.kwargs or node.dyn_args or node.dyn_kwargs:
        raise refused(node, f"{node.name} takes no such values", field)
    if node.name == "length":
        kind = _kind(node.node, field)
        if kind not in {Kind.WORDS, Kind.LIST}:
            raise refused(node, f"{kind.value} has no length", field)
        return Kind.NUMBER
    kinds = {_said(each, field) for each in (node.node, *node.args[:1])}
    if node.name != "default":
        return Kind.WORDS
    return kinds.pop() if len(kinds) == 1 else Kind.MIXED


@_kind.register
def _either(node: nodes.CondExpr, field: str) -> Kind:
    if node.expr2 is None:
        raise refused(node, "say what holds else, such as {{ 'late' if level else 'due' }}", field)
    _kind(node.test, field)
    return _one_of((node.expr1, node.expr2), field)


@_kind.register(nodes.And)
@_kind.register(nodes.Or)
def _and_or(node: nodes.And | nodes.Or, field: str) -> Kind:
    return _one_of((node.left, node.right), field)


def _one_of(parts: tuple[nodes.Expr, ...], field: str) -> Kind:
    kinds = {_kind(each, field) for each in parts}
    return kinds.pop() if len(kinds) == 1 else Kind.LIST if Kind.LIST in kinds else Kind.MIXED


@_kind.register
def _not(node: nodes.Not, field: str) -> Kind:
    _kind(node.node, field)
    return Kind.NUMBER


@_kind.register
def _compare(node: nodes.Compare, field: str) -> Kind:
    kinds = [_kind(node.expr, field), *(_kind(each.expr, field) for each in node.ops)]
    for (left, right), operand in zip(pairwise(kinds), node.ops, strict=True):
        fits = left is right and left in {Kind.NUMBER, Kind.WORDS}
        if operand.op in CONTAINED:
            fits = fits and left is Kind.WORDS
        if operand.op in {*ORDERED, *CONTAINED} and not fits:
            said = f"{left.value} and {right.value} cannot be compared with {SIGNS[operand.op]}"
            raise refused(node, said, field)
    return Kind.NUMBER
