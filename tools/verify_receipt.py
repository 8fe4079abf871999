#!/usr/bin/env python3
"""verify_receipt.py: a second checker of receipts, made from spec/receipts.md alone (D3.2).

    verify_receipt.py [-q] [--json] RECEIPT [--program FILE.hbin]

Clauses: L spec/latent.md, H spec/hbin.md, I spec/ir.md, D spec/receipts.md.
Exit codes: 0 valid, 2 usage, 4 refused (stderr: `FILE: REASON: sentence`).
Form C (L1.4) is that of Python's Unicode, which may be older or newer than 15.0: the two differ
only for texts with code points that one of them does not assign.
"""
import argparse
import hashlib
import json
import math
import os
import re
import struct
import sys
import unicodedata

MAX_FILE = 1 << 30
MAX_PATH = 4096
MAX_DEPTH = 64
MAX_INT = (1 << 63) - 1
MAX_STEP = (1 << 32) - 2
MAX_EVERY = (1 << 32) - 1
HANDLE = re.compile(r"&h_[A-Za-z0-9_.\-]{1,255}")
FULL = re.compile(r"&h_[0-9a-f]{64}")
ANY_CASE = re.compile(r"&h_[0-9A-Fa-f]{64}")
DTYPES = ("f32", "i32", "u32", "bool", "f16", "bf16", "i8", "u8")
PACK_MAGIC = b"\x89HLX\r\n\x1a\n"
LEAF_NODE, LEAF_TENSOR = b"HLX\x01", b"HLX\x02"


class Refused(Exception):
    """What is refused: the reason's code and a sentence."""

    def __init__(self, reason, sentence):
        super().__init__(sentence)
        self.reason, self.sentence = reason, sentence


class Handle(str):
    """A handle value: a kind of its own, never equal in kind to a text."""


KINDS = {type(None): "null", bool: "bool", int: "int", float: "float", str: "text",
         bytes: "bytes", list: "array", dict: "object", Handle: "handle"}


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def show(text):
    """A text from outside, safe in one line of a terminal."""
    cut = text if len(text) <= 120 else text[:117] + "..."
    return "".join(c if c.isprintable() else "\\u{%x}" % ord(c) for c in cut)


# LC-B (L2, L3)

class Reader:
    """Decodes strictly: takes only what encode() would write; raises the first fault (L3.5)."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def fail(self, what, at=None, reason="E_LC_PARSE"):
        raise Refused(reason, "at byte %d: %s" % (self.at if at is None else at, what))

    def take(self, n):
        if n > len(self.data) - self.at:
            self.fail("the file ends in the middle of a value", len(self.data))
        self.at += n
        return self.data[self.at - n:self.at]

    def groups(self):
        """A LEB128 number's groups of 7 bits, least significant first; at most 10."""
        start, out = self.at, []
        while True:
            byte = self.take(1)[0]
            out.append(byte & 0x7F)
            if byte < 0x80:
                return out
            if len(out) == 10:
                self.fail("a number is longer than 64 bits", start)

    def unsigned(self):
        start, g = self.at, self.groups()
        if len(g) > 1 and g[-1] == 0:
            self.fail("a number is longer than needed", start)
        if len(g) == 10 and g[-1] > 1:
            self.fail("a number is longer than 64 bits", start)
        return sum(x << 7 * i for i, x in enumerate(g))

    def signed(self):
        start, g = self.at, self.groups()
        if len(g) > 1 and (g[-1], g[-2] >> 6) in ((0, 0), (0x7F, 1)):
            self.fail("a number is longer than needed", start)
        n = sum(x << 7 * i for i, x in enumerate(g))
        if g[-1] & 0x40:
            n -= 1 << 7 * len(g)
        if not -(1 << 63) <= n < 1 << 63:
            self.fail("a number is longer than 64 bits", start)
        return n

    def count(self, each):
        """A length or count whose items, of `each` bytes or more, can still come (L3.6)."""
        start, n = self.at, self.unsigned()
        if n * each > len(self.data) - self.at:
            self.fail("a length is beyond the end of the file", start)
        return n

    def text(self):
        start = self.at
        raw = self.take(self.count(1))
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            self.fail("a text is not UTF-8", start)
        if "\r" in text or not unicodedata.is_normalized("NFC", text):
            self.fail("a text is not canonical", start)
        return text

    def handle(self):
        start = self.at
        text = self.take(self.count(1)).decode("latin-1")
        if not HANDLE.fullmatch(text) or (ANY_CASE.fullmatch(text) and not FULL.fullmatch(text)):
            self.fail("this is no handle", start)
        return Handle(text)

    def floating(self):
        start = self.at
        number = struct.unpack(">d", self.take(8))[0]
        if not math.isfinite(number) or (number == 0 and math.copysign(1, number) < 0):
            self.fail("a float is NaN, infinite or -0.0", start, "E_FLOAT_SPECIAL")
        return number

    def end(self, tag, what):
        if self.take(1)[0] != tag:
            self.fail(what + " does not end where it must", self.at - 1)

    def array(self, depth):
        items = [self.value(depth + 1) for _ in range(self.count(1))]
        self.end(0x06, "an array")
        return items

    def object(self, depth):
        fields, last = {}, None
        for _ in range(self.count(2)):
            start, key = self.at, self.text()
            if last is not None and key <= last:
                self.fail("an object's keys do not ascend", start, "E_FIELD_ORDER")
            fields[key] = self.value(depth + 1)
            last = key
        self.end(0x08, "an object")
        return fields

    def value(self, depth):
        if depth > MAX_DEPTH and self.at < len(self.data):
            self.fail("values are nested more than 64 deep", reason="E_DEPTH_EXCEEDED")
        tag = self.take(1)[0]
        constants = {0x00: None, 0x0A: True, 0x0B: False}
        if tag in constants:
            return constants[tag]
        scalars = {0x01: self.signed, 0x02: self.floating, 0x03: self.text,
                   0x04: lambda: self.take(self.count(1)), 0x09: self.handle}
        if tag in scalars:
            return scalars[tag]()
        if tag == 0x05:
            return self.array(depth)
        if tag == 0x07:
            return self.object(depth)
        return self.fail("byte %02x begins no value" % tag, self.at - 1)


def decode(data):
    """The one value that the bytes are; ensures encode(decode(data)) == data."""
    reader = Reader(data)
    value = reader.value(1)
    if reader.at != len(data):
        reader.fail("bytes follow the value")
    return value


def leb128(n, signed=False):
    out = bytearray()
    while True:
        group, n = n & 0x7F, n >> 7
        done = n == (-1 if group & 0x40 else 0) if signed else n == 0
        out.append(group if done else group | 0x80)
        if done:
            return bytes(out)


def encode(value):
    """LC-B of a value that is made of ints, texts, bytes, handles, arrays and objects."""
    kind = type(value)
    if kind is int:
        return b"\x01" + leb128(value, signed=True)
    if kind is list:
        return b"\x05" + leb128(len(value)) + b"".join(map(encode, value)) + b"\x06"
    if kind is dict:
        out = [b"\x07", leb128(len(value))]
        for key in sorted(value):
            raw = key.encode("utf-8")
            out += [leb128(len(raw)), raw, encode(value[key])]
        return b"".join(out) + b"\x08"
    tag = {str: b"\x03", bytes: b"\x04", Handle: b"\x09"}[kind]
    raw = value if kind is bytes else value.encode("utf-8")
    return tag + leb128(len(raw)) + raw


# Fields

def fail_field(where, sentence):
    raise Refused("E_RECEIPT_FIELD", "%s: %s" % (where, sentence))


def check_kind(value, kind, where):
    if type(value) is not kind:
        fail_field(where, "this is %s, not %s" % (KINDS[type(value)], KINDS[kind]))


def check_fields(value, kinds, where):
    """An object with exactly these fields, each of its kind."""
    check_kind(value, dict, where)
    for name in sorted(set(kinds) - set(value)):
        fail_field(where, "`%s` is missing" % name)
    for name in sorted(set(value) - set(kinds)):
        fail_field(where, "there is no field `%s`" % show(name))
    for name, kind in kinds.items():
        check_kind(value[name], kind, "%s, `%s`" % (where, name))


def check_range(n, low, high, where):
    if not low <= n <= high:
        fail_field(where, "%d is out of range" % n)


def check_full(handle, where):
    if not FULL.fullmatch(handle):
        fail_field(where, "this is not the handle of a value")


def check_texts(value, where):
    """D2: no text and no name holds U+0000."""
    if type(value) is str and "\0" in value:
        fail_field(where, "`%s` holds U+0000" % show(value))
    for item in value if type(value) in (list, dict) else ():
        check_texts(item, where)
    for item in value.values() if type(value) is dict else ():
        check_texts(item, where)


def check_tensor(tensor, where):
    """`[path, dtype, [extent, ...]]`, of a type that there is (I2.1, I2.2)."""
    check_kind(tensor, list, where)
    if len(tensor) != 3:
        fail_field(where, "there are %d items, not 3" % len(tensor))
    for item, kind in zip(tensor, (str, str, list)):
        check_kind(item, kind, where)
    check_range(len(tensor[0].encode()), 0, MAX_PATH, where + ", bytes of the path")
    if tensor[1] not in DTYPES:
        fail_field(where, "there is no element type `%s`" % show(tensor[1]))
    check_range(len(tensor[2]), 0, 8, where + ", number of extents")
    product = 1
    for extent in tensor[2]:
        check_kind(extent, int, where + ", extents")
        check_range(extent, 1, 1 << 40, where + ", extents")
        product *= extent
    check_range(product, 1, 1 << 40, where + ", number of elements")


def check_head(head):
    """D2's table of `head`, D1.5's order."""
    check_fields(head, {"version": int, "numerics": str, "profile": str, "program": Handle,
                        "entry": str, "data": dict, "seed": int, "shards": int, "every": int,
                        "tensors": list, "initial": bytes}, "head")
    check_texts(head, "head")
    if head["profile"] not in ("exact", "native"):
        fail_field("head, `profile`", "there is no profile `%s`" % show(head["profile"]))
    check_full(head["program"], "head, `program`")
    for name, handle in head["data"].items():
        check_kind(handle, Handle, "head, data `%s`" % show(name))
        check_full(handle, "head, data `%s`" % show(name))
    for name, low, high in (("seed", 0, MAX_INT), ("shards", 1, (1 << 31) - 1),
                            ("every", 1, MAX_EVERY)):
        check_range(head[name], low, high, "head, `%s`" % name)
    for i, tensor in enumerate(head["tensors"]):
        check_tensor(tensor, "head, tensor %d" % (i + 1))
        if i > 0 and tensor[0] <= head["tensors"][i - 1][0]:
            fail_field("head, tensor %d" % (i + 1), "the paths do not ascend")
    if len(head["initial"]) != 32:
        fail_field("head, `initial`", "there are %d bytes, not 32" % len(head["initial"]))


def check_record(record, tensors, where):
    check_fields(record, {"step": int, "epoch": int, "outputs": dict, "roots": bytes,
                          "link": bytes}, where)
    check_texts(record, where)
    check_range(record["step"], 1, MAX_STEP, where + ", `step`")
    check_range(record["epoch"], 1, MAX_INT, where + ", `epoch`")
    for name, bits in record["outputs"].items():
        check_kind(bits, int, "%s, output `%s`" % (where, show(name)))
        check_range(bits, 0, 0xFFFFFFFF, "%s, output `%s`" % (where, show(name)))
    for name, length in (("roots", 32 * tensors), ("link", 32)):
        if len(record[name]) != length:
            fail_field("%s, `%s`" % (where, name),
                       "there are %d bytes, not %d" % (len(record[name]), length))


# Order, digests, links

def check_order(record, before, every, is_last, where):
    """D2.1, for one record; `before` is the record before it, or None."""
    step, last_step = record["step"], before["step"] if before else 0
    due = (last_step // every + 1) * every
    if step <= last_step:
        sentence = "step %d does not come after step %d" % (step, last_step)
    elif step > due:
        sentence = "step %d comes where step %d must" % (step, due)
    elif step < due and not is_last:
        sentence = "step %d may not have a record: %d does not divide it" % (step, every)
    elif before and record["epoch"] < before["epoch"]:
        sentence = "epoch %d comes after epoch %d" % (record["epoch"], before["epoch"])
    else:
        return
    raise Refused("E_RECEIPT_ORDER", "%s: %s" % (where, sentence))


def join(hashes):
    """D1.4: the root of one hash or more."""
    while len(hashes) > 1:
        pairs = [sha256(LEAF_NODE, *hashes[i:i + 2]) for i in range(0, len(hashes) - 1, 2)]
        hashes = pairs + hashes[len(hashes) & ~1:]
    return hashes[0]


def state_root(tensors, roots):
    """D1.5, D1.6; `roots` has 32 bytes for each tensor."""
    if not tensors:
        return sha256(LEAF_TENSOR)
    return join([sha256(LEAF_TENSOR, encode(tensor + [roots[32 * i:32 * i + 32]]))
                 for i, tensor in enumerate(tensors)])


def state_digest(head, record):
    """D1.7."""
    return sha256(encode({"epoch": record["epoch"], "outputs": record["outputs"],
                          "seed": head["seed"], "step": record["step"],
                          "state": state_root(head["tensors"], record["roots"])}))


def check_records(head, records):
    """Each for its fields, its order, its link (D3.1); returns the seal (D2.2)."""
    if not records:
        raise Refused("E_RECEIPT_ORDER", "there is no record")
    link, before = sha256(encode(head)), None
    for i, record in enumerate(records):
        where = "record %d" % (i + 1)
        check_record(record, len(head["tensors"]), where)
        check_order(record, before, head["every"], i == len(records) - 1, where)
        link, before = sha256(link, state_digest(head, record)), record
        if record["link"] != link:
            raise Refused("E_RECEIPT_CHAIN", "%s: its link is not that of its contents: "
                          "the receipt was changed at or before step %d" % (where, record["step"]))
    return link


def is_contract(value, number):
    return (type(value) is dict and list(value) == [number] and type(value[number]) is dict)


def check_receipt(data):
    """All of D3 that needs no program, in D3.1's order; returns the receipt's fields, its seal."""
    value = decode(data)
    if not is_contract(value, "907"):
        raise Refused("E_RECEIPT_FOREIGN", "this is no receipt (contract 907)")
    receipt = value["907"]
    head = receipt.get("head")
    version = head.get("version") if type(head) is dict else None
    if type(version) is int and version != 1:
        raise Refused("E_RECEIPT_VERSION", "this is version %d of receipts, not 1" % version)
    check_fields(receipt, {"head": dict, "records": list, "run": dict}, "receipt")
    check_head(head)
    return receipt, check_records(head, receipt["records"])


# Programs

def fail_program(sentence):
    raise Refused("E_RECEIPT_PROGRAM", sentence)


def as_text_transfer(data):
    """What is left of bytes when line ends and top bits do not count (H1.6)."""
    return bytes(byte & 0x7F for byte in data).replace(b"\r", b"")


def check_pack_start(data):
    """Magic, version and the room for the header; returns the number of objects."""
    if not data.startswith(PACK_MAGIC) and not PACK_MAGIC.startswith(data):
        if as_text_transfer(data[:16]).startswith(as_text_transfer(PACK_MAGIC)):
            raise Refused("E_PACK_DAMAGED", "a transfer as text changed the pack")
        raise Refused("E_PACK_FOREIGN", "this is no pack")
    if len(data) >= 12 and struct.unpack_from("<I", data, 8)[0] > 1:
        raise Refused("E_PACK_VERSION", "this is a pack of a later version")
    if len(data) < 84 or 84 + 48 * struct.unpack_from("<Q", data, 44)[0] > len(data):
        raise Refused("E_PACK_TRUNCATED", "the file ends within the pack's index")
    if struct.unpack_from("<I", data, 8)[0] != 1:
        raise Refused("E_PACK_DAMAGED", "there is no version 0 of packs")
    return struct.unpack_from("<Q", data, 44)[0]


def read_pack(data):
    """H1, all of it: returns the root's digest and the objects' bytes by their digests."""
    n = check_pack_start(data)
    index = [struct.unpack_from("<32sQQ", data, 52 + 48 * i) for i in range(n)]
    if index and sum(length for _, _, length in index) + 84 + 48 * n > len(data):
        raise Refused("E_PACK_TRUNCATED", "the file ends before its last object")
    at, last, objects = 52 + 48 * n, b"", {}
    for digest, offset, length in index:
        if digest <= last or offset != at or length == 0:
            raise Refused("E_PACK_DAMAGED", "the pack's index is not in order")
        objects[digest] = data[at:at + length]
        at, last = at + length, digest
    if at + 32 != len(data) or sha256(data[:-32]) != data[-32:]:
        raise Refused("E_PACK_DAMAGED", "the pack's hash does not match")
    for digest, content in objects.items():
        if sha256(content) != digest:
            raise Refused("E_PACK_DAMAGED", "object &h_%s does not match" % digest.hex())
    if data[12:44] not in objects:
        raise Refused("E_PACK_DAMAGED", "the root is not in the pack")
    return data[12:44], objects


def follow(objects, handle, kind):
    """The value of a handle in the pack, of the kind that it must be."""
    if type(handle) is not Handle:
        fail_program("this is not a program: a handle is missing")
    content = objects.get(bytes.fromhex(handle[3:])) if FULL.fullmatch(handle) else None
    if content is None:
        raise Refused("E_HANDLE_NOT_FOUND", "%s is not in the pack" % handle)
    try:
        value = decode(content)
    except Refused as fault:
        raise Refused("E_HANDLE_NOT_FOUND", "%s: %s" % (handle, fault.sentence)) from None
    if type(value) is not kind:
        fail_program("this is not a program: %s is %s" % (handle, KINDS[type(value)]))
    return value


def read_program(data):
    """H2: contract 904's fields, with `identity` checked (H2.3), and the IR text."""
    root, objects = read_pack(data)
    pipeline = follow(objects, Handle("&h_" + root.hex()), dict)
    if not is_contract(pipeline, "902") or "program" not in pipeline["902"]:
        fail_program("this is not a program")
    value = follow(objects, pipeline["902"]["program"], dict)
    names = {"hbin", "numerics", "profile", "identity", "ir", "params", "data", "dispatch", "debug"}
    if not is_contract(value, "904") or set(value["904"]) != names:
        fail_program("this is not a program (contract 904)")
    program = value["904"]
    if type(program["hbin"]) is not int or program["hbin"] != 1:
        fail_program("the program has another version")
    if type(program["numerics"]) is not str or type(program["profile"]) is not str:
        fail_program("`numerics` or `profile` is no text")
    ir = follow(objects, program["ir"], str)
    named = {name: program[name] for name in ("ir", "numerics", "profile")}
    if program["identity"] != "&h_" + sha256(encode(named)).hex():
        fail_program("the program's `identity` is not its handle")
    return program, ir


def program_tensors(program):
    """`params` as a receipt's `tensors` are written."""
    try:
        return [[p["path"], p["dtype"], p["shape"]] for p in program["params"]]
    except (TypeError, KeyError):
        return fail_program("the program's `params` are not as they must be")


def unquote(name):
    """The name that a `name` of the IR's grammar is (I4.1)."""
    if not name.startswith('"'):
        return name
    plain = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}
    return re.sub(r'\\(?:([ntr"\\])|u\{([0-9a-fA-F]{1,6})\}|x([0-9a-fA-F]{2}))',
                  lambda m: plain[m[1]] if m[1] else chr(min(int(m[2] or m[3], 16), 0x10FFFF)),
                  name[1:-1])


def entry_attributes(ir, entry):
    """The attributes of an entry of canonical IR (I4.1, I4.4); None without such an entry."""
    inside = False
    for line in ir.split("\n"):
        if line.startswith("entry "):
            inside = unquote(line[len("entry "):].rpartition("{")[0].strip()) == entry
        attributes = re.fullmatch(r"\s+attrs\s+#((?:[0-9a-f]{2})+)(?:\s.*)?", line)
        if inside and attributes:
            return decode(bytes.fromhex(attributes[1]))
        if inside and line.startswith("}"):
            return {}
    return None


def check_program(head, data):
    """The receipt is about the program in these bytes of a .hbin (E_RECEIPT_PROGRAM)."""
    program, ir = read_program(data)
    for name, key in (("program", "identity"), ("numerics", "numerics"), ("profile", "profile")):
        if head[name] != program[key]:
            fail_program("this is another program: the receipt's `%s` is %s, this program's is %s"
                         % (name, show(head[name]), show(program[key])))
    attributes = entry_attributes(ir, head["entry"])
    if type(attributes) is not dict:
        fail_program("this program has no entry `%s`" % show(head["entry"]))
    shards = attributes.get("shards", 1)
    if head["shards"] != shards:
        fail_program("the receipt's entry has %d shards, this one's %s" % (head["shards"], shards))
    if head["tensors"] != program_tensors(program):
        fail_program("this program has other tensors")


# The command

def read_file(path):
    with open(path, "rb") as file:
        data = file.read(MAX_FILE + 1)
    if len(data) > MAX_FILE:
        raise OSError("it has more than 1 GiB")
    return data


def tell(receipt, seal, as_json):
    """What was found, on stdout; `run` is the receipt's word only (D2.3)."""
    head, records = receipt["head"], receipt["records"]
    first, last = records[0]["step"], records[-1]["step"]
    device = receipt["run"].get("device")
    if not as_json:
        print("valid: %d record%s, steps %d to %d, program %s, device (as stated): %s" % (
            len(records), "s"[len(records) == 1:], first, last, head["program"],
            show(device) if type(device) is str else "not stated"))
        print("seal: " + seal.hex())
        return
    steps = [{"step": r["step"], "epoch": r["epoch"], "outputs": r["outputs"],
              "state": state_root(head["tensors"], r["roots"]).hex(), "link": r["link"].hex()}
             for r in records]
    kept = {name: head[name] for name in ("program", "numerics", "profile", "entry", "data",
                                          "seed", "shards", "every", "tensors")}
    print(json.dumps({"valid": True, "seal": seal.hex(), "initial": head["initial"].hex(),
                      "records": steps, "run": receipt["run"], **kept}, default=bytes.hex))


def refuse(path, reason, sentence, as_json):
    if as_json:
        print(json.dumps({"valid": False, "file": path, "reason": reason, "sentence": sentence}))
    print("%s: %s: %s" % (show(path), reason, sentence), file=sys.stderr)
    return 4


def arguments():
    parser = argparse.ArgumentParser(description="Checks a receipt without running anything.")
    parser.add_argument("receipt", metavar="RECEIPT")
    parser.add_argument("--program", metavar="FILE.hbin", help="the program it must be about")
    parser.add_argument("-q", action="store_true", help="print nothing when it is valid")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser.parse_args()


def main():
    args = arguments()
    path = args.receipt
    try:
        receipt, seal = check_receipt(read_file(path))
        if args.program is not None:
            path = args.program
            check_program(receipt["head"], read_file(path))
    except Refused as fault:
        return refuse(path, fault.reason, fault.sentence, args.json)
    except (OSError, ValueError) as fault:  # ValueError: a path with a NUL
        return refuse(path, "E_UNREADABLE", "cannot read it: %s" % show(str(fault)), args.json)
    except MemoryError:
        return refuse(path, "E_UNREADABLE", "there is not enough memory for it", args.json)
    try:
        if not args.q:
            tell(receipt, seal, args.json)
        sys.stdout.flush()
        return 0
    except OSError as fault:
        sys.stderr.write("cannot write the result: %s\n" % fault.strerror)
        sys.stderr.flush()
        os._exit(4)  # a plain exit would try to write it again


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")
    sys.exit(main())
