"""How many processor cores this process may use: those of the machine, its affinity, and the quota of its container.

Python's own counts of cores know no quota: in a container of two cores on a machine of 64, 64 threads would take turns,
and each would be stopped for most of the time.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path


@cache
def usable_cores() -> int:
    """Return the number of cores that this process may use, at least 1; a part of a core counts as a whole one."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min(affinity, cpu_quota())))


def cpu_quota(root: Path = Path("/")) -> float:
    """Return the CPU quota of this process's control groups, in cores; infinite without one, as outside of Linux.

    Parameters
    ----------
    root
        Folder that holds ``proc`` and ``sys``.

    References
    ----------
    https://docs.kernel.org/admin-guide/cgroup-v2.html, ``cpu.max``;
    https://docs.kernel.org/scheduler/sched-bwc.html, ``cpu.cfs_quota_us`` of version 1
    """
    return min(_quotas(root), default=math.inf)


def _quotas(root: Path) -> Iterator[float]:
    try:
        groups = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for group in groups:
        _, controllers, path = group.split(":", 2)
        if not controllers:
            for folder in _folders(root / "sys/fs/cgroup", path):
                with suppress(OSError, ValueError):
                    yield _cores(*(folder / "cpu.max").read_text(encoding="utf-8").split())
        elif "cpu" in controllers.split(","):
            for folder in _folders(root / "sys/fs/cgroup/cpu", path):
                names = "cpu.cfs_quota_us", "cpu.cfs_period_us"
                with suppress(OSError, ValueError):
                    yield _cores(*((folder / name).read_text(encoding="utf-8") for name in names))


def _folders(mount: Path, path: str) -> Iterator[Path]:
    """Yield the folders of a group and of those that it belongs to; a container often sees the last one only."""
    group = mount / path.lstrip("/")
    yield group
    yield from (parent for parent in group.parents if parent.is_relative_to(mount))


def _cores(quota: str, period: str) -> float:
    """Return the cores that a quota allows, both in microseconds; the quota is "max" or negative without a limit."""
    return math.inf if quota == "max" or int(quota) <= 0 else int(quota) / int(period)
