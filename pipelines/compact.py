"""Cuts out of a hardened model what its zeros make superfluous.

python -m pipelines.compact runs/NAME --output small.keras
"""

import pathlib

import click

from commands.cli import Command, InputError, quietly
from commands.files import replacing
from commands.folder import make


def run(path: pathlib.Path, output: pathlib.Path) -> str:
    """Compacts a model, and writes it.

    Args:
        path: a folder that `pipelines.train` wrote, or a hardened .keras file.
        output: the .keras file to write.

    Returns:
        what was cut, as a table.

    Raises:
        InputError: there is nothing to cut, or a file is missing or damaged.
    """
    if output.suffix != ".keras":
        raise InputError(f"--output {str(output)!r}: name a file that ends in .keras")
    # TensorFlow takes seconds to import; wrong arguments are answered before that.
    with quietly():
        import rvsm_tf as rvsm
        from export import runs
        from rvsm_tf.litert import source

        model = source.load(runs.model_file(path))
    try:
        plan = rvsm.compaction.plan(model)
        if plan.kept_weights == plan.weights:
            raise InputError(
                f"nothing to cut out of {str(path)!r}: it was compacted already, or no "
                "whole filters, units or inputs of it are zero; train with --structure"
            )
        smaller = plan.apply()
    except ValueError as error:
        raise InputError(f"{str(path)!r}: {error}") from None
    make(output.parent)
    with replacing(output) as draft:
        smaller.save(draft)
    return str(plan)


@click.command(cls=Command)
@click.argument("model", type=click.Path(path_type=pathlib.Path))
@click.option(
    "--output",
    type=click.Path(path_type=pathlib.Path),
    metavar="FILE.keras",
    required=True,
)
def main(model: pathlib.Path, output: pathlib.Path) -> None:
    """Cut out of a hardened MODEL what its zeros make superfluous."""
    click.echo(run(model, output))
    click.echo(f"\nin {output}")


if __name__ == "__main__":
    main()
