"""How many cores this process may use, also in a container with a quota."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from catsdogs.model import cores
from catsdogs.model.cores import cpu_quota

V1 = Path("/sys/fs/cgroup/cpu")
V2 = Path("/sys/fs/cgroup")


@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 1.5),
        ("0::/\n", {"cpu.max": "max 100000\n"}, math.inf),
        ("0::/a/b\n", {"a/cpu.max": "200000 100000\n", "a/b/cpu.max": "max 100000\n"}, 2.0),
        ("0::/of/the/host\n", {"cpu.max": "50000 100000\n"}, 0.5),
        ("0::/\n", {}, math.inf),
        (
            "3:cpu,cpuacct:/x\n0::/\n",
            {"cpu/x/cpu.cfs_quota_us": "300000\n", "cpu/x/cpu.cfs_period_us": "100000\n"},
            3.0,
        ),
        ("3:cpu:/x\n", {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, math.inf),
        ("3:memory:/x\n", {"cpu.max": "100000 100000\n"}, math.inf),
        (None, {}, math.inf),
    ],
)
def test_the_quota_is_the_smallest_of_all_groups(
    tmp_path: Path, groups: str | None, files: dict[str, str], expected: float
) -> None:
    if groups is not None:
        (tmp_path / "proc/self").mkdir(parents=True)
        (tmp_path / "proc/self/cgroup").write_text(groups)
    for name, content in files.items():
        file = tmp_path / "sys/fs/cgroup" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    assert cpu_quota(tmp_path) == expected


@pytest.fixture
def half_a_core() -> Iterator[Path]:
    """A control group of this machine, with half a core; its file of processes."""
    for mount, limits in (
        (V1, {"cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": "50000"}),
        (V2, {"cpu.max": "50000"}),
    ):
        group = mount / f"catsdogs-test-{os.getpid()}"
        try:
            group.mkdir()
            for name, content in limits.items():
                (group / name).write_text(content)
        except OSError:
            if group.is_dir():
                group.rmdir()
            continue
        yield group / "cgroup.procs"
        group.rmdir()
        return
    pytest.skip("no control group can be made here")


def test_threads_follow_the_quota_of_a_real_control_group(half_a_core: Path) -> None:
    code = (
        "import os, sys; open(sys.argv[1], 'w').write(str(os.getpid()))\n"
        "from catsdogs.server.worker_pool import WorkerPool; from catsdogs.model.cores import usable_cores\n"
        "print(usable_cores(), WorkerPool(queue_size=0).limit)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(half_a_core)], capture_output=True, text=True)
    assert done.stdout.split() == ["1", "1"], done.stderr


def test_without_a_quota_all_cores_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "cpu_quota", lambda: math.inf)
    assert cores.usable_cores.__wrapped__() == len(os.sched_getaffinity(0))
