// The order in which tensors lie in memory, chosen once for a whole graph, so that a target's ops run with as
// few transposes as can be.
//
// A value and its transposes and reshapes are one tensor over atoms, the finest axes that any reshape cuts;
// its order is a sequence of atoms. Each op can run in some orders; a cost says what a choice for all ops
// takes, minimum cuts look for the cheapest one, and the graph is written anew in it. Interfaces keep their
// order unless another is asked for.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "ops/spatial.h"

namespace remodel {

// What a target's ops can do.
struct LayoutTarget {
  Channels channels = Channels::last;  // of convolution, pooling, resizing and the like
  bool softmax_last = true;            // softmax runs along the last axis only
  // Operands of a product of batches that may come with their last two axes swapped at no cost.
  bool swapped_left = false, swapped_right = true;
  // The most axes that a transpose can have, and any other op. What has more in the source keeps them.
  size_t transpose_rank = 6, op_rank = 6;
  bool packs = true;  // tensors can be joined along a new axis, and taken apart along one
};

// Where the channels of inputs, or of outputs, are wished to stand.
struct PortWishes {
  std::optional<Channels> all;  // of all with 4 axes or more
  std::map<std::string, Channels> named;

  bool empty() const { return !all && named.empty(); }
};

struct LayoutWishes {
  PortWishes inputs, outputs;
  // Where the source has them at a port that no op over images tells of.
  Channels usual = Channels::first;

  bool empty() const { return inputs.empty() && outputs.empty(); }
};

struct LayoutReport {
  enum class Cause : uint8_t {
    input,    // an input of the graph has another order than the ops beside it
    output,   // an output has
    meaning,  // the model's own: it has a transpose there
    layout,   // the target's ops want different orders
  };
  struct Transpose {
    Cause cause;
    std::string from, to;    // the layers between which it stands
    std::string why;         // the orders that they give and need
    ValueId value = absent;  // what it gives; absent in a body
  };
  // A port that has another order than the source's.
  struct Turn {
    bool output;
    size_t port;
    std::vector<int64_t> axes;  // which of the source's axes stands at each place
  };
  std::vector<Transpose> transposes;  // that are left, bodies included
  std::vector<Turn> turns;
  size_t count(Cause cause) const;
  size_t at_boundary() const { return count(Cause::input) + count(Cause::output); }
  // Without those that are no more in the graph.
  void keep_left(const Graph& graph);
};

// Some op of the graph, or of a body in it, has its channels there.
bool has_channels(const Graph& graph, Channels channels);

// Values of the graph stay the same, and its ports their names. Ports that the wishes turn have other sizes.
LayoutReport lay_out(Graph& graph, const LayoutTarget& target, const LayoutWishes& wishes = {});

}  // namespace remodel
