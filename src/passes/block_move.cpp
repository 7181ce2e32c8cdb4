#include "passes/block_move.h"

namespace remodel {

BlockMove block_move(const DepthToSpace& op, const Dims& from, const Dims& to) {
  bool first = op.channels == Channels::first, crd = op.order == DepthOrder::crd;
  Dim block(op.block), depth = to[first ? 1 : 3];
  Dims deep = crd ? Dims{depth, block, block} : Dims{block, block, depth}, apart{from[0]};
  if (first) {
    apart.insert(apart.end(), deep.begin(), deep.end());
    apart.insert(apart.end(), {from[2], from[3]});
  } else {
    apart.insert(apart.end(), {from[1], from[2]});
    apart.insert(apart.end(), deep.begin(), deep.end());
  }
  int64_t at = first ? 1 : 3, rows = first ? 4 : 1;
  int64_t channel = crd ? at : at + 2, in_row = crd ? at + 1 : at, in_column = in_row + 1;
  if (first) return {apart, {0, channel, rows, in_row, rows + 1, in_column}};
  return {apart, {0, rows, in_row, rows + 1, in_column, channel}};
}

BlockMove block_move(const SpaceToDepth& op, const Dims& from, const Dims& to) {
  bool first = op.channels == Channels::first, crd = op.order == DepthOrder::crd;
  Dim block(op.block);
  size_t rows = first ? 2 : 1;
  Dims image{to[rows], block, to[rows + 1], block}, apart{from[0]};
  if (first) apart.push_back(from[1]);
  apart.insert(apart.end(), image.begin(), image.end());
  if (!first) apart.push_back(from[3]);
  int64_t channel = first ? 1 : 5, row = first ? 2 : 1;
  std::vector<int64_t> deep =
      crd ? std::vector<int64_t>{channel, row + 1, row + 3} : std::vector<int64_t>{row + 1, row + 3, channel};
  std::vector<int64_t> perm{0};
  if (!first) perm.insert(perm.end(), {row, row + 2});
  perm.insert(perm.end(), deep.begin(), deep.end());
  if (first) perm.insert(perm.end(), {row, row + 2});
  return {apart, perm};
}

}  // namespace remodel
