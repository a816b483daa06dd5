"""Typed modal inputs: the input that draws a field also reads it back, so block ids appear once."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Generic, TypeVar

from bot.domain.errors import Refused
from bot.domain.ids import id_in
from bot.domain.proofs import KINDS, MOST_PROOFS, Proof
from bot.handlers.blocks.text import plain, shorten
from bot.handlers.parse.dates import check_century

T = TypeVar("T")
Block = dict[str, Any]
Option = tuple[str, str]
MOST_TYPED = 3000
LONGEST_TITLE = 24
LONGEST_LABEL = 75
LONGEST_NAME = 60  # of a file, without its kind


class FormRefused(Exception):  # noqa: N818  # it carries what to say under each field
    """What is wrong with a form, by field."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(", ".join(errors))
        self.errors = dict(errors)


def option(text: str, value: str, description: str = "") -> Block:
    """A choice; long names are cut, the value never is."""
    made: Block = {"text": plain(shorten(text, LONGEST_LABEL)), "value": value}
    if description:
        made["description"] = plain(shorten(description, LONGEST_LABEL))
    return made


@dataclass(frozen=True)
class Field(Generic[T]):
    """One input of a form: drawn from a value, read back to one."""

    name: str
    label: str
    needed: bool = True
    hint: str = ""
    placeholder: str = ""
    dispatches: bool = False

    def element(self, value: T | None) -> Block:
        raise NotImplementedError

    def read(self, state: Mapping[str, Any]) -> T | None:
        raise NotImplementedError

    def draw(self, value: T | None) -> Block:
        element = {**self.element(value), "action_id": self.name}
        if self.placeholder:
            element["placeholder"] = plain(self.placeholder)
        block: Block = {
            "type": "input",
            "block_id": self.name,
            "label": plain(self.label),
            "element": element,
            "optional": not self.needed,
        }
        if self.hint:
            block["hint"] = plain(self.hint)
        if self.dispatches:
            block["dispatch_action"] = True
        return block


@dataclass(frozen=True)
class TextField(Field[str]):
    """A line or several of free text."""

    multiline: bool = False
    longest: int = MOST_TYPED

    def element(self, value: str | None) -> Block:
        made: Block = {"type": "plain_text_input", "multiline": self.multiline, "max_length": self.longest}
        if value:
            made["initial_value"] = value[: self.longest]
        if self.dispatches:
            made["dispatch_action_config"] = {"trigger_actions_on": ["on_enter_pressed"]}
        return made

    def read(self, state: Mapping[str, Any]) -> str | None:
        return str(state.get("value") or "")


@dataclass(frozen=True)
class NumberField(Field[Decimal]):
    """A plain decimal; Slack hands it over as text."""

    lowest: str | None = None
    whole: bool = False

    def element(self, value: Decimal | None) -> Block:
        made: Block = {"type": "number_input", "is_decimal_allowed": not self.whole}
        if value is not None:
            made["initial_value"] = f"{Decimal(value):f}"
        if self.lowest is not None:
            made["min_value"] = self.lowest
        return made

    def read(self, state: Mapping[str, Any]) -> Decimal | None:
        typed = state.get("value")
        if typed in {None, ""}:
            return None
        try:
            number = Decimal(str(typed))
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or (self.whole and number != int(number)):
            kind = "a whole number" if self.whole else "a number"
            raise Refused(f"Type {kind}, such as 30.", field=self.name)
        return number


@dataclass(frozen=True)
class DateField(Field[date]):
    """A day picked from a calendar."""

    def element(self, value: date | None) -> Block:
        made: Block = {"type": "datepicker"}
        if value is not None:
            made["initial_date"] = value.isoformat()
        return made

    def read(self, state: Mapping[str, Any]) -> date | None:
        picked = state.get("selected_date")
        try:
            return check_century(date.fromisoformat(str(picked))) if picked else None
        except ValueError:
            raise Refused("Pick a day from the calendar.", field=self.name) from None


@dataclass(frozen=True)
class ChoiceField(Field[str]):
    """One of a few fixed choices."""

    choices: tuple[Option, ...] = ()

    def element(self, value: str | None) -> Block:
        made: Block = {"type": "static_select", "options": [option(text, each) for text, each in self.choices]}
        chosen = next(((text, each) for text, each in self.choices if each == value), None)
        if chosen is not None:
            made["initial_option"] = option(*chosen)
        return made

    def read(self, state: Mapping[str, Any]) -> str | None:
        picked = (state.get("selected_option") or {}).get("value")
        if picked is not None and picked not in {each for _, each in self.choices}:
            raise Refused("Choose one of the list.", field=self.name)
        return picked


@dataclass(frozen=True)
class SearchField(Field[Option]):
    """One item found by typing: its text and its id."""

    least: int = 0

    def element(self, value: Option | None) -> Block:
        made: Block = {"type": "external_select", "min_query_length": self.least}
        if value is not None:
            made["initial_option"] = option(*value)
        return made

    def read(self, state: Mapping[str, Any]) -> Option | None:
        picked = state.get("selected_option")
        return (picked["text"]["text"], _id(picked["value"], self.name)) if picked else None


@dataclass(frozen=True)
class ManyField(Field[tuple[Option, ...]]):
    """Several items found by typing."""

    most: int = 20

    def element(self, value: tuple[Option, ...] | None) -> Block:
        made: Block = {"type": "multi_external_select", "min_query_length": 0, "max_selected_items": self.most}
        if value:
            made["initial_options"] = [option(*each) for each in value]
        return made

    def read(self, state: Mapping[str, Any]) -> tuple[Option, ...] | None:
        picked = state.get("selected_options") or []
        return tuple((each["text"]["text"], _id(each["value"], self.name)) for each in picked)


@dataclass(frozen=True)
class TickField(Field[bool]):
    """One box to tick."""

    text: str = ""
    needed: bool = False

    def element(self, value: bool | None) -> Block:  # noqa: FBT001  # the value of a tick is a truth
        tick = option(self.text, "yes")
        made: Block = {"type": "checkboxes", "options": [tick]}
        if value:
            made["initial_options"] = [tick]
        return made

    def read(self, state: Mapping[str, Any]) -> bool | None:
        return bool(state.get("selected_options"))


@dataclass(frozen=True)
class FileField(Field[tuple[Proof, ...]]):
    """Files that a person gives; what was chosen is carried with the form, since no view can show it chosen again."""

    def element(self, value: tuple[Proof, ...] | None) -> Block:  # noqa: ARG002  # a file cannot be filled in
        return {"type": "file_input", "filetypes": list(KINDS), "max_files": MOST_PROOFS}

    def read(self, state: Mapping[str, Any]) -> tuple[Proof, ...] | None:
        return tuple(self._proof(each) for each in state.get("files") or ())

    def _proof(self, given: Any) -> Proof:
        file_id = str(given.get("id") or "") if isinstance(given, Mapping) else ""
        if re.fullmatch(r"F[A-Z0-9]{1,30}", file_id) is None or not isinstance(given.get("size"), int):
            raise Refused("Choose the file once more.", field=self.name)
        stem, _, kind = str(given.get("name") or "file").rpartition(".")
        return Proof(file_id=file_id, name=f"{shorten(stem, LONGEST_NAME)}.{kind[:10]}", size=given["size"])


@dataclass(frozen=True)
class PersonField(Field[str]):
    """A member of the workspace, by id."""

    def element(self, value: str | None) -> Block:
        return {"type": "users_select", **({"initial_user": value} if value else {})}

    def read(self, state: Mapping[str, Any]) -> str | None:
        return state.get("selected_user") or None


@dataclass(frozen=True)
class ChannelField(Field[str]):
    """A channel, by id."""

    def element(self, value: str | None) -> Block:
        made: Block = {
            "type": "conversations_select",
            "filter": {"include": ["public", "private"], "exclude_bot_users": True},
        }
        return {**made, "initial_conversation": value} if value else made

    def read(self, state: Mapping[str, Any]) -> str | None:
        return state.get("selected_conversation") or None


def _id(value: str, name: str) -> str:
    if id_in(value) is None:
        raise Refused("Choose an item from the list.", field=name)
    return value


@dataclass(frozen=True)
class Values:
    """What a person filled in, by field."""

    given: Mapping[str, Any] = field(default_factory=dict)

    def get(self, of: Field[T]) -> T | None:
        value: T | None = self.given.get(of.name)
        return value

    def need(self, of: Field[T]) -> T:
        """A field's value. Refuses an empty one under the field."""
        value: T | None = self.given.get(of.name)
        if value in {None, ""} or value == ():
            raise Refused(f"{of.label} is empty; fill it in.", field=of.name)
        assert value is not None
        return value

    def text(self, of: Field[str]) -> str:
        return self.get(of) or ""

    def ticked(self, of: "TickField") -> bool:
        return bool(self.given.get(of.name))

    def but(self, **changed: Any) -> "Values":
        return Values({**self.given, **changed})


@dataclass(frozen=True)
class Form:
    """A modal of typed inputs; `private_metadata` carries ids and a version only."""

    callback_id: str
    title: str
    fields: Sequence[Field[Any]]
    submit: str = "Check"
    intro: str = ""

    def draw(
        self,
        values: Values,
        metadata: str,
        *,
        effect: Sequence[Block] = (),
        alert: str = "",
        submit: str = "",
        fields: Sequence[Field[Any]] | None = None,
    ) -> Block:
        """The view: an alert if something was refused, the effect where it is seen first, the inputs as typed."""
        blocks: list[Block] = []
        if alert:
            blocks.append(alert_block(alert))
        if self.intro:
            blocks.append({"type": "context", "block_id": "intro", "elements": [plain(self.intro)]})
        blocks += effect
        blocks += [each.draw(values.get(each)) for each in (fields or self.fields)]
        return {
            "type": "modal",
            "callback_id": self.callback_id,
            "title": plain(shorten(self.title, LONGEST_TITLE)),
            "submit": plain(shorten(submit or self.submit, LONGEST_TITLE)),
            "close": plain("Cancel"),
            "private_metadata": metadata,
            "blocks": blocks,
        }

    def read(self, view: Mapping[str, Any], fields: Sequence[Field[Any]] | None = None) -> Values:
        """What was filled in. Raises FormRefused with a sentence for each field at fault."""
        state = view["state"]["values"]
        given: dict[str, Any] = {}
        errors: dict[str, str] = {}
        for each in fields or self.fields:
            try:
                given[each.name] = each.read(state.get(each.name, {}).get(each.name, {}))
            except Refused as refusal:
                errors[each.name] = refusal.sentence
        if errors:
            raise FormRefused(errors)
        return Values(given)


def subject_block(line: str) -> Block:
    """Which document a form is about."""
    return {"type": "context", "block_id": "subject", "elements": [plain(shorten(line, 200))]}


def notes_block(notes: Sequence[str]) -> Block:
    """What is to be known of a form's values before they are checked."""
    return {"type": "context", "block_id": "notes", "elements": [plain(shorten(each, 600)) for each in notes[:10]]}


def alert_block(sentence: str) -> Block:
    """A warning at the top of a modal."""
    return {"type": "alert", "block_id": "alert", "level": "warning", "text": plain(shorten(sentence, 200))}


def section(text: str, *, block_id: str = "") -> Block:
    """Formatted text; everything typed by people in it must be escaped already."""
    made: Block = {"type": "section", "text": {"type": "mrkdwn", "text": shorten(text, 2900), "verbatim": True}}
    if block_id:
        made["block_id"] = block_id
    return made


def context(*texts: str, block_id: str = "") -> Block:
    made: Block = {
        "type": "context",
        "elements": [{"type": "mrkdwn", "text": shorten(text, 1900), "verbatim": True} for text in texts if text],
    }
    if block_id:
        made["block_id"] = block_id
    return made


def button(text: str, action_id: str, value: str, *, style: str = "", confirm: Block | None = None) -> Block:
    """A button with an opaque value; what it does is looked up when it is pressed."""
    made: Block = {
        "type": "button",
        "text": plain(shorten(text, LONGEST_LABEL)),
        "action_id": action_id,
        "value": value,
    }
    if style:
        made["style"] = style
    if confirm is not None:
        made["confirm"] = confirm
    return made


def confirmation(title: str, text: str, *, yes: str, no: str = "Leave it") -> Block:
    return {
        "title": plain(shorten(title, 100)),
        "text": plain(shorten(text, 300)),
        "confirm": plain(shorten(yes, 30)),
        "deny": plain(shorten(no, 30)),
    }


def message_view(title: str, blocks: Sequence[Block], *, close: str = "Close") -> Block:
    """A view that only tells."""
    return {
        "type": "modal",
        "callback_id": "told",
        "title": plain(shorten(title, LONGEST_TITLE)),
        "close": plain(close),
        "blocks": list(blocks),
    }
