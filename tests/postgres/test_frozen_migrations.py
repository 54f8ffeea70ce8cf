"""An applied migration is never changed: the digest of each is kept from the day on which it came."""

import hashlib
from collections import Counter
from pathlib import Path

import controlroom.postgres

MIGRATIONS = Path(controlroom.postgres.__file__).parent / "migrations"
KEPT = Path(__file__).parent / "migrations.sha256"
"""As `sha256sum` writes it. Lines of several branches are kept side by side (`.gitattributes`), in any order."""


def kept() -> dict[str, str]:
    """The digest of each file that was ever there, by name."""
    lines = dict.fromkeys(KEPT.read_text(encoding="utf-8").splitlines())
    pairs = [(name, digest) for digest, name in (line.split("  ", 1) for line in lines)]
    twice = [name for name, count in Counter(name for name, _ in pairs).items() if count > 1]
    assert not twice, f"two digests of one file in {KEPT.name}: {twice}. The main branch holds, else the file"
    return dict(pairs)


def test_a_migration_that_was_there_is_as_it_was():
    """Byte for byte: databases have applied it, and what it should have done is done by a further file."""
    known = kept()
    changed = [
        name
        for name, digest in known.items()
        if not (MIGRATIONS / name).exists() or hashlib.sha256((MIGRATIONS / name).read_bytes()).hexdigest() != digest
    ]

    assert not changed, (
        f"changed or gone: {changed}. A migration that has been on the main branch is applied somewhere, and a server "
        "refuses to start on a database whose migrations were others: take the change back (git checkout main -- FILE) "
        "and write a further migration. Only while a file is yours alone may it change, and its line with it"
    )


def test_every_migration_is_kept():
    """A new one has its line in the commit with which it comes."""
    new = sorted(file.name for file in MIGRATIONS.glob("*.sql") if file.name not in kept())

    assert not new, (
        f"without a line in {KEPT.name}: {new}. From now on they never change. When that is meant:\n"
        f"(cd src/controlroom/postgres/migrations && sha256sum {' '.join(new)}) >> tests/postgres/migrations.sha256"
    )
