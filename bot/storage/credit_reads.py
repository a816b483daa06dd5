"""Questions about credit documents and the master account."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, or_, select

from bot.domain.credits import Credit, CreditFile
from bot.domain.customers import Customer
from bot.domain.errors import NotFound
from bot.domain.master import MasterAccount
from bot.domain.master_moves import TopUp
from bot.domain.money import Money, currency
from bot.domain.payment import Method
from bot.domain.ports import Page
from bot.storage.ageing import batches_of
from bot.storage.credits import CREDITS, MASTERS, credit_of, master_of
from bot.storage.customers import folded
from bot.storage.naming import is_named
from bot.storage.tables import CreditRow, CustomerRow, LotRow, MasterRow, MasterTopUpRow

_credit = CreditRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_customer = CustomerRow.__table__  # type: ignore[attr-defined]  # as above
_lot = LotRow.__table__  # type: ignore[attr-defined]  # as above
_master = MasterRow.__table__  # type: ignore[attr-defined]  # as above
_top_up = MasterTopUpRow.__table__  # type: ignore[attr-defined]  # as above


class CreditReads:
    """What a report may ask about credit documents and master accounts."""

    _connection: Connection

    def customer(self, customer_id: int) -> Customer:
        raise NotImplementedError

    def credit(self, number_or_id: str) -> Credit | None:
        """A credit document by its number or id."""
        row = self._connection.execute(CREDITS.where(is_named(_credit, number_or_id))).first()
        return credit_of(row) if row is not None else None

    def credit_file(self, credit_id: int) -> CreditFile:
        """All that its card shows: of an issue, what is left of it."""
        found = self.credit(str(credit_id))
        if found is None:
            raise NotFound("There is no such credit.")
        left = None
        if found.lot_id is not None:
            asked = select(_lot.c.open_micros).where(_lot.c.id == found.lot_id)
            left = Money(self._connection.execute(asked).scalar_one(), found.amount.currency)
        return CreditFile(credit=found, customer=self.customer(found.customer_id), left=left)

    def list_credits(self, page: Page) -> Sequence[tuple[Credit, str]]:
        return list(self.each_credit(page))

    def each_credit(self, page: Page) -> Iterator[tuple[Credit, str]]:
        """The newest first, each with its customer's name; a long list is never in memory as a whole."""
        statement = CREDITS.add_columns(_customer.c.name.label("customer_name")).join(
            _customer, _customer.c.id == _credit.c.customer_id
        )
        if page.state:
            statement = statement.where(_credit.c.kind == page.state)
        if page.text:
            statement = statement.where(
                or_(
                    _credit.c.number == page.text.upper(),
                    _customer.c.code == page.text.upper(),
                    _customer.c.search_name.contains(folded(page.text), autoescape=True),
                )
            )
        newest = statement.order_by(_credit.c.id.desc()).limit(page.limit).offset(page.offset)
        for row in self._connection.execute(newest, execution_options=batches_of(page.limit)):
            yield credit_of(row), row.customer_name

    def masters(self) -> Sequence[MasterAccount]:
        """Every master account with what is owed of it."""
        return [master_of(row) for row in self._connection.execute(MASTERS.order_by(_master.c.currency))]

    def master_top_up(self, top_up_id: int) -> TopUp:
        row = self._connection.execute(select(_top_up).where(_top_up.c.id == top_up_id)).first()
        if row is None:
            raise NotFound("There is no such top-up.")
        return TopUp(
            id=row.id,
            number=row.number,
            amount=Money(row.amount_micros, currency(row.currency)),
            paid_on=row.paid_on,
            method=Method(row.method),
            reference=row.reference,
            remark=row.remark,
            recorded_at=row.recorded_at,
            recorded_by=row.recorded_by,
        )
