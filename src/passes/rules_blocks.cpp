// Blocks of pixels that become channels, and the reverse (pixel shuffle), found in the moves of axes that
// exporters make of them. Each rule lowers the number of nodes.
#include "ops/shape.h"
#include "passes/block_move.h"
#include "passes/optimise.h"

namespace remodel {
namespace {

template <class T>
void block_rule(Rules& rules, const char* name) {
  Expr x = rules.any(), apart = rules.some<Reshape>({x}), turned = rules.some<Transpose>({apart});
  Expr root = rules.some<Reshape>({turned});
  rules.add(name, Effect::exact, root, [=](Match& match) -> ValueId {
    const Type &from = match.type(x), &middle = match.type(apart), &to = match.type(root);
    if (!from.has_rank(4) || !middle.has_rank(6) || !to.has_rank(4)) return absent;
    const std::vector<int64_t> perm = match.op<Transpose>(turned).perm;
    for (const Dim& block : *middle.dims) {
      if (!block.is_number() || block.number() < 2) continue;
      for (DepthOrder order : {DepthOrder::dcr, DepthOrder::crd})
        for (Channels channels : {Channels::first, Channels::last}) {
          T op;
          op.block = block.number(), op.order = order, op.channels = channels;
          BlockMove move = block_move(op, *from.dims, *to.dims);
          if (move.apart == *middle.dims && move.perm == perm) return match.emit(op, {match[x]});
        }
    }
    return absent;
  });
}

}  // namespace

void block_rules(Rules& rules) {
  block_rule<DepthToSpace>(rules, "depth to space");
  block_rule<SpaceToDepth>(rules, "space to depth");
}

}  // namespace remodel
