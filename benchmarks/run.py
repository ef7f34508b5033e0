"""How fast the command is, as ratios to something in the same run: machines differ, ratios less.

    python benchmarks/run.py            # all of them
    python benchmarks/run.py --runs 31

Every figure is a whole process, from start to exit, but that of evaluating. Two commands take
turns, and the median of the ratios run by run is printed, with the bar that it should stay under.
"""

from __future__ import annotations

import argparse
import json
import lzma
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SPECS = Path(__file__).parents[1] / "specs"
MNIST = SPECS / "mnist.yaml"
APPLICATIONS = SPECS.with_name("tests") / "data" / "applications.jsonl.xz"
LENET = SPECS / "lenet5.yaml"
RESNET = SPECS / "resnet50.yaml"
LAYERS = 100_000
MODELS = 200
VARIANTS = 100_000
PROGRAM = str(Path(sys.executable).with_name("dense-calc"))

# Llama 3 with 405 billion parameters: 1,138 layers.
LLAMA = ["--set", "depth=126", "--set", "width=16384", "--set", "heads=128", "--set", "inner=53248"]
MLP = "vars: {width: 64}\ninput: [784]\nlayers:\n" + "  - Dense: {units: width}\n" * 12
REPEATED = """
input: [64]
blocks:
  residual: [Dense: {units: 256}, ReLU, Dense: {units: 64}, Add: {from: [input, dense_1]}]
layers:
  - residual: {repeat: 25000}
"""

# What no program with these libraries can undercut.
FLOOR = [sys.executable, "-c", "import click, yaml, msgspec, rich.console, rich.table"]
COMPOSE = [
    *(sys.executable, "-c"),
    "import gc, sys, yaml; gc.disable(); "
    "yaml.compose(open(sys.argv[1]).read(), Loader=yaml.CSafeLoader)",
]


def main() -> None:
    """Print a line for each benchmark."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=21, help="pairs of runs of a small model")
    runs = parser.parse_args().runs
    print(f"{'whole process':<56}{'ratio':>7}{'bar':>7}   range")
    for format, bar in ("table", 1.35), ("json", 1.0), ("text", 1.0):
        command = [*summary(MNIST), "--format", format]
        report(f"mnist as {format} / imports of the libraries", command, FLOOR, bar, runs)
    for format in "table", "text", "json":
        command = [*summary(SPECS / "llama3-8b.yaml"), *LLAMA, "--format", format]
        report(f"Llama 405B as {format} / imports of the libraries", command, FLOOR, 1.6, runs)
    with tempfile.TemporaryDirectory() as folder:
        checks(Path(folder), runs)
    with tempfile.TemporaryDirectory() as folder:
        sweeps(Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        for name, bar in ("ResNet50", 1.5), ("NASNetLarge", 2.2):
            path = Path(folder) / f"{name}.json"
            path.write_text(json_of(name), "utf-8")
            command = [*summary(path), "--format", "table"]
            report(f"JSON of {name} as table / imports of the libraries", command, FLOOR, bar, runs)
        path = Path(folder) / "large.yaml"
        path.write_text("input: [64]\nlayers:\n" + "  - Dense: {units: 64}\n" * LAYERS, "utf-8")
        for format in "text", "json":
            command = [*summary(path), "--format", format]
            report(
                f"{LAYERS:,} layers as {format} / yaml.compose",
                command,
                [*COMPOSE, str(path)],
                3.0,
                5,
            )
        repeated = Path(folder) / "repeated.yaml"
        repeated.write_text(REPEATED, "utf-8")
        for format in "text", "json":
            command = [*summary(repeated), "--format", format]
            title = f"{LAYERS:,} layers by repeat as {format} / yaml.compose"
            report(title, command, [*COMPOSE, str(path)], 2.2, 5)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{'largest process':<56}{peak:>7.0f}{700:>7}   MiB")


def json_of(name: str) -> str:
    """The JSON of a model of keras.applications, as Keras writes it."""
    for line in lzma.decompress(APPLICATIONS.read_bytes()).splitlines():
        fact = json.loads(line)
        if fact["title"] == name:
            return str(fact["json"])
    raise KeyError(name)


def summary(path: Path) -> list[str]:
    """The command that sums up a file."""
    return [PROGRAM, "summary", str(path)]


def checks(folder: Path, runs: int) -> None:
    """Print how long it takes to check many models in terms of one."""
    for index in range(MODELS):
        (folder / f"{index}.yaml").write_text(LENET.read_text("utf-8"), "utf-8")
    many, one = ([PROGRAM, "check", str(path)] for path in (folder, folder / "0.yaml"))
    report(f"check of {MODELS} models / check of one", many, one, 8.0, runs)


def sweeps(folder: Path) -> None:
    """Print how long many variants take, and the memory of many in terms of few."""
    mlp, resnet = folder / "mlp.yaml", folder / "resnet.yaml"
    mlp.write_text(MLP, "utf-8")
    resnet.write_text(resnet_of_width(), "utf-8")
    for what, path, setting, format, bar in (
        ("a 12-layer MLP", mlp, "width", "json", 7.0),
        ("a 12-layer MLP", mlp, "width", "csv", 9.0),
        ("one of its layers", mlp, "dense_3.units", "json", 7.0),
        ("ResNet-50", resnet, "width", "json", 9.0),
    ):
        title = f"{VARIANTS:,} variants of {what} as {format} / imports"
        report(title, sweep(path, f"{setting}=1:{VARIANTS}", format), FLOOR, bar, 5)
    many, few = (sweep(SPECS / "gpt2.yaml", f"depth=1:{count}") for count in (1_000, 10))
    report("1,000 depths of GPT-2 / 10 depths", many, few, 2.0, 5)
    few, many = (sweep(mlp, f"width=1:{count}") for count in (1_000, 1_000_000))
    print(
        f"{'memory of 1,000,000 variants / of 1,000':<56}{peak(many) / peak(few):>7.2f}{1.1:>7.2f}"
    )
    evaluations(mlp)


def resnet_of_width() -> str:
    """The spec of ResNet-50 in which the filters of all layers are multiples of a var."""
    text = RESNET.read_text("utf-8").replace("vars: {", "vars: {width: 64, ")
    return re.sub(
        r"filters: (\d+),", lambda found: f"filters: {int(found[1]) // 64} * width,", text
    )


def evaluations(path: Path) -> None:
    """Print how long the totals of many variants take, without rows, in terms of their formula."""
    import dense_calc  # late, as what `peak` tells of a process is at least what this one has

    starts = range(1, VARIANTS, 1_000)
    batches = [[(width,) for width in range(start, start + 1_000)] for start in starts]
    formulas = dense_calc.sweep(path, {"width": [1]}).formulas
    ratios = []
    for _ in range(21):
        began = time.perf_counter()
        for batch in batches:
            list(formulas.evaluate(batch))
        middle = time.perf_counter()
        for batch in batches:
            [785 * width + 11 * (width + 1) * width for (width,) in batch]
        ratios.append((middle - began) / (time.perf_counter() - middle))
    print_ratios(f"{VARIANTS:,} MLPs without rows / their formula by hand", ratios, 12.0)


def sweep(path: Path, setting: str, format: str = "json") -> list[str]:
    """The command that tries all values of a setting."""
    return [PROGRAM, "sweep", str(path), "--set", setting, "--format", format]


def peak(command: list[str]) -> int:
    """The most memory that a command has at a time."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=os.path.sep)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return used.ru_maxrss


def report(title: str, command: list[str], other: list[str], bar: float, runs: int) -> None:
    """Print how long a command takes in terms of another."""
    seconds(command), seconds(other)  # warm up
    print_ratios(title, [seconds(command) / seconds(other) for _ in range(runs)], bar)


def print_ratios(title: str, ratios: list[float], bar: float) -> None:
    """Print the median of ratios, the bar, and the least and the largest of them."""
    middle = statistics.median(ratios)
    print(f"{title:<56}{middle:>7.2f}{bar:>7.2f}   {min(ratios):.2f} to {max(ratios):.2f}")


def seconds(command: list[str]) -> float:
    """How long a command takes."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=os.path.sep)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
