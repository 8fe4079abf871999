# npy.py: makes .npy files for tests, and multiplies matrices as examples/pipeline/matmul.spvasm.
#
#   npy.py random FILE SEED ROWS COLUMNS     floats from -1 to 1
#   npy.py matmul A B C                      C = A B, every product and sum rounded to f32
import random
import re
import struct
import sys


def f32(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


def write(path, rows, columns, values):
    head = "{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }" % (rows, columns)
    head += " " * (-(len(head) + 11) % 64) + "\n"
    with open(path, "wb") as f:
        f.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode())
        f.write(struct.pack("<%df" % (rows * columns), *values))


def read(path):
    data = open(path, "rb").read()
    start = 10 + struct.unpack("<H", data[8:10])[0]
    rows, columns = map(int, re.search(rb"\((\d+), (\d+)\)", data[:start]).groups())
    return rows, columns, struct.unpack("<%df" % (rows * columns), data[start:])


if sys.argv[1] == "random":
    rows, columns = int(sys.argv[4]), int(sys.argv[5])
    source = random.Random(int(sys.argv[3]))
    write(sys.argv[2], rows, columns, [source.uniform(-1, 1) for _ in range(rows * columns)])
else:
    rows, inner, a = read(sys.argv[2])
    _, columns, b = read(sys.argv[3])
    c = []
    for i in range(rows):
        for j in range(columns):
            s = 0.0
            for k in range(inner):  # a double holds the product, and rounds the sum innocently
                s = f32(s + f32(a[i * inner + k] * b[k * columns + j]))
            c.append(s)
    write(sys.argv[4], rows, columns, c)
