"""A small app that shows every block and every field, for looking at the page."""

from typing import Any

from slack_bolt import Ack, App, Respond
from slack_sdk import WebClient

HOSTILE = "<img src=x onerror=alert(1)> <script>alert(2)</script> *not bold* &amp;"
NOON = 1_795_392_000  # 23 November 2026, 04:00 UTC


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def marked(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text}


def button(action_id: str, text: str, **more: Any) -> dict[str, Any]:
    return {"type": "button", "action_id": action_id, "text": plain(text), **more}


def option(text: str, value: str) -> dict[str, Any]:
    return {"text": plain(text), "value": value}


def field(block_id: str, label: str, element: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "type": "input",
        "block_id": block_id,
        "label": plain(label),
        "element": {"action_id": f"{block_id}_value", **element},
        **more,
    }


METHODS = [option("Bank transfer", "bank"), option("Cash", "cash"), option("Card", "card")]
INVOICES = [
    option(f"INV-00{number} · {left} left", f"INV-00{number}") for number, left in ((42, "300.00"), (51, "320.00"))
]
CUSTOMERS = [option(name, name.split()[0].upper()) for name in ("Acme Pte Ltd", "Acorn Trading", "Borneo Foods")]


def payment_card() -> list[dict[str, Any]]:
    """The card of a recorded payment."""
    confirm = {
        "title": plain("Undo PAY-0107?"),
        "text": marked("SGD 500.00 of *Acme Pte Ltd* will be reversed."),
        "confirm": plain("Undo it"),
        "deny": plain("Keep it"),
        "style": "danger",
    }
    return [
        {"type": "header", "text": plain("Payment PAY-0107 · Acme Pte Ltd · SGD 500.00")},
        {
            "type": "section",
            "fields": [
                marked("*State*\nfully allocated"),
                marked("*Method*\nBank transfer"),
                marked("*Reference*\n`TT-881`"),
                marked("*Received*\n22 Nov 2026"),
            ],
        },
        {
            "type": "section",
            "text": marked(
                "*INV-0042* 300.00 of 300.00 → paid\n*INV-0051* 200.00 of 320.00 → _120.00 left_, due 30 Nov"
            ),
        },
        {"type": "section", "text": marked("Amount due ~620.00~ → *120.00 DR* :white_check_mark:")},
        {
            "type": "context",
            "elements": [
                marked(
                    f"recorded by <@U0CLERK> · <!date^{NOON}^{{date_short_pretty}} {{time}}|today> · in <#C0FINANCE>"
                )
            ],
        },
        {
            "type": "actions",
            "block_id": "card_actions",
            "elements": [
                button("undo", "Undo", style="danger", confirm=confirm),
                button("details", "Details", value="PAY-0107"),
                {
                    "type": "overflow",
                    "action_id": "more",
                    "options": [option("Allocate otherwise", "reallocate"), option("Receipt", "receipt")],
                },
            ],
        },
    ]


def rich(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text", "elements": list(elements)}


def line(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text_section", "elements": list(parts)}


def said(text: str, **style: bool) -> dict[str, Any]:
    return {"type": "text", "text": text, **({"style": style} if style else {})}


def text_blocks() -> list[dict[str, Any]]:
    """Rich text and Markdown."""
    return [
        rich(
            line(said("Plain "), said("bold ", bold=True), said("italic ", italic=True), said("struck ", strike=True)),
            {
                "type": "rich_text_list",
                "style": "ordered",
                "elements": [
                    line(said("first, by "), {"type": "user", "user_id": "U0CLERK"}),
                    line({"type": "date", "timestamp": NOON, "format": "{date_long} at {time}"}),
                ],
            },
            {"type": "rich_text_quote", "elements": [said("a quotation")]},
            {"type": "rich_text_preformatted", "elements": [said("DR receivables  500.00\nCR bank         500.00")]},
        ),
        {"type": "divider"},
        {
            "type": "markdown",
            "text": "## Heading\n- one\n- **two** and `code`\n\n| customer | due |\n|---|--:|\n| Acme | 120.00 |\n",
        },
    ]


def number(value: float, text: str) -> dict[str, Any]:
    return {"type": "raw_number", "value": value, "text": text}


def figure_blocks() -> list[dict[str, Any]]:
    """Tables and charts."""
    rows = [[{"type": "raw_text", "text": text} for text in ("Customer", "1-30", "Total")]]
    rows += [
        [
            {"type": "raw_text", "text": f"Customer {index}"},
            number(index * 10, f"{index * 10}.00"),
            number(900 - index, f"{900 - index}.00"),
        ]
        for index in range(1, 9)
    ]
    buckets = ["current", "1-30", "31-60", "61-90", "90+"]
    return [
        {"type": "table", "rows": rows[:4], "column_settings": [{"is_wrapped": True}]},
        {"type": "data_table", "caption": "Who owes what", "page_size": 5, "row_header_column_index": 0, "rows": rows},
        {
            "type": "data_visualization",
            "title": "Ageing, this week and last",
            "chart": {
                "type": "bar",
                "axis_config": {"categories": buckets, "y_label": "SGD"},
                "series": [
                    {
                        "name": name,
                        "data": [{"label": bucket, "value": size} for bucket, size in zip(buckets, sizes, strict=True)],
                    }
                    for name, sizes in (
                        ("this week", (41200, 8310, 2040, 990, 1415)),
                        ("last week", (39100, 9000, 2600, -300, 1500)),
                    )
                ],
            },
        },
        {
            "type": "data_visualization",
            "title": "By currency",
            "chart": {
                "type": "pie",
                "segments": [
                    {"label": "SGD", "value": 70},
                    {"label": "USD", "value": 20},
                    {"label": "EUR", "value": 10},
                ],
            },
        },
    ]


def form() -> dict[str, Any]:
    """A modal with every kind of field."""
    amount = {"type": "number_input", "is_decimal_allowed": True, "placeholder": plain("0.00")}
    search = {"type": "external_select", "min_query_length": 1, "placeholder": plain("Search by name or code")}
    return {
        "type": "modal",
        "callback_id": "form",
        "title": plain("Record a payment"),
        "submit": plain("Record"),
        "close": plain("Cancel"),
        "notify_on_close": True,
        "blocks": [
            field("customer", "Customer", search, hint=plain("May stay empty: assign it later."), optional=True),
            field("amount", "Amount", amount, dispatch_action=True),
            field("reference", "Reference", {"type": "plain_text_input", "max_length": 20}),
            field("remark", "Remark", {"type": "plain_text_input", "multiline": True}, optional=True),
            field("mail", "E-mail", {"type": "email_text_input"}),
            field("link", "Link", {"type": "url_text_input"}),
            field("received", "Received on", {"type": "datepicker", "initial_date": "2026-11-22"}),
            field("at", "Time", {"type": "timepicker"}),
            field("until", "Until", {"type": "datetimepicker"}),
            field("method", "Method", {"type": "static_select", "options": METHODS}),
            field("invoices", "Invoices", {"type": "multi_static_select", "options": INVOICES}),
            field("others", "Other customers", {"type": "multi_external_select", "min_query_length": 0}),
            field("approver", "Approver", {"type": "users_select"}),
            field("watchers", "Watchers", {"type": "multi_users_select"}),
            field("channel", "Channel", {"type": "channels_select"}),
            field("channels", "Channels", {"type": "multi_channels_select"}),
            field("conversation", "Conversation", {"type": "conversations_select"}),
            field("conversations", "Conversations", {"type": "multi_conversations_select"}),
            field(
                "ticks",
                "Ticks",
                {
                    "type": "checkboxes",
                    "options": [option("Send a receipt", "receipt"), option("I checked", "checked")],
                },
            ),
            field(
                "how",
                "How",
                {"type": "radio_buttons", "options": [option("Oldest first", "oldest"), option("By hand", "hand")]},
            ),
            field("proof", "Proof", {"type": "file_input", "filetypes": ["csv", "pdf"], "max_files": 2}),
            field("note", "Note", {"type": "rich_text_input"}),
        ],
    }


def short_form(title: str = "Short") -> dict[str, Any]:
    """A modal with one field, a warning and a button that lays another on top."""
    return {
        "type": "modal",
        "callback_id": "short",
        "title": plain(title),
        "submit": plain("Save"),
        "blocks": [
            {
                "type": "alert",
                "block_id": "alert",
                "level": "warning",
                "text": marked("Over the credit limit by *200.00*."),
            },
            field("word", "Word", {"type": "plain_text_input", "focus_on_load": True}),
            {"type": "actions", "block_id": "deeper", "elements": [button("deeper", "Open another")]},
        ],
    }


def home() -> dict[str, Any]:
    return {
        "type": "home",
        "blocks": [
            {"type": "header", "text": plain("What waits for you")},
            {
                "type": "section",
                "block_id": "waits",
                "text": marked("*2* withdrawals"),
                "accessory": button("look", "Look"),
            },
        ],
    }


class Gallery:
    """The app, and what it heard."""

    def __init__(self, api: str, token: str, secret: str) -> None:
        client = WebClient(token, base_url=api)
        self.app = App(name="gallery", client=client, signing_secret=secret)
        self.client = client
        self.submitted: dict[str, Any] = {}
        self.actions: list[dict[str, Any]] = []
        self.closed: list[str] = []
        self._listen()

    def _listen(self) -> None:
        app = self.app
        app.command("/show")(self._show)
        app.command("/form")(self._form)
        app.command("/slow")(lambda: None)
        app.options("customer_value")(self._customers)
        app.options("others_value")(self._customers)
        app.view("form")(self._submitted)
        app.view("short")(self._short)
        app.view_closed("form")(self._closed)
        for action_id in ("undo", "details", "more", "look", "amount_value"):
            app.action(action_id)(self._action)
        app.action("deeper")(self._deeper)
        app.shortcut("find")(self._shortcut)
        app.shortcut("from_message")(self._shortcut)
        app.event("app_home_opened")(self._home)
        app.event("message")(lambda: None)

    def _show(self, ack: Ack, command: dict[str, Any], respond: Respond) -> None:
        ack()
        match command["text"]:
            case "card":
                self.client.chat_postMessage(
                    channel=command["channel_id"], text="Payment PAY-0107", blocks=payment_card()
                )
            case "hostile":
                blocks = [{"type": "section", "block_id": "hostile", "text": plain(HOSTILE)}]
                self.client.chat_postMessage(channel=command["channel_id"], text="hostile", blocks=blocks)
            case _:
                respond(f"Only you see this, <@{command['user_id']}>.")

    def _form(self, ack: Ack, command: dict[str, Any], client: WebClient) -> None:
        ack()
        client.views_open(trigger_id=command["trigger_id"], view=short_form() if command["text"] == "short" else form())

    def _customers(self, ack: Ack, payload: dict[str, Any]) -> None:
        typed = payload["value"].lower()
        ack(options=[each for each in CUSTOMERS if typed in each["text"]["text"].lower()])

    def _submitted(self, ack: Ack, view: dict[str, Any]) -> None:
        values = view["state"]["values"]
        if values["reference"]["reference_value"]["value"] == "TT-000":
            ack(response_action="errors", errors={"reference": "TT-000 was used on 3 Nov by PAY-0099."})
            return
        self.submitted = {block: next(iter(actions.values())) for block, actions in values.items()}
        ack()

    def _short(self, ack: Ack) -> None:
        ack()

    def _closed(self, ack: Ack, view: dict[str, Any]) -> None:
        self.closed.append(view["callback_id"])
        ack()

    def _action(self, ack: Ack, action: dict[str, Any], body: dict[str, Any]) -> None:
        ack()
        self.actions.append(action)
        if action["action_id"] == "details":
            text = f"Pressed by <@{body['user']['id']}>"
            self.client.chat_postMessage(channel=body["channel"]["id"], thread_ts=body["message"]["ts"], text=text)

    def _deeper(self, ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        client.views_push(trigger_id=body["trigger_id"], view=short_form("Second"))

    def _shortcut(self, ack: Ack, shortcut: dict[str, Any], client: WebClient) -> None:
        ack()
        client.views_open(trigger_id=shortcut["trigger_id"], view=short_form("From a shortcut"))

    def _home(self, event: dict[str, Any], client: WebClient) -> None:
        client.views_publish(user_id=event["user"], view=home())
