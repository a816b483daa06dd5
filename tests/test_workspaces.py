"""Several workspaces in one process: they install by OAuth, each has a book of its own, and nothing is shared."""

import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select, text

from bot.__main__ import main
from bot.config import BadConfig, Config, load
from bot.handlers.commands import PRESSES, SUGGESTIONS
from bot.handlers.flow import FLOWS
from bot.handlers.forms import Values
from bot.storage.registry import tables
from bot.storage.registry.tokens import new_key
from tests.domain.expect import everything
from tests.handlers.posting import AMOUNTS, NAME, Post, stocked
from tests.handlers.test_forgeries import forms, state
from tests.several import ALPHA, BETA, CLIENT_SECRET, Company, Stage, browse, staged
from tests.slack import GUEST, PATIENCE
from tests.world import CLERK, MANAGER, OWNER

SQLITE = pytest.mark.parametrize("engine_name", ["sqlite"])


@pytest.fixture
def stage(book_url: str) -> Iterator[Stage]:
    with staged(book_url) as made:
        yield made


def kept(stage: Stage) -> str:
    """Everything that the registry holds."""

    def read(connection: Connection) -> str:
        return repr([connection.execute(select(each)).all() for each in tables.metadata.sorted_tables])

    return str(stage.app.registry.database.read(read, None))


def test_two_workspaces_install_act_and_share_nothing(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="duedesk")
    before = stage.sandboxes[ALPHA].person(OWNER).command("finance", "/aging")
    assert "not installed in this workspace" in before.text
    assert f"{stage.address}/slack/install" in before.text
    for team in (ALPHA, BETA):
        shown = stage.install(team)
        assert (shown.status, "You own its books now" in shown.text) == (200, True), shown.text
    alpha, beta = stage.company(ALPHA), stage.company(BETA)
    audit = alpha.type("/duedesk audit", by=OWNER)
    assert f"Set owner  Finance · system\n{OWNER}: none to owner" in audit
    stocked(alpha)
    beta.world.pay(5, beta.world.customer("OTHER"))
    beta.deliver()
    assert [each["text"] for each in beta.cards()] != [each["text"] for each in alpha.cards()]
    for command in ("/customer Acme", "/payment list", "/aging"):
        assert NAME[:14] in alpha.type(command)
        assert NAME[:8] not in beta.type(command)
    _forged(alpha, beta)
    _left(alpha, beta)
    for each in (alpha, beta):
        each.world.check()
    _secret(stage, caplog)
    _upgrading(stage)


def _forged(alpha: Company, beta: Company) -> None:
    """What alpha's cards and forms carry, sent from beta: it says nothing of alpha, and changes neither book."""
    there, here = Post(alpha), Post(beta)
    carried, opened = there.drawn(), forms(there, ("payment", "customer", "invoice"))
    assert len(carried) > 10
    assert len(opened) > 10
    before = everything(alpha.world), everything(beta.world)
    said = [
        here.press(MANAGER, name, value) for name, values in carried.items() for value in values[:1] if name in PRESSES
    ]
    forged = {
        name: (unnamed(view["private_metadata"]), json.loads(unnamed(json.dumps(state(view)))))
        for name, view in opened.items()
    }
    said += [here.submit(MANAGER, FLOWS.by_id[name], *carried) for name, carried in forged.items()]
    said += [here.suggest(MANAGER, name, NAME[:8]) for name in SUGGESTIONS]
    # Somebody of alpha in a form of beta, as in a channel that both share: a stranger there, whatever alpha granted.
    name, (metadata, fields) = next(iter(forged.items()))
    submission = here.submission(OWNER, FLOWS.by_id[name].blank(Values()), metadata, fields)
    submission["user"]["team_id"] = submission["team"]["id"] = ALPHA
    said.append(here.send("interactive", submission))
    assert "You have no access to these books" in said[-1]
    for each in said:
        assert not [word for word in (NAME, *AMOUNTS) if word in each], each
        assert "Something went wrong" not in each, each
    assert (everything(alpha.world), everything(beta.world)) == before


def _left(alpha: Company, beta: Company) -> None:
    """What Slack says of a person reaches the book of their own workspace; in a shared channel it says so once, with
    the other company's installation.
    """
    user = {"id": CLERK, "team_id": ALPHA, "name": "clerk", "deleted": True}
    before = everything(beta.world)
    body = Post(beta).payloads.event({"type": "user_change", "user": user})
    assert beta.sandbox.deliver("events_api", body).status == 200
    assert "no access" in alpha.type("/aging", by=CLERK)
    assert "no access" not in beta.type("/aging", by=CLERK)
    assert everything(beta.world) == before


def _upgrading(stage: Stage) -> None:
    """A book of another schema is answered, and stops none of the others."""
    stage.app.library.database(ALPHA).write(
        lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '0023_terms'")), None
    )
    stage.app.books.forget(ALPHA)
    said = {team: each.person(OWNER).command("finance", "/aging").text for team, each in stage.sandboxes.items()}
    assert "being upgraded" in said[ALPHA]
    assert "Aged receivables" in said[BETA]
    assert not stage.app.look("jobs")
    assert set(stage.app.jobs._seats) == {".", BETA}
    assert stage.app.is_ready()


def unnamed(carried: str) -> str:
    """What a form carries without alpha's words, since a form that is refused shows again what it came with."""
    for word in (NAME, *AMOUNTS):
        carried = carried.replace(word, "7")
    return carried


def _secret(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """No token and no secret in the registry, in a book, in a log or on disk."""
    tokens = [each.workspace.bot_token for each in stage.sandboxes.values()]
    assert all(each.startswith("xoxb-") for each in tokens)
    told = [kept(stage), caplog.text, *(repr(stage.app.registry.find(team)) for team in (ALPHA, BETA))]
    folder = stage.app.library.file("main")
    if folder is not None:
        files = [each for each in folder.parent.iterdir() if each.is_file()]
        assert len(files) > 3
        told += [each.read_bytes().decode("latin-1") for each in files]
    for secret in (*tokens, CLIENT_SECRET, stage.app.config.token_keys[0]):
        assert not [each for each in told if secret in each]
    assert [stage.app.registry.find(team).token for team in (ALPHA, BETA)] == tokens  # type: ignore[union-attr]  # installed


@SQLITE
def test_an_installation_is_good_once_in_one_browser_and_refused_kindly(stage: Stage) -> None:
    to, cookie = stage.begin()
    back = stage.allow(to, ALPHA)
    assert browse(back).status == 400
    assert browse(back, cookie=cookie.replace("=", "=x")).status == 400
    assert stage.app.registry.find(ALPHA) is None
    assert browse(back, cookie=cookie).status == 200
    again = browse(back, cookie=cookie)
    assert (again.status, "Begin again" in again.text) == (400, True)

    to, cookie = stage.begin()
    denied = browse(to, form={"decision": "deny"}).headers["Location"]
    assert "access_denied" in browse(denied, cookie=cookie).text
    to, cookie = stage.begin()
    wrong = stage.allow(to, BETA).replace("code=", "code=9")
    assert "invalid_code" in browse(wrong, cookie=cookie).text
    to, cookie = stage.begin()
    state = to.partition("state=")[2].partition("&")[0]
    odd = browse(f"{stage.address}/slack/oauth_redirect?state={state}&error=<b>x", cookie=cookie)
    assert "<b>" not in odd.text
    assert browse(to.replace("redirect_uri=", "redirect_uri=https://elsewhere.example/"), form={}).status == 400
    assert stage.app.registry.find(BETA) is None
    with pytest.raises(AssertionError, match="user_is_restricted"):
        stage.install(BETA, GUEST)


@SQLITE
def test_who_is_not_let_in_leaves_nothing_behind(book_url: str) -> None:
    with staged(book_url, teams=ALPHA) as stage:
        shown = stage.install(BETA)
        assert (shown.status, "may not install" in shown.text) == (403, True)
        assert stage.app.registry.all() == []
        assert stage.sandboxes[BETA].workspace.bot_token == ""  # revoked
        assert not stage.store(BETA).database.exists()
        assert stage.install(ALPHA).status == 200


@SQLITE
def test_a_workspace_that_leaves_waits_and_one_that_returns_has_its_book_again(stage: Stage) -> None:
    stage.install(ALPHA)
    company = stage.company(ALPHA)
    first = company.sandbox.workspace.bot_token
    company.world.pay(7, company.world.customer())
    stage.slack.uninstall(ALPHA)
    found = stage.app.registry.find(ALPHA)
    assert found is not None
    assert (found.token, found.is_installed) == (None, False)
    assert company.sandbox.person(CLERK).command("finance", "/aging").text.startswith("Duedesk is not installed")
    assert stage.app.books.every() == []
    assert company.count("outbox") == 2
    stale = company.sandbox.workspace.deliveries

    stage.install(ALPHA, user=MANAGER)
    assert company.sandbox.workspace.bot_token not in {"", first}
    for each in [name for name, one in stale.items() if one.kind == "events_api"]:
        told = stale[each].body
        company.sandbox.deliver("events_api", {**told, "event_time": int(told["event_time"]) - 60})
    with at_work(stage):
        wait_for(lambda: any("7.00" in each["text"] for each in cards(company)))
    roles = company.world.store.read(lambda books: books.connection.execute(text(OWNERS)).all())
    assert roles == [(OWNER,)]


OWNERS = "SELECT slack_user FROM person WHERE role = (SELECT MAX(role) FROM person)"


def cards(company: Company) -> list[dict[str, Any]]:
    """What stands in the finance channel for all."""
    return [each for each in company.clerk.messages("finance") if not each["ephemeral"]]


@contextmanager
def at_work(stage: Stage) -> Iterator[None]:
    """Delivery, files and jobs of all books run."""
    stage.app.start()
    yield
    assert not any(each.has_died for each in stage.app.lanes.values())
    stage.app.stop()


def wait_for(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.01)


@SQLITE
def test_an_organisation_that_installs_as_one_has_one_book(book_url: str) -> None:
    with staged(book_url, enterprises={ALPHA: "E0ORG"}) as stage:
        assert stage.install(ALPHA, as_org="true").status == 200
        found = stage.app.registry.find("E0ORG")
        assert found is not None
        assert (found.book, found.is_org, stage.app.registry.find(ALPHA)) == ("E0ORG", True, None)
        person = stage.sandboxes[ALPHA].person(OWNER)
        assert "No payment matches" in person.command("finance", "/payment list").text
        person.command("finance", "/payment")
        assert person.modal is not None
        gone = replace(stage.sandboxes[ALPHA].workspace.person(CLERK), deleted=True)
        assert stage.sandboxes[ALPHA].happenings.change(gone) is not None
        assert stage.sandboxes[BETA].person(OWNER).command("finance", "/aging").text.startswith("Duedesk is not")


@SQLITE
def test_the_command_line_lists_checks_rotates_disconnects_and_erases(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in stage.app.config.model_dump().items():
        shown = value.get_secret_value() if hasattr(value, "get_secret_value") else str(value)
        monkeypatch.setenv(name.upper(), shown)
    newest = new_key()
    monkeypatch.setenv("DUEDESK_TOKEN_KEYS", f"{newest}, {stage.app.config.token_keys[0]}")

    def typed(line: str) -> tuple[int, str]:
        status = main(line.split())
        told = capsys.readouterr()
        return status, told.out + told.err

    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'none.db'}")
        for line in ("run", "books list", "books rotate-keys", "doctor"):
            status, said = typed(line)
            assert (status > 0, "db upgrade --all" in said) == (True, True)
    assert typed("books list") == (0, "no workspace has installed yet\n")
    for team in (ALPHA, BETA):
        stage.install(team)
    stage.company(ALPHA)
    capsys.readouterr()
    status, said = typed("books list")
    assert (status, said.count("installed"), said.count("current")) == (0, 2, 2)
    assert typed("books rotate-keys") == (0, "encrypted with the newest key: 2\n")
    monkeypatch.setenv("DUEDESK_TOKEN_KEYS", newest)
    named = [f"book {each}: " for each in (ALPHA, BETA, "main")]
    assert typed("verify --all") == (0, "".join(f"{each}the books are right\n" for each in named))
    assert [line.split()[1] for line in typed("db upgrade --all")[1].splitlines()] == ["registry", ALPHA, BETA, "main"]
    status, said = typed("doctor")
    assert f"ok   {ALPHA}: bot token" in said
    assert f"ok   {BETA}: owner" in said
    assert "xoxb" not in said
    assert typed(f"owner set {MANAGER} --book {ALPHA}")[1].startswith("This book has its owner")
    assert typed(f"jobs list --book {ALPHA}")[0] == 0

    erase = f"books erase {BETA} --backup {tmp_path / 'beta.zip'}"
    assert "still has the app installed" in typed(f"{erase} --yes")[1]
    assert typed(f"books disconnect {BETA}")[0] == 0
    assert "add --yes" in typed(erase)[1]
    path = stage.app.library.file(BETA)
    assert path is not None
    assert path.exists()
    status, said = typed(f"{erase} --yes")
    assert (status, said.splitlines()[-1]) == (0, f"the book {BETA} is erased")
    assert not path.exists()
    assert (tmp_path / "beta.zip").exists()
    assert typed("books assign main T0GAMMA")[0] == 0
    assert "T0GAMMA (T0GAMMA)" in typed("books list")[1]
    assert typed("books assign nothing T0DELTA")[0] == 2
    assert typed("manifest --url https://d.example.com/slack/events")[1].count("/slack/oauth_redirect") == 1


def test_everything_that_several_workspaces_need_is_named_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    given = {
        "SLACK_CLIENT_ID": "1.2",
        "DUEDESK_TOKEN_KEYS": "short",
        "DUEDESK_PUBLIC_URL": "http://duedesk.example.com/app",
        "DUEDESK_INSTALL_TEAMS": "acme",
        "SLACK_BOT_TOKEN": "xoxb-one",
    }
    for name in Config.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BadConfig) as caught:
        load()
    assert {each.split()[0] for each in caught.value.problems} == {
        "SLACK_CLIENT_SECRET",
        "SLACK_SIGNING_SECRET",
        "DUEDESK_TOKEN_KEYS",
        "DUEDESK_PUBLIC_URL",
        "DUEDESK_INSTALL_TEAMS",
        "DUEDESK_DOOR",
        "SLACK_BOT_TOKEN",
    }
    assert "short" not in str(caught.value)
