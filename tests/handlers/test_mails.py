"""Mails as people see them: who gets one is shown before it is sent, and what to do about one in trouble."""

from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from threading import Event
from typing import Any

import pytest
from pydantic import SecretStr

from bot.app import mail_thread
from bot.documents.pool import BookAt
from bot.domain.limits import SetLimit, set_limit
from bot.domain.mail import MailState
from bot.domain.mailing import Mailing
from bot.domain.month_end import CloseMonth, close_month
from bot.domain.settings import ChangeSetting, change_setting
from bot.jobs.mail import MailWorker
from sandbox.client import buttons, shown
from sandbox.validate import check_message
from tests.domain.mail_stages import mailed, reachable, settled
from tests.domain.usage_steps import charge
from tests.slack import RENDERER, Slack
from tests.smtp import MailHost
from tests.snapshots import check_golden
from tests.world import CLERK, MANAGER, OWNER, VIEWER, money

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)


@pytest.fixture
def host() -> Iterator[MailHost]:
    with MailHost().running() as made:
        yield made


@pytest.fixture
def worker(slack: Slack, host: MailHost) -> MailWorker:
    """What an operator gets who names a server and a sender."""
    config = slack.duedesk.config.model_copy(
        update={
            "duedesk_smtp_url": SecretStr(f"smtp://127.0.0.1:{host.port}?tls=none"),
            "duedesk_mail_from": "Acme Billing <billing@acme.example>",
        }
    )
    desk, at = slack.duedesk.desk, BookAt(config.database_url, "main")
    made = mail_thread(config, desk, at, Event(), slack.duedesk.metrics, RENDERER)
    assert made is not None
    desk.mails = True
    return made.worker


def text_of(taken: Any) -> str:
    body = message_from_bytes(taken.content, policy=default).get_body()
    assert body is not None
    return str(body.get_content())


def test_a_statement_is_sent_after_its_recipients_were_shown(slack: Slack, host: MailHost, worker: MailWorker) -> None:
    customer = reachable(slack.world, "ACME", emails=("ann@acme.example", "bob@acme.example"))
    slack.world.invoice(customer, 30)
    form = slack.type("/statement Acme from 2026-11-01 to 2026-11-23 send")
    assert "ann@acme.example" in form
    assert "bob@acme.example" in form
    slack.fill({})
    assert "goes to ann@acme.example, bob@acme.example" in shown(slack.clerk.modal or {})
    assert worker.run_once() == 1
    (taken,) = host.taken
    assert taken.recipients == ["ann@acme.example", "bob@acme.example"]
    assert "statement of account from 2026-11-01 to 2026-11-23" in text_of(taken)
    assert "one of them" in slack.type("/statement Acme send pdf")


def test_an_invoice_goes_with_its_sending_if_the_tick_says_so(slack: Slack, host: MailHost, worker: MailWorker) -> None:
    slack.world.do(change_setting, ChangeSetting(name="mail_invoices", value="on"), by=OWNER)
    customer = reachable(slack.world, "ACME", emails=("ann@acme.example",))
    first, second = (slack.world.invoice(customer, amount, send=False) for amount in (30, 40))
    assert "E-mailed to ann@acme.example" in slack.type(f"/invoice send {first.label}")
    slack.fill({})
    slack.type(f"/invoice send {second.label}")
    slack.fill({"mail": False})
    assert worker.run_once() == 1
    assert [text_of(each).count("INV-0001") for each in host.taken] == [1]
    assert "ann@acme.example" in slack.type("/invoice email INV-0002")
    slack.fill({})
    assert worker.run_once() == 1
    assert [text_of(each).count("INV-0002") for each in host.taken] == [0, 1]
    card = slack.card("INV-0002")
    assert "e-mailed to 1 contact of the customer" in " ".join(slack.thread(card))
    silent = slack.world.invoice(slack.world.customer("SILENT"), 5, send=False)
    assert "has no contact with an e-mail address" in slack.type(f"/invoice send {silent.label}")


def test_invoices_of_a_month_go_to_who_can_be_written_to(slack: Slack) -> None:
    world = slack.world
    customers = [reachable(world, "ACME"), world.customer("SILENT")]
    month = world.today.replace(day=1)
    for each in customers:
        world.do(set_limit, SetLimit(customer_id=each.id, amount=money(50), reason="x"), by=MANAGER)
        charge(world, each, 12)
    world.now = world.now.replace(month=12)
    for each in customers:
        world.do(close_month, CloseMonth(customer_id=each.id, month=month, mail=Mailing.IF_POSSIBLE))
    assert slack.count("mail") == 1


def test_mail_that_is_not_set_up_is_said_so(slack: Slack) -> None:
    customer = reachable(slack.world, "ACME")
    slack.world.invoice(customer, 30)
    for line in ("/statement Acme send", "/invoice email INV-0001"):
        assert "E-mail is not set up" in slack.type(line)
    assert "needs the right of a clerk" in slack.type("/invoice email INV-0001", by=VIEWER)


def test_a_mail_in_trouble_has_a_card_and_stands_on_the_home_tab_until_somebody_decides(slack: Slack) -> None:
    customer = reachable(slack.world, "ACME", emails=("ann@acme.example",))
    made = mailed(slack.world, customer)
    settled(slack.world, made.mail_id, MailState.UNKNOWN, "no answer came: <b> & *bold* <!channel>")
    card = slack.card("may have been sent")
    check_golden("card_mail_unknown", {"text": card["text"], "blocks": card["blocks"]})
    assert buttons(card)[:3] == ["It arrived", "Send again", "Leave it"]
    assert check_message({"text": card["text"], "blocks": card["blocks"]}) == []
    home = slack.person(CLERK).open_home() or {}
    assert "E-mail in trouble" in shown(home)
    assert "no answer came: <b> & *bold* <!channel>" in shown(home)
    assert "E-mail in trouble" not in shown(slack.person(VIEWER).open_home() or {})
    slack.clerk.press(card, "Send again")
    assert "waits to be sent" in slack.card("E-mail to ACME")["text"]
    slack.person(MANAGER).press(card, "Send again", stale=True)
    assert "waiting meanwhile" in slack.person(MANAGER).ephemerals("finance")[-1]["text"]
    settled(slack.world, made.mail_id, MailState.FAILED, "550 5.1.1 nobody here")
    card = slack.card("was not sent")
    assert buttons(card)[:2] == ["Send again", "Leave it"]
    slack.clerk.press(card, "Leave it")
    assert "Left as it is." in shown(slack.card("E-mail to ACME"))
    assert "E-mail in trouble" not in shown(slack.person(CLERK).open_home() or {})
    assert len([each for each in slack.cards() if "E-mail to ACME" in each["text"]]) == 1
