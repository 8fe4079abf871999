"""models.py: the examples in PyTorch, and the map from Helix's paths to PyTorch's parameters."""
import re

import torch
import torch.nn as nn
import torch.nn.functional as F

ADAM = dict(lr=3e-4, betas=(0.9, 0.999), eps=1e-8)


def gelu(x):
    return F.gelu(x, approximate="tanh")


class Block(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.ln1, self.ln2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.v, self.o = (nn.Linear(width, width, bias=False) for _ in range(2))
        self.ffn = nn.ModuleDict({"1": nn.Linear(width, hidden), "2": nn.Linear(hidden, width)})

    def forward(self, x):
        x = x + self.o(self.v(self.ln1(x)))
        return x + self.ffn["2"](gelu(self.ffn["1"](self.ln2(x))))


class TinyTransformer(nn.Module):
    """examples/tiny_transformer.hlxl: logits of tokens [B, T]."""

    def __init__(self, vocab=128, width=256, layers=4, hidden=1024, seq=16):
        super().__init__()
        self.tok, self.pos = nn.Embedding(vocab, width), nn.Embedding(seq, width)
        self.layers = nn.ModuleList(Block(width, hidden) for _ in range(layers))
        self.ln_f, self.head = nn.LayerNorm(width), nn.Linear(width, vocab, bias=False)

    def forward(self, tokens):
        x = self.tok(tokens) + self.pos.weight
        for layer in self.layers:
            x = layer(x)
        return self.head(self.ln_f(x))

    def loss(self, x, y):
        return F.cross_entropy(self(x).flatten(0, 1), y.flatten().long(), ignore_index=0)


class Mlp(nn.Module):
    """examples/mlp.hlxl: logits of points [B, 2]."""

    def __init__(self, hidden=32):
        super().__init__()
        self.l1, self.l2 = nn.Linear(2, hidden), nn.Linear(hidden, hidden)
        self.out = nn.Linear(hidden, 2)

    def forward(self, x):
        return self.out(torch.tanh(self.l2(torch.tanh(self.l1(x)))))

    def loss(self, x, y):
        return F.cross_entropy(self(x), y.long())


def slots(model):
    """For each parameter of a model: Helix's path, PyTorch's tensor, whether it is transposed."""
    for name, module in model.named_modules():
        name = name + "." if name else ""
        for ours, theirs in (("w", "weight"), ("b", "bias")):
            parameter = getattr(module, theirs, None)
            if isinstance(parameter, nn.Parameter):
                path = re.sub(r"ffn\.([12])\.([wb])$", r"ffn.\2\1", name + ours)
                yield path, parameter, ours == "w" and isinstance(module, nn.Linear)


def load(model, tensors):
    """Gives a model the exported weights; every weight must be there, in its shape."""
    for path, parameter, transposed in slots(model):
        value = torch.from_numpy(tensors[path].copy())
        value = value.t() if transposed else value
        if value.shape != parameter.shape:
            raise SystemExit(f"{path}: shape {tuple(value.shape)}, not {tuple(parameter.shape)}")
        with torch.no_grad():
            parameter.copy_(value)
    return model


def gradients(model):
    """A dictionary of arrays by Helix's paths, in Helix's layout."""
    return {path: (p.grad.t() if transposed else p.grad).numpy()
            for path, p, transposed in slots(model)}
