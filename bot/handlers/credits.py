"""/credit: issue credit, take it back, and the master account it comes from."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from bot.domain.credits import (
    LONGEST_REFERENCE,
    LONGEST_REMARK,
    Credit,
    CreditChanged,
    CreditKind,
    IssueCredit,
    PayOutAtPlatform,
    Purpose,
    TakeBackCredit,
    issue_credit,
    pay_out_at_platform,
    take_back_credit,
)
from bot.domain.customers import Customer
from bot.domain.errors import NotFound
from bot.domain.master_moves import (
    MasterChanged,
    SetMasterLimit,
    TopUpMaster,
    set_master_limit,
    top_up_master,
)
from bot.domain.money import Money
from bot.domain.operation import Role
from bot.domain.payment import Method
from bot.domain.ports import Page
from bot.domain.settings import Settings
from bot.handlers import find
from bot.handlers.blocks.credits import (
    credit_card,
    credit_effect,
    credit_said,
    credit_table,
    credit_title,
    master_card,
    master_changed_effect,
)
from bot.handlers.blocks.rich import preformatted, rich
from bot.handlers.blocks.text import counted, escape, money
from bot.handlers.commands import Command, Reply, Sub, command
from bot.handlers.files import MORE, file_format, list_json, offer, send_file
from bot.handlers.flow import Flow, flow, settings_of
from bot.handlers.forms import Block, ChoiceField, DateField, Form, SearchField, TextField, Values, context
from bot.handlers.parse.named import name_and_amount
from bot.handlers.parse.words import phrase, whole
from bot.handlers.request import Call
from bot.handlers.usage import open_refund

LIST_ROWS = 20
PURPOSES = {purpose.value: purpose for purpose in Purpose}
KEYWORDS = {
    **dict.fromkeys(PURPOSES, "purpose"),
    **dict.fromkeys(("because", "reason"), "remark"),
    **dict.fromkeys(("ref", "reference"), "reference"),
}
METHODS = tuple(each for each in Method if each is not Method.PLATFORM)

CUSTOMER = SearchField("customer", "Customer", placeholder="Name, code, UUID or wallet ID", dispatches=True)
AMOUNT = TextField("amount", "Amount", placeholder="50 or 1,234.50 SGD", longest=40, dispatches=True)
PURPOSE = ChoiceField("purpose", "Purpose", choices=tuple((name.capitalize(), name) for name in PURPOSES))
REMARK = TextField("remark", "Reason", longest=LONGEST_REMARK, multiline=True)
REFERENCE = TextField("reference", "Reference", needed=False, longest=LONGEST_REFERENCE)
PLATFORM_REFERENCE = TextField("reference", "Reference of the platform", longest=LONGEST_REFERENCE)
NOTE = TextField("remark", "Remark", needed=False, longest=LONGEST_REMARK, multiline=True)
METHOD = ChoiceField("method", "Paid by", choices=tuple((each.value.capitalize(), each.value) for each in METHODS))
PAID_ON = DateField("received_on", "Paid on")
LIMIT = TextField("limit", "Limit", placeholder="1,000 SGD", longest=40, dispatches=True)


def _amount(values: Values, call: Call) -> tuple[int, Money]:
    """The customer and the amount in its currency."""
    customer_id = int(values.need(CUSTOMER)[1])
    customer = call.desk.ask(lambda books: books.customer(customer_id), call.request)
    return customer_id, find.money_typed(values.need(AMOUNT), settings_of(call), customer.currency)


def _issue(values: Values, _about: Mapping[str, Any], call: Call) -> IssueCredit:
    customer_id, worth = _amount(values, call)
    return IssueCredit(
        customer_id=customer_id,
        amount=worth,
        purpose=Purpose(values.need(PURPOSE)),
        remark=values.need(REMARK),
        reference=values.text(REFERENCE),
    )


def _take_back(values: Values, _about: Mapping[str, Any], call: Call) -> TakeBackCredit:
    customer_id, worth = _amount(values, call)
    return TakeBackCredit(
        customer_id=customer_id, amount=worth, remark=values.need(REMARK), reference=values.text(REFERENCE)
    )


def _pay_out(values: Values, _about: Mapping[str, Any], call: Call) -> PayOutAtPlatform:
    customer_id, worth = _amount(values, call)
    return PayOutAtPlatform(
        customer_id=customer_id, amount=worth, reference=values.need(PLATFORM_REFERENCE), remark=values.text(NOTE)
    )


def _top_up(values: Values, _about: Mapping[str, Any], call: Call) -> TopUpMaster:
    return TopUpMaster(
        amount=find.money_typed(values.need(AMOUNT), settings_of(call), None),
        paid_on=values.need(PAID_ON),
        method=Method(values.need(METHOD)),
        reference=values.text(REFERENCE),
        remark=values.text(NOTE),
    )


def _limit(values: Values, _about: Mapping[str, Any], call: Call) -> SetMasterLimit:
    return SetMasterLimit(limit=find.money_typed(values.need(LIMIT), settings_of(call), None, field="limit"))


def _done(outcome: CreditChanged, settings: Settings) -> Sequence[Block]:
    made = outcome.credit
    worth = money(made.amount, settings.locale)
    return [
        rich((f"{made.number}, {worth}: ", *credit_said(outcome, settings)), block_id="done"),
        context("Its card is in the finance channel."),
    ]


def _master_done(outcome: MasterChanged, settings: Settings) -> Sequence[Block]:
    return master_card([outcome.effect.after], settings)


def _verb(said: str) -> Any:
    return lambda outcome, settings: f"{said} {money(outcome.credit.amount, settings.locale)}"


ISSUE = flow(
    Flow(
        form=Form("credit_issue", "Issue credit", (CUSTOMER, AMOUNT, PURPOSE, REMARK, REFERENCE)),
        operation=issue_credit,
        command=_issue,
        effect=credit_effect,
        verb=_verb("Issue"),
        done=_done,
    )
)
TAKE_BACK = flow(
    Flow(
        form=Form("credit_take_back", "Take credit back", (CUSTOMER, AMOUNT, REMARK, REFERENCE)),
        operation=take_back_credit,
        command=_take_back,
        effect=credit_effect,
        verb=_verb("Take back"),
        done=_done,
    )
)
PAYOUT = flow(
    Flow(
        form=Form("credit_payout", "Paid by the platform", (CUSTOMER, AMOUNT, PLATFORM_REFERENCE, NOTE)),
        operation=pay_out_at_platform,
        command=_pay_out,
        effect=credit_effect,
        verb=_verb("Paid out"),
        done=_done,
    )
)
TOP_UP = flow(
    Flow(
        form=Form("master_top_up", "Top up master account", (AMOUNT, PAID_ON, METHOD, REFERENCE, NOTE)),
        operation=top_up_master,
        command=_top_up,
        effect=master_changed_effect,
        verb=lambda outcome, settings: f"Add {money(outcome.top_up.amount, settings.locale)}" if outcome.top_up else "",
        done=_master_done,
    )
)
MASTER_LIMIT = flow(
    Flow(
        form=Form(
            "master_limit", "Limit of master account", (LIMIT,), intro="How far the platform lets it go below 0."
        ),
        operation=set_master_limit,
        command=_limit,
        effect=master_changed_effect,
        verb=lambda outcome, settings: f"Limit {money(outcome.effect.after.limit, settings.locale)}",
        done=_master_done,
    )
)
FLOWS: dict[str, Flow[Any, CreditChanged]] = {"issue": ISSUE, "take": TAKE_BACK, "payout": PAYOUT}


def _typed(which: str, call: Call, text: str) -> Reply | None:
    """`Acme 50 goodwill because Late delivery`: the form, filled and previewed; an ambiguous name answers choices."""
    if not text:
        FLOWS[which].open(call, Values({"purpose": Purpose.GOODWILL.value}))
        return None
    name, _ = name_and_amount(phrase(text, KEYWORDS), "purpose")
    found = find.customers_named(call, name) if name else ()
    asked = find.ask_which(found, name, f"choose_credit_{which}", text)
    if asked is not None:
        return asked
    if not found:
        raise NotFound(f"No customer is called {name[:60] or 'nothing'}; type a code, name, UUID or wallet ID.")
    _open_filled(which, call, text, found[0])
    return None


def _open_filled(which: str, call: Call, text: str, customer: Customer) -> None:
    spoken = phrase(text, KEYWORDS)
    given = {
        "customer": find.customer_option(customer),
        "amount": name_and_amount(spoken, "purpose")[1],
        "purpose": spoken.spelled.get("purpose", Purpose.GOODWILL.value).lower().rstrip(":"),
        "remark": spoken.text("remark"),
        "reference": spoken.text("reference"),
    }
    FLOWS[which].open(call, Values(given), preview=True)


def credit_named(call: Call, text: str) -> Credit:
    """A credit document by its number. Refuses: NotFound."""
    found = call.desk.ask(lambda books: books.credit(text), call.request)
    if found is None:
        raise NotFound(f"There is no credit {text[:30] or 'without a number'}; type one such as CRD-0012.")
    return found


def _show(call: Call, text: str) -> Reply:
    made = credit_named(call, text.strip())
    file = call.desk.ask(lambda books: books.credit_file(made.id), call.request)
    settings = settings_of(call)
    return Reply(escape(credit_title(file, settings)), credit_card(file, settings))


def _list(call: Call, text: str) -> Reply:
    """`[issue|take-back|payout] [customer or number] [csv|xlsx]`."""
    text, form = file_format(text)
    first, _, rest = text.partition(" ")
    kind = first.lower() if first.lower() in set(CreditKind) else ""
    page = Page(text=whole(rest if kind else text), state=kind, limit=LIST_ROWS + 1)
    lines = call.desk.ask(lambda books: books.list_credits(page), call.request)
    if not lines:
        return Reply("No credit matches. Try /credit list issue, or a name.")
    if form:
        return send_file(call, "credits", list_json(page), form)
    shown = preformatted(credit_table(lines[:LIST_ROWS], settings_of(call)), block_id="credits")
    more = [context(f"{MORE}; or narrow the list with what it is or a name.")] if len(lines) > LIST_ROWS else []
    return Reply(
        f"{counted(len(lines[:LIST_ROWS]), 'credit')}, newest first", [shown, *more, *offer("credits", list_json(page))]
    )


def _master(call: Call, text: str) -> Reply | None:
    """Nothing shows the accounts; `top-up`, `limit` and `payout` open their forms, filled with what follows."""
    word, _, rest = text.partition(" ")
    verb = word.lower().replace("topup", "top-up")
    if verb in {"top-up", "limit", "payout"}:
        call.desk.ask(lambda _: None, call.request, by=Role.MANAGER)
        return _open_master(verb, call, rest.strip())
    accounts = call.desk.ask(lambda books: books.masters(), call.request)
    if not accounts:
        return Reply("There is no master account; nothing restricts issuing credit. /credit master top-up opens one.")
    return Reply(f"Master account: {counted(len(accounts), 'currency')}", master_card(accounts, settings_of(call)))


def _open_master(verb: str, call: Call, text: str) -> Reply | None:
    spoken = phrase(text, KEYWORDS)
    typed = name_and_amount(spoken)[1]
    if verb == "payout":
        return _typed("payout", call, text)
    if verb == "limit":
        MASTER_LIMIT.open(call, Values({"limit": typed}), preview=bool(typed))
        return None
    given = {
        "amount": typed,
        "received_on": settings_of(call).today(call.request.now),
        "method": Method.BANK_TRANSFER.value,
        "reference": spoken.text("reference"),
    }
    TOP_UP.open(call, Values(given), preview=bool(typed))
    return None


CREDIT = command(
    Command(
        "credit",
        "Issue credit, take it back, and the master account",
        "Acme 50 goodwill because Late delivery",
        main="issue",
        subs=(
            Sub(
                "issue",
                Role.MANAGER,
                "/credit Acme 50 goodwill because Late delivery",
                "gives credit as goodwill, commission or correction",
                lambda call, text: _typed("issue", call, text),
            ),
            Sub(
                "take-back",
                Role.MANAGER,
                "/credit take-back Acme 20 because Given twice",
                "takes issued credit away",
                lambda call, text: _typed("take", call, text),
            ),
            Sub(
                "refund",
                Role.MANAGER,
                "/credit refund Acme 10 of CALL-17 because Dropped",
                "takes usage back, in part or whole",
                open_refund,
            ),
            Sub("list", Role.VIEWER, "/credit list issue", "the newest credits", _list),
            Sub("show", Role.VIEWER, "/credit show CRD-0001", "a credit's card", _show),
            Sub("master", Role.VIEWER, "/credit master", "what stands at the platform; top-up, limit, payout", _master),
        ),
    )
)


for _which in FLOWS:
    find.on_choice(f"choose_credit_{_which}", partial(_open_filled, _which), by=Role.MANAGER)
