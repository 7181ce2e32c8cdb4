"""What LiteRT refuses, or what nothing would be right for."""

import numpy as np

from tflite_cases import family, one_op
from tflite_build import Grid, options


@family
def refused():
    x, axis = np.float32([[-1, 2, 8], [3, -4, 5]]), np.int32([0])
    out = [((2, 3), np.float32)]
    yield one_op("new", "RELU", [x], out, version=99, refused="there is no version 99 of it; the newest is 3")
    yield one_op("pair", "RELU6", [x, x], out, refused="it has 2 inputs, but takes 1")
    yield one_op("three", "SUM", [x, axis, axis], [((3,), np.float32)], options("Reducer"), constants=(1, 2), refused="it has 3 inputs, but takes 2")
    yield one_op("bare", "CONV_2D", [x.reshape(1, 1, 2, 3)], [((1, 1, 2, 3), np.float32)], options("Conv2D", strideH=1, strideW=1), refused="it has 1 inputs, but takes 2 to 3")
    yield one_op("type", "RELU", [x], [((2, 3), np.int32)], refused="'t1' is i32, but the operator gives f32")
    codes = np.int8([1, 2, 3])
    for name, grid, message in (("zero", Grid(0.5, 300), "the zero point 300, which i8 does not hold"), ("scale", Grid(-0.5, 3), "the scale -0.5")):
        yield one_op(name, "DEQUANTIZE", [(codes, grid)], [((3,), np.float32)], version=2, refused=message)
    yield one_op("bare", "DEQUANTIZE", [codes], [((3,), np.float32)], version=2, refused="'x0' has no grid")
