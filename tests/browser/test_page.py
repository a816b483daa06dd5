"""The page as people use it: typing, pressing, filling in and reading, against the real local workspace."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import APIResponse, Locator, Route, expect

from sandbox.state import BOT_USER, Message
from tests.browser.conftest import Stage
from tests.browser.gallery import HOSTILE, figure_blocks, payment_card, text_blocks

NAMELESS = """() => {
    const wordsOf = (node) => {
        const ids = (node.getAttribute("aria-labelledby") ?? "").split(" ");
        const labels = [...(node.labels ?? []), ...ids.map((id) => document.getElementById(id))];
        return [node.getAttribute("aria-label"), node.textContent, ...labels.map((each) => each?.textContent)];
    };
    const all = [...document.querySelectorAll("button, a[href], input, select, textarea")];
    return all.filter((node) => !wordsOf(node).some((each) => each?.trim())).map((node) => node.outerHTML);
}"""
CLERKS_STATE = "**/client/state?user=U0CLERK*"
pytestmark = pytest.mark.browser


def choose(stage: Stage, modal: Locator, block_id: str, *names: str) -> None:
    box = modal.get_by_test_id(f"field-{block_id}").get_by_role("combobox")
    for name in names:
        box.click()
        box.fill(name[:3])
        stage.page.get_by_role("option", name=re.compile(re.escape(name))).click()
    box.press("Tab")


def open_form(stage: Stage, line: str = "/form all") -> Locator:
    stage.type(0, line)
    modal = stage.pane(0).get_by_test_id("modal")
    modal.wait_for()
    return modal


def wait_until(stage: Stage, happened: Callable[[], bool]) -> None:
    for _ in range(500):
        if happened():
            return
        stage.page.wait_for_timeout(20)
    pytest.fail("it did not happen within ten seconds")


def test_typing_a_slash_offers_the_commands_with_their_hints(stage: Stage) -> None:
    composer = stage.pane(0).get_by_test_id("composer")
    composer.press_sequentially("/")
    offered = stage.pane(0).get_by_test_id("completion")
    expect(offered.get_by_role("option")).to_have_count(3)
    composer.press_sequentially("sh")
    expect(offered.get_by_role("option")).to_have_text(["/showcard | hostileShow something"])
    composer.press("Tab")
    expect(composer).to_have_value("/show ")
    expect(offered).to_be_hidden()
    composer.press_sequentially("@ma")
    composer.press("Enter")
    expect(composer).to_have_value("/show @marcus ")


def test_a_stage_is_ready_only_when_the_slower_pane_is(stage: Stage) -> None:
    held: list[tuple[Route, APIResponse]] = []
    stage.page.route(CLERKS_STATE, lambda route: held.append((route, route.fetch())))
    stage.page.reload()
    stage.pane(1).get_by_test_id("composer").wait_for()
    wait_until(stage, lambda: len(held) == 1)
    expect(stage.pane(0).get_by_test_id("composer")).to_be_hidden()
    late, answer = held[0]
    late.fulfill(response=answer)
    stage.wait()
    stage.page.unroute(CLERKS_STATE)
    stage.pane(0).get_by_test_id("composer").press_sequentially("/")
    expect(stage.pane(0).get_by_test_id("completion").get_by_role("option")).to_have_count(3)


def test_arrow_up_brings_back_the_last_line(stage: Stage) -> None:
    stage.type(0, "first line")
    composer = stage.pane(0).get_by_test_id("composer")
    expect(composer).to_have_value("")
    composer.press("ArrowUp")
    expect(composer).to_have_value("first line")
    composer.press("ArrowDown")
    expect(composer).to_have_value("")


def test_what_one_person_says_the_other_reads(stage: Stage) -> None:
    stage.type(0, "paid *today* & <soon>")
    said = stage.last(1)
    expect(said).to_contain_text("paid today & <soon>")
    expect(said.locator("strong", has_text="today")).to_be_visible()
    expect(said.locator(".author")).to_have_text("Clara Lim")


def test_an_ephemeral_answer_is_for_one_person_and_can_be_dismissed(stage: Stage) -> None:
    stage.type(0, "/show me")
    answer = stage.last(0)
    expect(answer).to_contain_text("Only visible to you")
    expect(answer).to_contain_text("Only you see this, @Clara Lim.")
    expect(stage.pane(1).get_by_text("Only you see this")).to_have_count(0)
    answer.get_by_test_id("dismiss").click()
    expect(stage.pane(0).get_by_text("Only you see this")).to_have_count(0)


def test_a_command_that_is_not_there_or_comes_too_late_is_told_by_slackbot(stage: Stage) -> None:
    stage.type(0, "/nothing here")
    expect(stage.last(0)).to_contain_text("/nothing is not a valid command")
    stage.type(0, "/slow now")
    expect(stage.pane(0).get_by_test_id("waiting")).to_contain_text("/slow")
    expect(stage.last(0)).to_contain_text("/slow failed with the error", timeout=9000)
    expect(stage.last(0).locator(".author")).to_have_text("Slackbot")
    expect(stage.pane(0).get_by_test_id("waiting")).to_be_empty()


def test_a_card_is_drawn_with_fields_names_and_the_readers_own_time(stage: Stage) -> None:
    stage.type(0, "/show card")
    card = stage.last(1)
    expect(card).to_contain_text("Payment PAY-0107 · Acme Pte Ltd · SGD 500.00")
    expect(card.locator(".fields > .words")).to_have_count(4)
    expect(card.locator(".mention", has_text="@Clara Lim")).to_be_visible()
    expect(card.locator("s")).to_have_text("620.00")
    singapore = stage.last(0).locator(".context time").inner_text()
    london = card.locator(".context time").inner_text()
    assert (singapore[-5:], london[-5:]) == ("08:00", "00:00")


def test_a_button_acts_and_its_answer_stands_in_the_thread(stage: Stage) -> None:
    stage.post(payment_card())
    stage.last(0).get_by_test_id("action-details").click()
    link = stage.last(0).get_by_test_id("thread-link")
    expect(link).to_contain_text("1 reply")
    link.click()
    thread = stage.pane(0).get_by_test_id("thread")
    expect(thread.get_by_test_id("message")).to_have_count(2)
    reply = thread.get_by_test_id("thread-composer")
    reply.fill("seen")
    reply.press("Enter")
    expect(thread.get_by_test_id("message")).to_have_count(3)
    expect(stage.last(1).get_by_test_id("thread-link")).to_contain_text("2 replies")
    reply.fill("/show card")
    reply.press("Enter")
    expect(thread.get_by_test_id("message").last).to_contain_text("not supported in threads")
    assert stage.gallery.actions[0]["value"] == "PAY-0107"


def test_a_dangerous_button_asks_first(stage: Stage) -> None:
    stage.post(payment_card())
    undo = stage.last(0).get_by_test_id("action-undo")
    undo.click()
    dialog = stage.pane(0).get_by_test_id("confirm")
    expect(dialog).to_contain_text("SGD 500.00 of Acme Pte Ltd will be reversed.")
    dialog.get_by_test_id("confirm-no").click()
    assert stage.gallery.actions == []
    undo.click()
    with stage.page.expect_response("**/client/action"):
        dialog.get_by_test_id("confirm-yes").click()
    assert [each["action_id"] for each in stage.gallery.actions] == ["undo"]


def test_an_overflow_menu_sends_the_choice(stage: Stage) -> None:
    stage.post(payment_card())
    stage.last(0).get_by_test_id("action-more").click()
    with stage.page.expect_response("**/client/action"):
        stage.page.get_by_role("menuitem", name="Receipt").click()
    assert stage.gallery.actions[0]["selected_option"]["value"] == "receipt"


def test_hostile_text_is_shown_as_it_is(stage: Stage) -> None:
    stage.type(0, "/show hostile")
    expect(stage.last(0)).to_contain_text(HOSTILE)
    stage.type(0, HOSTILE)
    expect(stage.last(1)).to_contain_text("<img src=x onerror=alert(1)> <script>alert(2)</script>")
    assert stage.page.locator(".message img, .message script").count() == 0


def test_every_kind_of_field_is_filled_in_and_sent_as_slack_sends_it(stage: Stage, tmp_path: Path) -> None:
    modal = open_form(stage)
    choose(stage, modal, "customer", "Acme Pte Ltd")
    for block_id, words in (
        ("amount", "500.00"),
        ("reference", "TT-881"),
        ("remark", "two\nlines"),
        ("mail", "ap@acme.example"),
        ("link", "https://acme.example/1"),
        ("received", "2026-11-21"),
        ("at", "09:30"),
        ("until", "2026-11-23T12:00"),
        ("note", "as agreed"),
    ):
        modal.get_by_test_id(f"action-{block_id}_value").fill(words)
    choose(stage, modal, "method", "Cash")
    choose(stage, modal, "invoices", "INV-0042", "INV-0051")
    choose(stage, modal, "others", "Borneo Foods")
    choose(stage, modal, "approver", "Marcus Webb")
    choose(stage, modal, "watchers", "Vera Okafor", "Clara Lim")
    choose(stage, modal, "channel", "#finance")
    choose(stage, modal, "channels", "#finance")
    choose(stage, modal, "conversation", "#finance")
    choose(stage, modal, "conversations", "#finance")
    modal.get_by_label("I checked").check()
    modal.get_by_label("By hand").check()
    proof = tmp_path / "proof.csv"
    proof.write_text("a,b\n1,2\n")
    modal.get_by_test_id("action-proof_value").set_input_files(proof)
    expect(modal.get_by_test_id("field-proof")).to_contain_text("proof.csv · 8 B")
    modal.get_by_test_id("modal-submit").click()
    modal.wait_for(state="detached")
    sent = stage.gallery.submitted
    assert {block: value_of(given) for block, given in sent.items()} == {
        "customer": "ACME",
        "amount": "500.00",
        "reference": "TT-881",
        "remark": "two\nlines",
        "mail": "ap@acme.example",
        "link": "https://acme.example/1",
        "received": "2026-11-21",
        "at": "09:30",
        "until": 1_795_406_400,
        "method": "cash",
        "invoices": ["INV-0042", "INV-0051"],
        "others": ["BORNEO"],
        "approver": "U0MANAGER",
        "watchers": ["U0VIEWER", "U0CLERK"],
        "channel": "C0FINANCE",
        "channels": ["C0FINANCE"],
        "conversation": "C0FINANCE",
        "conversations": ["C0FINANCE"],
        "ticks": ["checked"],
        "how": "hand",
        "proof": ["proof.csv"],
        "note": "as agreed",
    }


def value_of(given: dict[str, Any]) -> Any:
    """The value inside a field's state, options by their values and files by their names."""
    (value,) = (each for name, each in given.items() if name != "type")
    if given["type"] == "file_input":
        return [each["name"] for each in value]
    if given["type"] == "rich_text_input":
        return value["elements"][0]["elements"][0]["text"]
    if isinstance(value, list):
        return [each["value"] if isinstance(each, dict) else each for each in value]
    return value["value"] if isinstance(value, dict) else value


def test_errors_stand_under_their_fields_and_nothing_typed_is_lost(stage: Stage) -> None:
    modal = open_form(stage)
    modal.get_by_test_id("action-amount_value").fill("12x")
    modal.get_by_test_id("modal-submit").click()
    expect(modal.get_by_test_id("error-amount")).to_have_text("Please enter a number.")
    expect(modal.get_by_test_id("error-reference")).to_have_text("Please complete this required field.")
    expect(modal.get_by_test_id("action-amount_value")).to_be_focused()
    modal.get_by_test_id("action-amount_value").fill("12")
    expect(modal.get_by_test_id("error-amount")).to_be_empty()
    expect(modal.get_by_test_id("action-received_value")).to_have_value("2026-11-22")
    assert stage.gallery.submitted == {}


def test_typing_survives_what_arrives_meanwhile(stage: Stage) -> None:
    modal = open_form(stage, "/form short")
    word = modal.get_by_test_id("action-word_value")
    expect(word).to_be_focused()
    word.press_sequentially("half")
    stage.type(1, "something else happens")
    expect(stage.last(1)).to_contain_text("something else happens")
    word.click()
    word.press("ArrowLeft")
    stage.post(payment_card())
    expect(stage.last(1)).to_contain_text("PAY-0107")
    word.press_sequentially("-")
    expect(word).to_have_value("hal-f")


def test_modals_stack_and_escape_closes_the_top_one(stage: Stage) -> None:
    modal = open_form(stage, "/form short")
    modal.get_by_test_id("action-word_value").fill("below")
    modal.get_by_test_id("action-deeper").click()
    top = stage.pane(0).get_by_role("dialog", name="Second")
    expect(top.get_by_test_id("action-word_value")).to_be_focused()
    stage.page.keyboard.press("Escape")
    expect(top).to_have_count(0)
    below = stage.pane(0).get_by_role("dialog", name="Short")
    expect(below.get_by_test_id("action-word_value")).to_have_value("below")
    for _ in range(12):
        stage.page.keyboard.press("Tab")
    assert stage.page.evaluate("document.activeElement.closest('[data-testid=modal]') !== null")
    stage.page.keyboard.press("Escape")
    expect(below).to_have_count(0)
    expect(stage.pane(0).get_by_test_id("composer")).to_be_focused()


def test_a_form_that_was_closed_does_not_come_back_with_a_state_asked_for_before(stage: Stage) -> None:
    modal = open_form(stage, "/form short")
    held: list[tuple[Route, APIResponse]] = []
    stage.page.route(CLERKS_STATE, lambda route: held.append((route, route.fetch())))
    stage.post(payment_card())
    wait_until(stage, lambda: len(held) == 1)
    modal.get_by_test_id("action-word_value").press("Escape")
    expect(modal).to_have_count(0)
    late, answer = held[0]
    assert "Short" in answer.text()
    late.fulfill(response=answer)
    wait_until(stage, lambda: len(held) >= 2)
    assert modal.count() == 0
    stage.page.unroute(CLERKS_STATE)


def test_closing_is_told_to_the_app_that_asked_for_it(stage: Stage) -> None:
    modal = open_form(stage)
    with stage.page.expect_response("**/client/close"):
        modal.get_by_test_id("modal-close").click()
    expect(modal).to_have_count(0)
    assert stage.gallery.closed == ["form"]


def test_a_field_tells_the_app_on_enter_only(stage: Stage) -> None:
    modal = open_form(stage)
    amount = modal.get_by_test_id("action-amount_value")
    amount.press_sequentially("500")
    assert stage.gallery.actions == []
    with stage.page.expect_response("**/client/input"):
        amount.press("Enter")
    assert [each["value"] for each in stage.gallery.actions] == ["500"]


def test_shortcuts_of_the_composer_and_of_a_message(stage: Stage) -> None:
    stage.pane(0).get_by_test_id("shortcuts").click()
    stage.page.get_by_role("menuitem", name="Find a customer").click()
    dialog = stage.pane(0).get_by_role("dialog", name="From a shortcut")
    dialog.wait_for()
    stage.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    stage.type(0, "paid 500 by TT-1")
    stage.last(0).hover()
    stage.last(0).get_by_test_id("message-menu").click()
    stage.page.get_by_role("menuitem", name="Record payment").click()
    dialog.wait_for()


def test_the_home_tab_is_drawn_and_can_be_used(stage: Stage) -> None:
    stage.pane(0).get_by_test_id("conversation-home").click()
    home = stage.pane(0).get_by_test_id("home")
    expect(home).to_contain_text("What waits for you")
    with stage.page.expect_response("**/client/action"):
        home.get_by_test_id("action-look").click()
    assert [each["action_id"] for each in stage.gallery.actions] == ["look"]


def test_rich_text_markdown_tables_and_charts_are_drawn(stage: Stage) -> None:
    stage.post(text_blocks())
    words = stage.last(0)
    expect(words.locator("ol li")).to_have_count(2)
    expect(words.locator("time").last).to_have_text("Monday, 23 November 2026 at 08:00")
    expect(words.locator("pre")).to_contain_text("CR bank         500.00")
    expect(words.get_by_role("heading", name="Heading")).to_be_visible()
    stage.post(figure_blocks())
    figures = stage.last(0)
    expect(figures.locator(".data-table tbody tr")).to_have_count(5)
    figures.get_by_role("button", name="Next page").click()
    expect(figures.locator(".data-table tbody tr")).to_have_count(3)
    figures.locator(".data-table").get_by_role("button", name="Total").click()
    expect(figures.locator(".data-table tbody tr").first).to_contain_text("Customer 8")
    expect(figures.locator(".data-table tbody td").first).to_have_class(re.compile("align-right"))
    expect(figures.get_by_role("img", name=re.compile("this week: current 41,200"))).to_be_visible()


def test_a_block_of_an_unknown_type_is_named_not_hidden(stage: Stage) -> None:
    workspace = stage.sandbox.workspace
    blocks = [{"type": "future_block", "block_id": "future"}]
    workspace.add(Message(channel="C0FINANCE", ts=workspace.new_ts(), user=BOT_USER, text="new", blocks=blocks))
    expect(stage.last(0)).to_contain_text("Block of type “future_block”")


def test_everything_that_can_be_used_has_a_name(stage: Stage) -> None:
    stage.post(payment_card())
    stage.last(1).hover()
    stage.last(1).get_by_test_id("reply").click()
    open_form(stage)
    assert stage.page.evaluate(NAMELESS) == []


def test_a_permalink_opens_and_marks_the_message(stage: Stage) -> None:
    ts = stage.post(payment_card())
    for number in range(12):
        stage.post([{"type": "section", "text": {"type": "mrkdwn", "text": f"later {number}"}}])
    expect(stage.last(0)).to_contain_text("later 11")
    stage.page.evaluate(f"location.hash = '#C0FINANCE/{ts}'")
    marked = stage.pane(0).locator(f"[data-ts='{ts}']")
    expect(marked).to_have_class(re.compile("flash"))
    expect(marked).to_be_in_viewport()


def test_a_file_has_a_link_and_a_look_inside(stage: Stage) -> None:
    stage.gallery.client.files_upload_v2(
        channel="C0FINANCE",
        filename="due.csv",
        content='customer,due\n"Acme, Pte",120.00\n',
        initial_comment="the list",
    )
    shown = stage.last(0)
    expect(shown.get_by_role("link", name="Download due.csv")).to_be_visible()
    expect(shown.locator(".file-preview td").first).to_have_text("Acme, Pte")


def test_people_are_changed_and_the_address_keeps_them(stage: Stage) -> None:
    stage.pane(0).get_by_test_id("person").click()
    stage.page.get_by_role("menuitemradio", name=re.compile("Vera Okafor")).click()
    expect(stage.pane(0).get_by_test_id("person")).to_contain_text("Vera Okafor")
    expect(stage.pane(0).get_by_test_id("conversation-approvals")).to_have_count(0)
    stage.page.get_by_test_id("panes-3").click()
    expect(stage.pane(2).get_by_test_id("composer")).to_be_visible()
    stage.page.reload()
    expect(stage.pane(0).get_by_test_id("person")).to_contain_text("Vera Okafor")
    expect(stage.pane(2).get_by_test_id("composer")).to_be_visible()


def test_traffic_is_shown_and_can_be_delivered_again(stage: Stage) -> None:
    stage.post(payment_card())
    stage.last(0).get_by_test_id("action-details").click()
    expect(stage.last(0).get_by_test_id("thread-link")).to_contain_text("1 reply")
    stage.page.get_by_test_id("traffic-toggle").click()
    drawer = stage.page.get_by_test_id("traffic")
    drawer.get_by_test_id("traffic-filter").fill("block_actions")
    drawer.get_by_test_id("traffic-entry").first.locator("summary").first.click()
    drawer.get_by_test_id("redeliver").click()
    expect(stage.last(0).get_by_test_id("thread-link")).to_contain_text("2 replies")


def test_a_tip_pressed_before_the_first_state_came_fills_the_composer_all_the_same(stage: Stage) -> None:
    stage.sandbox.workspace.tips = [{"text": "Show a card", "command": "/show card"}]
    held: list[tuple[Route, APIResponse]] = []
    stage.page.route(CLERKS_STATE, lambda route: held.append((route, route.fetch())))
    stage.page.reload()
    wait_until(stage, lambda: len(held) == 1)
    stage.page.get_by_test_id("tip").click()
    late, answer = held[0]
    late.fulfill(response=answer)
    expect(stage.pane(0).get_by_test_id("composer")).to_be_visible()
    expect(stage.pane(0).get_by_test_id("composer")).to_have_value("/show card")
    stage.page.unroute(CLERKS_STATE)


def test_a_tip_fills_the_composer(stage: Stage) -> None:
    stage.sandbox.workspace.tips = [{"text": "Show a card", "command": "/show card"}]
    stage.page.reload()
    stage.page.get_by_test_id("tip").click()
    expect(stage.pane(0).get_by_test_id("composer")).to_have_value("/show card")
    stage.page.get_by_role("button", name="Hide the tips").click()
    expect(stage.page.get_by_test_id("tips")).to_have_count(0)
