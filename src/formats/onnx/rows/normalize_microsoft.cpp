// Normalisations of ONNX Runtime's own domain, taken apart into what they are made of.
#include "formats/onnx/rows.h"
#include "ops/activation.h"
#include "ops/binary.h"
#include "ops/cast.h"
#include "ops/gather.h"
#include "ops/normalize.h"
#include "ops/reduce.h"
#include "ops/shape.h"
#include "ops/slice.h"

namespace remodel::onnx {
namespace {

// The normalisation of input + skip + bias, whose parameters stand from input 2 on.
template <class Norm>
void read_skip_norm(ReadNode& node, size_t bias_at, size_t parameters, size_t inverse_at) {
  Norm op;
  op.axes = {node.rank(0) - 1};
  op.epsilon = node.real("epsilon", 1e-12f);
  ValueId sum = node.emit(Add{}, {node.input(0), node.input(1)});
  if (node.has_input(bias_at)) sum = node.emit(Add{}, {sum, node.input(bias_at)});
  std::vector<ValueId> operands{sum};
  for (size_t i = 0; i < parameters; ++i) operands.push_back(node.input_or_absent(2 + i));
  std::vector<ValueId> results = node.emit(op, operands, inverse_at + 1);
  node.result(0, results[0]);
  if (inverse_at == 2) node.result(1, results[1]);
  node.result(2, results[inverse_at]);
  node.result(3, sum);
}

void read_skip_layer_norm(ReadNode& node) { read_skip_norm<LayerNorm>(node, 4, 2, 2); }
void read_skip_rms_norm(ReadNode& node) { read_skip_norm<RmsNorm>(node, 3, 1, 1); }

ValueId looked_up(ReadNode& node, size_t table, size_t indices) {
  return node.emit(Gather{}, {node.input(table), node.input(indices)});
}

// The sum of word, position and segment embeddings, normalised; and how many words the mask leaves.
void read_embed_layer_norm(ReadNode& node) {
  LayerNorm op;
  op.axes = {2};
  op.epsilon = node.real("epsilon", 1e-12f);
  node.ignore("mask_index_type");
  if (node.rank(0) != 2) fail("the ids must be [batch, length], but are {}", node.type(0).text());
  const Dims ids = *node.type(0).dims;
  ValueId sum = looked_up(node, 2, 0);
  ValueId positions = absent;
  if (node.has_input(8)) {
    positions = looked_up(node, 3, 8);
  } else {
    Slice first{{0}, {Dim(0)}, {ids[1]}, {1}};
    positions = node.emit(first, {node.input(3)});
  }
  sum = node.emit(Add{}, {sum, positions});
  if (node.has_input(1)) sum = node.emit(Add{}, {sum, looked_up(node, 4, 1)});
  node.result(0, node.emit(op, {sum, node.input(5), node.input(6)}));
  if (node.wants(1)) {
    Reduce count;
    count.axes = {1};
    count.keep = false;
    auto ones = [&] { return node.emit(Equal{}, {node.input(7), node.add_scalar(DType::i32, 1)}); };
    ValueId mask = node.has_input(7)
                       ? node.emit(count, {node.emit(Cast{DType::i32}, {ones()})})
                       : node.emit(Expand{{ids[0]}}, {node.add_constant(constant_splat(DType::i32, {1}, 0))});
    node.result(1, mask);
  }
  node.result(2, sum);
}

void read_group_norm(ReadNode& node) {
  GroupNorm op;
  op.groups = node.integer("groups");
  op.epsilon = node.real("epsilon", 1e-5f);
  if (node.integer("channels_last", 1) != 0) op.channels = Channels::last;
  ValueId y = node.emit(op, node.operands());
  int64_t activation = node.integer("activation");
  if (activation != 0 && activation != 1)
    fail("attribute 'activation': the value {} is not known", activation);
  node.result(0, activation ? node.emit(Swish{}, {y}) : y);
}

}  // namespace

void normalize_microsoft_rows(Rows& rows) {
  rows.read("com.microsoft:SkipLayerNormalization", since(1), read_skip_layer_norm);
  rows.read("com.microsoft:SkipSimplifiedLayerNormalization", since(1), read_skip_rms_norm);
  rows.read("com.microsoft:EmbedLayerNormalization", since(1), read_embed_layer_norm);
  rows.read("com.microsoft:GroupNorm", since(1), read_group_norm);
}

}  // namespace remodel::onnx
