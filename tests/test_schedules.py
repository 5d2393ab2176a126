"""The README's examples for cron, systemd and GitHub Actions, as far as they can be tested at any time."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).parent.parent
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


def blocks(language: str, holding: str) -> list[str]:
    found = re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    return [text for text in found if holding in text]


def accepts(arguments: list[str]) -> None:
    """Check that the command has these options; with ``--help``, it does nothing else."""
    command = [sys.executable, "-m", "catsdogs", *arguments, "--help"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    offered = set(re.findall(r"--[a-z-]+", done.stdout))
    assert {word for word in arguments if word.startswith("--")} <= offered


def test_cron() -> None:
    [line] = blocks("cron", "report")
    *moments, command = line.strip().split(maxsplit=5)
    assert len(moments) == 5
    assert all(re.fullmatch(r"\*|\d{1,2}", moment) for moment in moments)
    assert not re.search(r"(?<!\\)%", command)  # cron turns it into a new line
    change_folder, report = command.replace(r"\%", "%").split(" && ")
    assert change_folder.startswith("cd ")
    output = subprocess.run(["sh", "-c", f"printf '%s\\n' {report}"], capture_output=True, text=True, check=True).stdout
    program, *arguments = output.splitlines()
    assert program == ".venv/bin/catsdogs"
    start, end = (arguments[arguments.index(name) + 1] for name in ("--from", "--to"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", start)
    assert start < end
    accepts(arguments)


def test_systemd(tmp_path: Path) -> None:
    service, timer = blocks("ini", "catsdogs")
    [start] = re.findall(r"^ExecStart=(.*)$", service, re.MULTILINE)
    program, *arguments = shlex.split(start)
    assert program.endswith("/.venv/bin/catsdogs")
    accepts(arguments)
    assert "SuccessExitStatus=2" in service
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd is not here: its own check is left out")
    (tmp_path / "catsdogs-report.service").write_text(
        service.replace(program, sys.executable).replace("/srv/catsdogs", str(tmp_path)).replace("User=catsdogs\n", "")
    )
    (tmp_path / "catsdogs-report.timer").write_text(timer)
    units = [str(tmp_path / f"catsdogs-report.{kind}") for kind in ("service", "timer")]
    done = subprocess.run([analyze, "verify", "--man=no", *units], capture_output=True, text=True)
    ours = [line for line in done.stderr.splitlines() if "catsdogs" in line]
    assert ours == []
    calendar = re.findall(r"^OnCalendar=(.*)$", timer, re.MULTILINE)
    assert subprocess.run([analyze, "calendar", *calendar], capture_output=True).returncode == 0


def test_github_actions() -> None:
    assert "(.github/workflows/report.yml)" in README
    workflow = yaml.safe_load((REPOSITORY / ".github/workflows/report.yml").read_text(encoding="utf-8"))
    [schedule] = workflow[True]["schedule"]  # YAML 1.1 reads "on" as true
    assert len(schedule["cron"].split()) == 5
    steps = workflow["jobs"]["report"]["steps"]
    [run] = [step["run"] for step in steps if "run" in step]
    make, report, arguments = shlex.split(run)
    assert (make, report) == ("make", "report")
    accepts(["report", *shlex.split(arguments.removeprefix("ARGS="))])
    assert steps[-1]["if"] == "always()"  # a run that fails because alerts fire keeps its report
