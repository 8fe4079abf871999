#!/usr/bin/python3
"""parity.py: trains TinyTransformer in Helix and in PyTorch from the same weights, and compares.

    parity.py [BIN] [--steps N] [--device NAME]

BIN is the folder with hlxc and hlxrun (default build/bin). 400 steps are the example's 100 epochs:
then the final losses are compared, too. Needs Debian's python3-torch and python3-numpy.
"""
import argparse
import json
import math
import os
import sys
import tempfile

import numpy as np
import torch

import kit
import models

BATCH, SEQ, SAMPLES = 4, 16, 16
GRADIENT, LOSS, FINAL = 1e-5, 1e-4, 0.02  # the largest relative differences
ROUNDING = 1e-6  # a zero that nothing explains is so small beside its tensor's root mean square


# -- the batches, as spec/language.md 11.3 and 11.7 have them


def sequences(path):
    """The arrays x and y of the first samples of a file, [SAMPLES, SEQ]."""
    x, y = (np.zeros((SAMPLES, SEQ), np.int32) for _ in range(2))
    with open(path) as f:
        for i, line in zip(range(SAMPLES), f):
            record = json.loads(line)
            t = f"{record['input']} -> {record['output']}".encode("ascii")
            x[i, : len(t[:SEQ])] = list(t[:SEQ])
            y[i, : len(t[1 : SEQ + 1])] = list(t[1 : SEQ + 1])
    return x, y


def batch(x, y, step):
    at = step * BATCH % SAMPLES
    return torch.from_numpy(x[at : at + BATCH]), torch.from_numpy(y[at : at + BATCH])


def floor_loss(x, y):
    """The least mean loss of a model that sees one token and its position and nothing else."""
    counts = {}  # (position, token) -> {next token: weight}
    for k in range(0, SAMPLES, BATCH):
        weight = 1 / (SAMPLES // BATCH * max(1, np.count_nonzero(y[k : k + BATCH])))
        for i in range(k, k + BATCH):
            for t in np.flatnonzero(y[i]):
                after = counts.setdefault((t, x[i, t]), {})
                after[y[i, t]] = after.get(y[i, t], 0) + weight
    return -sum(w * math.log(w / sum(after.values()))
                for after in counts.values() for w in after.values())


# -- PyTorch's side


def torch_gradients(tensors, x, y, dtype):
    model = models.load(models.TinyTransformer(), tensors).to(dtype)
    model.loss(*batch(x, y, 0)).backward()
    return models.gradients(model)


def torch_losses(tensors, x, y, steps):
    model = models.load(models.TinyTransformer(), tensors)
    adam = torch.optim.Adam(model.parameters(), **models.ADAM)
    losses = []
    for step in range(steps):
        adam.zero_grad()
        loss = model.loss(*batch(x, y, step))
        loss.backward()
        adam.step()
        losses.append(loss.item())
    return losses


# -- comparisons


def explained(path, shape, x, y):
    """Where a gradient must be 0: in rows that no counted position uses."""
    zero = np.zeros(shape, bool)
    if path == "tok.w":
        zero[np.setdiff1d(np.arange(shape[0]), x[y != 0])] = True
    if path == "pos.w":
        zero[np.count_nonzero(y, axis=0) == 0] = True
    return zero


def compare_gradients(report, tensors, x, y, brief):
    names = sorted(n[5:] for n in tensors if n.startswith("grad:"))
    single, double = (torch_gradients(tensors, x, y, d) for d in (torch.float32, torch.float64))
    report.row(names == sorted(single), f"{len(names)} gradients, of the same params")
    report.title(f"Gradients of step 1: norm of the difference / norm (at most {GRADIENT:.0e})",
                 f"{'':<20}{'shape':>14}{'to PyTorch':>12}{'to double':>11}{'torch to':>11}"
                 f"{'zeros':>8}{'explained':>11}")
    worst = 0
    for path in names:
        ours, shape = tensors["grad:" + path], tensors["grad:" + path].shape
        zero = explained(path, shape, x[:BATCH], y[:BATCH])
        size = np.sqrt(np.mean(double[path] ** 2))
        small = np.abs(double[path]) <= ROUNDING * size
        zeros_good = np.all(ours[zero] == 0) and np.all(small[(ours == 0) & ~zero])
        d = [kit.distance(a, b) for a, b in
             ((ours, single[path]), (ours, double[path]), (single[path], double[path]))]
        worst = max(worst, d[0])
        report.row(d[0] <= GRADIENT and zeros_good,
                   f"  {path:<18}{'x'.join(map(str, shape)):>14}{d[0]:>12.1e}{d[1]:>11.1e}"
                   f"{d[2]:>11.1e}{np.count_nonzero(ours == 0):>8}{np.count_nonzero(zero):>11}",
                   quiet=brief and not zero.any())
    print(f"  the worst of {len(names)}: {worst:.1e}")


def compare_losses(report, ours, theirs, brief):
    n = min(20, len(ours))
    report.title(f"Losses of the first {n} steps (within {LOSS:.0e})",
                 f"{'step':>6}{'Helix':>12}{'PyTorch':>12}{'relative':>12}")
    worst = 0
    for i in range(n):
        d = abs(ours[i] - theirs[i]) / abs(theirs[i])
        worst = max(worst, d)
        report.row(d <= LOSS, f"{i + 1:>6}{ours[i]:>12.6f}{theirs[i]:>12.6f}{d:>12.1e}",
                   quiet=brief and i + 1 < n)
    print(f"  the worst of {n}: {worst:.1e}")


def compare_final(report, ours, theirs, x, y):
    epoch = SAMPLES // BATCH
    report.title(f"Loss after {len(ours)} steps: the mean of the last epoch (within 2 %)")
    a, b = (float(np.mean(losses[-epoch:])) for losses in (ours, theirs))
    report.row(abs(a - b) <= FINAL * b,
               f"  Helix {a:.6f}  PyTorch {b:.6f}  relative {abs(a - b) / b:.1e}")
    low = floor_loss(x, y)
    print(f"  floor {low:.6f}: entropy of the next character given token and position, over\n"
          f"  {SAMPLES} samples in batches of {BATCH}; Helix: {(a / low - 1) * 100:+.2f} %")
    if len(ours) >= 400:
        report.row(a >= low, "  no model of one token and its position gets below the floor")


def compare_run(report, tools, program, title, data, steps, more=(), brief=False):
    print(f"\n== {title}")
    x, y = sequences(data)
    _, start = tools.train(program, 0, "--grads", *more)
    same = np.array_equal(start["input:x"], x[:BATCH]) and \
        np.array_equal(start["input:y"], y[:BATCH])
    report.row(same, f"the first batch; {np.count_nonzero(y == 0)} of {y.size} targets are padding")
    compare_gradients(report, start, x, y, brief)
    events, _ = tools.train(program, steps, *more)
    ours, theirs = kit.steps_of(events), torch_losses(start, x, y, steps)
    compare_losses(report, ours, theirs, brief)
    compare_final(report, ours, theirs, x, y)


def write_short(path):
    """Short samples. Those of the first batch have at most 10 characters: nothing uses the rest."""
    with open(path, "w") as f:
        for i in range(SAMPLES):
            record = {"input": "ab"[: 1 + i % 2], "output": "x = 1 + 2 + 3"[: 1 + i]}
            f.write(json.dumps(record) + "\n")


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("bin", nargs="?", default=os.path.join(kit.ROOT, "build/bin"))
    options.add_argument("--steps", type=int, default=20)
    options.add_argument("--device", default="cpu")
    o = options.parse_args()
    report = kit.Report()
    torch.set_num_threads(1)  # waiting threads spin, which stalls a busy machine
    print(f"Helix on {o.device} against PyTorch {torch.__version__} on the CPU, float32")
    with tempfile.TemporaryDirectory() as scratch:
        tools = kit.Tools(o.bin, scratch, o.device)
        program = tools.compile(os.path.join(kit.ROOT, "examples/tiny_transformer.hlxl"))
        compare_run(report, tools, program, "TinyTransformer on its corpus",
                    os.path.join(kit.ROOT, "examples/corpus.jsonl"), o.steps)
        short = tools.at("short.jsonl")
        write_short(short)
        compare_run(report, tools, program, "TinyTransformer on short samples, which need padding",
                    short, min(20, o.steps), ("--data", short), True)
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
