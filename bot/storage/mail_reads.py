"""Questions about mails."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, func, select

from bot.domain.errors import NotFound
from bot.domain.mail import KeptMail, MailAbout
from bot.storage import mails
from bot.storage.tables import MailRow

_mail = MailRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one


class MailReads:
    """What may be asked about mails."""

    _connection: Connection

    def mail(self, mail_id: int) -> KeptMail:
        """A mail and how it stands. Refuses: NotFound."""
        found = mails.find(self._connection, mail_id)
        if found is None:
            raise NotFound("There is no such mail.")
        return found

    def bouncing(self, customer_id: int) -> frozenset[str]:
        """The addresses of a customer that mail came back from."""
        return mails.bouncing(self._connection, customer_id)

    def troubled_mails(self, limit: int = 20) -> Sequence[KeptMail]:
        """The mails that a person has to look after, the newest first."""
        return troubled(self._connection, limit)

    def mails_about(self, about: MailAbout, about_id: int, limit: int = 20) -> Sequence[KeptMail]:
        """The mails about a document, the newest first."""
        statement = (
            mails.MAILS.where(_mail.c.about == about.value, _mail.c.about_id == about_id)
            .order_by(_mail.c.id.desc())
            .limit(limit)
        )
        return [mails.kept_mail(row) for row in self._connection.execute(statement)]


def troubled(connection: Connection, limit: int) -> Sequence[KeptMail]:
    """The mails that failed, came back, or of which nobody knows, until somebody looked after them."""
    trouble = (
        _mail.c.state.in_(("failed", "unknown", "bounced")),
        _mail.c.handled_at.is_(None),
        _mail.c.looking_until.is_(None),
    )
    statement = mails.MAILS.where(*trouble).order_by(_mail.c.id.desc()).limit(limit)
    return [mails.kept_mail(row) for row in connection.execute(statement)]


def counts(connection: Connection) -> Mapping[str, int]:
    """How many mails are in each state."""
    rows = connection.execute(select(_mail.c.state, func.count()).group_by(_mail.c.state))
    return {row[0]: int(row[1]) for row in rows}
