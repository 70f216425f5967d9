"""A count matrix as parquet or h5ad, and what may be wrong with such files."""

import numpy as np
import pandas as pd

from tests.faults.project import NAMES


def frame(write, ending):
    """Give the matrix as another file; `write(DataFrame genes x samples, path)`."""

    def inject(project):
        genes = [f"g{i:02}" for i in range(30)]
        write(pd.DataFrame(project.counts(), index=genes, columns=NAMES), project.folder / f"counts.{ending}")
        project.config["counts"] = f"counts.{ending}"

    return inject


def h5ad(change=lambda data: None):
    def write(table, path):
        import anndata

        data = anndata.AnnData(table.T.astype(float))
        data = change(data) or data
        data.write_h5ad(path)

    return frame(write, "h5ad")


def renamed(data):
    data.obs_names = [f"cell{i}" for i in range(data.n_obs)]


def doubled(data):
    data.obs_names = ["s01", *NAMES[:-1]]


def without_values(data):
    import anndata

    return anndata.AnnData(obs=data.obs, var=data.var)


def plain_hdf5(table, path):
    import h5py

    with h5py.File(path, "w") as file:
        file["counts"] = table.to_numpy()


def nullable(table):
    table = table.astype("Int64")
    table.iloc[4, 2] = None
    return table


def logarithms_in_x(data):
    data.layers["counts"], data.X = data.X.copy(), np.log2(data.X + 1)


def of_a_run(data):
    data.layers["counts"], data.uns["unit"] = data.X.copy(), "tpm"


def numbered(data):
    data.var_names = [str(i) for i in range(data.n_vars)]


def entrez(table, path):
    table.set_axis([1000 + 7 * i for i in range(30)]).to_parquet(path)


def ids_last(table, path):
    table.assign(gene_id=table.index).reset_index(drop=True).to_parquet(path)
