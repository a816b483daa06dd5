"""Which test proves which of the 120 rules: `python -m tests.rules` prints the table and fails when one has no test."""

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tabulate import tabulate

HERE = Path(__file__).parent
RULES = range(1, 121)
PLANNED: frozenset[int] = frozenset()
REQUIRED = tuple(rule for rule in RULES if rule not in PLANNED)
CHECKERS = ("assert_", "check", "expect")

TestFunction = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A test function, where it stands, the rules it names and whether it asserts anything."""

    path: str
    name: str
    rules: tuple[int, ...]
    asserts: bool

    @property
    def place(self) -> str:
        return f"{self.path}::{self.name}"


def proofs(folder: Path = HERE) -> list[Proof]:
    """Every test function below a folder, read without importing it."""
    return [
        proof
        for path in sorted(folder.rglob("test_*.py"))
        for proof in read(path.read_text(encoding="utf-8"), path.relative_to(folder.parent).as_posix())
    ]


def read(source: str, path: str) -> Iterator[Proof]:
    """The test functions of one file, with the marks of their module and class."""
    module = ast.parse(source, path)
    judges = judging(module)
    everywhere = [
        number
        for statement in module.body
        if isinstance(statement, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == "pytestmark" for target in statement.targets)
        for number in marked(statement.value)
    ]
    for statement in module.body:
        if isinstance(statement, ast.ClassDef) and statement.name.startswith("Test"):
            shared = [*everywhere, *(number for mark in statement.decorator_list for number in marked(mark))]
            for inner in statement.body:
                yield from _proof(inner, path, shared, judges)
        else:
            yield from _proof(statement, path, everywhere, judges)


def _proof(statement: ast.stmt, path: str, shared: list[int], judges: set[str]) -> Iterator[Proof]:
    if isinstance(statement, TestFunction) and statement.name.startswith("test"):
        own = [number for mark in statement.decorator_list for number in marked(mark)]
        rules = tuple(sorted({*shared, *own}))
        yield Proof(path=path, name=statement.name, rules=rules, asserts=asserts(statement, judges))


def marked(expression: ast.expr) -> Iterator[int]:
    """The numbers of every `pytest.mark.rule(...)` and `pytest.mark.rules(...)` in an expression."""
    for node in ast.walk(expression):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in {"rule", "rules"}
            and isinstance(node.func.value, ast.Attribute)
            and node.func.value.attr == "mark"
        ):
            for argument in node.args:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, int):
                    yield argument.value


def judging(module: ast.Module) -> set[str]:
    """The helpers of a file that assert something themselves, or call one that does."""
    helpers = [node for node in ast.walk(module) if isinstance(node, TestFunction) and not node.name.startswith("test")]
    judges: set[str] = set()
    while more := {helper.name for helper in helpers if helper.name not in judges and asserts(helper, judges)}:
        judges |= more
    return judges


def asserts(function: ast.AST, judges: set[str]) -> bool:
    """Whether a test can fail by its own judgement: an assert, `pytest.raises`, or a call that checks or expects."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if name == "raises" or name in judges or name.startswith(CHECKERS):
                return True
    return False


def by_rule(found: list[Proof]) -> dict[int, list[Proof]]:
    """The tests of each rule that has any."""
    proved: dict[int, list[Proof]] = defaultdict(list)
    for proof in found:
        for rule in proof.rules:
            proved[rule].append(proof)
    return dict(proved)


def missing(found: list[Proof]) -> list[int]:
    """Required rules that no test names."""
    proved = by_rule(found)
    return [rule for rule in REQUIRED if rule not in proved]


def table(found: list[Proof]) -> str:
    """One line per rule: its number, its state, how many tests name it, and the first of them."""
    proved = by_rule(found)
    rows = []
    for rule in RULES:
        tests = proved.get(rule, [])
        state = "planned" if rule in PLANNED else "proved" if tests else "MISSING"
        rows.append((rule, state, len(tests), tests[0].place if tests else ""))
    return tabulate(rows, headers=("rule", "state", "tests", "first test"), tablefmt="simple")


def main() -> int:
    """Print the table; 1 when a required rule has no test."""
    found = proofs()
    absent = missing(found)
    counted = f"{len(REQUIRED) - len(absent)} of {len(REQUIRED)} required rules proved, {len(PLANNED)} planned."
    sys.stdout.write(f"{table(found)}\n\n{counted}\n")
    if absent:
        sys.stdout.write(f"Without a test: {', '.join(map(str, absent))}.\n")
    return 1 if absent else 0


if __name__ == "__main__":
    raise SystemExit(main())
