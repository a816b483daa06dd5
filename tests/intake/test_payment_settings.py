"""Payment settings that come with a file of customers."""

from pathlib import Path

import pytest

from bot.domain.payment_settings import PaymentSettings, SetPaymentSettings, TopUpMethod, set_payment_settings
from bot.intake.export import export
from tests.intake.files import Done, bring_customers
from tests.world import MANAGER, World, money

HEAD = "code,name,currency,mode,payment_method,trigger_amount,threshold,auto_trigger"


def bring(world: World, folder: Path, *lines: str) -> Done:
    path = folder / "customers.csv"
    path.write_text("\n".join((HEAD, *lines)) + "\n", encoding="utf-8")
    return bring_customers(world, path)


def settings(world: World, code: str) -> PaymentSettings | None:
    return world.store.read(lambda books: books.payment_settings(books.find_customers(code)[0]))


@pytest.mark.rule(71)
def test_what_stripe_says_comes_with_the_customers_and_again_when_it_changed(world: World, tmp_path: Path) -> None:
    bring(world, tmp_path, "A,A Ltd,SGD,prepaid,stripe,100,20,on", "B,B Ltd,SGD,prepaid,cheque,50,9,off")
    found = settings(world, "A")
    assert found is not None
    assert (found.method, found.amount, found.threshold) == (TopUpMethod.STRIPE, money(100), money(20))
    bring(world, tmp_path, "A,A Ltd,SGD,prepaid,stripe,300,60,on")
    found = settings(world, "A")
    assert found is not None
    assert (found.amount, found.threshold) == (money(300), money(60))
    done = bring(world, tmp_path, "B,B Ltd,SGD,prepaid,cheque,70,9,off")
    assert "change it with /payment-settings" in " ".join(done.faults)
    customer = world.store.read(lambda books: books.find_customers("A")[0])
    typed = SetPaymentSettings(
        customer_id=customer.id, method=TopUpMethod.CHEQUE, amount=money(5), threshold=money(1), auto=False
    )
    world.do(set_payment_settings, typed, by=MANAGER)
    done = bring(world, tmp_path, "A,A Ltd,SGD,prepaid,stripe,300,60,on")
    assert "A has SGD 5.00 by cheque or TT at SGD 1.00, off in the book" in " ".join(done.faults)
    world.check()


def test_what_export_writes_is_the_same_when_it_is_read_again(world: World, tmp_path: Path) -> None:
    lines = ("A,A Ltd,SGD,prepaid,stripe,100,20,on", "B,B Ltd,SGD,prepaid,cheque,50.50,0,off", "C,C,SGD,prepaid,,,,")
    bring(world, tmp_path, *lines)
    export(world.desk, tmp_path / "out")
    written = (tmp_path / "out" / "customers.csv").read_text(encoding="utf-8-sig").splitlines()
    assert [line.split(",")[-4:] for line in written[1:]] == [
        ["stripe", "100", "20", "on"],
        ["cheque", "50.5", "0", "off"],
        ["", "", "", ""],
    ]
    again = bring_customers(world, tmp_path / "out" / "customers.csv")
    assert (again.faults, "all of them are in the book already" in again.text) == ([], True)


@pytest.mark.parametrize("engine_name", ["sqlite"])
@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("A,A,SGD,postpaid,cheque,5,1,on", "only a prepaid customer"),
        ("A,A,SGD,prepaid,card,5,1,on", "none of cheque, stripe, master"),
        ("A,A,SGD,prepaid,cheque,,1,on", "trigger_amount"),
        ("A,A,SGD,prepaid,cheque,5,1,on", "its balance is not in the book yet; write off"),
        ("A,A,SGD,prepaid,cheque,5,1,maybe", "none of on, off"),
    ],
)
def test_settings_that_cannot_be_are_faults_of_their_column(world: World, tmp_path: Path, line: str, says: str) -> None:
    done = bring(world, tmp_path, line)
    assert says in " ".join(done.faults)
