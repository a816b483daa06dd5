"""/duedesk: help, people and rights, settings, audit, verify; and every other command by its long name."""

from datetime import UTC, datetime, timedelta
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.domain.digest_plans import plans_of
from bot.domain.errors import Refused
from bot.domain.operation import Role
from bot.domain.people import Grant, Profile, Revoke, check_profile, grant, revoke
from bot.domain.plan_digest import PlanDigest, plan_digest
from bot.domain.ports import AuditQuestion, Page
from bot.domain.settings import CHANNELS, EMPTIED, NAMES, ChangeSetting, change_setting
from bot.handlers import customers, delegations, find, invoices, locks, payments
from bot.handlers import jobs as jobs_list
from bot.handlers.blocks.rich import bold, person, preformatted, rich, typed
from bot.handlers.blocks.text import escape, shorten, table
from bot.handlers.commands import COMMANDS, Command, Reply, Sub, command
from bot.handlers.files import SHEETS, offer, send_file
from bot.handlers.flow import settings_of
from bot.handlers.forms import Block, context
from bot.handlers.members import profile_of
from bot.handlers.parse.dates import parse_date
from bot.handlers.parse.words import Phrase, join, phrase, split, unescape
from bot.handlers.receivables import AGING
from bot.handlers.reminders import REMINDERS
from bot.handlers.request import Call

# Every command works by its long name too, so all of them are known before this one is made.
OTHERS = (payments.PAYMENT, customers.CUSTOMER, invoices.INVOICE, AGING, REMINDERS)
ROLES = {role.label: role for role in Role if role is not Role.NONE}
AUDIT_ROWS = 15
PEOPLE_ROWS = 45  # of the 50 blocks that a message may have
AUDIT_WORDS = {
    "since": "since",
    "until": "until",
    "app": "app",
    "action": "event",
    "customer": "customer",
    "by": "actor",
    "exceptions": "past_lock",
    **dict.fromkeys(SHEETS, "file"),
}


DIGEST_WORDS = {"at": "at", "on": "days", "in": "currencies", "off": "off"}
DIGEST_EXAMPLE = "/duedesk settings digest #finance at 09:00 on mon-fri in SGD"


def _profile(call: Call, user: str) -> Profile:
    if not user:
        raise Refused("Name a person with @, such as /duedesk grant @name clerk.", field="person")
    actor = call.request.actor
    profile = profile_of(call.client, user, actor.team, actor.enterprise)
    check_profile(profile)
    return profile


def _grant(call: Call, text: str) -> Reply:
    """`@person viewer|clerk|manager|administrator|owner`. Rules 118-120."""
    words = split(text)
    role = ROLES.get(words[1].text.lower()) if len(words) == 2 else None  # noqa: PLR2004  # a person and a right
    if role is None:
        return Reply(f"Type /duedesk grant @name and one of {', '.join(ROLES)}.")
    outcome = call.desk.carry_out(grant, Grant(profile=_profile(call, words[0].user), role=role), call.request)
    said = f"<@{outcome.person.user}> is {outcome.person.role.label} from now on; before: {outcome.before.label}."
    if outcome.former_owner is not None:
        said += f" <@{outcome.former_owner.user}> handed the ownership over and is administrator."
    return Reply(said)


def _revoke(call: Call, text: str) -> Reply:
    words = split(text)
    user = words[0].user if words else ""
    if not user:
        return Reply("Type /duedesk revoke @name.")
    actor = call.request.actor
    profile = profile_of(call.client, user, actor.team, actor.enterprise)
    outcome = call.desk.carry_out(revoke, Revoke(profile=profile), call.request)
    return Reply(f"<@{outcome.person.user}> has no access from now on; before: {outcome.before.label}.")


def _roles(call: Call, _text: str) -> Reply:
    """Who has which right."""
    people = call.desk.ask(lambda books: books.people(), call.request, by=Role.ADMINISTRATOR)
    lines = [f"<@{each.user}> {each.role.label}{'' if each.active else ', deactivated'}" for each in people]
    left = len(lines) - PEOPLE_ROWS
    more = [context(f"and {left} more", block_id="more")] if left > 0 else []
    return Reply(f"{len(people)} people have access", [*_numbered("person", lines[:PEOPLE_ROWS]), *more])


def _settings(call: Call, text: str) -> Reply:
    """All settings, or `NAME VALUE` to change one; channels are named with #."""
    name, _, value = text.partition(" ")
    if not name:
        return _all_settings(call)
    if name in {"digest", "digests"}:
        return _digest(call, value)
    typed_value = value.strip() if name in CHANNELS else unescape(value).strip()
    if not typed_value and name in NAMES:
        now = getattr(settings_of(call), name)
        or_empty = ", or - to empty it" if name in EMPTIED and now else ""
        return Reply(escape(f"{name} is {'empty' if now == '' else now}. Type a new value behind it{or_empty}."))
    if typed_value in {"-", "none"}:
        typed_value = ""
    if name in CHANNELS and typed_value:
        words = split(typed_value)
        typed_value = words[0].channel or words[0].text
        check_channel(call.client, typed_value, call.request.actor.enterprise)
    outcome = call.desk.carry_out(change_setting, ChangeSetting(name=name, value=typed_value), call.request)
    return Reply(f"{outcome.name}: {escape(outcome.before or 'empty')} → {escape(outcome.after or 'empty')}")


def _digest(call: Call, text: str) -> Reply:
    """`#channel [weekly mon|monthly 1] [at 09:00] [on mon-fri] [in SGD,USD|all]` or `#channel off`: one channel's
    digest.
    """
    spoken = phrase(text, DIGEST_WORDS)
    channels = [word.channel or word.text for word in spoken.lead[:1]]
    if not channels or any(word.channel for word in spoken.lead[1:]):
        raise Refused(f"Name one channel with #, such as {DIGEST_EXAMPLE}.", field="value")
    at, days = _when(spoken)
    is_on = "off" not in spoken.clauses
    if not is_on and (len(spoken.clauses) > 1 or len(spoken.lead) > 1 or spoken.text("off")):
        raise Refused(
            "Type off alone behind the channel, such as /duedesk settings digest #finance off.", field="value"
        )
    for name, word in spoken.spelled.items():
        if name != "off" and not spoken.clauses[name]:
            raise Refused(f"Nothing stands behind {word}; type for example {DIGEST_EXAMPLE}.", field="value")
    if is_on:
        check_channel(call.client, channels[0], call.request.actor.enterprise)
    command = PlanDigest(
        channel=channels[0],
        at=at,
        days=days,
        currencies=spoken.text("currencies"),
        is_on=is_on,
    )
    call.desk.carry_out(plan_digest, command, call.request)
    plan = next((each for each in plans_of(settings_of(call)) if each.channel == channels[0]), None)
    return Reply(f"Digest in <#{channels[0]}>: {plan.label if plan is not None else 'off'}")


def _when(spoken: Phrase) -> tuple[str, str]:
    """The time and the days of a digest: behind the channel, or behind at and on. Refuses: Refused, either twice."""
    words = [word.text for word in spoken.lead[1:]]
    times = [word for word in words if ":" in word]
    days = " ".join(word for word in words if ":" not in word)
    if len(times) > 1 or (times and "at" in spoken.clauses):
        raise Refused(f"Type one time of day, such as {DIGEST_EXAMPLE}.", field="value")
    if "days" in spoken.clauses and days and days.lower() not in {"weekly", "monthly"}:
        raise Refused(f"Type the days once, such as {DIGEST_EXAMPLE}.", field="value")
    return "".join(times) or spoken.text("at"), f"{days} {spoken.text('days')}".strip()


def _all_settings(call: Call) -> Reply:
    settings = settings_of(call)
    rows = [[name, str(getattr(settings, name)) or "–"] for name in NAMES]
    blocks: list[Block] = [preformatted(table(rows, ("setting", "value"), ("left", "left")), block_id="settings")]
    plans = [f"Digest in <#{escape(each.channel)}>: {each.label}" for each in plans_of(settings)]
    blocks += [context("\n".join(plans), block_id="digests")] if plans else []
    todo = checklist(call)
    if todo:
        blocks.append(rich((bold("To do before the first day"),), *((f"• {line}",) for line in todo), block_id="todo"))
    blocks.append(
        context(
            "Change one with `/duedesk settings due_days 14`; "
            "a channel with `/duedesk settings finance_channel #finance`; "
            f"a channel's digest with `{DIGEST_EXAMPLE}`.",
            block_id="how",
        )
    )
    return Reply("Settings of this book", blocks)


def checklist(call: Call) -> list[str]:
    """What the owner has still to do, until it is done."""
    settings = settings_of(call)
    people = call.desk.ask(lambda books: books.people(), call.request)
    customers = call.desk.ask(lambda books: books.list_customers(Page(limit=1)), call.request)
    todo = []
    if not settings.company:
        todo.append("Say whose book this is: /duedesk settings company Example Pte Ltd")
    if not settings.finance_channel:
        todo.append("Choose the private channel for cards: /duedesk settings finance_channel #finance")
    if settings.zone == "UTC":
        todo.append("Set the time zone, if it is not UTC: /duedesk settings zone Asia/Singapore")
    if len(people) < 2:  # noqa: PLR2004  # the owner alone is no team
        todo.append("Give people their rights: /duedesk grant @name clerk")
    if not customers:
        todo.append("Open the first customer: /customer new")
    return todo


def check_channel(client: WebClient, channel: str, enterprise: str | None) -> None:
    """Money channels are private, unshared, and the bot is in them. Refuses: Refused."""
    try:
        found: dict[str, Any] = client.conversations_info(channel=channel)["channel"]
    except SlackApiError as fault:
        if fault.response.get("error") != "channel_not_found":
            raise
        raise Refused(
            "I see no such channel: invite me there first with /invite @duedesk, then choose it with #.", field="value"
        ) from fault
    if found.get("is_archived"):
        raise Refused("This channel is archived; choose one that is in use.", field="value")
    if not found.get("is_private"):
        raise Refused(
            "Cards show balances, so the channel must be private; choose or make a private one.", field="value"
        )
    if found.get("is_ext_shared") or (found.get("is_shared") and enterprise is None):
        raise Refused("This channel is shared with another company; choose one that is not.", field="value")
    if not found.get("is_member"):
        raise Refused("Invite me to that channel first: /invite @duedesk", field="value")


def _audit(call: Call, text: str) -> Reply:
    """`[since DATE] [until DATE] [action NAME] [customer X] [by @name] [exceptions] [csv|xlsx]`; exceptions are what
    was posted past the soft lock. Rules 115, 116.
    """
    question, form = read_audit(call, text)
    if form:
        return send_file(call, "audit", audit_json(question), form)
    lines = call.desk.ask(lambda books: books.audit(question), call.request, by=Role.ADMINISTRATOR)
    if not lines:
        return Reply("No entry matches.")
    blocks = [
        rich(
            (bold(f"{line.at:%Y-%m-%d %H:%M} UTC  {line.event}"), f"  {line.app} · ", person(line.actor)),
            (typed(line.description, 200), f"  {typed(line.affected, 80)}" if line.affected else ""),
            block_id=f"entry_{line.id}",
        )
        for line in lines[:AUDIT_ROWS]
    ]
    return Reply(f"The last {len(blocks)} entries", [*blocks, *offer("audit", audit_json(question))])


def read_audit(call: Call, text: str) -> tuple[AuditQuestion, str]:
    """Filters as typed, time range, app, action, customer, person; and the file's format, if one is named. Rule 116."""
    settings = settings_of(call)
    today = settings.today(call.request.now)
    spoken = phrase(text, AUDIT_WORDS)
    by = spoken.clauses.get("actor", ())
    strange = (*spoken.lead, *spoken.clauses.get("file", ()), *spoken.clauses.get("past_lock", ()))
    if strange:
        raise Refused(f"{shorten(join(strange), 40)} is no filter; type {', '.join(AUDIT_WORDS)}.")
    if "actor" in spoken.clauses and (len(by) != 1 or not by[0].user):
        raise Refused("Name the person with @, such as by @name.")
    for name, word in spoken.spelled.items():
        if name not in {"file", "past_lock"} and not spoken.clauses[name]:
            raise Refused(f"Nothing stands behind {word}; type what to look for, or leave {word} out.")

    def midnight(name: str, days: int) -> datetime | None:
        typed_day = spoken.text(name)
        if not typed_day:
            return None
        day = parse_date(typed_day, today=today) + timedelta(days=days)
        return datetime(day.year, day.month, day.day, tzinfo=UTC)

    event = spoken.text("event").replace("_", " ").capitalize()
    question = AuditQuestion(
        since=midnight("since", 0),
        until=midnight("until", 1),
        event=event or None,
        app=spoken.text("app").capitalize() or None,
        customer_id=find.customer_named(call, spoken.text("customer")).id if spoken.text("customer") else None,
        actor=by[0].user if by else None,
        past_lock="past_lock" in spoken.clauses,
        limit=AUDIT_ROWS,
    )
    return question, spoken.spelled.get("file", "").lower()


def audit_json(question: AuditQuestion) -> dict[str, Any]:
    return {
        "since": question.since.isoformat() if question.since else None,
        "until": question.until.isoformat() if question.until else None,
        "event": question.event,
        "app": question.app,
        "customer": question.customer_id,
        "actor": question.actor,
        "exceptions": question.past_lock,
    }


def _verify(call: Call, _text: str) -> Reply:
    """Recompute every balance from the entries, check the invariants and the seals."""
    call.desk.store.seal()
    findings = call.desk.ask(lambda books: list(books.verify()), call.request, by=Role.ADMINISTRATOR)
    if not findings:
        return Reply(
            "The books are right: every balance equals its entries, every invariant holds, the audit chain is whole."
        )
    lines = [f"{each.check}: {each.where}: kept {each.kept}, recomputed {each.recomputed}" for each in findings[:20]]
    return Reply(f"{len(findings)} findings; call the operator", [preformatted("\n".join(lines), block_id="findings")])


def _numbered(name: str, lines: list[str]) -> list[Block]:
    return [context(line, block_id=f"{name}_{index}") for index, line in enumerate(lines)]


def _help(_call: Call, text: str) -> Reply:
    """All commands, or one."""
    wanted = text.strip().lstrip("/")
    if wanted in COMMANDS:
        return COMMANDS[wanted].help()
    lines = [
        f"*/{each.name}* {each.description}: `/{each.name} {escape(each.usage)}`"
        for _, each in sorted(COMMANDS.items())
    ]
    return Reply(
        "Duedesk: receivables and customer credit",
        _numbered("help", lines),
    )


DUEDESK = command(
    Command(
        "duedesk",
        "People, settings, audit and help",
        "help payment",
        main="help",
        subs=(
            Sub("help", Role.NONE, "/duedesk help payment", "what a command does", _help),
            Sub("roles", Role.ADMINISTRATOR, "/duedesk roles", "who has which right", _roles),
            Sub("grant", Role.ADMINISTRATOR, "/duedesk grant @name clerk", "gives a right", _grant),
            Sub("revoke", Role.ADMINISTRATOR, "/duedesk revoke @name", "takes it away", _revoke),
            Sub(
                "settings", Role.ADMINISTRATOR, "/duedesk settings due_days 14", "shows and changes settings", _settings
            ),
            Sub(
                "audit",
                Role.ADMINISTRATOR,
                "/duedesk audit since yesterday customer Acme",
                "who did what, when",
                _audit,
            ),
            Sub(
                "lock",
                Role.ADMINISTRATOR,
                "/duedesk lock soft 2026-10-31",
                "locks a period: soft, a manager passes it with a reason; hard, nobody",
                locks.lock,
            ),
            Sub(
                "delegate",
                Role.MANAGER,
                "/duedesk delegate @name until 5 dec",
                "lets somebody decide approvals in your place; off ends it",
                delegations.stand_in,
            ),
            Sub("verify", Role.ADMINISTRATOR, "/duedesk verify", "proves the books", _verify),
            Sub("jobs", Role.VIEWER, "/duedesk jobs", "what runs by itself, how it went, when next", jobs_list.jobs),
            *(
                Sub(each.name, Role.NONE, f"/duedesk {each.name} {each.usage}", each.description.lower(), each.run)
                for each in OTHERS
            ),
        ),
    )
)
