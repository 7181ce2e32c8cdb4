"""Loops, branches and variables."""

import numpy as np

from tflite_cases import family, model_case, random_array, rng
from tflite_build import Model, options


def loop_model(kind, start, count):
    """WHILE over (step, value) with a body that adds, or one that grows the value."""
    model = Model()
    condition, body = model.graph("condition"), model.graph("body")
    for graph in (condition, body):
        step = graph.input("step", [], np.int32)
        value = graph.input("value", start, np.float32, signature=[-1, *start[1:]] if kind == "grow" else None)
        if graph is condition:
            graph.output(graph.op("LESS", [step, graph.constant(np.int32(count))], [([], bool)]))
            continue
        next_step = graph.op("ADD", [step, graph.constant(np.int32(1))], [([], np.int32)], options("Add"))
        if kind == "grow":
            row = graph.constant(np.float32([[1, 2]]))
            result = graph.op("CONCATENATION", [value, row], [(start, np.float32)], options("Concatenation", axis=0))
        else:
            number = graph.op("CAST", [step], [([], np.float32)], options("Cast", inDataType=2, outDataType=0))
            result = graph.op("ADD", [value, number], [(start, np.float32)], options("Add"))
        graph.output(next_step, result)
    graph = model.main
    inputs = [graph.input("from", [], np.int32), graph.input("x", start, np.float32)]
    graph.output(*graph.op("WHILE", inputs, [([], np.int32), (start, np.float32)], options("While", condSubgraphIndex=1, bodySubgraphIndex=2)))
    return model


@family
def control():
    x = random_array(rng("loop"), (1, 2), np.float32)
    for kind in ("sum", "grow"):
        for first in (0, 3, 9):
            yield model_case(f"while/{kind}_{first}", loop_model(kind, [1, 2], 7), np.int32(first), x)
    for known in (False, True):
        for truth in (False, True):
            model = Model()
            branches = [model.graph("then"), model.graph("else")]
            for graph, code in zip(branches, ("ADD", "MUL")):
                a, b = graph.input("a", [2], np.float32), graph.input("b", [2], np.float32)
                graph.output(graph.op(code, [a, b], [([2], np.float32)], options("Add" if code == "ADD" else "Mul")))
            graph = model.main
            condition = graph.constant(np.array(truth)) if known else graph.input("c", [], bool)
            a = graph.input("a", [2], np.float32)
            b = graph.constant(np.float32([3, 4]))
            graph.output(graph.op("IF", [condition, a, b], [([2], np.float32)], options("If", thenSubgraphIndex=1, elseSubgraphIndex=2)))
            feeds = [np.float32([1, 2])] if known else [np.array(truth), np.float32([1, 2])]
            yield model_case(f"if/{known}_{truth}", model, *feeds)


def variable_model(init, looped=False):
    """Adds the input to a variable, and gives what is in it then; with `looped` three times over."""
    model = Model()
    setup = model.graph("init") if init else None
    handle = lambda graph: graph.op("VAR_HANDLE", [], [([1], "resource")], options("VarHandle", container="", sharedName="sum"))
    if init:
        setup.op("ASSIGN_VARIABLE", [handle(setup), setup.constant(np.float32([10, 20]))], [], options("AssignVariable"))
    graph = model.main
    x = graph.input("x", [2], np.float32)
    if init:
        graph.op("CALL_ONCE", [], [], options("CallOnce", initSubgraphIndex=1))

    def step(graph, x):
        at = handle(graph)
        before = graph.op("READ_VARIABLE", [at], [([2], np.float32)], options("ReadVariable"))
        after = graph.op("ADD", [before, x], [([2], np.float32)], options("Add"))
        graph.op("ASSIGN_VARIABLE", [at, after], [], options("AssignVariable"))
        return after

    if looped:
        condition, body = model.graph("condition"), model.graph("body")
        for inner in (condition, body):
            count, value = inner.input("count", [], np.int32), inner.input("value", [2], np.float32)
            if inner is condition:
                inner.output(inner.op("LESS", [count, inner.constant(np.int32(3))], [([], bool)]))
            else:
                step(inner, value)
                inner.output(inner.op("ADD", [count, inner.constant(np.int32(1))], [([], np.int32)], options("Add")), value)
        first = len(model.graphs) - 2
        graph.op("WHILE", [graph.constant(np.int32(0)), x], [([], np.int32), ([2], np.float32)], options("While", condSubgraphIndex=first, bodySubgraphIndex=first + 1))
    graph.output(step(graph, x))
    return model


@family
def variables():
    x = np.float32([1, 2.5])
    yield model_case("variables/from_init", variable_model(True), x)
    yield model_case("variables/in_loop", variable_model(True, True), x)
    model = Model()
    setup, graph = model.graph("init"), model.main
    table = lambda graph: graph.op("HASHTABLE", [], [([1], "resource")], options("Hashtable", tableId=4, keyDtype=4, valueDtype=5))
    setup.op("HASHTABLE_IMPORT", [table(setup), setup.constant(np.int64([1, 3])), setup.constant(np.array([b"a", b"b"], object))], [], options("HashtableImport"))
    keys = graph.input("keys", [3], np.int64)
    graph.op("CALL_ONCE", [], [], options("CallOnce", initSubgraphIndex=1))
    at = table(graph)
    graph.output(graph.op("HASHTABLE_FIND", [at, keys, graph.constant(np.array([b"?"], object))], [([3], "string")], options("HashtableFind")))
    graph.output(graph.op("HASHTABLE_SIZE", [at], [([1], np.int64)], options("HashtableSize")))
    yield model_case("variables/table", model, np.int64([3, 2, 1]))
