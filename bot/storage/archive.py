"""The file a backup is: one text file per table and a manifest with their checksums, in a zip, the same for both
engines.
"""

import contextlib
import errno
import hashlib
import os
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from pydantic import TypeAdapter, ValidationError

from bot.domain.errors import Refused

FORMAT = 1
MANIFEST = "manifest.json"
LARGEST_MANIFEST = 4_000_000
BLOCK = 1 << 16
NULL = "\\N"
Kind = Literal["integer", "text", "boolean", "date", "instant", "bytes"]

# What separates values and rows is written as PostgreSQL's COPY writes it, so that it reads these files as they are.
_ESCAPES = str.maketrans({"\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"})
_PLAIN = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class BadBackup(Refused):
    """A backup that cannot be made where it should be, or that cannot be trusted."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table and what its values are."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class TableFile:
    """One table in a backup: its columns in order, how many rows, and the checksum of its text."""

    name: str
    columns: tuple[Column, ...]
    rows: int
    sha256: str

    @property
    def member(self) -> str:
        return f"tables/{self.name}.copy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup is of, and what must be in it."""

    format: int
    program: str
    schema: str
    book: str
    engine: str
    made_at: str
    findings: int | None  # of verify in the same snapshot; nothing when the schema was not this program's
    tables: tuple[TableFile, ...]

    @property
    def rows(self) -> int:
        return sum(each.rows for each in self.tables)


_MANIFEST = TypeAdapter(Manifest)


def encode(values: Sequence[Any], kinds: Sequence[Kind]) -> str:
    """One row as a line. Raises TypeError for a value that is not what its column says."""
    return "\t".join([_text(value, kind) for value, kind in zip(values, kinds, strict=True)]) + "\n"


def _text(value: Any, kind: Kind) -> str:
    if value is None:
        return NULL
    match kind:
        case "integer" | "boolean":
            if type(value) is int:
                return str(value)
        case "bytes":
            if isinstance(value, bytes):
                return f"\\\\x{value.hex()}"
        case _:
            if isinstance(value, str):
                return value.translate(_ESCAPES)
    raise TypeError(kind)


def decode(line: bytes, kinds: Sequence[Kind]) -> tuple[Any, ...]:
    """A line as the values of a row, as SQLite keeps them. Raises ValueError."""
    texts = line.decode().removesuffix("\n").split("\t")
    return tuple([_value(text, kind) for text, kind in zip(texts, kinds, strict=True)])


def _value(text: str, kind: Kind) -> Any:
    if text == NULL:
        return None
    if kind in {"integer", "boolean"}:
        return int(text)
    plain = _ESCAPED.sub(lambda found: _PLAIN.get(found[1], found[1]), text) if "\\" in text else text
    return bytes.fromhex(plain.removeprefix("\\x")) if kind == "bytes" else plain


@dataclass
class Part:
    """The text of one table on its way into a file: counted and summed up as it passes."""

    target: IO[bytes]
    rows: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def write(self, block: bytes) -> None:
        self.target.write(block)
        self.digest.update(block)
        self.rows += block.count(b"\n")


class Writer:
    """An archive being written."""

    def __init__(self, file: zipfile.ZipFile) -> None:
        self._file = file
        self.tables: list[TableFile] = []

    def table(self, name: str, columns: Sequence[Column], fill: Callable[[Part], None]) -> None:
        """Add a table; `fill` hands over its text piece by piece."""
        empty = TableFile(name, tuple(columns), 0, "")
        with self._file.open(empty.member, "w", force_zip64=True) as target:
            part = Part(target)
            fill(part)
        self.tables.append(TableFile(name, tuple(columns), part.rows, part.digest.hexdigest()))

    def finish(self, manifest: Manifest) -> None:
        self._file.writestr(MANIFEST, _MANIFEST.dump_json(manifest, indent=1))


@contextlib.contextmanager
def writing(path: Path) -> Iterator[Writer]:
    """A new archive under a temporary name; it gets its own when it is whole and on the disk. Refuses: BadBackup."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        if path.exists():
            raise BadBackup(
                f"There is already {'a folder' if path.is_dir() else 'a file'} {path}; choose another name."
            )
        if not path.parent.is_dir():
            raise BadBackup(f"There is no folder {path.parent}; make it first, or choose another.")
        with open(os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as file:  # noqa: PTH123  # only its owner may read it
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
                yield Writer(packed)
            file.flush()
            os.fsync(file.fileno())
        with reading(unfinished) as made:
            made.check()
        unfinished.rename(path)
        _sync(path.parent)
    except OSError as fault:
        raise BadBackup(f"The backup {path} cannot be written: {fault.strerror or type(fault).__name__}.") from fault
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    """Have the new name on the disk too, not only what it names."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Archive:
    """A backup being read."""

    def __init__(self, path: Path, file: zipfile.ZipFile) -> None:
        self._path = path
        self._file = file
        self.manifest = self._manifest()

    def rows(self, table: TableFile) -> IO[bytes]:
        """The text of a table, from its beginning."""
        return self._file.open(table.member)

    def check(self) -> None:
        """Read everything once and compare it with the manifest. Refuses: BadBackup."""
        for table in self.manifest.tables:
            digest, rows = hashlib.sha256(), 0
            with self._unharmed(), self.rows(table) as text:
                while block := text.read(BLOCK):
                    digest.update(block)
                    rows += block.count(b"\n")
            if digest.hexdigest() != table.sha256 or rows != table.rows:
                raise damaged(self._path, f"the table {table.name} is not what the manifest says")

    def _manifest(self) -> Manifest:
        with self._unharmed():
            found = self._file.getinfo(MANIFEST)
            if found.file_size > LARGEST_MANIFEST:
                raise damaged(self._path, "its manifest is too long")
            raw = self._file.read(found)
        try:
            manifest = _MANIFEST.validate_json(raw)
        except ValidationError:
            raise damaged(self._path, "its manifest cannot be read") from None
        if manifest.format != FORMAT:
            raise BadBackup(
                f"The backup {self._path} was made by Duedesk {manifest.program} in a format that this program does"
                " not know; start the newer program."
            )
        if sorted(self._file.namelist()) != sorted([MANIFEST, *(each.member for each in manifest.tables)]):
            raise damaged(self._path, "it holds other files than its manifest names")
        return manifest

    @contextlib.contextmanager
    def _unharmed(self) -> Iterator[None]:
        """What zip and its compression find wrong is damage; so is a place that no file has (EINVAL)."""
        try:
            yield
        except OSError as fault:
            if fault.errno != errno.EINVAL:
                raise BadBackup(f"The backup {self._path} cannot be read: {fault.strerror}.") from fault
            raise damaged(self._path, "a part of it is said to be outside of it") from fault
        except (
            zipfile.BadZipFile,
            KeyError,
            EOFError,
            NotImplementedError,
            RuntimeError,
            ValueError,
            zlib.error,
        ) as fault:
            raise damaged(self._path, "a checksum is wrong or a part is missing") from fault


@contextlib.contextmanager
def reading(path: Path) -> Iterator[Archive]:
    """An archive, its manifest read. Refuses: BadBackup."""
    try:
        file = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise BadBackup(f"There is no file {path}.") from None
    except OSError as fault:
        raise BadBackup(f"The backup {path} cannot be read: {fault.strerror or type(fault).__name__}.") from fault
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as fault:
        raise damaged(path, "it is cut off, or it was not made by duedesk db backup") from fault
    with file:
        yield Archive(path, file)


def damaged(path: Path, why: str) -> BadBackup:
    return BadBackup(f"The backup {path} is damaged: {why}. Nothing was restored; take another one.")
