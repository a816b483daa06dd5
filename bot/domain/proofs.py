"""Proofs of payment: which files a person gave for a payment. The books keep what they are, never what is in them."""

from dataclasses import dataclass

from bot.domain.errors import Refused

MOST_PROOFS = 10  # of one operation
KINDS = ("pdf", "png", "jpg", "jpeg", "gif", "webp", "heic", "tif", "tiff", "txt", "csv", "eml")
LONGEST_NAME = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A file that was given: its id in Slack, its name as data, its size in bytes."""

    file_id: str
    name: str
    size: int


def check_proofs(proofs: tuple[Proof, ...], *, needed: bool = False) -> tuple[Proof, ...]:
    """Each file once, not too many, of a kind that is a document or a picture. Refuses: Refused."""
    unique = tuple({each.file_id: each for each in proofs}.values())
    if needed and not unique:
        raise Refused("Choose the file that proves the payment.", field="proof")
    if len(unique) > MOST_PROOFS:
        raise Refused(f"Choose at most {MOST_PROOFS} files at a time.", field="proof")
    for each in unique:
        if each.name.rpartition(".")[2].lower() not in KINDS:
            raise Refused(f"{each.name[:60]} cannot be taken; choose {', '.join(KINDS)}.", field="proof")
        if not each.size > 0 or len(each.name) > LONGEST_NAME:
            raise Refused(f"{each.name[:60]} is empty or its name is too long; choose another file.", field="proof")
    return unique
