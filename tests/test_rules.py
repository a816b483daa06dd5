"""The tests about the tests: every rule is proved, every test asserts, every folder can be imported."""

from collections import Counter
from textwrap import dedent

import pytest

from tests.rules import HERE, PLANNED, REQUIRED, RULES, Proof, main, missing, proofs, read, table


@pytest.fixture(scope="module")
def found() -> list[Proof]:
    return proofs()


def read_one(source: str) -> Proof:
    (proof,) = read(dedent(source), "test_x.py")
    return proof


def test_every_required_rule_has_a_test(found: list[Proof], capsys: pytest.CaptureFixture[str]) -> None:
    assert missing(found) == []
    assert main() == 0
    printed = capsys.readouterr().out
    assert f"{len(REQUIRED)} of {len(REQUIRED)} required rules proved" in printed
    assert "MISSING" not in printed


def test_every_test_asserts_something(found: list[Proof]) -> None:
    assert [proof.place for proof in found if not proof.asserts] == []


def test_marks_name_rules_that_exist(found: list[Proof]) -> None:
    assert {rule for proof in found for rule in proof.rules} <= set(RULES)


def test_no_test_hides_another_of_the_same_name(found: list[Proof]) -> None:
    counted = Counter(proof.place for proof in found)
    assert [place for place, times in counted.items() if times > 1] == []


def test_test_folders_are_packages_so_that_files_of_one_name_stand_side_by_side() -> None:
    folders = {path.parent for path in HERE.rglob("test_*.py")}
    assert [str(folder) for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []


def test_required_and_planned_rules_are_all_120() -> None:
    assert set(REQUIRED) | PLANNED == set(RULES)
    assert not set(REQUIRED) & PLANNED
    assert {1, 13, 17, 26, 28, 30, 79, 84, 100, 102, 104, 112, 113, 115, 120} <= set(REQUIRED)


def test_marks_are_read_from_function_class_module_and_parameter() -> None:
    proof = read_one(
        """
        pytestmark = [pytest.mark.rule(1), pytest.mark.slow]

        @pytest.mark.rules(2, 3)
        class TestIt:
            @pytest.mark.rule(4)
            @pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.rule(5))])
            def test_it(self, x):
                assert x
        """
    )
    assert proof.rules == (1, 2, 3, 4, 5)
    assert proof.place == "test_x.py::test_it"


@pytest.mark.parametrize(
    ("body", "judged"),
    [
        ("assert x", True),
        ("with pytest.raises(ValueError):\n        f()", True),
        ("world.check()", True),
        ("expect_refusal(world)", True),
        ("assert_same(a, b)", True),
        ("world.pay(5)", False),
        ("pass", False),
    ],
)
def test_a_test_without_judgement_is_told_apart(body: str, judged: bool) -> None:
    assert read_one(f"def test_it(world):\n    {body}\n").asserts is judged


def test_a_helper_of_the_same_file_may_do_the_asserting() -> None:
    source = """
        def deep(x):
            assert x

        def shallow(x):
            deep(x)

        def idle(x):
            return x

        def test_one(x):
            shallow(x)

        def test_two(x):
            idle(x)
        """
    assert [proof.asserts for proof in read(dedent(source), "test_x.py")] == [True, False]


def test_a_rule_without_a_test_is_named() -> None:
    only = read_one("@pytest.mark.rule(1)\ndef test_it():\n    assert 1\n")
    assert missing([only]) == [rule for rule in REQUIRED if rule != 1]
    lines = table([only]).splitlines()
    assert lines[2].split() == ["1", "proved", "1", "test_x.py::test_it"]
    assert lines[3].split() == ["2", "MISSING", "0"]
