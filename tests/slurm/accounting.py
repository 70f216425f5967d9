"""SLURM's accounting database, private to the test cluster: MariaDB, slurmdbd, accounts and a QOS."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

ACCOUNT, QOS = "lab", "rna"
CLOSED = "closed"  # the default account, without a place in the queue: one must be named
MOST_JOBS = 40  # of one user in the QOS, waiting and running

CLUSTER = """
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort=17010
AccountingStorageEnforce=associations,limits,qos
AccountingStorageTRES=gres/gpu,gres/gpu:a100
AccountingStoreFlags=job_comment
"""

SLURMDBD = """
AuthType=auth/munge
DbdHost={host}
DbdAddr=127.0.0.1
DbdPort=17010
SlurmUser=root
PidFile={folder}/slurmdbd.pid
LogFile={folder}/slurmdbd.log
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort=17011
StorageUser=root
StorageLoc=slurm
"""

# No users, no passwords: it lives for the length of the tests, and only this machine reaches it.
DATABASE = "--no-defaults --user=root --datadir={folder}/database --innodb-log-file-size=16M --innodb-flush-method=nosync"
MARIADB = (
    f"mariadbd {DATABASE} --skip-grant-tables --bind-address=127.0.0.1 --port=17011 --socket={{folder}}/mariadb.sock"
    " --pid-file={folder}/mariadbd.pid --log-error={folder}/mariadbd.log --innodb-buffer-pool-size=64M"
)


def missing():
    """Why the test cluster has no accounting, or an empty text."""
    absent = [
        name
        for name in ("slurmdbd", "mariadbd", "mariadb-install-db", "my_print_defaults")
        if not shutil.which(name)
    ]
    return (
        f"not installed: {', '.join(absent)} (Debian: slurmdbd mariadb-server-core mariadb-client-core)"
        if absent
        else ""
    )


def start(folder, environment):
    """Start both daemons, and register the cluster, its accounts, QOS and the user root. slurmctld comes after."""
    tables = ["mariadb-install-db", *DATABASE.format(folder=folder).split(), "--skip-test-db"]
    subprocess.run(tables, check=True, capture_output=True)
    configuration = folder / "slurmdbd.conf"  # beside slurm.conf, where slurmdbd looks for it
    configuration.touch(mode=0o600)
    configuration.write_text(SLURMDBD.format(folder=folder, host=socket.gethostname()))
    subprocess.Popen(MARIADB.format(folder=folder).split(), stderr=subprocess.DEVNULL)
    _wait(lambda: (folder / "mariadbd.pid").exists(), f"{folder}/mariadbd.log")
    subprocess.run(["slurmdbd"], env=environment, check=True)

    def manage(*words):
        command = ["sacctmgr", "--immediate", "--quiet", *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True)

    _wait(lambda: manage("list", "cluster").returncode == 0, f"{folder}/slurmdbd.log")
    for words in (
        "add cluster local",
        f"add qos {QOS} MaxSubmitJobsPerUser={MOST_JOBS}",
        f"add account {ACCOUNT}",
        f"add account {CLOSED}",
        f"add user root account={ACCOUNT} qos=normal,{QOS}",
        f"add user root account={CLOSED} MaxSubmitJobs=0",
        f"modify user root set defaultaccount={CLOSED}",
    ):
        done = manage(*words.split())
        if done.returncode:
            raise RuntimeError(f"sacctmgr {words}: {done.stdout}{done.stderr}")


def stop(folder):
    """End the database after slurmdbd, which the cluster has stopped by its pid file."""
    path = Path(folder) / "mariadbd.pid"
    if path.exists():
        pid = int(path.read_text())
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(pid, signal.SIGTERM)
            os.waitpid(pid, 0)


def _wait(condition, log):
    for _ in range(150):
        if condition():
            return
        time.sleep(0.2)
    raise RuntimeError(f"accounting does not start; see {log}")
