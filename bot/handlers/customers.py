"""/customer: new, edit, show, list; and its card."""

from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import available_timezones

from bot.domain.customer_file import CustomerFile
from bot.domain.customers import (
    Contact,
    Customer,
    CustomerChanged,
    EditCustomer,
    Mode,
    NewCustomer,
    edit_customer,
    new_customer,
)
from bot.domain.errors import Refused
from bot.domain.money import currency
from bot.domain.operation import Role
from bot.domain.ports import Page
from bot.domain.settings import Settings
from bot.handlers import find
from bot.handlers.blocks.cards import customer_opened
from bot.handlers.blocks.customer import customer_card, customer_text
from bot.handlers.blocks.rich import bold, preformatted, rich, typed
from bot.handlers.blocks.text import balance, counted, escape, shorten, table
from bot.handlers.commands import Command, Reply, Sub, command
from bot.handlers.customer_states import typed_verb
from bot.handlers.disputes import run_customer_promise
from bot.handlers.flow import Flow, flow, settings_of
from bot.handlers.forms import Block, ChoiceField, Form, NumberField, TextField, Values, context
from bot.handlers.parse.words import whole
from bot.handlers.request import Call
from bot.handlers.usage import show_usage

LIST_ROWS = 20

CODE = TextField(
    "code", "Code", longest=24, placeholder="ACME", hint="Short and unique: letters, digits, dashes, dots."
)
NAME = TextField("name", "Name", longest=200)
CURRENCY = TextField(
    "currency", "Currency", longest=3, placeholder="SGD", hint="Stays for good: a customer has one currency."
)
MODE = ChoiceField("mode", "Payment mode", choices=(("Postpaid", "postpaid"), ("Prepaid", "prepaid")))
DUE_DAYS = NumberField(
    "due_days", "Due days", needed=False, whole=True, hint="Days from issue to due; empty means the book's default."
)
BILLING = TextField("billing_name", "Billing name", needed=False, longest=200, hint="Empty means the name.")
COUNTRY = TextField("country", "Country", needed=False, longest=2, placeholder="SG")
ZONE = TextField("zone", "Time zone", needed=False, longest=60, placeholder="Asia/Singapore")
CONTACT = TextField("contact", "Contact's name", needed=False, longest=200)
EMAIL = TextField("email", "Contact's e-mail", needed=False, longest=200)
PHONE = TextField("phone", "Contact's phone", needed=False, longest=60)
TERMS = (DUE_DAYS, BILLING, COUNTRY, ZONE, CONTACT, EMAIL, PHONE)


def _contacts(values: Values) -> tuple[Contact, ...]:
    contact = Contact(name=values.text(CONTACT), email=values.text(EMAIL), phone=values.text(PHONE))
    return (contact,) if contact.name or contact.email or contact.phone else ()


def _due_days(values: Values) -> int | None:
    days = values.get(DUE_DAYS)
    return int(days) if days is not None else None


def _zone(values: Values) -> str:
    zone = values.text(ZONE).strip()
    if zone and zone not in available_timezones():
        raise Refused("This is not a time zone; type one such as Asia/Singapore.", field="zone")
    return zone


def _effect(outcome: CustomerChanged, settings: Settings) -> Sequence[Block]:
    customer = outcome.customer
    due = customer.due_days if customer.due_days is not None else settings.due_days
    facts = f"{customer.code} · {customer.currency.code} · {customer.mode.value} · invoices due after {due} days"
    changed = f"Changed: {', '.join(outcome.changed)}" if outcome.changed else ""
    lines = [(typed(customer.name), f"  {facts}"), *([(changed,)] if changed else [])]
    return [rich((bold("What will happen"),), *lines, block_id="effect")]


def _new(values: Values, _about: Mapping[str, Any], _call: Call) -> NewCustomer:
    return NewCustomer(
        code=values.need(CODE),
        name=values.need(NAME),
        currency=currency(values.need(CURRENCY)),
        mode=Mode(values.need(MODE)),
        due_days=_due_days(values),
        billing_name=values.text(BILLING),
        country=values.text(COUNTRY),
        zone=_zone(values),
        contacts=_contacts(values),
    )


NEW = flow(
    Flow(
        form=Form("customer_new", "New customer", (CODE, NAME, CURRENCY, MODE, *TERMS)),
        operation=new_customer,
        command=_new,
        effect=_effect,
        verb=lambda outcome, _settings: f"Open {outcome.customer.code}",
        done=customer_opened,
    )
)

EDIT = flow(
    Flow(
        form=Form("customer_edit", "Edit customer", (CODE, NAME, *TERMS)),
        operation=edit_customer,
        command=lambda values, about, _call: EditCustomer(
            customer_id=int(about["customer"]),
            version=int(about["version"]),
            code=values.need(CODE),
            name=values.need(NAME),
            due_days=_due_days(values),
            billing_name=values.text(BILLING),
            country=values.text(COUNTRY),
            zone=_zone(values),
            contacts=_contacts(values),
        ),
        effect=_effect,
        verb=lambda outcome, _settings: f"Change {outcome.customer.code}",
        done=customer_opened,
    )
)


def show_customer(call: Call, customer: Customer) -> Reply:
    """The card, for the asker alone."""
    file = _file(call, customer.id)
    return Reply(escape(customer_text(customer)), customer_card(file, settings_of(call), call.request.now))


def _file(call: Call, customer_id: int) -> CustomerFile:
    today = settings_of(call).today(call.request.now)
    return call.desk.ask(lambda books: books.customer_file(customer_id, today), call.request)


def _show(call: Call, text: str) -> Reply:
    text = whole(text)
    if not text:
        return _list(call, "")
    found = find.customers_named(call, text)
    if len(found) == 1:
        return show_customer(call, found[0])
    if not found:
        return Reply(f"No customer is called {escape(shorten(text, 60))}; type a code, name, UUID or wallet ID.")
    said = find.which(found, text)
    elements = [_choice(each, index) for index, each in enumerate(found[: find.MOST_CHOICES])]
    return Reply(escape(said), [rich(typed(said)), {"type": "actions", "block_id": "choices", "elements": elements}])


def _choice(customer: Customer, index: int) -> Block:
    return find.choices([customer], "x", "")[0]["elements"][0] | {  # type: ignore[no-any-return]  # a block is JSON
        "action_id": f"choose_customer_{index}",
        "value": str(customer.id),
    }


def _open_new(call: Call, text: str) -> None:
    codes = settings_of(call).currency_codes()
    NEW.open(call, Values({"name": whole(text), "mode": "postpaid", "currency": codes[0] if len(codes) == 1 else ""}))


def open_edit(call: Call, customer: Customer) -> None:
    """The form with what is kept; the version refuses an edit over somebody else's."""
    contact = next(iter(_file(call, customer.id).contacts), Contact(name=""))
    values = Values(
        {
            "code": customer.code,
            "name": customer.name,
            "due_days": customer.due_days,
            "billing_name": customer.billing_name,
            "country": customer.country,
            "zone": customer.zone,
            "contact": contact.name,
            "email": contact.email,
            "phone": contact.phone,
        }
    )
    EDIT.open(call, values, {"customer": str(customer.id), "version": customer.version})


def _list(call: Call, text: str) -> Reply:
    settings = settings_of(call)
    page = Page(text=whole(text), limit=LIST_ROWS + 1)
    found = call.desk.ask(lambda books: books.list_customers(page), call.request)
    if not found:
        return Reply("No customer matches. /customer new opens one.")
    rows = [
        [each.code, shorten(each.name, 30), each.mode.value, each.currency.code, balance(each.balance, settings.locale)]
        for each in found[:LIST_ROWS]
    ]
    shown = table(rows, ("code", "name", "mode", "currency", "balance"), ("left", "left", "left", "left", "right"))
    more = "There are more; narrow the list with a part of the name." if len(found) > LIST_ROWS else ""
    return Reply(
        counted(len(rows), "customer"), [preformatted(shown, block_id="customers"), *([context(more)] if more else [])]
    )


def _edit(call: Call, text: str) -> None:
    open_edit(call, find.customer_named(call, whole(text)))


CUSTOMER = command(
    Command(
        "customer",
        "Open, change and look up customers",
        "Acme",
        main="show",
        subs=(
            Sub("new", Role.CLERK, "/customer new Acme Pte Ltd", "opens a customer", _open_new),
            Sub("edit", Role.CLERK, "/customer edit ACME", "changes names, terms and contacts", _edit),
            Sub("show", Role.VIEWER, "/customer Acme", "the customer's card", _show),
            Sub("list", Role.VIEWER, "/customer list food", "customers by name", _list),
            Sub("suspend", Role.CLERK, "/customer suspend ACME", "marks it as suspended", typed_verb("suspend")),
            Sub(
                "close",
                Role.CLERK,
                "/customer close ACME",
                "when it has no credit or debt",
                typed_verb("close"),
            ),
            Sub(
                "usage",
                Role.VIEWER,
                "/customer usage ACME",
                "what was used; a price charges it",
                show_usage,
            ),
            Sub(
                "promise",
                Role.VIEWER,
                "/customer promise ACME 200 by 28 nov",
                "logs a promise to pay",
                run_customer_promise,
            ),
            Sub("reopen", Role.CLERK, "/customer reopen ACME", "opens it again", typed_verb("reopen")),
        ),
        name_in=whole,
    )
)


find.on_choice("choose_customer", lambda call, _text, customer: show_customer(call, customer), by=Role.VIEWER)
