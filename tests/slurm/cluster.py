"""A real SLURM cluster (cpu1, cpu2, and gpu1 with one GPU resource) on this machine, for tests. Needs root."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from tests.slurm import accounting

CONFIG = """
ClusterName=local
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
SlurmdTimeout=4
MessageTimeout=4
SchedulerParameters=sched_interval=3,bf_interval=3
AuthInfo=cred_expire=5
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/jobs.txt
GresTypes=gpu
SlurmctldPort=17000
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
NodeName=cpu1 NodeHostname={host} NodeAddr=127.0.0.1 Port=17001 CPUs=8 RealMemory=20000 State=UNKNOWN
NodeName=cpu2 NodeHostname={host} NodeAddr=127.0.0.1 Port=17002 CPUs=8 RealMemory=20000 State=UNKNOWN
NodeName=gpu1 NodeHostname={host} NodeAddr=127.0.0.1 Port=17003 CPUs=8 RealMemory=20000 Gres=gpu:a100:1 State=UNKNOWN
PartitionName=cpu Nodes=cpu1,cpu2 Default=YES MaxTime=INFINITE State=UP
PartitionName=gpu Nodes=gpu1 MaxTime=INFINITE State=UP
"""


NODES = ("cpu1", "cpu2", "gpu1")
INSTALLED = Path("/etc/slurm/slurm.conf")  # where jobs look: Snakemake hides SLURM_CONF from them


def missing():
    """Why no cluster can be started here, or an empty text."""
    if INSTALLED.exists():
        return f"{INSTALLED} exists: this machine belongs to a cluster"
    absent = [name for name in ("slurmctld", "slurmd", "munged", "sinfo") if not shutil.which(name)]
    if absent:
        return f"not installed: {', '.join(absent)} (Debian: slurm-wlm munge)"
    return "" if os.geteuid() == 0 else "starting SLURM daemons needs root"


class Cluster:
    """Starts the daemons in `folder` and stops them by their pid files; `environment` points commands at it."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.environment = dict(os.environ, SLURM_CONF=str(self.folder / "slurm.conf"))

    def __enter__(self):
        try:
            return self._start()
        except BaseException:
            self.__exit__()
            raise

    def _start(self):
        host = socket.gethostname()
        configuration = CONFIG.format(host=host, folder=self.folder)
        with_accounting = not accounting.missing()
        configuration += (
            accounting.CLUSTER if with_accounting else "AccountingStorageType=accounting_storage/none\n"
        )
        (self.folder / "slurm.conf").write_text(configuration)
        (self.folder / "gres.conf").write_text("NodeName=gpu1 Name=gpu Type=a100 File=/dev/zero\n")
        (self.folder / "state").mkdir()
        INSTALLED.parent.mkdir(exist_ok=True)
        INSTALLED.unlink(missing_ok=True)  # a link left by a killed test
        INSTALLED.symlink_to(self.folder / "slurm.conf")
        self._munge()
        if with_accounting:
            accounting.start(self.folder, self.environment)
        for command in (["slurmctld"], *(["slurmd", "-N", node] for node in NODES)):
            subprocess.run(command, env=self.environment, check=True)
        for _ in range(60):
            states = self.run("sinfo", "-h", "-N", "-o", "%T").split()
            if states == ["idle"] * len(NODES):
                return self
            time.sleep(0.5)
        raise RuntimeError(f"nodes are {states}; see {self.folder}/slurmctld.log")

    def __exit__(self, *_):
        with contextlib.suppress(subprocess.CalledProcessError):  # a cluster that did not start has no queue
            for job in self.queue():
                self.run("scancel", "--signal=KILL", "--full", job)
        for path in sorted(self.folder.glob("slurm*.pid"), reverse=True):
            subprocess.run(["kill", path.read_text().strip()], check=False)
        accounting.stop(self.folder)
        INSTALLED.unlink(missing_ok=True)
        time.sleep(1)

    def run(self, *command):
        """Standard output of a SLURM command."""
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=True
        ).stdout

    def finished_jobs(self, folder):
        """One dict for each finished job of a project, as SLURM's own text file has it."""
        lines = (self.folder / "jobs.txt").read_text().splitlines()
        jobs = [dict(part.split("=", 1) for part in line.split() if "=" in part) for line in lines]
        return [job for job in jobs if job["WorkDir"] == str(folder)]

    def accounted_jobs(self, folder, *fields):
        """One dict for each job of a project, as the accounting database has it."""
        fields = ("State", "NodeList", "WorkDir", *fields)
        # the database hears of the end of a job some seconds after the job
        listing = self.run("sacct", "-X", "-n", "-P", "--format", ",".join(fields)).splitlines()
        jobs = [dict(zip(fields, line.split("|"), strict=True)) for line in listing]
        return [job for job in jobs if job["WorkDir"] == str(folder)]

    def queue(self):
        """{id: (state, node)} of the jobs that wait or run."""
        lines = self.run("squeue", "-h", "-o", "%i %T %N").splitlines()
        return {job: (state, "".join(node)) for job, state, *node in map(str.split, lines)}

    def started(self):
        """(id, node) of a job that runs, or None."""
        running = ((job, node) for job, (state, node) in self.queue().items() if state == "RUNNING")
        return next(running, None)

    def wait(self, condition, what, seconds=90):
        """The first true value of `condition()`."""
        for _ in range(5 * seconds):
            if value := condition():
                return value
            time.sleep(0.2)
        raise TimeoutError(f"{what}; the queue: {self.queue()}")

    def kill_node(self, node, jobs):
        """The node loses its power: its daemon and everything that `jobs` run there end at once."""
        pids = [int((self.folder / f"slurmd.{node}.pid").read_text())]
        pids += [pid for job in jobs for pid in self._processes(job)]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        (self.folder / f"slurmd.{node}.pid").unlink(missing_ok=True)

    @staticmethod
    def _processes(job):
        """Process ids of a job's steps and what they started, the steps first."""
        parents, pids = {}, []
        for path in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                name = (path / "cmdline").read_bytes().decode(errors="replace")
                parents[int(path.name)] = int((path / "stat").read_text().rsplit(")", 1)[1].split()[1])
                if name.startswith(f"slurmstepd: [{job}."):
                    pids.append(int(path.name))
        for pid in pids:
            pids += [child for child, parent in parents.items() if parent == pid]
        return pids

    @staticmethod
    def _munge():
        if subprocess.run(["munge", "-n"], capture_output=True, check=False).returncode == 0:
            return
        subprocess.run(["install", "-d", "-o", "munge", "-g", "munge", "-m", "755", "/run/munge"], check=True)
        subprocess.run(["runuser", "-u", "munge", "--", "munged", "--force"], check=True)
