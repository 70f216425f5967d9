"""What is known of GPUs before the first job."""

os.environ[gpu.FALLBACK] = config["training"]["gpu_fallback"]
GPU_RULES = {"train_torch", "permute_torch", "learn_from_fewer_torch"}
WITHOUT_GPU = GPUS > 0 and not gpu.has_driver()  # this machine


def show_gpu_environment():
    """The solver takes PyTorch's GPU build only where it sees a driver, or is told of one."""
    by_conda = "conda" in {str(method) for method in workflow.deployment_settings.deployment_method}
    if ASKS and WITHOUT_GPU and by_conda and not os.environ.get("CONDA_OVERRIDE_CUDA"):
        logger.warning(
            "rna2model: this machine has no GPU driver, so that conda cannot make envs/torch_gpu.yaml here. Where it is not made"
            " yet: export CONDA_OVERRIDE_CUDA=12.9, or what nvidia-smi on a GPU node shows as CUDA version (profiles/README.md)."
        )


def check_gpu():
    """WorkflowError where jobs that need a GPU would run on this machine, which has none."""
    if not WITHOUT_GPU or config["training"]["gpu_fallback"] == "cpu" or not workflow.local_exec:
        return
    training = {job.rule.name for job in workflow.dag.needrun_jobs()} & GPU_RULES
    if training:
        raise WorkflowError(
            f"training.gpus is {GPUS}, but this machine has no GPU driver ({', '.join(sorted(training))} would run here)."
            " Run on one that has (profiles/README.md), or set `training.gpu_fallback: cpu` or `training.gpus: 0`."
        )


def avoid_broken_gpus():
    """Have the SLURM executor (2.8) send GPU jobs to nodes on which none of this run failed for the lack of one."""
    import snakemake_executor_plugin_slurm as plugin

    if not isinstance(plugin.get_submit_command, gpunodes.Submissions):
        plugin.get_submit_command = gpunodes.Submissions(
            plugin.get_submit_command, plugin.set_gres_string, logger.warning
        )


def gpu_elsewhere(rule, error):
    """Whether a job that ended for the lack of a GPU may do better on another node, to which it is sent then."""
    executor = sys.modules.get("snakemake_executor_plugin_slurm")
    submissions = getattr(executor, "get_submit_command", None)
    return isinstance(submissions, gpunodes.Submissions) and submissions.may_try_again(rule, error)
