"""What the workflow decides before its jobs: paths, options of the tools, resources, storage, checks of the cluster, messages.

The rules use it through rules/common.smk, which builds each object once from the checked config and the samples. Nothing here
needs a running Snakemake but the two modules of patches.
"""
