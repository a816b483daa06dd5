"""Form, preview, write: one mechanism for every operation that is filled in."""

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Generic, TypeVar

from slack_sdk.errors import SlackApiError

from bot.desk import content_hash
from bot.domain.errors import KeyReused, Refused
from bot.domain.locks import LONGEST_REASON
from bot.domain.operation import Dated, Operation, Outcome, Request, Role
from bot.domain.proofs import Proof
from bot.domain.settings import Settings
from bot.handlers.blocks.text import escape
from bot.handlers.forms import (
    Block,
    Field,
    FileField,
    Form,
    FormRefused,
    TextField,
    TickField,
    Values,
    message_view,
    notes_block,
    section,
    subject_block,
)
from bot.handlers.request import Call
from bot.observe import outcome as ending

CommandT = TypeVar("CommandT")
OutcomeT = TypeVar("OutcomeT", bound=Outcome)
Answer = dict[str, Any]


SURE = TickField("sure", "Again", text="I looked: this is not the same")
PAST_LOCK = TextField(
    "past_lock",
    "Reason to post on the locked day",
    needed=False,
    longest=LONGEST_REASON,
    hint="A manager may; the reason stays in the audit log. Empty means the first open day.",
    dispatches=True,
)


ASKED_BACK: tuple[Field[Any], ...] = (SURE, PAST_LOCK)  # what a form may ask more once it was checked


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why an operation may be a mistake, and a button to look at what it is about; it asks for a tick."""

    sentence: str
    look: Block
    tick: str = SURE.text


class About(dict[str, Any]):
    """What a form carries. Refuses what is not there: the form may have been opened by another version."""

    def __missing__(self, name: str) -> Any:
        raise Refused("This form is from another version; close it and open it again.")


@dataclass(frozen=True)
class Flow(Generic[CommandT, OutcomeT]):
    """A form bound to an operation: how its values become a command, what the preview shows, what is said after."""

    form: Form
    operation: Operation[CommandT, OutcomeT]
    command: Callable[[Values, Mapping[str, Any], Call], CommandT]
    effect: Callable[[OutcomeT, Settings], Sequence[Block]]
    verb: Callable[[OutcomeT, Settings], str]
    done: Callable[[OutcomeT, Settings], Sequence[Block]]
    fields: Callable[[Mapping[str, Any]], Sequence[Field[Any]]] | None = None
    warn: Callable[[CommandT, Call], "Doubt | None"] | None = None
    shows: Callable[[OutcomeT, Values, Call], Sequence[Block]] | None = None  # what the effect asks of the books

    def fields_for(self, metadata: Mapping[str, Any]) -> Sequence[Field[Any]]:
        return self.fields(metadata) if self.fields is not None else self.form.fields

    def blank(self, values: Values, about: Mapping[str, Any] | None = None, *, home: bool = False) -> Block:
        """The form for a fresh intent, not previewed yet; it knows whether it was opened from the home tab."""
        metadata: dict[str, Any] = {"intent": secrets.token_hex(8), "about": dict(about or {}), "hash": ""}
        if home:
            metadata["home"] = True
        return self._drawn(values, metadata)

    def previewed(self, values: Values, metadata: Mapping[str, Any], call: Call) -> Block:
        """The form with what would happen below it. Refuses what the operation refuses."""
        values, metadata = self._carrying(values, metadata)
        command = self._command(values, metadata, call)
        request = _past_lock(call.request, values)
        outcome = call.desk.preview(self.operation, command, request)
        settings = settings_of(call)
        kept = {**metadata, "hash": content_hash(self.operation, command, request)}
        doubt = self.warn(command, call) if self.warn is not None else None
        return self._drawn(
            values,
            kept,
            effect=[*self.effect(outcome, settings), *(self.shows(outcome, values, call) if self.shows else ())],
            doubt=doubt,
            locked=settings.is_softly_locked and _is_locked_out(outcome) and _may_pass(call),
            alert=doubt.sentence if doubt is not None else "",
            submit=self.verb(outcome, settings),
        )

    def _carrying(self, values: Values, metadata: Mapping[str, Any]) -> tuple[Values, Mapping[str, Any]]:
        """Files once chosen go on with the form until others are chosen: Slack may not show them chosen again."""
        kept = {**metadata.get("files", {})}
        for each in self.fields_for(metadata.get("about", {})):
            if isinstance(each, FileField):
                chosen = values.get(each) or tuple(Proof(**file) for file in kept.get(each.name, ()))
                kept[each.name] = [asdict(file) for file in chosen]
                values = values.but(**{each.name: chosen})
        return values, {**metadata, "files": kept} if kept else metadata

    def _drawn(
        self,
        values: Values,
        metadata: Mapping[str, Any],
        *,
        effect: Sequence[Block] = (),
        doubt: Doubt | None = None,
        locked: bool = False,
        **shown: str,
    ) -> Block:
        """The form, on top the line that says which document it is about, or what it may repeat with a box to tick; for
        a manager whose day is locked, a field for the reason.
        """
        about = metadata.get("about", {})
        above = [subject_block(str(about["line"]))] if "line" in about else []
        above += [notes_block(about["notes"])] if about.get("notes") else []
        above += [doubt.look, replace(SURE, text=doubt.tick).draw(values.get(SURE))] if doubt is not None else []
        below = [PAST_LOCK.draw(values.get(PAST_LOCK))] if locked or values.text(PAST_LOCK) else []
        return self.form.draw(
            values,
            json.dumps(metadata, ensure_ascii=False),
            effect=[*above, *effect, *below],
            fields=self.fields_for(about),
            **shown,
        )

    def open(
        self,
        call: Call,
        values: Values,
        about: Mapping[str, Any] | None = None,
        *,
        preview: bool = False,
        on_top: bool = False,
    ) -> None:
        """Open the form, where asked for on top of the one it was pressed in; a typed fast path opens it previewed,
        with the reason on top when it is refused.
        """
        view = self.blank(values, about, home=call.is_at_home)
        if preview:
            metadata = json.loads(view["private_metadata"])
            try:
                view = self.previewed(values, metadata, call)
            except Refused as refusal:
                view = self._drawn(values, metadata, alert=refusal.sentence)
        show = call.client.views_push if on_top else call.client.views_open
        show(trigger_id=call.trigger_id, view=view)

    def submit(self, call: Call) -> Answer:
        """Preview when the content is new, write when it was previewed."""
        metadata = call.metadata
        about = metadata.get("about", {})
        fields = self.fields_for(about)
        try:
            values, _ = self._carrying(self.form.read(call.view, (*fields, *ASKED_BACK)), metadata)
        except FormRefused as refused:
            ending.set("refused")
            return {"response_action": "errors", "errors": refused.errors}
        try:
            request = _past_lock(call.keyed(f"intent:{About(metadata)['intent']}"), values)
            command = self._command(values, metadata, call)
            if content_hash(self.operation, command, request) != metadata.get("hash"):
                return update(self.previewed(values, metadata, call))
            if self._is_doubtful(command, values, call, request):
                return self._doubted(values, metadata, call)
            outcome = call.desk.carry_out(self.operation, command, request)
        except KeyReused as refusal:
            return update(message_view(self.form.title, [section(escape(refusal.sentence))]))
        except Refused as refusal:
            return self._refused(refusal, values, call, fields)
        return update(message_view("Done", self.done(outcome, settings_of(call))))

    def _command(self, values: Values, metadata: Mapping[str, Any], call: Call) -> CommandT:
        """What the form asks for. Refuses: Refused, also a form that does not carry what it is about."""
        return self.command(values, About(metadata.get("about", {})), call)

    def changed(self, call: Call) -> None:
        """Show the effect as fields change; a form that cannot be previewed yet or changed again is left as it is."""
        metadata = call.metadata
        try:
            values = self.form.read(call.view, (*self.fields_for(metadata.get("about", {})), *ASKED_BACK))
            view = self.previewed(values, metadata, call)
        except (Refused, FormRefused):
            return
        try:
            call.client.views_update(view_id=call.view["id"], hash=call.view["hash"], view=view)
        except SlackApiError as fault:
            if fault.response.get("error") not in OVERTAKEN:
                raise

    def _is_doubtful(self, command: CommandT, values: Values, call: Call, request: Request) -> bool:
        """Whether a tick is missing; what was done under this key already is not doubted again."""
        if self.warn is None or values.ticked(SURE) or self.warn(command, call) is None:
            return False
        return not call.desk.was_done(request)

    def _doubted(self, values: Values, metadata: Mapping[str, Any], call: Call) -> Answer:
        """Under the box when it was there to be ticked; else the form with the box, for somebody was quicker."""
        if SURE.name not in call.view["state"]["values"]:
            return update(self.previewed(values, metadata, call))
        return {"response_action": "errors", "errors": {SURE.name: "Tick this if it is not the same; else cancel."}}

    def _refused(self, refusal: Refused, values: Values, call: Call, fields: Sequence[Field[Any]]) -> Answer:
        """Under the field at fault, or as an alert on top with everything typed kept."""
        ending.set("refused")
        if refusal.field in {each.name for each in fields}:
            return {"response_action": "errors", "errors": {str(refusal.field): refusal.sentence}}
        return update(self._drawn(values, {**call.metadata, "hash": ""}, alert=refusal.sentence))


@dataclass
class Flows:
    """All flows by callback id; the same id twice is a mistake of ours."""

    by_id: dict[str, Flow[Any, Any]] = field(default_factory=dict)

    def add(self, flow: Flow[Any, Any]) -> None:
        assert flow.form.callback_id not in self.by_id, flow.form.callback_id
        self.by_id[flow.form.callback_id] = flow


FLOWS = Flows()
# The form was drawn anew or closed meanwhile; what overtook this change shows its own effect.
OVERTAKEN = frozenset({"hash_conflict", "not_found", "view_not_found"})


def flow(made: Flow[CommandT, OutcomeT]) -> Flow[CommandT, OutcomeT]:
    """Enter a flow in the list that the app registers."""
    FLOWS.add(made)
    return made


def _past_lock(request: Request, values: Values) -> Request:
    return replace(request, past_lock=values.text(PAST_LOCK).strip())


def _is_locked_out(outcome: object) -> bool:
    return isinstance(outcome, Dated) and outcome.is_locked_out


def _may_pass(call: Call) -> bool:
    actor = call.request.actor
    person = call.desk.store.read(lambda books: books.person(actor.team, actor.user), call.request.deadline)
    return person is not None and person.role >= Role.MANAGER


def update(view: Block) -> Answer:
    return {"response_action": "update", "view": view}


def settings_of(call: Call) -> Settings:
    return call.desk.store.read(lambda books: books.settings(), call.request.deadline)
