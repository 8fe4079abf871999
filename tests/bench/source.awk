# source.awk: prints HLXL of about BYTES bytes that looks like what people write: layers with comments,
# training loops, configurations and tables of numbers. The same bytes each time.
#
#   awk -v bytes=20000000 -f source.awk >big.hlxl
#
# It parses, and but for lines that came out too long it is formatted; nothing else about it has a meaning.

# The next of a fixed sequence, from 0 to n - 1 (Park and Miller's generator: exact in doubles).
function chance(n) {
    seed = (seed * 16807) % 2147483647
    return int(seed / 2147483647 * n)
}

function put(line) {
    print line
    written += length(line) + 1
}

function verb() { return verbs[1 + chance(nverbs)] }
function noun() { return nouns[1 + chance(nnouns)] }
function word() { return noun() "_" chance(1000) }

function number() {
    return chance(3) ? chance(4096) : "0." sprintf("%06d", chance(1000000))
}

function layer(name,   a, b) {
    a = noun()
    b = noun()
    put("// " verb() "s the " a " of x to `hidden` wide, then back, and adds what the " b " said.")
    put("fn " name "(x: f32[B, T, D], hidden: int, rate: float = " number() ") -> f32[B, T, D] {")
    put("    let d = shape(x)[-1];")
    put("    param w_" a ": f32[d, hidden] = normal(0.02);")
    put("    param b_" a ": f32[hidden] = zeros;")
    put("    let centered = x - mean(x, -1, keep: true);")
    put("    let variance = mean(centered * centered, -1, keep: true); // of the last dimension")
    put("    if rate == 0.0 {")
    put("        return centered * rsqrt(variance + 1e-5) @ w_" a " + b_" a ";")
    put("    }")
    put("")
    put("    // Positions that come later have no say here.")
    put("    let scores = (x @ transpose(x)) * rsqrt(d / " (1 + chance(64)) ");")
    put("    let kept = where(uniform()(shape(x)) >= rate, x / (1.0 - rate), 0.0);")
    put("    nn." verb() "(kept, nn.mlp(nn.layer_norm(x) as ln_" b ", hidden) as " a ") + softmax(scores) @ x")
    put("}")
}

function loop(name) {
    put("entry train_" name "(x: i32[c.batch, c.seq], y: i32[c.batch, c.seq]) using { data: corpus, epochs: " chance(99) " } {")
    put("    var h = nn.embedding(x, c.vocab, c.d) as tok + nn.positions(c.seq, c.d) as pos;")
    put("    for l in 0.." (1 + chance(48)) " {")
    put("        h = block(h, c.heads, c.ffn, " number() ") as layers[l]; // " word())
    put("        h = h - mean(h, -1, keep: true);                 // " word())
    put("    }")
    put("    let l = loss.cross_entropy(h, y, ignore: 0);")
    put("    optim.adamw(l, lr: " number() ", grads: optim.clip(grad(l)), step: t ** 2 % 7);")
    put("    w_" name " := w_" name " - " number() " * (m / (1.0 - beta1 ** n)) / (sqrt(v) + eps);")
    put("    return { loss: l, rate: " number() ", name: \"" noun() " \\\"" noun() "\\\" " noun() "\" };")
    put("}")
}

function settings(name,   i) {
    put("let " name " = {")
    for (i = 2 + chance(6); i > 0; i--)
        put("    " noun() i ": " number() ",")
    put("    " noun() ": \"" noun() " " noun() "\",")
    put("    stages: [&h_" noun() ", &h_" noun() "],")
    put("    on: " (chance(2) ? "true" : "false"))
    put("};")
}

function numbers(name,   i, line) {
    put("let " name " = [")
    for (i = 4 + chance(8); i > 0; i--) {
        line = "    "
        while (length(line) < 90)
            line = line number() ", "
        put(i > 1 ? substr(line, 1, length(line) - 1) : substr(line, 1, length(line) - 2))
    }
    put("];")
}

BEGIN {
    seed = 1
    nverbs = split("widen mix attend fold scale gather embed drop rotate project", verbs)
    nnouns = split("head token layer weight query channel batch gradient mask state window column", nouns)
    put("import nn;")
    while (written < bytes) {
        put("")
        pick = chance(10)
        if (pick < 5)
            layer(verb() "_" word())
        else if (pick < 7)
            loop(word())
        else if (pick < 9)
            settings(word())
        else
            numbers(word())
    }
}
