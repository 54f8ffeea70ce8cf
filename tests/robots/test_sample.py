"""The sample robot of newcomers."""

import io
import json
import subprocess
import sys
import zipfile

from controlroom.robots import sample


def test_it_is_one_version_however_often_it_is_pushed():
    """The same bytes each time."""
    assert sample.zipped() == sample.zipped()


def test_it_runs_with_nothing_but_a_python(tmp_path):
    """Also where there is no room at all."""
    zipfile.ZipFile(io.BytesIO(sample.zipped())).extractall(tmp_path)

    done = subprocess.run(
        [sys.executable, "-I", "count_words.py"], cwd=tmp_path, capture_output=True, text=True, check=True, env={}
    )

    assert "14 words, 8 different ones" in done.stdout
    assert json.loads((tmp_path / "output/words.json").read_text())["runs"] == 2
