"""The forms of /payment: their fields, the commands they make, what they preview and say after."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bot.domain.allocation import Portion
from bot.domain.customers import Customer
from bot.domain.errors import MissingText, NotFound, Refused
from bot.domain.money import Money
from bot.domain.payments import (
    AllocatePayment,
    AssignPayment,
    AttachProofs,
    EditPayment,
    Method,
    PaymentChanged,
    RecordPayment,
    UnallocatePayment,
    UnassignPayment,
    VoidPayment,
    allocate_payment,
    assign_payment,
    attach_proofs,
    edit_payment,
    record_payment,
    unallocate_payment,
    unassign_payment,
    void_payment,
)
from bot.domain.settings import Settings
from bot.handlers import find
from bot.handlers.blocks.cards import payment_card
from bot.handlers.blocks.effects import effect_preview
from bot.handlers.blocks.text import date_text, money
from bot.handlers.flow import Doubt, Flow, flow, settings_of
from bot.handlers.forms import (
    ChoiceField,
    DateField,
    FileField,
    Form,
    ManyField,
    SearchField,
    TextField,
    Values,
    button,
    context,
)
from bot.handlers.request import Call

CUSTOMER = SearchField(
    "customer",
    "Customer",
    needed=False,
    hint="May stay empty: assign the money later.",
    placeholder="Name, code or wallet ID",
    dispatches=True,
)
PAYER = TextField(
    "payer", "Payer as on the statement", needed=False, longest=140, hint="Empty means the customer's name."
)
AMOUNT = TextField("amount", "Amount", placeholder="500 or 1,234.50 SGD", longest=40, dispatches=True)
RECEIVED = DateField("received_on", "Received on")
METHOD = ChoiceField(
    "method", "Method", choices=tuple((f"{each.value[0].upper()}{each.value[1:]}", each.value) for each in Method)
)
REFERENCE = TextField("reference", "Reference", needed=False, longest=140)
INVOICES = ManyField(
    "invoices", "Invoices", needed=False, hint="Oldest first until the money runs out.", dispatches=True
)
PARTS = TextField(
    "parts",
    "Amounts per invoice",
    needed=False,
    multiline=True,
    longest=1000,
    hint="Only for parts: INV-0042 300, one invoice a line.",
)
HINT = TextField("invoice_hint", "Invoice number on the statement", needed=False, longest=140)
PROOF = FileField("proof", "Proof", needed=False, hint="Files are copied into the payment's thread, for all to see.")
REMARK = TextField("remark", "Remark", needed=False, multiline=True, longest=1000)
EFFECTIVE = DateField("effective_on", "Takes effect on", needed=False, hint="Empty means today.")
REASON = TextField("reason", "Reason", longest=1000, multiline=True)
NEW_CUSTOMER = SearchField("customer", "Customer", placeholder="Name, code or wallet ID", dispatches=True)


def _customer_of(values: Values, call: Call) -> Customer | None:
    chosen = values.get(CUSTOMER)
    if chosen is None:
        return None
    return call.desk.ask(lambda books: books.customer(int(chosen[1])), call.request)


def portions_of(values: Values, call: Call, settings: Settings, customer: Customer | None) -> tuple[Portion, ...]:
    """Chosen invoices, those with an amount of their own first named in the parts."""
    parts: dict[int, Money] = {}
    for line in values.text(PARTS).splitlines():
        found = re.fullmatch(r"\s*(\S+)[\s=:]+(.+)", line)
        if found is None:
            if line.strip():
                raise Refused("Type an invoice number and an amount on each line, such as INV-0042 300.", field="parts")
            continue
        parts[_invoice_id(call, found[1])] = find.money_typed(
            found[2], settings, customer.currency if customer else None, field="parts"
        )
    ids = [int(value) for _, value in values.get(INVOICES) or ()]
    return tuple(Portion(invoice_id=each, amount=parts.get(each)) for each in dict.fromkeys([*parts, *ids]))


def _invoice_id(call: Call, number: str) -> int:
    try:
        return find.invoice_named(call, number).id
    except NotFound as refusal:
        refusal.field = "parts"
        raise


def _record_command(values: Values, _about: Mapping[str, Any], call: Call) -> RecordPayment:
    settings = settings_of(call)
    customer = _customer_of(values, call)
    payer = values.text(PAYER) or (customer.name if customer is not None else "")
    if not payer.strip():
        raise MissingText("Choose a customer, or type who paid.", field="payer")
    portions = portions_of(values, call, settings, customer)
    if portions and customer is None:
        raise MissingText("Choose the customer whose invoices these are.", field="customer")
    return RecordPayment(
        payer=payer[:140],
        amount=find.money_typed(values.need(AMOUNT), settings, customer.currency if customer else None),
        received_on=values.need(RECEIVED),
        method=Method(values.need(METHOD)),
        reference=values.text(REFERENCE),
        invoice_hint=values.text(HINT),
        remark=values.text(REMARK),
        customer_id=customer.id if customer is not None else None,
        portions=portions,
        proofs=values.get(PROOF) or (),
    )


def _twins(made: RecordPayment, call: Call) -> Doubt | None:
    """A payment of the same amount, payer and reference within 14 days is pointed out, and a tick asked for."""
    twins = call.desk.ask(
        lambda books: books.twins(made.payer, made.amount, made.reference, made.received_on, made.customer_id),
        call.request,
    )
    if not twins:
        return None
    twin, locale = twins[0], settings_of(call).locale
    received = f"{money(twin.amount, locale)} received {date_text(twin.received_on, locale)}"
    look = {
        "type": "actions",
        "block_id": "twin",
        "elements": [button(f"Look at {twin.number}", "payment_show", twin.number)],
    }
    return Doubt(f"This looks like {twin.number}: {received}. Record it only if it came again.", look)


def _done(outcome: PaymentChanged, settings: Settings) -> Sequence[dict[str, Any]]:
    return [
        *payment_card(outcome, settings),
        context("The card is in the finance channel; its thread holds what happens later."),
    ]


RECORD = flow(
    Flow(
        form=Form(
            "payment_record",
            "Record a payment",
            (CUSTOMER, AMOUNT, RECEIVED, METHOD, REFERENCE, INVOICES, PARTS, PAYER, HINT, REMARK, PROOF),
            submit="Check",
        ),
        operation=record_payment,
        command=_record_command,
        effect=effect_preview,
        verb=lambda outcome, settings: f"Record {money(outcome.payment.amount, settings.locale)}",
        done=_done,
        warn=_twins,
    )
)


def _payment_id(about: Mapping[str, Any]) -> int:
    return int(about["payment"])


ASSIGN = flow(
    Flow(
        form=Form("payment_assign", "Assign a payment", (NEW_CUSTOMER, INVOICES, PARTS, EFFECTIVE)),
        operation=assign_payment,
        command=lambda values, about, call: AssignPayment(
            payment_id=_payment_id(about),
            customer_id=int(values.need(NEW_CUSTOMER)[1]),
            portions=portions_of(values, call, settings_of(call), _customer_of(values, call)),
            effective_on=values.get(EFFECTIVE),
        ),
        effect=effect_preview,
        verb=lambda outcome, _settings: f"Assign {outcome.payment.number}",
        done=_done,
    )
)

UNASSIGN = flow(
    Flow(
        form=Form("payment_unassign", "Un-assign a payment", (EFFECTIVE,)),
        operation=unassign_payment,
        command=lambda values, about, _call: UnassignPayment(
            payment_id=_payment_id(about), effective_on=values.get(EFFECTIVE)
        ),
        effect=effect_preview,
        verb=lambda outcome, _settings: f"Un-assign {outcome.payment.number}",
        done=_done,
    )
)

ALLOCATE = flow(
    Flow(
        form=Form(
            "payment_allocate",
            "Allocate a payment",
            (INVOICES, PARTS, EFFECTIVE),
            intro="Without invoices the oldest open ones are paid first.",
        ),
        operation=allocate_payment,
        command=lambda values, about, call: AllocatePayment(
            payment_id=_payment_id(about),
            portions=portions_of(
                values,
                call,
                settings_of(call),
                call.desk.ask(lambda books: books.customer(int(about["customer"])), call.request),
            ),
            effective_on=values.get(EFFECTIVE),
        ),
        effect=effect_preview,
        verb=lambda outcome, _settings: f"Allocate {outcome.payment.number}",
        done=_done,
    )
)

UNALLOCATE = flow(
    Flow(
        form=Form(
            "payment_unallocate",
            "Take allocations back",
            (
                TextField(
                    "numbers",
                    "Invoices",
                    needed=False,
                    longest=1000,
                    hint="Numbers, such as INV-0042; empty means all.",
                ),
                EFFECTIVE,
            ),
            intro="Each invoice is owed again, and is not paid by itself any more.",
        ),
        operation=unallocate_payment,
        command=lambda values, about, call: UnallocatePayment(
            payment_id=_payment_id(about),
            invoice_ids=tuple(
                _numbered(call, number) for number in str(values.given.get("numbers") or "").replace(",", " ").split()
            ),
            effective_on=values.get(EFFECTIVE),
        ),
        effect=effect_preview,
        verb=lambda _outcome, _settings: "Take back",
        done=_done,
    )
)


def _numbered(call: Call, number: str) -> int:
    try:
        return find.invoice_named(call, number).id
    except NotFound as refusal:
        refusal.field = "numbers"
        raise


EDIT_PAYER = TextField("payer", "Payer as on the statement", longest=140)
EDIT = flow(
    Flow(
        form=Form(
            "payment_edit",
            "Edit a payment",
            (EDIT_PAYER, METHOD, REFERENCE, HINT, REMARK),
            intro="A wrong amount or date is corrected by voiding the payment and recording it again.",
        ),
        operation=edit_payment,
        command=lambda values, about, _call: EditPayment(
            payment_id=_payment_id(about),
            version=int(about["version"]),
            payer=values.need(EDIT_PAYER),
            method=Method(values.need(METHOD)),
            reference=values.text(REFERENCE),
            invoice_hint=values.text(HINT),
            remark=values.text(REMARK),
        ),
        effect=effect_preview,
        verb=lambda outcome, _settings: f"Change {outcome.payment.number}",
        done=_done,
    )
)

NEW_PROOF = FileField("proof", "Proof", hint="Files are copied into the payment's thread, for all to see.")
PROVE = flow(
    Flow(
        form=Form("payment_proof", "Add proof", (NEW_PROOF,)),
        operation=attach_proofs,
        command=lambda values, about, _call: AttachProofs(payment_id=_payment_id(about), proofs=values.need(NEW_PROOF)),
        effect=effect_preview,
        verb=lambda outcome, _settings: f"Add to {outcome.payment.number}",
        done=_done,
    )
)

VOID = flow(
    Flow(
        form=Form(
            "payment_void",
            "Void a payment",
            (REASON,),
            intro="The payment keeps its number and stays in the books as void.",
        ),
        operation=void_payment,
        command=lambda values, about, _call: VoidPayment(payment_id=_payment_id(about), reason=values.need(REASON)),
        effect=effect_preview,
        verb=lambda outcome, _settings: f"Void {outcome.payment.number}",
        done=_done,
    )
)
