"""Refusals: the business says no, in a sentence that says what would work."""


class Refused(Exception):  # noqa: N818  # read as a sentence: the business refused
    """The business says no: a plain sentence, the field at fault, and nothing was written."""

    def __init__(self, sentence: str, *, field: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field

    @property
    def code(self) -> str:
        return type(self).__name__


class NotFound(Refused):
    """What was named does not exist in this book."""


class NoAccess(Refused):
    """The person has no access, or not enough of it. Rules 118-120."""


class NotPositive(Refused):
    """An amount that must be more than zero is not. Rule 3."""


class DateInFuture(Refused):
    """A date of something that happened lies after the book's today. Rule 3."""


class DateTooEarly(Refused):
    """An effective date lies before what it acts on, or in a locked period."""


class CurrencyMixed(Refused):
    """Two currencies met; there is no conversion."""


class UnknownCurrency(Refused):
    """Not an ISO 4217 code this book can use."""


class TooPreciseForCurrency(Refused):
    """A document amount has more decimals than its currency."""


class MissingText(Refused):
    """A text that is needed is empty."""


class TextTooLong(Refused):
    """A text is longer than its field keeps."""


class AlreadyTaken(Refused):
    """A name or number that must be unique is in use."""


class WrongState(Refused):
    """The document is not in a state in which this can happen."""


class PaymentAssigned(WrongState):
    """Editing or voiding needs an unassigned payment. Rule 19."""


class PaymentNotAssigned(WrongState):
    """Allocation needs a payment that belongs to a customer."""


class PaymentHasAllocations(WrongState):
    """Un-assigning needs a payment without allocations. Rule 18."""


class NoEditsLeft(WrongState):
    """A payment's five assign and un-assign actions are used up. Rules 6, 7."""


class MoreThanLeft(Refused):
    """More was asked than is left on the payment or open on the invoice. Rules 10, 11."""


class InvoiceOfAnotherCustomer(Refused):
    """An allocation joins a payment and an invoice of one customer. Rule 12."""


class NothingToAllocate(Refused):
    """Neither the payment nor the invoices leave anything to match."""


class CustomerClosed(WrongState):
    """A closed customer takes no new documents."""


class NotUndoable(Refused):
    """The operation cannot be undone any more; the sentence names what corrects it."""


class OwnRequest(NoAccess):
    """Nobody approves what they asked for themselves."""


class ApprovedAlready(Refused):
    """Each person counts once for one request."""


class EvidenceChanged(WrongState):
    """What was to be approved is not what the card showed."""


class CustomerNotSettled(WrongState):
    """A customer with credit or debt left cannot be closed. Rule 45."""


class MasterShort(Refused):
    """The master account cannot cover what is handed out or sold of it. Rules 48, 55."""


class NotEnoughUsable(Refused):
    """A transaction is more than the customer may still spend. Rules 56, 57, 69, 107, 109."""


class MasterNotOpen(WrongState):
    """There is no master account in this currency."""


class TopUpRefused(Refused):
    """Nothing is topped up now, and nobody needs to be told again. Rules 74-77."""


class NotMailable(Refused):
    """There is no address that this can be sent to by e-mail."""


class KeyReused(Refused):
    """The same key came with other content; the first result stands."""


class OwnerExists(Refused):
    """There is always exactly one owner. Rule 120."""


class SettingRefused(Refused):
    """A setting's value cannot be used."""


class TemplateRefused(Refused):
    """A text of a reminder has something in it that cannot be filled in. Rule 90."""


class ScheduleRefused(Refused):
    """A line of a schedule of reminders cannot be read, or does not fit the others."""


class ReminderRefused(Refused):
    """Nobody is reminded now; the sentence says why not. Rules 85, 88, 89."""


class Busy(Refused):
    """The desk is at its limit or the deadline passed; nothing was done."""


class OutcomeUnknown(Refused):
    """The connection broke at commit; pressing again cannot do it twice."""
