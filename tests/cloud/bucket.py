"""An S3 server (moto's) with a bucket, and the workflow run on it as a user of a cloud would."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import boto3

from tests.command import REPOSITORY

NAME, RUN = "bucket", "run"
SECRETS = {"ACCESS_KEY": "test", "SECRET_KEY": "test"}
HERE = Path(__file__).parent


class Bucket:
    """A bucket of a server that runs while the `with` block does."""

    def __enter__(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "moto.server", "-p", str(port)]
        self.server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(600):
            try:
                urllib.request.urlopen(self.url)
                break
            except OSError:
                time.sleep(0.1)
        self.client = self.service("s3")
        self.client.create_bucket(Bucket=NAME)
        return self

    def __exit__(self, *_):
        self.server.terminate()
        self.server.wait()

    def service(self, name):
        """A client of a service of Amazon's that the server has, too."""
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
        return boto3.client(name, endpoint_url=self.url, **keys)

    def put(self, key, content):
        """Store bytes, or the file at a path."""
        content = content if isinstance(content, bytes) else Path(content).read_bytes()
        self.client.put_object(Bucket=NAME, Key=key, Body=content)

    def get(self, key):
        return self.client.get_object(Bucket=NAME, Key=key)["Body"].read()

    def keys(self, prefix=""):
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=NAME, Prefix=prefix)
        return {entry["Key"] for page in pages for entry in page.get("Contents", [])}

    def snakemake(self, folder, *arguments, run=RUN, check=None):
        """The workflow on the bucket, from a folder that has it (as a link), the config and the sheet."""
        if not (folder / "rna2model").exists():
            (folder / "rna2model").symlink_to(REPOSITORY)
        command = [
            sys.executable,
            "-m",
            "snakemake",
            "-s",
            "rna2model/Snakefile",
            "--configfile",
            "config.yaml",
        ]
        command += ["--default-storage-prefix", f"s3://{NAME}/{run}", "--storage-s3-endpoint-url", self.url]
        environment = os.environ | {f"SNAKEMAKE_STORAGE_S3_{key}": value for key, value in SECRETS.items()}
        environment |= {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "NODES": str(folder)}
        environment |= {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }
        command += map(str, arguments)
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        done.text = done.stdout + done.stderr
        if check is not None:
            assert (done.returncode == 0) == check, done.text[-6000:]
        return done


# Jobs in folders that share nothing with the run but the bucket, as they do on the nodes of a cloud.
APART = ["--executor", "cluster-generic", "--shared-fs-usage", "none", "--job-deploy-sources", "--jobs", "3"]
APART += [
    "--cluster-generic-submit-cmd",
    HERE / "submit.sh",
    "--cluster-generic-status-cmd",
    HERE / "status.sh",
]
APART += ["--default-storage-provider", "s3", "--seconds-between-status-checks", "1", "--cores", "2"]
