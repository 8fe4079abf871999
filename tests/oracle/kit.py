"""kit.py: what the oracles share: running the tools, reading safetensors, tables and verdicts."""
import json
import os
import struct
import subprocess
import sys

import numpy as np

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DTYPES = {"F32": "<f4", "I32": "<i4", "U32": "<u4", "U8": "u1", "I8": "i1", "BOOL": "?"}


def read_safetensors(path):
    """A dictionary of arrays, read without the reference library."""
    with open(path, "rb") as f:
        data = f.read()
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + size])
    body = memoryview(data)[8 + size :]
    arrays = {}
    for name, t in header.items():
        if name != "__metadata__":
            begin, end = t["data_offsets"]
            arrays[name] = np.frombuffer(body[begin:end], DTYPES[t["dtype"]]).reshape(t["shape"])
    return arrays


class Tools:
    """hlxc and hlxrun of one folder, with a scratch folder for what they write."""

    def __init__(self, bin_dir, scratch, device="cpu"):
        self.bin, self.scratch, self.device = os.path.abspath(bin_dir), scratch, device

    def at(self, name):
        return os.path.join(self.scratch, name)

    def _call(self, tool, *args):
        done = subprocess.run([os.path.join(self.bin, tool), *args], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit(f"{tool} {' '.join(args)}: exit {done.returncode}\n{done.stderr}")

    def compile(self, source):
        program = self.at(os.path.basename(source).replace(".hlxl", ".hbin"))
        self._call("hlxc", source, "-o", program)
        return program

    def compile_text(self, name, text):
        with open(self.at(name + ".hlxl"), "w") as f:
            f.write(text)
        return self.compile(self.at(name + ".hlxl"))

    def train(self, program, steps, *more):
        """The logged events and the exported tensors of a run of some steps."""
        log, tensors = self.at("log.jsonl"), self.at("run.safetensors")
        self._call("hlxrun", program, "--train", "--quiet", "--device", self.device, "--steps",
                   str(steps), "--log", log, "--export-safetensors", tensors, *more)
        with open(log) as f:
            return [json.loads(line) for line in f], read_safetensors(tensors)


def steps_of(events, name="loss"):
    return [e["values"][name] for e in events if e["event"] == "step"]


def distance(a, b):
    """The norm of the difference over the norm of b; absolute where b is 0."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if a.shape != b.shape:
        return float("inf")
    norm = np.linalg.norm(b)
    return float(np.linalg.norm(a - b) / (norm if norm > 0 else 1.0))


class Report:
    """Prints rows as they come and remembers whether all were good."""

    def __init__(self):
        self.good, self.bad = 0, 0

    def title(self, text, head=""):
        print(f"\n{text}" + (f"\n{head}" if head else ""))

    def row(self, ok, text, quiet=False):
        """Counts a check; a quiet one is shown only if it fails."""
        self.good, self.bad = self.good + bool(ok), self.bad + (not ok)
        if not (ok and quiet):
            print(f"{text}  {'ok' if ok else 'WRONG'}", flush=True)

    def close(self):
        print(f"\n{self.good} checks agree, {self.bad} do not")
        return 1 if self.bad else 0
