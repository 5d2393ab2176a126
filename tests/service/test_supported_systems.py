"""A system that is not supported is named in a sentence, not by a module that it lacks."""

from __future__ import annotations

import subprocess
import sys

import pytest

WITHOUT_UNIX = "import sys; sys.modules.update(dict.fromkeys(['fcntl', 'resource', 'pwd'])); "


@pytest.mark.parametrize("code", ["from catsdogs.__main__ import main; main()", "import catsdogs; catsdogs.connect()"])
def test_on_windows_a_sentence_names_wsl2(code: str) -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT_UNIX + code], capture_output=True, text=True)
    assert done.returncode == 1
    assert "On Windows, install and start it in WSL2" in done.stderr
    assert "ModuleNotFoundError" not in done.stderr
