"""The page of mail: what is in a mail is text, its file opens, and a bounce is reported from this page only."""

import smtplib
import urllib.request
from collections.abc import Iterator
from email.message import EmailMessage
from urllib.error import HTTPError

import pytest

from sandbox.mail import MailOffice
from sandbox.server import Sandbox
from tests.slack import workspace

EVIL = "<script>alert(1)</script>"
reported: list[dict[str, str]] = []


@pytest.fixture
def sandbox() -> Iterator[tuple[Sandbox, str]]:
    made = workspace()
    reported.clear()
    made.mail.report = reported.append
    with made.running() as address, made.mail.running() as office:
        send(office)
        yield made, address


def send(office: MailOffice) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "billing@duedesk.example", "ann+1@acme.example", EVIL
    message["Message-ID"] = "<duedesk.1.2@duedesk.example>"
    message.set_content(f"{EVIL}\nHi")
    message.add_attachment(b"%PDF-1", maintype="application", subtype="pdf", filename='a"b.pdf')
    with smtplib.SMTP("127.0.0.1", office.port) as smtp:
        smtp.send_message(message)


def ask(url: str, data: bytes | None = None, **headers: str) -> tuple[int, str, str]:
    request = urllib.request.Request(url, data=data, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode(), answer.headers.get("content-security-policy", "")
    except HTTPError as refused:
        return refused.code, "", ""


def test_a_mail_is_shown_as_text_and_bounced_from_its_page_only(sandbox: tuple[Sandbox, str]) -> None:
    _, address = sandbox
    status, page, policy = ask(f"{address}/mail")
    assert status == 200
    assert EVIL not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 3
    assert "default-src 'none'" in policy
    assert ask(f"{address}/mail/1/0")[:2] == (200, "%PDF-1")
    assert [ask(f"{address}/mail/{each}")[0] for each in ("1/1", "2/0")] == [404, 404]
    press = f"{address}/mail/1/bounce"
    ours = {"Sec-Fetch-Site": "same-origin"}
    assert ask(press, b"recipient=ann%2B1%40acme.example")[0] == 403
    assert ask(press, b"recipient=bob%40acme.example", **ours)[0] == 404
    assert reported == []
    assert "came back from ann+1@acme.example" in ask(press, b"recipient=ann%2B1%40acme.example", **ours)[1]
    (bounce,) = reported
    assert (bounce["message_id"], bounce["recipient"]) == ("<duedesk.1.2@duedesk.example>", "ann+1@acme.example")
