"""Proof of payment: given in a form, kept by reference, copied into the payment's thread."""

import json
from typing import Any

import pytest

from bot.domain.payments import AttachProofs, attach_proofs
from bot.domain.proofs import MOST_PROOFS, Proof
from bot.jobs import proofs
from bot.jobs.proofs import Unreadable, download
from sandbox.client import shown
from sandbox.state import File
from tests.domain.expect import ask_sql
from tests.slack import FINANCE, Slack
from tests.world import CLERK, VIEWER

SLIP = b"%PDF-1.4 a slip"


def record(slack: Slack, *names: str) -> list[str]:
    """A payment recorded with files, previewed first; their ids."""
    slack.type("/payment")
    ids = [slack.clerk.upload(name, SLIP) for name in names]
    answer = slack.fill({"Customer": "ACME", "Amount": "45", "Proof": ids})
    assert answer["ok"], answer
    return ids


def copies(slack: Slack) -> list[dict[str, Any]]:
    """The files that stand in the thread of the payment's card."""
    card = slack.card("PAY-0001")
    found = [each for each in slack.clerk.messages("finance") if each.get("thread_ts") == card["ts"]]
    return [file for message in found for file in message.get("files") or []]


def content(slack: Slack, file: dict[str, Any]) -> bytes | None:
    return slack.sandbox.workspace.files[file["id"]].content


@pytest.fixture
def acme(slack: Slack) -> Slack:
    slack.world.customer()
    return slack


def test_files_of_the_form_are_kept_by_reference_and_copied_into_the_thread(acme: Slack) -> None:
    ids = record(acme, "slip.pdf", "mail <!channel> *bold*.txt")
    card = acme.card("PAY-0001")
    assert "Proof 2 files, in the thread" in shown(card)
    first, second = copies(acme)
    assert (first["title"], second["title"]) == ("slip.pdf", "mail <!channel> *bold*.txt")
    assert content(acme, first) == content(acme, second) == SLIP
    assert {first["id"], second["id"]}.isdisjoint(ids)
    kept = ask_sql(acme.world, "SELECT file_id, name, size FROM payment_proof ORDER BY name")
    assert [tuple(row) for row in kept] == [
        (ids[1], "mail <!channel> *bold*.txt", len(SLIP)),
        (ids[0], "slip.pdf", len(SLIP)),
    ]
    assert "slip.pdf" in ask_sql(acme.world, "SELECT after FROM audit WHERE event = 'Record payment'")[0][0]
    acme.world.check()


def test_what_was_chosen_is_shown_in_the_preview_and_goes_on_when_the_form_comes_back_empty(acme: Slack) -> None:
    acme.type("/payment")
    acme.clerk.fill({"Customer": "ACME", "Amount": "45", "Proof": [acme.clerk.upload("slip.pdf", SLIP)]})
    acme.clerk.submit()
    assert "With 1 file as proof:" in shown(acme.clerk.modal or {})
    assert "slip.pdf" in shown(acme.clerk.modal or {})
    acme.clerk.fill({"Proof": []})
    assert acme.clerk.submit()["ok"]
    assert [file["title"] for file in copies(acme)] == ["slip.pdf"]


def test_the_same_submission_twice_keeps_and_copies_each_file_once(acme: Slack) -> None:
    record(acme, "slip.pdf")
    delivery = next(
        each
        for each in reversed(acme.sandbox.workspace.deliveries.values())
        if each.body.get("type") == "view_submission"
    )
    acme.sandbox.redeliver(delivery.id, times=4, parallel=True)
    assert len(copies(acme)) == acme.count("payment_proof") == 1


def test_proof_is_added_later_from_the_card_and_does_not_stop_an_undo(acme: Slack) -> None:
    record(acme)
    card = acme.card("PAY-0001")
    assert "Proof" not in shown(card).replace("Add proof", "")
    acme.clerk.press(card, "payment_more", choice="Add proof")
    slip = acme.clerk.upload("late.png", SLIP)
    assert acme.fill({"Proof": [slip]})["ok"]
    assert "Proof 1 file, in the thread" in shown(acme.card("PAY-0001"))
    assert [file["title"] for file in copies(acme)] == ["late.png"]
    acme.clerk.close()
    acme.type("/payment proof PAY-0001")
    assert not acme.fill({"Proof": [slip]})["ok"]
    assert acme.count("payment_proof") == 1
    acme.clerk.press(card, "Undo", stale=True)
    assert "void" in acme.card("PAY-0001")["text"]
    acme.world.check()


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["macro.xlsm"], "is not of a type"),
        ([f"{number}.pdf" for number in range(MOST_PROOFS + 1)], "at most 10"),
    ],
)
def test_a_file_that_cannot_be_taken_is_refused_under_the_field(acme: Slack, names: list[str], says: str) -> None:
    acme.type("/payment")
    ids = [acme.clerk.upload(name, SLIP) for name in names]
    acme.clerk.fill({"Customer": "ACME", "Amount": "45", "Proof": ids})
    assert says in acme.clerk.submit()["errors"]["proof"]
    assert acme.count("payment") == 0


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ({"id": "F1", "name": "run.exe", "size": 5}, "cannot be taken"),
        ({"id": "F1", "name": "slip.pdf", "size": 0}, "is empty"),
        ({"id": "../F1", "name": "slip.pdf", "size": 5}, "Choose the file once more"),
        ({"name": "slip.pdf"}, "Choose the file once more"),
        ("odd", "Choose the file once more"),
    ],
)
def test_a_payload_made_by_hand_is_refused_under_the_field(acme: Slack, file: Any, says: str) -> None:
    acme.type("/payment")
    acme.clerk.fill({"Customer": "ACME", "Amount": "45"})
    acme.clerk.submit()
    sent = next(
        each
        for each in reversed(acme.sandbox.workspace.deliveries.values())
        if each.body.get("type") == "view_submission"
    )
    body = json.loads(json.dumps(sent.body))
    body["view"]["state"]["values"]["proof"] = {"proof": {"type": "file_input", "files": [file]}}
    answer = json.loads(acme.sandbox.deliver("interactive", body).answer)
    assert says in answer["errors"]["proof"]
    assert acme.count("payment_proof") == 0


def test_a_viewer_adds_no_proof(acme: Slack) -> None:
    record(acme)
    assert "needs the right of a clerk" in acme.type("/payment proof PAY-0001", by=VIEWER)


def test_a_void_payment_takes_no_proof(acme: Slack) -> None:
    record(acme)
    acme.clerk.press(acme.card("PAY-0001"), "Undo")
    acme.type("/payment proof PAY-0001")
    acme.fill({"Proof": [acme.clerk.upload("slip.pdf", SLIP)]})
    assert "is void" in shown(acme.clerk.modal or {})
    assert acme.count("payment_proof") == 0


def later(slack: Slack) -> None:
    """What was put off is due now."""
    slack.world.store.database.write(
        lambda connection: connection.exec_driver_sql("UPDATE outbox SET not_before = recorded_at"), None
    )


@pytest.mark.parametrize(
    ("method", "kind", "more"),
    [
        ("files.info", "server_error", {}),
        ("files.info", "ratelimited", {"retry_after": "1"}),
        ("files.info", "drop_before", {}),
        ("files.getUploadURLExternal", "server_error", {}),
        ("files.completeUploadExternal", "drop_before", {}),
        ("files.completeUploadExternal", "timeout_after", {}),
    ],
)
def test_a_fault_of_slack_loses_no_proof_and_doubles_none(
    acme: Slack, method: str, kind: str, more: dict[str, Any]
) -> None:
    acme.sandbox.faults.add(method, kind, **more)
    record(acme, "slip.pdf")
    assert copies(acme) == [] or kind == "timeout_after"
    later(acme)
    assert [file["title"] for file in copies(acme)] == ["slip.pdf"]
    later(acme)
    assert len(copies(acme)) == 1


def thread_says(slack: Slack) -> str:
    return "\n".join(slack.thread(slack.card("PAY-0001")))


def test_a_file_that_was_deleted_or_is_too_large_is_said_in_the_thread(
    acme: Slack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proofs, "MOST_BYTES", len(SLIP) - 1)
    gone, _ = record(acme, "gone.pdf", "large.pdf")
    del acme.sandbox.workspace.files[gone]
    said = thread_says(acme)
    assert "Proof gone.pdf: it was deleted in Slack" in said
    assert "Proof large.pdf: it is larger than" in said
    assert copies(acme) == []


def test_a_file_that_is_handed_out_no_more_is_not_tried_again(acme: Slack) -> None:
    (slip,) = record(acme, "slip.pdf")
    address = f"{acme.address}/files/{slip}/nothing"
    acme.sandbox.workspace.files[slip].content = None
    with pytest.raises(Unreadable, match="does not hand it out"):
        download(acme.duedesk.client, address)


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/files/F1",
        "http://files.slack.com/files/F1",
        "https://files.slack.com.evil.example/F1",
        "https://files.slack.com@evil.example/F1",
        "https://files.slack.com:8443/F1",
        "http://127.0.0.1:1/files/F1",
        "file:///etc/passwd",
        "",
    ],
)
def test_the_token_goes_to_no_address_but_slacks(acme: Slack, address: str) -> None:
    with pytest.raises(Unreadable, match="elsewhere"):
        download(acme.duedesk.client, address)


def test_the_token_follows_no_redirect(acme: Slack) -> None:
    with pytest.raises(Unreadable, match="elsewhere"):
        download(acme.duedesk.client, f"{acme.address}/archives/{FINANCE}/p1700000000000100")


def test_a_file_that_comes_in_another_size_is_asked_for_again(acme: Slack) -> None:
    """Such as a page that asks to sign in, which Slack answers with as if it were the file."""
    (slip,) = record(acme, "slip.pdf")
    file: File = acme.sandbox.workspace.files[slip]
    file.content = b"<html>Please sign in"
    assert copies(acme) == []
    assert ask_sql(acme.world, "SELECT state, error FROM outbox WHERE kind = 'proof'")[0] == ("waiting", "OSError")
    file.content = SLIP
    later(acme)
    assert len(copies(acme)) == 1


def test_a_new_card_waits_for_no_file(acme: Slack) -> None:
    acme.sandbox.faults.add("files.info", "ratelimited", retry_after="600")
    record(acme, "slip.pdf")
    acme.clerk.press(acme.card("PAY-0001"), "Undo")
    assert "void" in acme.card("PAY-0001")["text"]
    assert copies(acme) == []


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_an_app_without_the_right_to_files_gives_up_visibly(acme: Slack) -> None:
    acme.sandbox.faults.add("files.info", "error", error="missing_scope")
    record(acme, "slip.pdf")
    acme.deliver()
    assert ask_sql(acme.world, "SELECT state, error FROM outbox WHERE kind = 'proof'")[0] == ("failed", "missing_scope")


def test_the_desk_itself_refuses_what_no_form_sends(acme: Slack) -> None:
    made = acme.world.pay(5)
    many = tuple(Proof(file_id=f"F{number}", name="a.pdf", size=1) for number in range(MOST_PROOFS + 1))
    for given, says in (((), "Choose the file"), (many, "at most 10")):
        with pytest.raises(Exception, match=says):
            acme.world.do(attach_proofs, AttachProofs(payment_id=made.payment.id, proofs=given), by=CLERK)
    assert acme.count("payment_proof") == 0
