"""Payloads made by hand, signed and delivered like any other: what nobody could send from a screen."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.domain.customers import Customer, Mode
from bot.domain.withdrawals import Gateway, RequestWithdrawal, request_withdrawal
from bot.handlers.flow import Flow
from bot.handlers.forms import Values
from sandbox.deliver.payloads import Payloads
from sandbox.state import Message, OpenView
from sandbox.state.elements import every_element
from tests.domain.credit_stages import consumed, credited, credited_by_notes
from tests.domain.reminder_stages import planned
from tests.slack import FINANCE, Slack
from tests.world import OWNER, money

TOLD_BY = ("response_url", "views.", "chat.", "files.")
NAME, AMOUNTS = "Zanzibar Spice Holdings", ("731.29", "612.47", "41.83")


@dataclass
class Post:
    """Posts payloads and reads everything that the bot said because of them."""

    slack: Slack
    said: list[Mapping[str, Any]] = field(default_factory=list)  # all that came of the last one
    answer: Any = None

    @property
    def payloads(self) -> Payloads:
        return Payloads(self.slack.sandbox.workspace)

    def send(self, kind: str, body: Mapping[str, Any], team: str | None = None) -> str:
        """Deliver a payload, as one from another team if that is asked for; all that was said, as one text."""
        workspace = self.slack.sandbox.workspace
        workspace.traffic.clear()
        given = body if team is None else _of_team(body, team)
        delivery = self.slack.sandbox.deliver(kind, given)
        assert delivery.status == 200, (delivery.status, delivery.answer)
        self.said = [each["request"] for each in workspace.traffic if _tells(each)]
        self.answer = json.loads(delivery.answer) if delivery.answer else None
        return json.dumps([delivery.answer, *self.said], ensure_ascii=False)

    def command(self, user: str, name: str, text: str, team: str | None = None) -> str:
        channel = self.slack.sandbox.workspace.channel(FINANCE)
        return self.send("slash_commands", self.payloads.command(user, channel, f"/{name}", text), team)

    def press(self, user: str, action_id: str, value: Mapping[str, Any], team: str | None = None) -> str:
        """Press something on the newest card, whether it is there or not."""
        kind = "overflow" if "selected_option" in value else "button"
        element = {"type": kind, "action_id": action_id}
        body = self.payloads.action(user, "forged", element, value, self.card)
        return self.send("interactive", body, team)

    def submit(
        self,
        user: str,
        flow: Flow[Any, Any],
        metadata: str | None = None,
        state: Mapping[str, Any] | None = None,
        team: str | None = None,
    ) -> str:
        """Submit a form that need not have been opened."""
        return self.send("interactive", self.submission(user, flow.blank(Values()), metadata, state), team)

    def submission(
        self, user: str, view: Mapping[str, Any], metadata: str | None = None, state: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        kept = {} if metadata is None else {"private_metadata": metadata}
        opened = OpenView(id="V0FORGED", user=user, view={**view, **kept}, hash="1.forged", root="V0FORGED")
        opened.state = {block: {block: dict(value)} for block, value in (state or {}).items()}
        return self.payloads.submission(opened)

    def suggest(self, user: str, name: str, text: str, team: str | None = None) -> str:
        return self.send("interactive", self.payloads.suggestion(user, name, name, text, self.card), team)

    def shortcut(self, user: str, callback_id: str, on: str, team: str | None = None) -> str:
        message = self.card if on == "message" else None
        return self.send("interactive", self.payloads.shortcut(user, callback_id, message), team)

    def reply(self, user: str, text: str, team: str, thread: Message) -> str:
        """Say something in a thread."""
        workspace = self.slack.sandbox.workspace
        event = {
            "type": "message",
            "channel": thread.channel,
            "user": user,
            "team": team,
            "text": text,
            "ts": workspace.new_ts(),
            "thread_ts": thread.ts,
        }
        return self.send("events_api", self.payloads.event(event))

    @property
    def card(self) -> Message:
        return self.roots(FINANCE)[-1]

    def roots(self, channel: str) -> list[Message]:
        """The cards of a channel."""
        found = self.slack.sandbox.workspace.messages[channel]
        return [each for each in found if each.only_for is None and each.thread_ts in {None, each.ts}]

    def drawn(self) -> dict[str, list[dict[str, Any]]]:
        """What the buttons and menus of all cards carry, by action."""
        made: dict[str, list[dict[str, Any]]] = {}
        for channel in (FINANCE, "C0APPROVALS"):
            for message in self.roots(channel):
                for _, element in every_element(message.blocks):
                    offered = [{"selected_option": each} for each in element.get("options", ())]
                    carried = offered or [{"value": element["value"]}] if offered or "value" in element else []
                    made.setdefault(str(element["action_id"]), []).extend(carried)
        return made


def stocked(slack: Slack) -> Customer:
    """A book with a document of every kind, all cards posted."""
    world = slack.world
    slack.type("/duedesk settings approvals_channel #approvals", by=OWNER)
    acme = world.customer(name=f"Acme {NAME}", mode=Mode.PREPAID)
    world.pay(AMOUNTS[0], acme)
    world.invoice(acme, AMOUNTS[1], auto=False)
    credited(world, world.customer("GIVEN", mode=Mode.PREPAID))
    credited_by_notes(world)
    consumed(world)
    command = RequestWithdrawal(
        customer_id=acme.id, amount=money(AMOUNTS[2]), gateway=Gateway.CHEQUE, reason="Contract ended"
    )
    world.do(request_withdrawal, command)
    planned(world, "LATE")
    slack.deliver()
    world.store.seal()
    return acme


def _tells(entry: Mapping[str, Any]) -> bool:
    return entry["direction"] == "from app" and str(entry["name"]).startswith(TOLD_BY)


def _of_team(body: Mapping[str, Any], team: str) -> dict[str, Any]:
    """The payload of somebody with the same id in another workspace."""
    if "user" in body:
        return {**body, "user": {**body["user"], "team_id": team}, "team": {"id": team, "domain": "other"}}
    return {**body, "team_id": team}
