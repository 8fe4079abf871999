#!/usr/bin/python3
"""layers.py: compares stdlib/ (layers, losses, optimisers) and the mlp example with PyTorch.

    layers.py [BIN] [--only NAME] [--device NAME] [--keep FOLDER]

BIN is the folder with hlxc and hlxrun (default build/bin). Each case is a small program, which
--keep leaves in a folder. Its weights are set by step 1; step 2 computes values and gradients,
which arrive as exported params. They are compared with PyTorch in double precision.
"""
import argparse
import math
import os
import sys
import tempfile
from collections import namedtuple

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.stateless import functional_call

import kit
import models

VALUE, GRADIENT, MOVED = 2e-6, 1e-5, 1e-4  # the largest relative differences

# A layer: what is called in HLXL; its inputs, one array each; the shapes of its params; the same in
# PyTorch as a function of inputs and params (by path, in Helix's layout).
Case = namedtuple("Case", "name call inputs params torch")


def seeded(name):
    return np.random.default_rng(sum(name.encode()))


def literal(a):
    """Numbers as HLXL spells them: the shortest text that is the same float, or an int."""
    if isinstance(a, np.ndarray) and a.ndim:
        return "[" + ", ".join(literal(x) for x in a) + "]"
    return repr(int(a)) if np.issubdtype(np.asarray(a).dtype, np.integer) else repr(float(a))


def shape_text(shape):
    return "f32[" + ", ".join(map(str, shape)) + "]"


def is_float(a):
    return a.dtype == np.float32


# -- layers as programs

LAYER = """import nn;
import loss;
import transformer;

data samples = table({{ {columns} }});
param out: {out} = 0.0;
{slopes}
entry train({formals}) using {{ data: samples }} {{
    let values = {{ {values} }};
    let value = {call} as layer;
    out := value;
    let l = sum(value{probe});
    for p in params("layer") {{
        param d: f32[shape(p)] = 0.0;
        d := grad(l, p);
        p := tensor(values[p]);
    }}
    {updates}
    return l;
}}
"""


def program(case, params, probe):
    floats = [n for n, a in case.inputs.items() if is_float(a)]
    columns = dict(case.inputs, **({"probe": probe} if probe.ndim else {}))
    kinds = {n: shape_text(a.shape) if is_float(a) else shape_text(a.shape).replace("f", "i", 1)
             for n, a in columns.items()}
    return LAYER.format(
        columns=",\n    ".join(f"{n}: {literal(a)}" for n, a in columns.items()),
        out=shape_text(probe.shape),
        slopes="".join(f"param d_{n}: {kinds[n]} = 0.0;\n" for n in floats),
        formals=", ".join(f"{n}: {kind}" for n, kind in kinds.items()),
        values=", ".join(f'"layer.{n}": {literal(a)}' for n, a in params.items()),
        call=case.call,
        probe=" * probe" if probe.ndim else "",
        updates="\n    ".join(f"d_{n} := grad(l, {n});" for n in floats))


def in_torch(case, params, probe, dtype):
    """The value and the gradients, by the names under which the program exports them."""
    def leaf(a):
        t = torch.from_numpy(np.array(a))
        return t.to(dtype).requires_grad_() if t.is_floating_point() else t.long()
    x = {n: leaf(a) for n, a in case.inputs.items()}
    p = {n: leaf(a) for n, a in params.items()}
    y = case.torch(x, p)
    (y * torch.from_numpy(probe).to(dtype)).sum().backward()
    found = {"out": y}
    found.update((f"d_{n}", t.grad) for n, t in x.items() if t.requires_grad)
    found.update((f"layer.{n}.d", t.grad) for n, t in p.items())
    return {n: t.detach().numpy() for n, t in found.items()}


def compare_layer(report, tools, case):
    rng = seeded(case.name)
    params = {n: rng.normal(0.5, 0.5, s).astype(np.float32) for n, s in case.params.items()}
    x = {n: torch.from_numpy(np.array(a)) for n, a in case.inputs.items()}
    with torch.no_grad():
        shape = case.torch({n: t if t.is_floating_point() else t.long() for n, t in x.items()},
                           {n: torch.from_numpy(a) for n, a in params.items()}).shape
    probe = np.asarray(rng.normal(0, 1, shape) if shape else 1.0, np.float32)
    source = program(case, params, probe)
    _, ours = tools.train(tools.compile_text(case.name.replace(" ", "_"), source), 2)
    single, double = (in_torch(case, params, probe, d) for d in (torch.float32, torch.float64))
    for name, truth in double.items():
        d, theirs = kit.distance(ours[name], truth), kit.distance(single[name], truth)
        report.row(d <= (VALUE if name == "out" else GRADIENT),
                   f"  {case.name:<28}{name:<24}{'x'.join(map(str, truth.shape)) or '-':>10}"
                   f"{d:>12.1e}{theirs:>12.1e}")


# -- the layers


def attention(x, p, causal):
    d, t = x.shape[-1], x.shape[-2]
    module = nn.MultiheadAttention(d, 2, bias=False, batch_first=True).to(x.dtype)
    weights = {"in_proj_weight": torch.cat([p[n].t() for n in ("wq", "wk", "wv")]),
               "out_proj.weight": p["wo"].t()}
    mask = torch.ones(t, t, dtype=torch.bool).triu(1) if causal else None
    return functional_call(module, weights, (x, x, x), dict(attn_mask=mask, need_weights=False))[0]


def block(x, p):
    d, t = x.shape[-1], x.shape[-2]
    module = nn.TransformerEncoderLayer(d, 2, p["ffn.b1"].shape[0], 0.0, models.gelu,
                                        batch_first=True, norm_first=True).to(x.dtype)
    weights = {
        "self_attn.in_proj_weight": torch.cat([p[f"attn.{n}"].t() for n in ("wq", "wk", "wv")]),
        "self_attn.in_proj_bias": torch.zeros(3 * d, dtype=x.dtype),
        "self_attn.out_proj.weight": p["attn.wo"].t(),
        "self_attn.out_proj.bias": torch.zeros(d, dtype=x.dtype),
        "linear1.weight": p["ffn.w1"].t(), "linear1.bias": p["ffn.b1"],
        "linear2.weight": p["ffn.w2"].t(), "linear2.bias": p["ffn.b2"],
        "norm1.weight": p["ln1.w"], "norm1.bias": p["ln1.b"],
        "norm2.weight": p["ln2.w"], "norm2.bias": p["ln2.b"],
    }
    return functional_call(module, weights, (x, torch.ones(t, t, dtype=torch.bool).triu(1)))


def block_params(d, hidden):
    params = {f"attn.{n}": (d, d) for n in ("wq", "wk", "wv", "wo")}
    params.update({"ffn.w1": (d, hidden), "ffn.b1": (hidden,), "ffn.w2": (hidden, d),
                   "ffn.b2": (d,), "ln1.w": (d,), "ln1.b": (d,), "ln2.w": (d,), "ln2.b": (d,)})
    return params


def decoder(tokens, p, layers):
    x = p["tok.w"][tokens] + p["pos.w"]
    for i in range(layers):
        head = f"layers.{i}."
        x = block(x, {n[len(head):]: t for n, t in p.items() if n.startswith(head)})
    return F.layer_norm(x, x.shape[-1:], p["ln_f.w"], p["ln_f.b"]) @ p["head.w"]


def mlp(x, p):
    return F.linear(models.gelu(F.linear(x, p["w1"].t(), p["b1"])), p["w2"].t(), p["b2"])


def rms_norm(x, p):
    return x / torch.sqrt((x ** 2).mean(-1, keepdim=True) + 1e-5) * p["w"]


def layer_cases():
    rng = np.random.default_rng(1)

    def normal(*shape, scale=1.0):
        return rng.normal(0, scale, shape).astype(np.float32)

    def tokens(*shape, below):
        return rng.integers(0, below, shape).astype(np.int32)

    def case(name, call, inputs, params, torch_fn):
        return Case(name, call, inputs, params, torch_fn)

    def plain(name, call, fn, **inputs):
        return Case(name, call, inputs, {}, lambda x, p: fn(*x.values()))

    x, sequence = normal(4, 6), normal(2, 5, 8)
    targets = tokens(4, 5, below=7)
    targets[0, 3:] = targets[1, :] = 0
    vectors = tokens(6, below=7)
    decoder_params = {"tok.w": (11, 8), "pos.w": (5, 8), "ln_f.w": (8,), "ln_f.b": (8,),
                      "head.w": (8, 11)}
    decoder_params.update({f"layers.{i}.{n}": s for i in range(2)
                           for n, s in block_params(8, 12).items()})
    yield case("linear", "nn.linear(x, 3)", {"x": x}, {"w": (6, 3), "b": (3,)},
               lambda x, p: F.linear(x["x"], p["w"].t(), p["b"]))
    yield case("linear without bias", "nn.linear(x, 3, bias: false)", {"x": sequence},
               {"w": (8, 3)}, lambda x, p: F.linear(x["x"], p["w"].t()))
    yield case("mlp", "nn.mlp(x, 7)", {"x": sequence},
               {"w1": (8, 7), "b1": (7,), "w2": (7, 8), "b2": (8,)}, lambda x, p: mlp(x["x"], p))
    yield case("layer_norm", "nn.layer_norm(x)", {"x": sequence}, {"w": (8,), "b": (8,)},
               lambda x, p: F.layer_norm(x["x"], (8,), p["w"], p["b"]))
    yield case("layer_norm of small", "nn.layer_norm(x)", {"x": normal(4, 6, scale=1e-3)},
               {"w": (6,), "b": (6,)}, lambda x, p: F.layer_norm(x["x"], (6,), p["w"], p["b"]))
    yield case("rms_norm", "nn.rms_norm(x)", {"x": sequence}, {"w": (8,)},
               lambda x, p: rms_norm(x["x"], p))
    yield case("rms_norm of small", "nn.rms_norm(x)", {"x": normal(4, 6, scale=1e-3)}, {"w": (6,)},
               lambda x, p: rms_norm(x["x"], p))
    yield case("embedding", "nn.embedding(t, 9, 4)", {"t": tokens(3, 5, below=7)}, {"w": (9, 4)},
               lambda x, p: F.embedding(x["t"], p["w"]))
    yield plain("relu", "relu(x)", F.relu, x=x)
    yield plain("gelu", "gelu(x)", models.gelu, x=normal(8, 16, scale=3))
    yield plain("silu", "silu(x)", F.silu, x=normal(8, 16, scale=5))
    yield plain("sigmoid", "sigmoid(x)", torch.sigmoid, x=normal(8, 16, scale=5))
    yield plain("tanh", "tanh(x)", torch.tanh, x=normal(8, 16, scale=3))
    yield plain("softmax", "softmax(x)", lambda x: x.softmax(-1), x=x)
    yield plain("softmax of axis 1", "softmax(x, 1)", lambda x: x.softmax(1), x=sequence)
    yield plain("softmax of large", "softmax(x)", lambda x: x.softmax(-1), x=normal(4, 9) + 1000)
    yield plain("log_softmax", "log_softmax(x)", lambda x: x.log_softmax(-1), x=x)
    yield plain("log_softmax of large", "log_softmax(x)", lambda x: x.log_softmax(-1),
                x=normal(4, 9, scale=1e4))
    for name, mask in (("attention", True), ("attention to all", False)):
        yield case(name, f"nn.attention(x, 2, mask: {str(mask).lower()})", {"x": sequence},
                   {n: (8, 8) for n in ("wq", "wk", "wv", "wo")},
                   lambda x, p, mask=mask: attention(x["x"], p, mask))
    yield case("block", "transformer.block(x, 2, 12)", {"x": sequence}, block_params(8, 12),
               lambda x, p: block(x["x"], p))
    config = "{ vocab: 11, d: 8, layers: 2, heads: 2, ffn: 12 }"
    yield case("decoder", f"transformer.decoder(t, {config})", {"t": tokens(2, 5, below=11)},
               decoder_params, lambda x, p: decoder(x["t"], p, 2))
    yield plain("mse", "loss.mse(x, y)", F.mse_loss, x=x, y=normal(4, 6))
    yield plain("mae", "loss.mae(x, y)", F.l1_loss, x=x, y=normal(4, 6))
    yield plain("cross_entropy", "loss.cross_entropy(x, y)", F.cross_entropy,
                x=normal(6, 7, scale=2), y=vectors)
    yield plain("cross_entropy, ignore 0", "loss.cross_entropy(x, y, ignore: 0)",
                lambda x, y: F.cross_entropy(x.flatten(0, 1), y.flatten(), ignore_index=0),
                x=normal(4, 5, 7, scale=2), y=targets)
    yield plain("cross_entropy, ignore 3", "loss.cross_entropy(x, y, ignore: 3)",
                lambda x, y: F.cross_entropy(x, y, ignore_index=3), x=normal(6, 7), y=vectors)
    yield plain("cross_entropy, all ignored", "loss.cross_entropy(x, y, ignore: 0)",
                lambda x, y: F.cross_entropy(x, y, ignore_index=0, reduction="sum"),
                x=normal(3, 7), y=np.zeros(3, np.int32))


# -- optimisers

OPTIMISER = """import nn;
import loss;
import optim;

data samples = table({{ x: {x}, y: {y} }});

entry train(x: f32[4, 3], y: f32[4, 2]) using {{ data: samples }} {{
    let h = tanh(nn.linear(x, 5, init: normal(0.5)) as l1);
    let l = loss.mse(nn.linear(h, 2, init: normal(0.5)) as l2, y);
    {update}
    return l;
}}
"""


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1, self.l2 = nn.Linear(3, 5), nn.Linear(5, 2)

    def forward(self, x):
        return self.l2(torch.tanh(self.l1(x)))


def decaying(net, **options):
    """AdamW whose biases do not decay."""
    parts = ([p for p in net.parameters() if p.dim() > 1], [p for p in net.parameters()
                                                            if p.dim() == 1])
    return torch.optim.AdamW([dict(params=parts[0], weight_decay=0.1),
                              dict(params=parts[1], weight_decay=0.0)], **options)


# name: (HLXL, PyTorch's optimiser of a net, the norm to which gradients are clipped)
OPTIMISERS = {
    "sgd": ("optim.sgd(l, lr: 0.1);", lambda n: torch.optim.SGD(n.parameters(), 0.1), None),
    "sgd with momentum": ("optim.sgd(l, lr: 0.1, momentum: 0.9);",
                          lambda n: torch.optim.SGD(n.parameters(), 0.1, 0.9), None),
    "adam": ("optim.adam(l);", lambda n: torch.optim.Adam(n.parameters(), 3e-4), None),
    "adam, other settings": (
        "optim.adam(l, lr: 0.02, beta1: 0.8, beta2: 0.95, eps: 1e-3);",
        lambda n: torch.optim.Adam(n.parameters(), 0.02, (0.8, 0.95), 1e-3), None),
    "adamw": ("optim.adamw(l, lr: 0.01, decay: 0.1);", lambda n: decaying(n, lr=0.01), None),
    "clip": ("optim.sgd(l, lr: 0.1, grads: optim.clip(grad(l), 0.05));",
             lambda n: torch.optim.SGD(n.parameters(), 0.1), 0.05),
    "clip that need not": ("optim.adam(l, grads: optim.clip(grad(l), 1e3));",
                           lambda n: torch.optim.Adam(n.parameters(), 3e-4), 1e3),
}


def torch_steps(net, optimiser, clip, x, y, steps):
    for k in range(steps):
        at = k * 4 % len(x)
        optimiser.zero_grad()
        F.mse_loss(net(x[at : at + 4]), y[at : at + 4]).backward()
        if clip:
            nn.utils.clip_grad_norm_(net.parameters(), clip)
        optimiser.step()


def compare_optimiser(report, tools, name):
    update, make, clip = OPTIMISERS[name]
    rng, steps = seeded(name), 12
    x, y = rng.normal(0, 1, (12, 3)), rng.normal(0, 1, (12, 2))
    x, y = x.astype(np.float32), y.astype(np.float32)
    source = OPTIMISER.format(x=literal(x), y=literal(y), update=update)
    built = tools.compile_text("optimiser", source)
    _, start = tools.train(built, 0)
    _, end = tools.train(built, steps)
    net = models.load(Net(), start).double()
    torch_steps(net, make(net), clip, *(torch.from_numpy(a).double() for a in (x, y)), steps)
    for path, parameter, transposed in models.slots(net):
        truth = parameter.detach().t().numpy() if transposed else parameter.detach().numpy()
        d = kit.distance(end[path] - start[path], truth - start[path])
        report.row(d <= MOVED, f"  {name:<28}{path + ', moved':<24}"
                               f"{'x'.join(map(str, truth.shape)):>10}{d:>12.1e}{'-':>12}")


def compare_schedule(report, tools):
    built = tools.compile_text("cosine", """import optim;
param w: f32[] = 1.0;
entry train() {
    w := w * 0.5;
    return { loss: w, lr: optim.cosine(0.1, 4, 16, floor: 0.05) };
}
""")
    events, _ = tools.train(built, 18)
    falling = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 0.1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(falling, 12, 0.1 * 0.05)
    truth = [0.1 * n / 4 for n in range(1, 4)]
    for n in range(4, 19):
        truth.append(schedule.get_last_lr()[0] if n <= 16 else 0.1 * 0.05)
        falling.step()
        schedule.step()
    d = kit.distance(kit.steps_of(events, "lr"), truth)
    report.row(d <= VALUE, f"  {'cosine':<28}{'lr of 18 steps':<24}{'18':>10}{d:>12.1e}{'-':>12}")


# -- random numbers


def compare_random(report, tools):
    """Initialisers by Kolmogorov-Smirnov; dropout keeps, scales and differentiates by one mask."""
    n, far = 65536, 1.95  # the distance times sqrt(n) is above 1.95 once in a thousand seeds
    built = tools.compile_text("random", """import nn;
data samples = table({ x: [1.0] });
param u: f32[65536] = uniform(-2.0, 3.0);
param z: f32[65536] = normal(0.02, 1.0);
param kept, slope: f32[65536] = 0.0;
entry train(x: f32[1]) using { data: samples } {
    let u1 = u + 0.0 * x;
    let y = nn.dropout(u1, 0.3);
    kept := y;
    slope := grad(sum(y), u1);
    return sum(y);
}
""")
    _, t = tools.train(built, 1)
    for name, mass in (("u", torch.distributions.Uniform(-2, 3, validate_args=False)),
                       ("z", torch.distributions.Normal(1, 0.02))):
        below = mass.cdf(torch.from_numpy(np.sort(t[name]).astype(np.float64))).numpy()
        d = np.abs(below - np.arange(0.5, n) / n).max() * math.sqrt(n)
        report.row(d < far, f"  {'uniform' if name == 'u' else 'normal':<28}"
                            f"{'distance from its law':<24}{n:>10}{d:>12.2f}{'-':>12}")
    mask = t["slope"] != 0
    same = np.array_equal(t["kept"], np.where(mask, t["u"] / np.float32(0.7), np.float32(0)))
    same = same and np.allclose(t["slope"][mask], 1 / 0.7, rtol=1e-6)
    z = abs(mask.mean() - 0.7) / math.sqrt(0.3 * 0.7 / n)
    report.row(same and z < 4, f"  {'dropout':<28}{'deviations from 0.7':<24}{n:>10}{z:>12.2f}"
                               f"{'-':>12}")


# -- the mlp example


def mlp_batches(tools, program, steps):
    """The exports before each of the first steps, with the shuffled batch that comes next."""
    return [tools.train(program, k, "--grads")[1] for k in range(steps)]


def compare_mlp(report, tools, steps=20):
    built = tools.compile(os.path.join(kit.ROOT, "examples/mlp.hlxl"))
    exports = mlp_batches(tools, built, steps)
    losses = kit.steps_of(tools.train(built, steps)[0])
    net = models.load(models.Mlp(), exports[0])
    adam = torch.optim.Adam(net.parameters(), 0.01)
    far = 0
    for k, e in enumerate(exports):
        adam.zero_grad()
        loss = net.loss(*(torch.from_numpy(e["input:" + n].copy()) for n in "xy"))
        loss.backward()
        if k == 0:
            for path, g in models.gradients(net).items():
                d = kit.distance(e["grad:" + path], g)
                report.row(d <= GRADIENT, f"  {'mlp.hlxl':<28}{'gradient of ' + path:<24}"
                                          f"{'x'.join(map(str, g.shape)):>10}{d:>12.1e}{'-':>12}")
        adam.step()
        far = max(far, abs(losses[k] - loss.item()) / loss.item())
    report.row(far <= 1e-4, f"  {'mlp.hlxl':<28}{f'{steps} losses':<24}{'-':>10}{far:>12.1e}"
                            f"{'-':>12}")


def run_all(report, tools, only):
    for case in layer_cases():
        if only in case.name:
            compare_layer(report, tools, case)
    for name in OPTIMISERS:
        if only in name:
            compare_optimiser(report, tools, name)
    for name, compare in (("cosine", compare_schedule), ("random", compare_random),
                          ("example", compare_mlp)):
        if only in name:
            compare(report, tools)


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("bin", nargs="?", default=os.path.join(kit.ROOT, "build/bin"))
    options.add_argument("--only", default="", help="the cases whose name contains this")
    options.add_argument("--device", default="cpu")
    options.add_argument("--keep", help="a folder for the programs")
    o = options.parse_args()
    report = kit.Report()
    report.title(f"stdlib on {o.device} against PyTorch {torch.__version__} in double: norm of the "
                 f"difference / norm\n(values at most {VALUE:.0e}, gradients {GRADIENT:.0e}, what "
                 f"optimisers moved {MOVED:.0e}); float32 PyTorch beside",
                 f"  {'':<28}{'':<24}{'shape':>10}{'Helix':>12}{'PyTorch':>12}")
    with tempfile.TemporaryDirectory() as scratch:
        if o.keep:
            os.makedirs(o.keep, exist_ok=True)
        run_all(report, kit.Tools(o.bin, o.keep or scratch, o.device), o.only)
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
