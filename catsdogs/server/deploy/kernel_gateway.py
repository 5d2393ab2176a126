"""The machine that runs the visitors' kernels: ``KG_AUTH_TOKEN=... jupyter kernelgateway --config kernel_gateway.py``.

Copy this file to it, and install the same version of catsdogs: ``pip install '.[gateway]'`` in a checkout. Whoever has
the token can run any code: let only catsdogs reach the port, and start the gateway as a user that owns nothing else.
"""

import os
import resource
import subprocess
from typing import Any

from jupyter_client.provisioning.local_provisioner import LocalProvisioner

if len(os.environ.get("KG_AUTH_TOKEN", "")) < 16:
    raise SystemExit("Set KG_AUTH_TOKEN to the value of CATSDOGS_GATEWAY_TOKEN, at least 16 characters.")

# most memory of one kernel, and of the gateway itself; the processes that it starts inherit the limit
resource.setrlimit(resource.RLIMIT_DATA, (2**30, 2**30))

# visitors can have kernels write something: it must not get into the gateway's log
launch = LocalProvisioner.launch_kernel


async def launch_quietly(provisioner: LocalProvisioner, cmd: list[str], **options: Any) -> Any:
    """Start a kernel's process, without the gateway's output."""
    return await launch(provisioner, cmd, **options | {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL})


LocalProvisioner.launch_kernel = launch_quietly  # type: ignore[assignment,method-assign]

c = get_config()  # type: ignore[name-defined]  # noqa: F821 (Jupyter's)

c.KernelGatewayApp.ip = "0.0.0.0"  # noqa: S104 (another machine has to reach it)
c.KernelGatewayApp.port = 8888
# c.KernelGatewayApp.certfile, keyfile: where the network between the two machines is not yours alone

# each catsdogs server has a limit of sessions; this is the limit of all kernels here
c.KernelGatewayApp.max_kernels = 128
# the environment variables that a process needs; catsdogs sets the others in each kernel
names = "HOME LANG LD_LIBRARY_PATH PYTHONPATH SSL_CERT_FILE TMPDIR TZ"
c.KernelGatewayApp.env_process_whitelist = names.split()
# a kernel that died is not restarted: the notebook would not have run in it
c.KernelRestarter.restart_limit = 0
c.KernelRestarter.time_to_dead = 1.0
# sockets that no other user of this machine can reach
c.KernelManager.transport = "ipc"

# catsdogs stops the kernels of pages that are closed or idle; this is for kernels of a server that was killed
c.MappingKernelManager.cull_idle_timeout = 300
c.MappingKernelManager.cull_interval = 60
