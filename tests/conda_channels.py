"""A conda channel in a folder, made by the tests."""

import hashlib
import io
import json
import platform
import tarfile
from pathlib import Path

PLACEHOLDER = "/placeholder" * 10
SUBDIR = f"linux-{ {'x86_64': '64'}.get(platform.machine(), platform.machine()) }"


class CondaChannel:
    """A channel in a folder. Packages are old-style archives with the metadata that installers read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._records: dict[str, dict[str, dict[str, object]]] = {SUBDIR: {}, "noarch": {}}

    @property
    def url(self) -> str:
        return self.folder.as_uri()

    def add(
        self,
        name: str,
        version: str,
        files: dict[str, str],
        *,
        links: dict[str, str] | None = None,
        depends: tuple[str, ...] = (),
        noarch: str | None = None,
        build: str = "0",
        build_number: int = 0,
        **described: object,
    ) -> Path:
        """Add a package; files that contain PLACEHOLDER get the prefix there. `links` are symbolic links.

        `described` is what else the index says of it: license, timestamp … Returns the archive.
        """
        subdir = "noarch" if noarch else SUBDIR
        index: dict[str, object] = {
            "name": name,
            "version": version,
            "build": build,
            "build_number": build_number,
            "depends": list(depends),
            "subdir": subdir,
            **({"noarch": noarch} if noarch else {"platform": "linux", "arch": platform.machine()}),
            **described,
        }
        paths = [_path_entry(path, text) for path, text in files.items()]
        paths += [{"_path": path, "path_type": "softlink"} for path in links or {}]
        listed = "".join(f"{path}\n" for path in (*files, *(links or {})))
        contents = {
            **files,
            "info/index.json": json.dumps(index),
            "info/files": listed,
            "info/paths.json": json.dumps({"paths": paths, "paths_version": 1}),
            **(
                {"info/link.json": json.dumps({"noarch": {"type": "python"}, "package_metadata_version": 1})}
                if noarch == "python"
                else {}
            ),
        }
        archive = self.folder / subdir / f"{name}-{version}-{build}.tar.bz2"
        archive.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(archive, "w:bz2") as tar:
            for path, text in contents.items():
                member = tarfile.TarInfo(path)
                member.size = len(text.encode())
                member.mode = 0o755 if path.startswith("bin/") else 0o644
                tar.addfile(member, io.BytesIO(text.encode()))
            for path, target in (links or {}).items():
                member = tarfile.TarInfo(path)
                member.type, member.linkname = tarfile.SYMTYPE, target
                tar.addfile(member)
        content = archive.read_bytes()
        sums = {"sha256": hashlib.sha256(content).hexdigest(), "md5": hashlib.md5(content).hexdigest()}  # noqa: S324 - conda's
        self._records[subdir][archive.name] = {**index, **sums, "size": len(content)}
        self._write_index()
        return archive

    def add_python(self, interpreter: Path, version: str, **described: object) -> None:
        """Add a Python: an interpreter of the machine, behind links."""
        real, minor = interpreter.resolve(), version.rpartition(".")[0]
        self.add(
            "python",
            version,
            {
                "pyvenv.cfg": f"home = {real.parent}\ninclude-system-site-packages = false\n",
                f"lib/python{minor}/site-packages/README.txt": "Packages go here.\n",
            },
            links={f"bin/python{minor}": str(real), "bin/python": f"python{minor}", "bin/python3": f"python{minor}"},
            **described,
        )

    def _write_index(self) -> None:
        for subdir, records in self._records.items():
            (self.folder / subdir).mkdir(parents=True, exist_ok=True)
            described = {"info": {"subdir": subdir}, "packages": records, "packages.conda": {}, "repodata_version": 1}
            (self.folder / subdir / "repodata.json").write_text(json.dumps(described))


def _path_entry(path: str, text: str) -> dict[str, object]:
    entry: dict[str, object] = {
        "_path": path,
        "path_type": "hardlink",
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "size_in_bytes": len(text.encode()),
    }
    return entry | ({"prefix_placeholder": PLACEHOLDER, "file_mode": "text"} if PLACEHOLDER in text else {})
