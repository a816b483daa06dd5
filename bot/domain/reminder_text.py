"""Texts of reminders: what a template may say, checked when it is saved, and how it is filled in.

A template is Jinja in a sandbox, cut down to what a letter needs: variables, `if`, and one loop over the invoices.
"""

from collections.abc import Mapping
from functools import cache, lru_cache

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bot.domain.errors import MissingText, TemplateRefused, TextTooLong
from bot.domain.mail import LONGEST_BODY, one_line
from bot.domain.reminder_kinds import LOOP, check_kinds, refused

LONGEST_SUBJECT = 200
LONGEST_TEXT = 8_000
DEEPEST = 40
TOO_DEEP = "This is nested too deeply; keep to a few conditions, one inside the other."
# What a template can name, and what it means to who writes one. Rule 90.
VARIABLES: Mapping[str, str] = {
    "customer": "the customer's name",
    "code": "the customer's code",
    "company": "our company's name",
    "today": "the day of sending",
    "count": "how many invoices are listed",
    "currency": "the currency of all amounts",
    "total": "what is open of the invoices listed",
    "overdue": "what of it is past its due date",
    "oldest_days": "days that the oldest is overdue, 0 when none is",
    "level": "the level reached: 0 before and on the due date, then 1, 2, 3",
    "payment_note": "how to pay, from the settings",
    LOOP: "the invoices, for a loop: {% for invoice in invoices %}",
}
INVOICE: Mapping[str, str] = {
    "number": "its number",
    "issued": "its date",
    "due": "the day it is due",
    "days_overdue": "days past due, 0 when not yet due",
    "days_left": "days until it is due, 0 when past",
    "total": "its total",
    "open": "what is open of it",
    "level": "the level it has reached",
}
FILTERS = ("upper", "lower", "title", "trim", "length", "default")
_ALLOWED = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Getattr,
    nodes.Const,
    nodes.If,
    nodes.For,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.CondExpr,
    nodes.Filter,
)
_CALLED: Mapping[type[nodes.Node], str] = {
    nodes.Call: "a call",
    nodes.Assign: "set",
    nodes.Macro: "a macro",
    nodes.Include: "include",
    nodes.Import: "import",
    nodes.Extends: "extends",
    nodes.Getitem: "an index",
}


def _environment() -> ImmutableSandboxedEnvironment:
    made = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=False
    )
    made.globals.clear()
    made.filters = {name: made.filters[name] for name in FILTERS}
    return made


_ENVIRONMENT = _environment()


def check_subject(text: str) -> str:
    """A subject as it is kept: one line. Rule 90. Refuses: MissingText, TextTooLong, TemplateRefused."""
    cleaned = " ".join(text.split())
    if not cleaned:
        raise MissingText("The subject is empty; type one.", field="subject")
    if len(cleaned) > LONGEST_SUBJECT:
        raise TextTooLong(f"The subject has {len(cleaned)} characters; keep it to {LONGEST_SUBJECT}.", field="subject")
    _check(cleaned, "subject")
    return cleaned


def check_body(text: str) -> str:
    """A body as it is kept. Rule 90. Refuses: MissingText, TextTooLong, TemplateRefused."""
    cleaned = text.replace("\r\n", "\n").strip()
    if not cleaned:
        raise MissingText("The text is empty; type one.", field="body")
    if len(cleaned) > LONGEST_TEXT:
        raise TextTooLong(f"The text has {len(cleaned):,} characters; keep it to {LONGEST_TEXT:,}.", field="body")
    _check(cleaned, "body")
    return cleaned


def fill(subject: str, body: str, values: Mapping[str, object]) -> tuple[str, str]:
    """A template with the values of one customer in place: the subject in one line, and the text.

    Refuses: TemplateRefused, when it cannot be filled, such as for comparing a word with a number.
    """
    return one_line(_filled(subject, "subject", values)), _filled(body, "body", values)


def _filled(text: str, field: str, values: Mapping[str, object]) -> str:
    try:
        made = _compiled(text).render(values)
    except (TemplateError, TypeError, ValueError) as fault:
        raise TemplateRefused(f"The {field} cannot be filled in: {_words(fault)}.", field=field) from None
    if len(made) > LONGEST_BODY:
        raise TemplateRefused(f"The {field} becomes longer than a letter may be.", field=field)
    if not one_line(made):
        raise TemplateRefused(f"Nothing is left of the {field} once it is filled in.", field=field)
    return made.strip()


@lru_cache(maxsize=256)
def _compiled(text: str) -> Template:
    return _ENVIRONMENT.from_string(text)


def _check(text: str, field: str) -> None:
    """Syntax, and every name in it. Rule 90. Refuses: TemplateRefused."""
    try:
        tree = _ENVIRONMENT.parse(text)
        _check_depth(tree, DEEPEST, field)
        for node in tree.find_all(nodes.Node):
            _check_node(node, field)
        _check_names(tree, frozenset(VARIABLES), field)
        check_kinds(tree, field)
        fill_sample = _ENVIRONMENT.from_string(text)
    except TemplateSyntaxError as fault:
        raise TemplateRefused(f"Line {fault.lineno}: {_words(fault)}.", field=field) from None
    except (RecursionError, MemoryError, ValueError):  # of the parser: a figure of thousands of digits is one of them
        raise TemplateRefused(TOO_DEEP, field=field) from None
    for values in _samples():
        try:
            fill_sample.render(values)
        except (TemplateError, TypeError, ValueError) as fault:
            raise TemplateRefused(f"This cannot be filled in: {_words(fault)}.", field=field) from None


def _check_depth(node: nodes.Node, left: int, field: str) -> None:
    """What is nested deeper than anybody reads would stop who fills it in. Refuses: TemplateRefused."""
    if not left:
        raise TemplateRefused(TOO_DEEP, field=field)
    for child in node.iter_child_nodes():
        _check_depth(child, left - 1, field)


def _check_node(node: nodes.Node, field: str) -> None:
    """Only what a letter needs. Refuses: TemplateRefused."""
    if isinstance(node, _ALLOWED):
        if isinstance(node, nodes.Filter) and node.name not in FILTERS:
            raise refused(node, f"there is no filter {node.name}; there are {', '.join(FILTERS)}", field)
        return
    what = _CALLED.get(type(node), type(node).__name__.lower())
    raise refused(node, f"{what} cannot be used here; a text has variables, if, and one loop over invoices", field)


def _check_names(node: nodes.Node, known: frozenset[str], field: str) -> None:
    """Each name, in the place where it stands. Refuses: TemplateRefused."""
    if isinstance(node, nodes.For):
        _check_loop(node, known, field)
        return
    if isinstance(node, nodes.Getattr):
        _check_field(node, known, field)
        return
    if isinstance(node, nodes.Name) and node.name not in known:
        raise refused(node, f"there is no variable {node.name}; there are {', '.join(VARIABLES)}", field)
    for child in node.iter_child_nodes():
        _check_names(child, known, field)


def _check_loop(loop: nodes.For, known: frozenset[str], field: str) -> None:
    is_plain = isinstance(loop.iter, nodes.Name) and loop.iter.name == LOOP and isinstance(loop.target, nodes.Name)
    if not is_plain or loop.recursive or _LOOPED in known or loop.test is not None:
        raise refused(loop, "a loop goes over invoices, once: {% for invoice in invoices %}", field)
    assert isinstance(loop.target, nodes.Name)
    if loop.target.name in VARIABLES:
        raise refused(loop, f"{loop.target.name} has a meaning already; call the loop's variable invoice", field)
    for child in (*loop.body, *loop.else_):
        _check_names(child, known | {loop.target.name, _LOOPED, f"{_LOOPED} {loop.target.name}"}, field)


_LOOPED = " in a loop"


def _check_field(node: nodes.Getattr, known: frozenset[str], field: str) -> None:
    owner = node.node
    if not isinstance(owner, nodes.Name) or f"{_LOOPED} {owner.name}" not in known:
        named = owner.name if isinstance(owner, nodes.Name) else "this"
        raise refused(node, f"{named} has no parts; only an invoice of the loop has", field)
    if node.attr not in INVOICE:
        raise refused(node, f"an invoice has no {node.attr}; it has {', '.join(INVOICE)}", field)


def _words(fault: Exception) -> str:
    return str(fault).rstrip(".").replace("\n", " ")[:200]


@cache
def _samples() -> tuple[Mapping[str, object], ...]:
    """Values of every kind that come up, so that both sides of an `if` are tried."""
    overdue = {"days_overdue": 12, "days_left": 0, "level": 2}
    coming = {"days_overdue": 0, "days_left": 3, "level": 0}
    words = {name: name for name in ("number", "issued", "due", "total", "open")}
    numbers = {"count": 2, "oldest_days": 12, "level": 2}
    texts = {name: name for name in VARIABLES if name != LOOP}
    first = {**texts, **numbers, LOOP: ({**words, **overdue}, {**words, **coming})}
    none = {**texts, "count": 1, "oldest_days": 0, "level": 0, "payment_note": "", LOOP: ({**words, **coming},)}
    return first, none
