"""Every name that Slack and the code share, as a page: `python -m tests.surface > docs/slack-surface.md`."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from bot.domain.operation import Role
from bot.handlers.commands import COMMANDS, PRESSES, SUGGESTIONS
from bot.handlers.flow import FLOWS, Flow
from bot.handlers.forms import ChoiceField, Field
from bot.handlers.manifest import METHODS, OPTIONAL_SCOPES, SCOPES
from bot.handlers.register import dispatching
from bot.handlers.shortcuts import FIND, SHORTCUTS
from bot.handlers.statements import ASK

INTRO = """\
# The Slack surface

Every name that Slack and the code share. This page is made from what the code registers:
`.venv/bin/python -m tests.surface > docs/slack-surface.md`. A test compares it with the code.

A workspace's prefix (`DUEDESK_PREFIX`) stands before the name of each command. A form's block id and the action id of
the input in it are the same word. Labels are what people see.
"""


def page() -> str:
    """The whole page, as Markdown."""
    parts = [INTRO, *_commands(), "## Forms\n", _forms_intro()]
    parts += [form for _, flow in sorted(FLOWS.by_id.items()) for form in _form(flow)]
    return "\n".join([*parts, *_shortcuts(), *_presses(), *_sources(), *_scopes()])


def right(by: Role) -> str:
    """A right as the documents call it."""
    return "everybody" if by is Role.NONE else by.label


def _commands() -> Iterator[str]:
    yield "## Commands\n"
    rows = [
        (code(f"/{each.name}"), ", ".join(code(sub.name) for sub in each.subs), code(each.main), _aliases(each.aliases))
        for _, each in sorted(COMMANDS.items())
    ]
    yield table(("command", "sub-commands", "without one", "other words"), rows)


def _aliases(aliases: dict[str, str]) -> str:
    return ", ".join(f"{code(word)} for {code(name)}" for word, name in aliases.items())


def _forms_intro() -> str:
    return (
        "By callback id: the title, the first text of the submit button, the operation behind it and the right that it"
        " needs.\nAfter a preview the button says what it does. The view that only tells has the callback id"
        f" {code('told')}.\n"
    )


def _form(flow: Flow[Any, Any]) -> Iterator[str]:
    form = flow.form
    yield f"### {code(form.callback_id)}\n"
    yield (
        f"*{form.title}*, button *{form.submit}*. Operation {code(flow.operation.name)}, right"
        f" {right(flow.operation.by)}.\n"
    )
    fields = flow.fields_for({})
    if fields:
        yield table(("block and action", "label", "element", "needed", "sends changes"), map(_field, fields))
    else:
        yield "No fields.\n"


def _field(field: Field[Any]) -> Sequence[str]:
    kind = code(str(field.element(None)["type"]))
    if isinstance(field, ChoiceField):
        kind += f": {', '.join(code(value) for _, value in field.choices)}"
    return (code(field.name), field.label, kind, _yes(answer=field.needed), _yes(answer=field.dispatches))


def _shortcuts() -> Iterator[str]:
    yield "## Shortcuts\n"
    yield "By callback id.\n"
    reading = [(code(each.callback_id), ", ".join(code(field.name) for field in each.fields)) for each in (FIND, ASK)]
    yield table(("form that only reads", "fields"), reading)
    rows = [(code(each.callback_id), each.name, each.on, right(each.by)) for each in SHORTCUTS.values()]
    yield table(("callback id", "name", "menu", "right"), rows)


def _presses() -> Iterator[str]:
    yield "## Buttons and menus\n"
    yield "The action id of each button, menu or choice, and the right that pressing it needs.\n"
    yield table(("action", "right"), [(code(name), right(each.by)) for name, each in sorted(PRESSES.items())])
    changes = ", ".join(code(name) for name in sorted(dispatching()))
    yield f"Fields that show the effect anew when they change: {changes}.\n"


def _sources() -> Iterator[str]:
    yield "## Option sources\n"
    yield "What a search field offers, by its action id.\n"
    yield table(("action", "offers"), [(code(name), first_sentence(run)) for name, run in sorted(SUGGESTIONS.items())])


def _scopes() -> Iterator[str]:
    yield "## Scopes and methods\n"
    yield f"Scopes: {', '.join(map(code, SCOPES))}. Optional: {', '.join(map(code, OPTIONAL_SCOPES))}.\n"
    rows = [(code(name), ", ".join(map(code, scopes)) or "none") for name, scopes in sorted(METHODS.items())]
    yield table(("method of the Web API", "scopes"), rows).rstrip("\n")
    yield ""


def first_sentence(run: Callable[..., Any]) -> str:
    """What a function's docstring says first, without the rules it names."""
    return " ".join((run.__doc__ or "").split()).split(". ", maxsplit=1)[0].rstrip(".")


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table with an empty line after it."""
    lines = [headers, ["---"] * len(headers), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines) + "\n"


def code(text: str) -> str:
    return f"`{text}`"


def _yes(*, answer: bool) -> str:
    return "yes" if answer else "no"


if __name__ == "__main__":
    sys.stdout.write(page())
