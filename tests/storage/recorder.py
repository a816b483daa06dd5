"""A program that records payments and says each number once it is safe; the crash test kills it."""

import sys
from datetime import UTC, datetime

from bot.desk import Desk
from bot.domain.money import Money, currency
from bot.domain.operation import Actor, Request
from bot.domain.payments import RecordPayment, record_payment
from bot.storage.shelf import Library
from bot.storage.store import Store

PAYMENTS = 200


def request(index: int, actor: Actor, now: datetime) -> Request:
    return Request(actor=actor, now=now, key=f"crash:{index}", request_id=f"crash-{index}")


def command(index: int, now: datetime) -> RecordPayment:
    amount = Money.parse(str(index + 1), currency("SGD"))
    return RecordPayment(payer=f"Payer {index}", amount=amount, received_on=now.date())


def main(url: str, team: str, user: str, now: datetime) -> None:
    """Record the payments one after another, as one person would."""
    library = Library(url)
    desk = Desk(Store.open(library))
    actor = Actor(team=team, user=user)
    for index in range(PAYMENTS):
        outcome = desk.carry_out(record_payment, command(index, now), request(index, actor, now))
        sys.stdout.write(f"{index} {outcome.payment.number}\n")
        sys.stdout.flush()
    library.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], datetime.fromisoformat(sys.argv[4]).astimezone(UTC))
