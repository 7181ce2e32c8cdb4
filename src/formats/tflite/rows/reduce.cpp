#include "ops/reduce.h"

#include <algorithm>

#include "formats/tflite/rows.h"
#include "ops/shape.h"

namespace remodel::tflite {
namespace {

// No axes: nothing is reduced.
template <Reduce::Kind kind>
void read_reduce(ReadNode& node) {
  Reduce op;
  op.kind = kind;
  op.keep = node.truth("keep_dims");
  op.empty_is_none = true;
  const auto axes = node.known_integers(1);
  if (!axes) return node.emit_results(op, {node.input(0), node.input(1)});
  for (const int64_t axis : *axes) op.axes.push_back(resolve_axis(axis, static_cast<size_t>(node.rank(0))));
  std::sort(op.axes.begin(), op.axes.end());
  op.axes.erase(std::unique(op.axes.begin(), op.axes.end()), op.axes.end());
  op.empty_is_none = false;
  if (op.axes.empty()) return node.result(0, node.input(0));
  node.emit_results(op, {node.input(0)});
}

template <class T>
void read_arg(ReadNode& node) {
  node.ignore("output_type");  // which the result's type says, too
  const auto axis = node.known_integers(1);
  if (!axis || axis->size() != 1) fail("the axis is only known when it runs");
  T op;
  op.axis = resolve_axis((*axis)[0], static_cast<size_t>(node.rank(0)));
  op.keep = false;
  node.emit_results(op, {node.input(0)});
}

void read_cumsum(ReadNode& node) {
  Cumulate op;
  op.exclusive = node.truth("exclusive");
  op.reverse = node.truth("reverse");
  const auto axis = node.known_integers(1);
  if (!axis || axis->size() != 1) return node.emit_results(op, {node.input(0), node.input(1)});
  op.axis = resolve_axis((*axis)[0], static_cast<size_t>(node.rank(0)));
  node.emit_results(op, {node.input(0)});
}

}  // namespace

void reduce_rows(Rows& rows) {
  rows.read("SUM", since(1), read_reduce<Reduce::Kind::sum>);
  rows.read("MEAN", since(1), read_reduce<Reduce::Kind::mean>);
  rows.read("REDUCE_PROD", since(1), read_reduce<Reduce::Kind::product>);
  rows.read("REDUCE_MAX", since(1), read_reduce<Reduce::Kind::max>);
  rows.read("REDUCE_MIN", since(1), read_reduce<Reduce::Kind::min>);
  rows.read("REDUCE_ANY", since(1), read_reduce<Reduce::Kind::max>);
  rows.read("REDUCE_ALL", since(1), read_reduce<Reduce::Kind::min>);
  rows.read("ARG_MAX", since(1), read_arg<ArgMax>);
  rows.read("ARG_MIN", since(1), read_arg<ArgMin>);
  rows.read("CUMSUM", since(1), read_cumsum);
}

}  // namespace remodel::tflite
