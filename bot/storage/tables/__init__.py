"""Every table, once; private to storage."""

from bot.storage.tables.approvals import (
    ApprovalExecutionRow,
    ApprovalRow,
    ApprovalVoteRow,
    DelegationRow,
    TermsRequestRow,
    WithdrawalRow,
    WithdrawnRow,
)
from bot.storage.tables.columns import KEY, Instant, Table
from bot.storage.tables.credits import CreditRow, MasterRow, MasterTopUpRow, TakenRow
from bot.storage.tables.customers import ContactRow, CreditLimitRow, CustomerRow, LimitWatchRow, ModeRow
from bot.storage.tables.desk import AuditRow, JobRunRow, MessageRow, OutboxRow, PulseRow, RequestRow, SealRow
from bot.storage.tables.disputes import DisputeRow, PromiseRow, WriteOffRow, WrittenOffRow
from bot.storage.tables.documents import (
    AssignmentRow,
    CreditNoteLineRow,
    CreditNoteRow,
    HoldLotRow,
    HoldRow,
    InvoiceLineRow,
    InvoiceRow,
    LotRow,
    PaymentRow,
    ProofRow,
    UsageDayRow,
)
from bot.storage.tables.intakes import IntakeRow
from bot.storage.tables.ledger import NEVER_OWED, AllocationRow, EntryRow, FlagRow, PostingRow
from bot.storage.tables.mail import BouncedAddressRow, MailRow
from bot.storage.tables.people import BookRow, PersonRow, SeriesRow, SettingRow
from bot.storage.tables.reminders import (
    OPEN_MESSAGE,
    TAKEN_LINE,
    ReminderContactRow,
    ReminderLeftRow,
    ReminderLineRow,
    ReminderMessageRow,
    ReminderReachedRow,
    ReminderRunRow,
    ReminderScheduleRow,
    ReminderStopRow,
    ReminderTemplateRow,
    ReminderTermsRow,
)
from bot.storage.tables.top_ups import PaymentSettingsRow, TopUpAttemptRow, TopUpDayRow
from bot.storage.tables.usage import ChargeRow, UsageRefundRow

metadata = Table.metadata

__all__ = [
    "KEY",
    "NEVER_OWED",
    "OPEN_MESSAGE",
    "TAKEN_LINE",
    "AllocationRow",
    "ApprovalExecutionRow",
    "ApprovalRow",
    "ApprovalVoteRow",
    "AssignmentRow",
    "AuditRow",
    "BookRow",
    "BouncedAddressRow",
    "ChargeRow",
    "ContactRow",
    "CreditLimitRow",
    "CreditNoteLineRow",
    "CreditNoteRow",
    "CreditRow",
    "CustomerRow",
    "DelegationRow",
    "DisputeRow",
    "EntryRow",
    "FlagRow",
    "HoldLotRow",
    "HoldRow",
    "Instant",
    "IntakeRow",
    "InvoiceLineRow",
    "InvoiceRow",
    "JobRunRow",
    "LimitWatchRow",
    "LotRow",
    "MailRow",
    "MasterRow",
    "MasterTopUpRow",
    "MessageRow",
    "ModeRow",
    "OutboxRow",
    "PaymentRow",
    "PaymentSettingsRow",
    "PersonRow",
    "PostingRow",
    "PromiseRow",
    "ProofRow",
    "PulseRow",
    "ReminderContactRow",
    "ReminderLeftRow",
    "ReminderLineRow",
    "ReminderMessageRow",
    "ReminderReachedRow",
    "ReminderRunRow",
    "ReminderScheduleRow",
    "ReminderStopRow",
    "ReminderTemplateRow",
    "ReminderTermsRow",
    "RequestRow",
    "SealRow",
    "SeriesRow",
    "SettingRow",
    "TakenRow",
    "TermsRequestRow",
    "TopUpAttemptRow",
    "TopUpDayRow",
    "UsageDayRow",
    "UsageRefundRow",
    "WithdrawalRow",
    "WithdrawnRow",
    "WriteOffRow",
    "WrittenOffRow",
    "metadata",
]
