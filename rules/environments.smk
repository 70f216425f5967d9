"""Conda's environments as they are made, which takes minutes each: which one, of how many. For Snakemake 9.27."""

from snakemake.dag import DAG
from snakemake.deployment.conda import Conda, get_env_setup_done_flag_file

MAKE_ENVIRONMENTS = DAG.create_conda_envs


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


if ASKS:
    DAG.create_conda_envs = make_environments
# Snakemake asks conda's files for strict channel priority and would warn; CONDA_CHANNEL_PRIORITY (environment.py) goes before them.
Conda._check_condarc = lambda conda: None
