-- Names that versions of a package bear, each of one at most: it moves from one to another.
create table package_label (
    package_id         uuid not null references package,
    name               text not null check (name <> ''),
    package_version_id uuid not null references package_version,
    moved_at           timestamptz not null default clock_now(),
    primary key (package_id, name)
);
