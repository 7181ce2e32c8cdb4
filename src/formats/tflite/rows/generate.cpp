#include "ops/generate.h"

#include "formats/tflite/rows.h"
#include "ops/binary.h"
#include "ops/cast.h"
#include "ops/shape.h"
#include "ops/slice.h"

namespace remodel::tflite {
namespace {

void read_range(ReadNode& node) {
  const auto start = node.sizes(0), limit = node.sizes(1), delta = node.sizes(2);
  const DType dtype = node.type(0).dtype;
  if (is_integer(dtype) && start && limit && delta && start->size() == 1 && limit->size() == 1 &&
      delta->size() == 1 && (*delta)[0].is_number())
    if (const auto size = range_size((*start)[0], (*limit)[0], (*delta)[0]))
      return node.emit_results(Range{dtype, (*start)[0], *size, (*delta)[0].number()}, {});
  node.emit_results(Range{}, {node.input(0), node.input(1), node.input(2)});
}

void read_one_hot(ReadNode& node) {
  OneHot op;
  op.axis = node.integer("axis");
  const ValueId on = node.emit(Reshape{{1}, false}, {node.input(2)}),
                off = node.emit(Reshape{{1}, false}, {node.input(3)});
  const ValueId values = node.emit(Concat{0}, {off, on});
  if (const auto depth = node.sizes(1); depth && depth->size() == 1) {
    op.depth = (*depth)[0];
    return node.emit_results(op, {node.input(0), values});
  }
  node.emit_results(op, {node.input(0), values, node.input(1)});
}

// True on the diagonal of the last two axes.
ValueId diagonal(ReadNode& node, const Dim& rows, const Dim& columns) {
  return node.emit(cast_to(DType::boolean), {node.emit(Eye{{rows, columns}, 0, DType::i32}, {})});
}

void read_matrix_diag(ReadNode& node) {
  const auto& dims = node.type(0).dims;
  if (!dims || dims->empty()) fail("its operand is {}", node.type(0).text());
  const Dim size = dims->back();
  const ValueId rows = node.emit(Unsqueeze{{static_cast<int64_t>(dims->size()) - 1}}, {node.input(0)});
  node.emit_results(Select{}, {diagonal(node, size, size), rows, node.add_scalar(node.type(0).dtype, 0)});
}

void read_matrix_set_diag(ReadNode& node) {
  const auto& dims = node.type(0).dims;
  if (!dims || dims->size() < 2) fail("its operand is {}", node.type(0).text());
  const auto rank = static_cast<int64_t>(dims->size());
  const Dim rows = (*dims)[dims->size() - 2], columns = dims->back();
  const bool by_column = node.dims_of(1, 1).back() == columns;
  const ValueId lines = node.emit(Unsqueeze{{by_column ? rank - 2 : rank - 1}}, {node.input(1)});
  node.emit_results(Select{}, {diagonal(node, rows, columns), lines, node.input(0)});
}

}  // namespace

void generate_rows(Rows& rows) {
  rows.read("RANGE", since(1), read_range);
  rows.read("ONE_HOT", since(1), read_one_hot);
  rows.read("MATRIX_DIAG", since(1), read_matrix_diag);
  rows.read("MATRIX_SET_DIAG", since(1), read_matrix_set_diag);
}

}  // namespace remodel::tflite
