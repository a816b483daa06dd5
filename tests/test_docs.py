"""The documents say what the code does: names, settings, examples and links are compared with it."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from bot.__main__ import _parser
from bot.config import Config
from bot.domain.ledger import CONTROLS, Account
from bot.domain.operation import Role
from bot.domain.reminder_steps import read_steps
from bot.domain.reminder_text import INVOICE, VARIABLES, check_body
from bot.domain.settings import NAMES, Settings
from bot.domain.undoing import UNDONE_BY
from bot.handlers.commands import COMMANDS, Command, Sub
from bot.handlers.manifest import manifest
from bot.handlers.monitor import Monitor
from bot.metrics import Gauges, Metrics
from bot.storage.verify import all_checks
from tests import surface
from tests.domain.samples import all_operations

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
TEXTS = [
    *PAGES,
    ROOT / "Dockerfile",
    ROOT / "manifest.yml",
    ROOT / "Makefile",
    ROOT / "pyproject.toml",
    ROOT / ".pre-commit-config.yaml",
]
FOR_PEOPLE = [
    ROOT / "README.md",
    *(DOCS / f"{name}.md" for name in ("commands", "accounting", "operating", "reminders")),
]
LINK = re.compile(r"\]\(([^)\s]+)\)")
SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
BLOCK = re.compile(r"^ *```\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
TARGET = re.compile(r"^([a-z-]+):.*##", re.MULTILINE)
OF_A_MACHINE = re.compile(r"(?<![\w.:/])/(?:home|root|Users|work|tmp|private|mnt)/|[A-Z]:\\")
# What begins with a slash and is no command of ours.
PATHS = frozenset({"/healthz", "/readyz", "/metrics", "/slack/events", "/slack/install", "/slack/oauth_redirect"})
NO_COMMAND = PATHS | {"/mail/bounces", "/invite"}
PARTS = ["Context", "Decision", "Consequences", "Alternatives"]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def rows(text: str) -> list[list[str]]:
    """The cells of every table line but headers' rulers."""
    lines = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| ---")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def sections(text: str) -> dict[str, str]:
    """The text below each heading of the second level."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def spans(path: Path) -> Iterator[str]:
    """All that is set as code in a page: words in a line, and the lines of blocks."""
    text = path.read_text(encoding="utf-8")
    for block in BLOCK.findall(text):
        yield from (line.strip() for line in block.splitlines() if line.strip())
    yield from SPAN.findall(BLOCK.sub("", text))


def our_operations() -> list[str]:
    return [each.name for each in all_operations() if each.run.__module__.startswith("bot.")]


def documented(command: Command) -> list[list[str]]:
    """The lines of a command's table of sub-commands."""
    return [row for row in rows(sections(read("docs/commands.md"))[f"/{command.name}"]) if len(row) == 4][1:]


def test_the_manifest_names_the_commands_that_are_registered_and_documented() -> None:
    in_manifest = [each["command"] for each in yaml.safe_load(read("manifest.yml"))["features"]["slash_commands"]]
    registered = sorted(f"/{name}" for name in COMMANDS)
    assert sorted(in_manifest) == registered
    assert sorted(name for name in sections(read("docs/commands.md")) if name.startswith("/")) == registered


def test_the_manifest_is_what_the_code_makes() -> None:
    assert yaml.safe_load(read("manifest.yml")) == manifest()


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_each_sub_command_is_documented_with_its_right(name: str) -> None:
    def right(sub: Sub) -> str:
        return f"as `/{sub.name}`" if sub.by is Role.NONE and sub.name in COMMANDS else surface.right(sub.by)

    wanted = {(f"`{sub.name}`", right(sub)) for sub in COMMANDS[name].subs}
    assert {(row[0], row[1]) for row in documented(COMMANDS[name])} == wanted


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_each_example_of_a_sub_command_goes_to_that_sub_command(name: str) -> None:
    command = COMMANDS[name]
    for sub, _, example, says in documented(command):
        slash, _, rest = example.strip("`").partition(" ")
        assert slash == f"/{name}"
        found = command.sub(rest.partition(" ")[0]) or command.sub(command.main)
        assert found is not None
        assert f"`{found.name}`" == sub
        assert says


def test_each_slash_command_in_the_documents_exists() -> None:
    typed = {span.split()[0] for page in FOR_PEOPLE for span in spans(page) if re.match(r"/[a-z]", span)}
    assert typed - {f"/{name}" for name in COMMANDS} - {"/dd-payment"} <= NO_COMMAND


def test_each_command_line_in_the_documents_is_understood() -> None:
    typed = {span for page in PAGES for span in spans(page) if span.startswith("duedesk ") and "..." not in span}
    assert len(typed) > 5
    parser = _parser()
    for line in sorted(typed - {"duedesk --version"}):
        assert parser.parse_args(shlex.split(line)[1:]).run is not None


def test_each_variable_of_the_environment_is_in_the_readme_with_its_default() -> None:
    table = {row[0].strip("`"): row[1].strip("`") for row in rows(sections(read("README.md"))["Configuration"])[1:]}
    wanted = {
        name.upper(): str(field.default) if not hasattr(field.default, "get_secret_value") else ""
        for name, field in Config.model_fields.items()
    }
    assert table == wanted


def test_each_metric_is_documented_with_its_labels() -> None:
    asked = Gauges(
        outbox={},
        oldest_waiting_seconds=0,
        unsealed_seconds=0,
        verified_seconds_ago=0,
        findings=0,
        heartbeat_seconds_ago=0,
    )
    metrics = Metrics("main", lambda: 0, 1, lambda: asked)
    metrics.request_done("payment", "done", "http", 0.1)
    metrics.delivered("card", "done")
    metrics.job_ran("digest", "done")
    made: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(metrics.page().decode()):
        for sample in family.samples:
            if not sample.name.endswith("_created"):
                name = family.name if family.type == "histogram" else sample.name
                made.setdefault(name, set()).update(set(sample.labels) - {"le"})
    table = rows(sections(read("docs/operating.md"))["Metrics"])[1:]
    assert {row[0].strip("`"): set(re.findall(r"`(\w+)`", row[1])) for row in table} == made


def test_the_image_is_made_of_locked_packages_and_runs_without_rights() -> None:
    text = read("Dockerfile").replace("\\\n", " ")
    steps = [line.split(maxsplit=1) for line in text.splitlines() if line and not line.startswith(("#", " "))]
    (image,) = [rest for word, rest in steps if word == "FROM"]
    assert re.fullmatch(r"python:3\.\d+-slim", image)
    assert [rest for word, rest in steps if word == "USER"] == ["duedesk"]
    installs = [rest for word, rest in steps if word == "RUN" and "pip install" in rest]
    assert "--require-hashes" in installs[0]
    assert all("--no-deps" in each for each in installs[1:])
    (asked,) = [json.loads(rest.partition("CMD ")[2]) for word, rest in steps if word == "HEALTHCHECK"]
    monitor = Monitor("127.0.0.1", 0, why_not=str, metrics=bytes)
    environment = {"DUEDESK_METRICS_PORT": str(monitor.port)}
    assert subprocess.run([sys.executable, *asked[1:]], env=environment, check=False).returncode == 0
    monitor.close()
    assert (
        subprocess.run([sys.executable, *asked[1:]], env=environment, check=False, capture_output=True).returncode == 1
    )
    copied = {name.removeprefix("./") for word, rest in steps if word == "COPY" for name in rest.split()[:-1]}
    let_in = {line.removeprefix("!") for line in read(".dockerignore").splitlines() if line.startswith("!")}
    assert copied == let_in
    assert all((ROOT / name).exists() for name in copied)
    (command,) = [json.loads(rest) for word, rest in steps if word == "CMD"]
    assert _parser().parse_args(command).run is not None


def test_each_setting_of_a_book_is_documented_with_its_default() -> None:
    table = sections(read("docs/operating.md"))["Settings of a book"]
    documented_settings = {row[0].strip("`"): row[1].strip("`") for row in rows(table)[1:]}
    assert documented_settings == {name: str(getattr(Settings(), name)) or "empty" for name in NAMES}


def test_each_account_is_explained_with_whether_it_is_kept_per_customer() -> None:
    table = {
        row[0].strip("`"): row[1].startswith("yes") for row in rows(sections(read("docs/accounting.md"))["Accounts"])
    }
    assert {name: kept for name, kept in table.items() if name != "account"} == {
        account.value: account in CONTROLS for account in Account
    }


def test_each_operation_says_what_it_posts() -> None:
    column = "\n".join(row[0] for row in rows(sections(read("docs/accounting.md"))["What each operation posts"]))
    assert set(re.findall(r"`(\w+)`", column)) == set(our_operations())


def test_each_text_and_schedule_in_the_page_on_reminders_can_be_saved() -> None:
    parts = sections(read("docs/reminders.md"))
    (text,), (steps,) = BLOCK.findall(parts["Templates"]), BLOCK.findall(parts["Schedules"])
    assert check_body(text)
    assert len(read_steps(steps)) == len(steps.splitlines())
    named = {name for name in re.findall(r"`(\w+)`", parts["Templates"].partition("```")[0]) if name in VARIABLES}
    assert named == set(VARIABLES) - {"invoices"}
    assert set(re.findall(r"`(\w+)`", parts["Templates"].rpartition("```")[2])) == set(INVOICE)


def test_each_operation_that_can_be_undone_is_named() -> None:
    column = "\n".join(row[0] for row in rows(sections(read("docs/accounting.md"))["Undo"])[1:])
    assert set(re.findall(r"`(\w+)`", column)) == {name for name, _ in UNDONE_BY}


def test_each_check_of_verify_is_explained() -> None:
    named = [row[0] for row in rows(sections(read("docs/accounting.md"))["What verify proves"])[1:]]
    assert sorted(check for cell in named for check in cell.split(", ")) == sorted(all_checks())


def test_the_page_of_the_slack_surface_is_what_the_code_registers() -> None:
    assert read("docs/slack-surface.md") == surface.page(), "run: python -m tests.surface > docs/slack-surface.md"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_each_link_to_a_file_leads_to_one(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        name, _, heading = target.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        found = page.parent / name if name else page
        assert found.exists(), target
        if heading:
            titles = re.findall(r"^#+ (.+)$", found.read_text(encoding="utf-8"), flags=re.MULTILINE)
            assert heading in {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}, target


def test_no_text_names_a_place_on_somebodys_machine() -> None:
    named = {path.name: OF_A_MACHINE.findall(path.read_text(encoding="utf-8")) for path in TEXTS}
    assert {name: found for name, found in named.items() if found} == {}


def test_the_readme_begins_with_the_two_commands_that_try_and_prove_it() -> None:
    assert BLOCK.findall(sections(read("README.md"))["Try it"]) == ["make demo\n", "make test\n"]


def test_each_target_of_make_is_explained_and_no_other_is_named() -> None:
    targets = {name for name in TARGET.findall(read("Makefile")) if name != "help"}
    named = {
        word
        for page in PAGES
        for span in spans(page)
        if (found := re.match(r"(?:[A-Z]+=\S+ )?make( .+)?$", span))
        for word in (found[1] or "").split()
        if re.fullmatch(r"[a-z-]+", word)
    }
    assert named == targets
    assert targets <= {word for span in spans(ROOT / "CONTRIBUTING.md") for word in span.split()}


def test_each_decision_is_numbered_and_has_the_same_four_parts() -> None:
    records = sorted((DOCS / "adr").glob("*.md"))
    assert [int(path.name[:4]) for path in records] == list(range(1, len(records) + 1))
    for number, path in enumerate(records, start=1):
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"# {number}. ")
        assert list(sections(text)) == PARTS
        assert sections(text)["Decision"].lstrip().startswith("> ")


def test_the_hooks_come_from_nowhere_else() -> None:
    hooks = yaml.safe_load(read(".pre-commit-config.yaml"))
    assert [repository["repo"] for repository in hooks["repos"]] == ["local"]
    assert {hook["language"] for repository in hooks["repos"] for hook in repository["hooks"]} == {"system"}
