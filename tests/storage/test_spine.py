"""The first things that must hold on both engines."""

import pytest

from tests.world import World, money


@pytest.mark.rules(24, 25)
def test_a_payment_of_500_pays_invoices_of_100_200_300_400_oldest_first(world: World) -> None:
    customer = world.customer()
    invoices = [world.invoice(customer, amount, issued=-4 + index) for index, amount in enumerate((100, 200, 300, 400))]
    world.pay(500, customer)
    after = [world.read_invoice(invoice) for invoice in invoices]
    assert [invoice.status for invoice in after] == ["paid", "paid", "partially paid", "awaiting payment"]
    assert after[2].open == money(100)
    world.check()
