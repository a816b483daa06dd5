"""Slash commands as data: sub-commands, who may, how they are typed; `/duedesk payment ...` reaches each as well."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from bot.domain.errors import Refused
from bot.domain.ids import id_in
from bot.domain.operation import Role
from bot.handlers.blocks.text import escape
from bot.handlers.forms import Block, section
from bot.handlers.request import Call


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer for the asker alone."""

    text: str
    blocks: Sequence[Block] = ()

    def body(self) -> dict[str, Any]:
        made: dict[str, Any] = {"response_type": "ephemeral", "text": self.text}
        if self.blocks:
            made["blocks"] = list(self.blocks)
        return made


OTHER_VERSION = "This button is from another version; open the document again."
Run = Callable[[Call, str], Reply | None]


@dataclass(frozen=True, slots=True)
class Sub:
    """One sub-command: its name, role, an example, what it does. None as answer means a form was opened."""

    name: str
    by: Role
    example: str
    says: str
    run: Run


@dataclass(frozen=True)
class Command:
    """A slash command; without a sub-command's name its first words go to the main action."""

    name: str
    description: str
    usage: str
    main: str
    subs: tuple[Sub, ...]
    aliases: dict[str, str] = field(default_factory=dict)
    name_in: Callable[[str], str] | None = None  # the words of a line that may be a customer's name

    def sub(self, word: str) -> Sub | None:
        wanted = self.aliases.get(word, word)
        return next((each for each in self.subs if each.name == wanted), None)

    def run(self, call: Call, text: str) -> Reply | None:
        """Route to a sub-command, unless the line is a customer's name; `help` as the first word answers usage."""
        word, _, rest = text.strip().partition(" ")
        if word.lower() == "help" and self.sub("help") is None:
            return self.help()
        found = self.sub(word.lower())
        if found is not None and not self._is_name(call, text):
            return self._permitted(call, found).run(call, rest.strip())
        main = self.sub(self.main)
        assert main is not None
        return self._permitted(call, main).run(call, text.strip())

    def _is_name(self, call: Call, text: str) -> bool:
        """Whether a line that begins with a sub-command's word names a customer in full: `New World`."""
        name = self.name_in(text) if self.name_in is not None else ""
        return " " in name and call.desk.ask(lambda books: books.has_customer_called(name), call.request)

    def help(self) -> Reply:
        """Usage with one example for each sub-command."""
        lines = [f"*/{self.name}* {escape(self.description)}"]
        lines += [
            f"• `{escape(each.example)}` {escape(each.says)} ({each.by.label if each.by else 'everybody'})"
            for each in self.subs
        ]
        return Reply(f"/{self.name}: {self.description}", [section("\n".join(lines), block_id="help")])

    @staticmethod
    def _permitted(call: Call, sub: Sub) -> Sub:
        """One role look-up before anything is opened or shown. Refuses: NoAccess."""
        call.desk.ask(lambda _: None, call.request, by=sub.by)
        return sub


COMMANDS: dict[str, Command] = {}


def command(made: Command) -> Command:
    """Enter a command in the list that the app registers and the manifest is made from."""
    assert made.name not in COMMANDS, made.name
    COMMANDS[made.name] = made
    return made


@dataclass(frozen=True, slots=True)
class Press:
    """What a button, overflow choice or other action does: answers the person, opens a form, or updates one."""

    action_id: str
    by: Role
    run: Callable[[Call, dict[str, Any]], Reply | None]


PRESSES: dict[str, Press] = {}
SUGGESTIONS: dict[str, Callable[[Call, str], list[Block]]] = {}


def press(action_id: str, *, by: Role) -> Callable[[Callable[[Call, dict[str, Any]], Reply | None]], Press]:
    """Enter an action in the list that the app registers."""

    def wrap(run: Callable[[Call, dict[str, Any]], Reply | None]) -> Press:
        assert action_id not in PRESSES, action_id
        PRESSES[action_id] = Press(action_id, by, run)
        return PRESSES[action_id]

    return wrap


def suggest(action_id: str) -> Callable[[Callable[[Call, str], list[Block]]], Callable[[Call, str], list[Block]]]:
    """Enter a source of options for a search field."""

    def wrap(run: Callable[[Call, str], list[Block]]) -> Callable[[Call, str], list[Block]]:
        assert action_id not in SUGGESTIONS, action_id
        SUGGESTIONS[action_id] = run
        return run

    return wrap


class Pressed(dict[str, Any]):
    """What was pressed or chosen, with what it carries. Refuses what it does not carry."""

    def __missing__(self, name: str) -> Any:
        raise Refused(OTHER_VERSION)


def pressed(action: Mapping[str, Any]) -> Pressed:
    """An action of a payload, read with care: its card may be from another version of this program."""
    given = Pressed({name: value for name, value in action.items() if value is not None})
    if "selected_option" in given:
        given["selected_option"] = Pressed(given["selected_option"])
    return given


@contextmanager
def carried() -> Iterator[None]:
    """What a button carries is read within; what cannot be read is from another version. Refuses: Refused."""
    try:
        yield
    except (ValueError, TypeError, KeyError):
        raise Refused(OTHER_VERSION) from None


def id_of(value: str) -> int:
    """An id carried by a button. Refuses: Refused."""
    found = id_in(value)
    if found is None:
        raise Refused(OTHER_VERSION)
    return found
