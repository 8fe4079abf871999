#!/usr/bin/python3
"""torch_step.py: times PyTorch on the CPU: steps of TinyTransformer, or products of matrices.

    torch_step.py step THREADS COUNT      milliseconds of each step, one a line
    torch_step.py mm N THREADS COUNT      milliseconds of each product of two N x N matrices
    torch_step.py version

It stops after some seconds even if COUNT is not reached.
"""
import os
import sys
import time

import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../oracle"))
import models  # noqa: E402 (its folder is known only now)

WARM, SECONDS = 3, 5


def stepper():
    torch.manual_seed(0)
    model = models.TinyTransformer()
    adam = torch.optim.Adam(model.parameters(), **models.ADAM)
    x, y = (torch.randint(32, 127, (4, 16)) for _ in range(2))

    def step():
        adam.zero_grad()
        model.loss(x, y).backward()
        adam.step()

    return step


def multiplier(n):
    a, b, c = (torch.randn(n, n) for _ in range(3))
    return lambda: torch.mm(a, b, out=c)


def main(what, *numbers):
    if what == "version":
        print(torch.__version__)
        return
    *size, threads, count = map(int, numbers)
    torch.set_num_threads(threads)
    work = multiplier(*size) if what == "mm" else stepper()
    begin = time.perf_counter()
    for i in range(WARM + count):
        start = time.perf_counter()
        work()
        end = time.perf_counter()
        if i >= WARM or end - begin > SECONDS:
            print(f"{(end - start) * 1e3:.3f}")
        if end - begin > SECONDS:
            return


if __name__ == "__main__":
    main(*sys.argv[1:])
