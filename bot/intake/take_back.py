"""Takes an opening back whole, or says what refers to it."""

from collections.abc import Sequence
from dataclasses import replace

from bot.desk import Desk
from bot.domain.errors import NotFound
from bot.domain.intake import Intake, IntakeKind
from bot.domain.opening import TakeBackOpening, take_back_opening
from bot.intake.run import Run
from bot.storage.intake_reads import intakes


def take_back(desk: Desk, name_or_id: str, *, dry_run: bool) -> str:
    """Reverse an opening; what was done, in a sentence. Raises Refused."""
    run = Run.over(desk)
    try:
        found = find(desk.store.read(intakes), name_or_id)
        command = TakeBackOpening(intake_id=found.id)
        if dry_run:
            request = replace(run.request(), key="preview")
            done = desk.preview(take_back_opening, command, request)
            return f"{done.trace().description}. Nothing was written: this was a dry run."
        done = run.write(take_back_opening, command)
        run.seal()
        return f"{done.trace().description}."
    finally:
        run.close()


def find(standing: Sequence[Intake], name_or_id: str) -> Intake:
    """An opening by its name or id. Refuses: NotFound."""
    openings = [each for each in standing if each.kind is IntakeKind.OPENING]
    for each in openings:
        if name_or_id in {each.name, str(each.id)}:
            return each
    names = ", ".join(each.name for each in openings) or "none"
    raise NotFound(f"There is no opening {name_or_id[:60]} to take back; there {_is(openings)}: {names}.")


def _is(openings: Sequence[Intake]) -> str:
    return "is" if len(openings) == 1 else "are"
