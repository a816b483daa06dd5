"""Forms: filling every kind of field, submitting, and what the answer does to the stack."""

import time
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

from sandbox.client import NotThere
from tests.sandbox.conftest import ANA, OPTIONS, Stage, field, form, noting, plain, section


def heard(stage: Stage) -> list[dict[str, Any]]:
    """Let submissions close the form; returns what is submitted."""
    seen: list[dict[str, Any]] = []
    stage.app.view("payment")(noting(seen))
    return seen


def test_every_kind_of_field_is_filled_by_its_label(stage: Stage) -> None:
    seen = heard(stage)
    stage.app.options("customer_value")(
        lambda ack, payload: ack(options=[each for each in OPTIONS if payload["value"] in each["text"]["text"]])
    )
    stage.open_form(
        field("note", "Note", "plain_text_input"),
        field("amount", "Amount", "number_input", is_decimal_allowed=True),
        field("day", "Day", "datepicker"),
        field("customer", "Customer", "external_select", min_query_length=2),
        field("method", "Method", "static_select", options=OPTIONS),
        field("several", "Several", "multi_static_select", options=OPTIONS),
        field("boxes", "Boxes", "checkboxes", options=OPTIONS),
        field("who", "Who", "users_select"),
        field("where", "Where", "conversations_select"),
        field("proof", "Proof", "file_input", filetypes=["pdf"]),
        field("at", "At", "timepicker"),
    )
    proof = stage.ana.upload("proof.pdf", b"%PDF")
    stage.ana.fill(
        {
            "Note": "hello",
            "Amount": "12.50",
            "Day": "2026-11-23",
            "Customer": "Sea",
            "Method": "c3",
            "Several": ["c1", "Bolt Works"],
            "boxes": ["c2"],
            "Who": ANA,
            "Where": "C0FINANCE",
            "Proof": [proof],
            "At": "09:30",
        }
    )
    assert stage.ana.submit()["ok"]
    values = seen[0]["view"]["state"]["values"]
    assert values["note"]["note_value"] == {"type": "plain_text_input", "value": "hello"}
    assert values["amount"]["amount_value"] == {"type": "number_input", "value": "12.50"}
    assert values["day"]["day_value"]["selected_date"] == "2026-11-23"
    assert values["customer"]["customer_value"]["selected_option"]["value"] == "c2"
    assert values["method"]["method_value"]["selected_option"] == OPTIONS[2]
    assert [each["value"] for each in values["several"]["several_value"]["selected_options"]] == ["c1", "c3"]
    assert values["who"]["who_value"]["selected_user"] == ANA
    assert values["proof"]["proof_value"]["files"][0]["id"] == proof
    assert stage.ana.modal is None


def test_what_is_not_on_the_form_cannot_be_filled_or_chosen(stage: Stage) -> None:
    stage.open_form(field("method", "Method", "static_select", options=OPTIONS), field("day", "Day", "datepicker"))
    for values in ({"Amount": "1"}, {"Method": "c9"}, {"Day": "23/11/2026"}):
        with pytest.raises(NotThere):
            stage.ana.fill(values)
    with pytest.raises(NotThere):
        stage.ben.submit()


@pytest.mark.parametrize(
    ("kind", "more", "typed"),
    [
        ("plain_text_input", {}, None),
        ("plain_text_input", {"max_length": 3}, "four"),
        ("plain_text_input", {"min_length": 5}, "four"),
        ("number_input", {"is_decimal_allowed": False}, "1.5"),
        ("number_input", {"is_decimal_allowed": True}, "SGD 5"),
        ("number_input", {"is_decimal_allowed": True, "min_value": "1"}, "0"),
        ("email_text_input", {}, "nobody"),
        ("url_text_input", {}, "example"),
    ],
)
def test_what_the_client_refuses_is_never_sent(stage: Stage, kind: str, more: dict[str, Any], typed: Any) -> None:
    seen = heard(stage)
    stage.open_form(field("only", "Only", kind, **more))
    stage.ana.fill({"Only": typed})
    answer = stage.ana.submit()
    assert not answer["ok"]
    assert set(answer["errors"]) == {"only"}
    assert seen == []


def test_errors_stand_under_their_fields_and_what_was_typed_stays(stage: Stage) -> None:
    stage.app.view("payment")(lambda ack: ack(response_action="errors", errors={"note": "Not like this."}))
    stage.open_form(field("note", "Note", "plain_text_input"))
    stage.ana.fill({"Note": "hello"})
    assert stage.ana.submit()["errors"] == {"note": "Not like this."}
    view = stage.ana.modal
    assert view is not None
    assert view["state"]["values"]["note"]["note_value"]["value"] == "hello"


def test_update_push_and_clear_act_on_the_stack_which_ends_at_three(stage: Stage) -> None:
    answers: list[dict[str, Any]] = []
    stage.app.view("payment")(lambda ack: ack(**answers.pop(0)))
    note = field("note", "Note", "plain_text_input", optional=True)
    stage.open_form(note)
    stage.ana.fill({"Note": "kept"})
    answers.append({"response_action": "update", "view": form(section("Checked"), note, title="Again")})
    stage.ana.submit()
    top = stage.ana.modal
    assert top is not None
    assert top["title"]["text"] == "Again"
    assert top["state"]["values"]["note"]["note_value"]["value"] == "kept"
    for _ in range(2):
        answers.append({"response_action": "push", "view": form(note)})
        assert stage.ana.submit()["ok"]
    assert len(stage.ana.modals) == 3
    assert stage.ana.modals[2]["root_view_id"] == stage.ana.modals[0]["id"]
    answers.append({"response_action": "push", "view": form(note)})
    assert stage.ana.submit()["error"] == "push_limit_reached"
    answers.append({"response_action": "clear"})
    stage.ana.submit()
    assert stage.ana.modals == []


def test_a_field_that_asks_for_it_tells_the_app_while_it_is_filled(stage: Stage) -> None:
    seen: list[dict[str, Any]] = []

    def changed(ack: Any, body: dict[str, Any], client: Any) -> None:
        seen.append(body)
        ack()
        client.views_update(view_id=body["view"]["id"], hash=body["view"]["hash"], view=form(section("Live"), amount))

    amount = field("amount", "Amount", "number_input", is_decimal_allowed=True, dispatch_action=True)
    stage.app.action("amount_value")(changed)
    stage.open_form(amount)
    stage.ana.fill({"Amount": "5"})
    assert seen[0]["actions"][0]["value"] == "5"
    assert seen[0]["container"] == {"type": "view", "view_id": seen[0]["view"]["id"]}
    view = stage.ana.modal
    assert view is not None
    assert view["blocks"][0]["text"]["text"] == "Live"
    assert view["state"]["values"]["amount"]["amount_value"]["value"] == "5"
    with pytest.raises(SlackApiError, match="hash_conflict"):
        stage.client.views_update(view_id=view["id"], hash=seen[0]["view"]["hash"], view=form(amount))


def test_closing_is_told_when_asked_for_and_can_clear_the_stack(stage: Stage) -> None:
    closed: list[dict[str, Any]] = []
    stage.app.view_closed("payment")(noting(closed))
    stage.open_form(section("Only to read"), notify_on_close=True, clear_on_close=True)
    stage.ana.close()
    assert closed[0]["is_cleared"] is True
    assert stage.ana.modal is None


def test_a_trigger_opens_one_view_within_three_seconds(stage: Stage) -> None:
    triggers: list[str] = []
    stage.app.command("/raw")(noting(triggers, "trigger_id"))
    stage.ana.command("finance", "/raw")
    stage.client.views_open(trigger_id=triggers[0], view=form(section("One")))
    with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
        stage.client.views_open(trigger_id=triggers[0], view=form(section("Two")))
    with pytest.raises(SlackApiError, match="invalid_trigger_id"):
        stage.client.views_open(trigger_id="1.2.3", view=form(section("Two")))
    stage.ana.command("finance", "/raw")
    stage.sandbox.workspace.grants._clock = lambda: time.time() + 3.1
    with pytest.raises(SlackApiError, match="expired_trigger_id"):
        stage.client.views_open(trigger_id=triggers[1], view=form(section("Two")))


def test_a_faulty_view_is_refused_with_the_place_of_the_fault(stage: Stage) -> None:
    with pytest.raises(SlackApiError) as refused:
        stage.client.views_open(trigger_id="1.2.3", view=form({"type": "section"}))
    assert refused.value.response["error"] == "invalid_arguments"
    assert "[json-pointer:/blocks/0" in refused.value.response["response_metadata"]["messages"][0]


def test_an_external_id_stands_for_one_view(stage: Stage) -> None:
    stage.open_form(section("One"), external_id="x1")
    home = {"type": "home", "external_id": "x1", "blocks": [section("Home")]}
    with pytest.raises(SlackApiError, match="duplicate_external_id"):
        stage.client.views_publish(user_id=ANA, view=home)
    stage.client.views_update(external_id="x1", view=form(section("Two"), external_id="x1"))


def test_a_home_tab_is_published_pressed_and_replaced_only_with_its_hash(stage: Stage) -> None:
    button = {"type": "button", "action_id": "go", "text": plain("Go"), "value": "v1"}
    home = {"type": "home", "blocks": [{"type": "actions", "block_id": "row", "elements": [button]}]}
    stage.app.event("app_home_opened")(lambda event, client: client.views_publish(user_id=event["user"], view=home))
    pressed: list[dict[str, Any]] = []
    stage.app.action("go")(noting(pressed))
    view = stage.ana.open_home()
    assert view is not None
    stage.ana.press(view, "Go")
    assert pressed[0]["actions"][0]["value"] == "v1"
    assert pressed[0]["view"]["type"] == "home"
    assert stage.ben.home is None
    with pytest.raises(SlackApiError, match="hash_conflict"):
        stage.client.views_publish(user_id=ANA, view=home, hash="old")
