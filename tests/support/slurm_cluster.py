"""A Slurm cluster of one node on this machine, for tests and measurements.

    python -m tests.support.slurm_cluster COMMAND...      runs a command while the cluster is up

Needs root and Debian's `slurm-wlm` and `munge`; no systemd, no accounting, nothing on the network.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

#: Slurm's default place, since the executor plugin takes SLURM_CONF from its jobs.
CONF = Path("/etc/slurm/slurm.conf")
PREFIX = "odeflow-slurm-"
TOOLS = ("/usr/sbin/slurmctld", "/usr/sbin/slurmd", "/usr/sbin/munged")

TEMPLATE = """
ClusterName=local
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
SlurmctldPort=16817
SlurmdPort=16818
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
StateSaveLocation={base}/state
SlurmdSpoolDir={base}/spool
SlurmctldPidFile={base}/slurmctld.pid
SlurmdPidFile={base}/slurmd.pid
SlurmctldLogFile={base}/slurmctld.log
SlurmdLogFile={base}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
ReturnToService=2
MinJobAge=3600
KillWait=5
OverTimeLimit=0
SchedulerParameters=sched_interval=5
MpiDefault=none
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory} Gres=gpu:1 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=60 DefMemPerCPU=500 State=UP
"""


def missing() -> str | None:
    """Why there can be no cluster here; None where there can."""
    if os.geteuid() != 0:
        return "a Slurm of its own needs root"
    absent = [tool for tool in TOOLS if not Path(tool).exists()]
    if absent:
        return f"needs Debian's slurm-wlm and munge ({', '.join(absent)} not found)"
    if CONF.exists() and not (CONF.is_symlink() and CONF.readlink().parent.name.startswith(PREFIX)):
        return f"{CONF} exists: there is a cluster already"
    if CONF.exists() and "is UP" in _output("scontrol", "ping"):
        return "another test has a cluster running"
    return None


@contextmanager
def slurm_cluster() -> Iterator[str]:
    """Starts a cluster and stops it; yields the name of its node."""
    host = socket.gethostname().split(".")[0]
    with ExitStack() as stack:
        base = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=PREFIX)))
        for name in ("state", "spool"):
            (base / name).mkdir()
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20 - 1024
        cpus = len(os.sched_getaffinity(0))  # of a container, not of the machine it is on
        (base / "slurm.conf").write_text(
            TEMPLATE.format(host=host, base=base, cpus=cpus, memory=memory)
        )
        (base / "gres.conf").write_text("Name=gpu File=/dev/null\n")  # as good as any to ask for
        CONF.parent.mkdir(exist_ok=True)
        CONF.unlink(missing_ok=True)  # left by a test that was killed
        CONF.symlink_to(base / "slurm.conf")
        stack.callback(CONF.unlink)
        if subprocess.run(["munge", "-n"], capture_output=True, check=False).returncode:
            stack.enter_context(_munge())
        for daemon in ("slurmctld", "slurmd"):
            process = _start(f"/usr/sbin/{daemon}", "-D", "-f", str(base / "slurm.conf"))
            stack.callback(_stop, process)
        try:
            _until("the node is idle", lambda: _output("sinfo", "-h", "-o", "%T") == "idle")
        except TimeoutError as error:
            raise RuntimeError((base / "slurmctld.log").read_text()[-2000:]) from error
        yield host
        subprocess.run(["scancel", "--full", "--user", "root"], check=False)


@contextmanager
def _munge() -> Iterator[None]:
    """Slurm's authentication service, as its own user."""
    for folder in ("/run/munge", "/var/lib/munge", "/var/log/munge"):
        Path(folder).mkdir(mode=0o755 if "run" in folder else 0o700, exist_ok=True)
        shutil.chown(folder, "munge", "munge")
    user = ("--reuid=munge", "--regid=munge", "--clear-groups")
    process = _start(*user, "/usr/sbin/munged", "--foreground")
    try:
        ready = lambda: not subprocess.run(["munge", "-n"], capture_output=True).returncode
        _until("munge answers", ready)
        yield
    finally:
        _stop(process)


def _start(*command: str) -> subprocess.Popen:
    """Starts a daemon, which ends with this process, however that ends."""
    return subprocess.Popen(
        ["setpriv", "--pdeathsig=TERM", *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _stop(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def _until(what: str, condition: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds:g} s")
        time.sleep(0.2)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the daemons are stopped
    reason = missing()
    if reason is not None:
        sys.exit(f"no Slurm here: {reason}")
    with slurm_cluster():
        sys.exit(subprocess.run(sys.argv[1:], check=False).returncode)
