"""Conda's environments as they are made, which takes minutes each: which one, of how many. Activated once. For Snakemake 9.27."""

from rna2model import activation
from snakemake.dag import DAG
from snakemake.deployment.conda import Conda, get_env_setup_done_flag_file
from snakemake.script import PythonScript

MAKE_ENVIRONMENTS = DAG.create_conda_envs
ACTIVATE = Conda.shellcmd
ASK_PYTHON = PythonScript._get_python_version
PYTHONS = {}  # of environments: their versions


def is_missing(env):
    """Whether Snakemake will make an environment: it is not there, or was left unfinished."""
    if env.is_externally_managed or env.is_containerized:
        return False
    return not get_env_setup_done_flag_file(Path(env.address)).exists()


def make_environments(dag, dryrun=False, quiet=False):
    """What DAG.create_conda_envs does, with a line before each environment that is not there yet."""
    missing = [env for env in dag.conda_envs.values() if is_missing(env)]
    names = [os.path.basename(env.file.get_path_or_uri(secret_free=True)) for env in missing]
    if dryrun or dag.workflow.dryrun:
        if missing and not quiet:
            logger.info(f"rna2model: conda will make {len(missing)} environments first: {', '.join(names)}")
    elif not dag.workflow.touch:
        for number, (env, name) in enumerate(zip(missing, names), 1):
            logger.info(
                f"rna2model: conda makes environment {number} of {len(missing)}: {name}, in {env.address} (once; minutes)"
            )
            env.create()
    MAKE_ENVIRONMENTS(dag, dryrun=dryrun, quiet=quiet)


def activated(conda, environment, command):
    """What Conda.shellcmd does, without starting conda for each command."""
    lines = None
    if not conda.container_img:
        lines = activation.statements(os.path.dirname(conda.bin_path()), environment)
    return f"{lines}\n{command}" if lines else ACTIVATE(conda, environment, command)


def python_version(script):
    """What PythonScript._get_python_version does, without starting an environment's Python for each script."""
    environment = script.conda_env
    if not environment or script.container_img:
        return ASK_PYTHON(script)
    if environment not in PYTHONS:
        PYTHONS[environment] = ASK_PYTHON(script)
    return PYTHONS[environment]


Conda.shellcmd = activated
PythonScript._get_python_version = python_version
if ASKS:
    DAG.create_conda_envs = make_environments
# Snakemake asks conda's files for strict channel priority and would warn; CONDA_CHANNEL_PRIORITY (environment.py) goes before them.
Conda._check_condarc = lambda conda: None
