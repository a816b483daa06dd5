"""Customers: how they are named, what they owe and hold."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from bot.domain.addresses import clean_address
from bot.domain.errors import AlreadyTaken, CustomerClosed, MissingText, Refused, TextTooLong, WrongState
from bot.domain.money import LARGEST_MICROS, Currency, Money
from bot.domain.operation import Announcement, Context, DocumentKind, Role, Trace, operation
from bot.domain.schedules import is_known_zone

if TYPE_CHECKING:
    from bot.domain.ports import Books

LONGEST_NAME = 200
LONGEST_CODE = 24
LONGEST_DUE_DAYS = 365
COUNTRY_LETTERS = 2
LONGEST_ID = 40
LONGEST_ZONE = 60
LONGEST_PHONE = 60
LARGEST_CONTROL = 8 * LARGEST_MICROS  # what a 64-bit number holds, with room for sums of two


class Mode(StrEnum):
    """How a customer pays: from credit it holds, or after an invoice. Rule 64."""

    PREPAID = "prepaid"
    POSTPAID = "postpaid"


class CustomerState(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Controls:
    """A customer's control accounts in micros, each as a positive amount, and what holds reserve."""

    deposits: int = 0
    advances: int = 0
    credit_notes: int = 0
    receivable: int = 0
    unbilled: int = 0
    payouts_due: int = 0
    reserved: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """A month of the book's zone: its first day, and the instant at which it ends."""

    starts_on: date
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A person at the customer; contact data never reaches logs or the audit."""

    name: str
    email: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A client with one currency; balances are micros, positive means the customer holds credit. Rules 60, 112, 113."""

    id: int
    code: str
    name: str
    uuid: str
    wallet_id: str
    currency: Currency
    mode: Mode
    due_days: int | None = None
    state: CustomerState = CustomerState.ACTIVE
    billing_name: str = ""
    country: str = ""
    zone: str = ""
    limit_micros: int = 0
    limit_ends_at: datetime | None = None
    month: Month | None = None  # in which it was last charged without an invoice
    month_micros: int = 0  # what is unbilled of that month
    controls: Controls = Controls()
    version: int = 1
    top_up_at_micros: int | None = None

    @property
    def balance(self) -> Money:
        """Deposits less receivable less unbilled, in both modes; signed, positive is credit (CR)."""
        held = self.controls
        return Money(held.deposits - held.receivable - held.unbilled, self.currency)

    @property
    def amount_due(self) -> Money:
        """Receivable less deposits: positive is owed (DR), negative is credit in hand (CR)."""
        return Money(self.controls.receivable - self.controls.deposits, self.currency)

    def usable(self, now: datetime) -> Money:
        """What the customer may still spend, by its mode, with the limit in force at that moment. Rules 107-110."""
        held = self.controls
        limit = 0 if self.limit_ends_at is not None and now >= self.limit_ends_at else self.limit_micros
        if self.mode is Mode.PREPAID:
            return Money(self.balance.micros + limit - held.reserved, self.currency)
        in_hand = max(0, held.deposits - held.receivable)
        return Money(limit + in_hand - self.running(now) - held.reserved, self.currency)

    def running(self, now: datetime) -> int:
        """What is unbilled of the running month, in micros: with a new month a limit starts afresh. Rule 57."""
        return max(0, self.month_micros) if self.month is not None and now < self.month.ends_at else 0

    def counted(self, month: Month, on: date, by_micros: int) -> "Customer":
        """The same customer with more, or less, unbilled on a day; what is of an earlier month is not counted."""
        counts = self.month_micros if self.month is not None and self.month.starts_on == month.starts_on else 0
        return replace(self, month=month, month_micros=counts + (by_micros if on >= month.starts_on else 0))

    def is_operational(self, now: datetime) -> bool:
        """Active with something left to spend. Rule 114."""
        return self.state is CustomerState.ACTIVE and self.usable(now).micros > 0

    @property
    def has_reached_threshold(self) -> bool:
        """Whether the whole balance, not what is usable of it, is at the level of its top-up or below. Rules 72, 76."""
        level = self.top_up_at_micros
        return level is not None and self.mode is Mode.PREPAID and self.balance.micros <= level

    def moved(self, **delta_micros: int) -> "Customer":
        """The same customer after postings moved its control accounts."""
        held = self.controls
        changed = {name: getattr(held, name) + delta for name, delta in delta_micros.items()}
        if max(map(abs, changed.values()), default=0) > LARGEST_CONTROL:
            raise Refused(f"The accounts of {self.name} would grow beyond what these books keep.", field="amount")
        return replace(self, controls=replace(held, **changed))

    def open_for_business(self) -> "Customer":
        """Itself, unless closed. Refuses: CustomerClosed."""
        if self.state is CustomerState.CLOSED:
            raise CustomerClosed(f"{self.name} is closed; open it again first.", field="customer")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCustomer:
    """Open a customer in the book."""

    code: str
    name: str
    currency: Currency
    mode: Mode
    due_days: int | None = None
    billing_name: str = ""
    country: str = ""
    zone: str = ""
    uuid: str = ""
    wallet_id: str = ""
    contacts: tuple[Contact, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EditCustomer:
    """Change what a customer is called and its terms; currency and mode stay."""

    customer_id: int
    version: int
    code: str
    name: str
    due_days: int | None = None
    billing_name: str = ""
    country: str = ""
    zone: str = ""
    contacts: tuple[Contact, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A particular that is another from now on, both as people read them."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerChanged:
    """A customer was opened or edited."""

    kind: str
    customer: Customer
    contacts: tuple[Contact, ...]
    operation_id: int
    corrected: tuple[Correction, ...] = ()
    reason: str = ""

    @property
    def changed(self) -> tuple[str, ...]:
        return tuple(each.name for each in self.corrected)

    def trace(self) -> Trace:
        customer = self.customer
        return Trace(
            description=f"{customer.code} {self.kind}: {self.reason or ', '.join(self.changed) or customer.mode.value}",
            customer_id=customer.id,
            document=customer.code,
            before={each.name: each.before for each in self.corrected},
            after={
                **{each.name: each.after for each in self.corrected},
                "mode": customer.mode.value,
                "currency": customer.currency.code,
                "due_days": str(customer.due_days or ""),
            },
        )

    def announcements(self) -> tuple[Announcement, ...]:
        return (Announcement(document=DocumentKind.CUSTOMER, document_id=self.customer.id),)


@operation(by=Role.CLERK)
def new_customer(command: NewCustomer, books: "Books", context: Context) -> CustomerChanged:
    """Open a customer with zero balances. Rules 60, 64, 102. Refuses: MissingText, TextTooLong, AlreadyTaken,
    UnknownCurrency.
    """
    books.settings.current().check_currency(command.currency, "currency")
    code = clean_code(command.code)
    uuid = clean_text(command.uuid, "uuid", LONGEST_ID).lower()
    wallet_id = clean_text(command.wallet_id, "wallet_id", LONGEST_ID).upper()
    _check_free(books, code, uuid, wallet_id)
    identity = books.customers.new_identity()
    customer = Customer(
        id=identity.id,
        code=code,
        name=clean_text(command.name, "name", LONGEST_NAME, needed=True),
        uuid=uuid or identity.uuid,
        wallet_id=wallet_id or identity.wallet_id,
        currency=command.currency,
        mode=command.mode,
        due_days=clean_due_days(command.due_days),
        billing_name=clean_text(command.billing_name, "billing_name", LONGEST_NAME),
        country=clean_country(command.country),
        zone=clean_zone(command.zone),
    )
    contacts = clean_contacts(command.contacts)
    books.customers.insert(customer, contacts)
    return CustomerChanged(kind="opened", customer=customer, contacts=contacts, operation_id=context.operation_id)


@operation(by=Role.CLERK)
def edit_customer(command: EditCustomer, books: "Books", context: Context) -> CustomerChanged:
    """Change a customer's names, terms and contacts. Rule 102. Refuses: WrongState, MissingText, TextTooLong,
    AlreadyTaken.
    """
    before = books.customers.lock(command.customer_id)
    if before.version != command.version:
        raise WrongState(f"{before.name} was changed by somebody else meanwhile; open the form again.")
    code = clean_code(command.code)
    if code != before.code:
        _check_free(books, code, "", "")
    after = replace(
        before,
        code=code,
        name=clean_text(command.name, "name", LONGEST_NAME, needed=True),
        due_days=clean_due_days(command.due_days),
        billing_name=clean_text(command.billing_name, "billing_name", LONGEST_NAME),
        country=clean_country(command.country),
        zone=before.zone if command.zone == before.zone else clean_zone(command.zone),
        version=before.version + 1,
    )
    contacts = clean_contacts(command.contacts)
    corrected = corrections(before, after, ("code", "name", "due_days", "billing_name", "country", "zone"))
    known = books.customers.contacts(before.id)
    if contacts != known:
        after_text = f"{len(contacts)}, as the customer shows them"
        corrected += (Correction(name="contacts", before=str(len(known)), after=after_text),)
    if not corrected:
        raise WrongState(f"Nothing of {before.name} is different; change a field, or close the form.")
    books.customers.update(after, contacts)
    return CustomerChanged(
        kind="edited", customer=after, contacts=contacts, operation_id=context.operation_id, corrected=corrected
    )


def corrections(before: object, after: object, names: tuple[str, ...]) -> tuple[Correction, ...]:
    """What differs between two states of a document, as people read it."""
    return tuple(
        Correction(
            name=name.replace("_", " "), before=_shown(getattr(before, name)), after=_shown(getattr(after, name))
        )
        for name in names
        if getattr(before, name) != getattr(after, name)
    )


def _shown(value: object) -> str:
    return "" if value is None else str(value)


def clean_text(text: str, field: str, longest: int, *, needed: bool = False, called: str = "") -> str:
    """The text without outer space; refusals name it as called, or as its field. Refuses: MissingText, TextTooLong."""
    cleaned = text.strip()
    name = called or field.replace("_", " ")
    if needed and not cleaned:
        raise MissingText(f"The {name} is empty; type one.", field=field)
    if len(cleaned) > longest:
        raise TextTooLong(f"The {name} has {len(cleaned):,} characters; keep it to {longest:,}.", field=field)
    return cleaned


def clean_code(text: str) -> str:
    """A code in capitals, without spaces. Refuses: MissingText, TextTooLong, Refused."""
    code = clean_text(text, "code", LONGEST_CODE, needed=True).upper()
    if not all(letter.isalnum() or letter in "-_." for letter in code):
        raise Refused("A code has letters, digits, dashes and dots only, such as ACME or SG-012.", field="code")
    return code


def clean_zone(text: str) -> str:
    """A time zone such as Asia/Singapore, or nothing. Refuses: Refused, TextTooLong."""
    zone = clean_text(text, "zone", LONGEST_ZONE)
    if zone and not is_known_zone(zone):
        raise Refused(f"{zone[:40]} is not a time zone; type one such as Asia/Singapore.", field="zone")
    return zone


def clean_country(text: str) -> str:
    """An ISO 3166 country code of two letters, or nothing. Refuses: Refused."""
    country = text.strip().upper()
    if country and (len(country) != COUNTRY_LETTERS or not country.isascii() or not country.isalpha()):
        raise Refused("The country is a code of two letters, such as SG or DE.", field="country")
    return country


def clean_due_days(days: int | None) -> int | None:
    """Days until an invoice is due, or the book's default. Rule 102. Refuses: Refused."""
    if days is not None and not 0 <= days <= LONGEST_DUE_DAYS:
        raise Refused(f"Due days go from 0 to {LONGEST_DUE_DAYS}.", field="due_days")
    return days


def clean_contacts(contacts: tuple[Contact, ...]) -> tuple[Contact, ...]:
    """Contacts, each with an address that mail can be sent to. Refuses: Refused, TextTooLong."""
    return tuple(
        Contact(
            name=clean_text(contact.name, "contact", LONGEST_NAME),
            email=clean_address(email) if (email := clean_text(contact.email, "email", LONGEST_NAME)) else "",
            phone=clean_text(contact.phone, "phone", LONGEST_PHONE),
        )
        for contact in contacts
    )


def _check_free(books: "Books", code: str, uuid: str, wallet_id: str) -> None:
    taken = books.customers.taken(code=code, uuid=uuid, wallet_id=wallet_id)
    if taken is not None:
        raise AlreadyTaken(
            f"That {taken} already belongs to another customer; choose another one.",
            field=taken.lower().replace(" ", "_"),
        )
