"""Write the demo cohort (genome, reads, sample sheet, config, truth) to a folder."""

import argparse
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "scripts"))

from rna2model.core.errors import InputProblem  # noqa: E402
from rna2model.simulate import demo  # noqa: E402  (found only after the line above)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", required=True, help="folder to write to")
    parser.add_argument(
        "--definition", default=HERE / "demo.yaml", help="default: demo.yaml beside this file"
    )
    parser.add_argument("--pairs", type=int, help="fragments per sample, on average")
    options = parser.parse_args()
    definition = demo.read_definition(options.definition)
    if options.pairs:
        definition["reads"]["pairs"] = options.pairs
    samples = demo.make(definition, options.out)
    print(f"{len(samples)} samples in {options.out}; config: {Path(options.out, 'config.yaml')}")


if __name__ == "__main__":
    try:
        main()
    except InputProblem as problem:
        sys.exit(f"make_demo: {problem}")
