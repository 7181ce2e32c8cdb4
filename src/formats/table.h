// The table of a format: which operator says which op, and how to find the row for a node. `ReadNode` and
// `WriteNode` are the format's own.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "formats/cover.h"
#include "formats/format.h"
#include "formats/rows.h"

namespace remodel {

template <class ReadNode, class WriteNode>
class Table {
 public:
  using Slots = const std::vector<Slot>&;
  using ReadFn = void (*)(ReadNode&);
  using WriteFn = void (*)(WriteNode&);
  // Why a row cannot write this node, or "" where it can.
  using WhenFn = std::string (*)(const WriteNode&);

  struct Row : RowData {
    ReadFn read = nullptr;    // instead of the slots
    WriteFn write = nullptr;  // instead of the slots
    WhenFn when = nullptr;    // for writing
  };
  // Several ops that one operator says.
  struct Tile {
    const OpInfo* root = nullptr;
    Versions versions;
    // The inner nodes of the tile with this root; none where the operator would not say the same.
    std::vector<NodeId> (*inner)(const WriteNode& root) = nullptr;
    void (*write)(WriteNode& root, const std::vector<NodeId>& inner) = nullptr;
  };

  // Both ways by slots. `when` limits writing.
  template <class T>
  void row(std::string_view type, Versions versions, Slots slots = {}, WhenFn when = nullptr) {
    add_slots(info_of<T>(), type, versions, slots, when, true, true);
  }
  // Reading only, by slots.
  template <class T>
  void read_row(std::string_view type, Versions versions, Slots slots = {}) {
    add_slots(info_of<T>(), type, versions, slots, nullptr, true, false);
  }
  // Writing only, by slots.
  template <class T>
  void write_row(std::string_view type, Versions versions, Slots slots = {}, WhenFn when = nullptr) {
    add_slots(info_of<T>(), type, versions, slots, when, false, true);
  }
  // Reading only, by a function. `type` may name a domain: "com.microsoft:Gelu".
  void read(std::string_view type, Versions versions, ReadFn read);
  // Writing only, by a function, for versions of the operator set.
  template <class T>
  void write(Versions versions, WriteFn write, WhenFn when = nullptr) {
    add_writer(info_of<T>(), versions, write, when);
  }
  // Writing only, of a tile whose root is a T.
  template <class T>
  void tile(Versions versions, std::vector<NodeId> (*inner)(const WriteNode&),
            void (*write)(WriteNode&, const std::vector<NodeId>&)) {
    tiles_.push_back({&info_of<T>(), versions, inner, write});
  }
  // An operator that is known and refused.
  void refuse(std::string_view type, Versions versions, std::string_view reason);

  const Row* find_reader(std::string_view domain, std::string_view type, int64_t version) const;
  // The first row in order of registration that can write the node; null with the reasons in `why` where none
  // can.
  const Row* find_writer(const WriteNode& node, int64_t version, std::string* why) const;
  std::optional<TileMatch> find_tile(const WriteNode& root, int64_t version) const;
  const Tile& tile(const TileMatch& match) const { return tiles_[match.row]; }
  // Of the versions that can be written, and of those of an operator that can be read.
  Support support(Versions written, const OperatorVersions& of_operator) const;

 private:
  void add(Row row);
  void add_slots(const OpInfo& op, std::string_view type, Versions versions, Slots slots, WhenFn when,
                 bool reads, bool writes);
  void add_writer(const OpInfo& op, Versions versions, WriteFn write, WhenFn when);
  std::vector<Row> rows_;
  std::vector<Tile> tiles_;
  std::unordered_map<std::string, std::vector<size_t>> readers_;
  std::unordered_map<const OpInfo*, std::vector<size_t>> writers_;
};

template <class R, class W>
void Table<R, W>::add(Row row) {
  split_domain(row);
  size_t index = rows_.size();
  if (row.reads) readers_[row.domain + ":" + row.type].push_back(index);
  if (row.writes) writers_[row.op].push_back(index);
  rows_.push_back(std::move(row));
}

template <class R, class W>
void Table<R, W>::add_slots(const OpInfo& op, std::string_view type, Versions versions, Slots slots,
                            WhenFn when, bool reads, bool writes) {
  add({{&op, std::string(type), "", versions, slots, reads, writes, ""}, nullptr, nullptr, when});
}

template <class R, class W>
void Table<R, W>::add_writer(const OpInfo& op, Versions versions, WriteFn write, WhenFn when) {
  add({{&op, "", "", versions, {}, false, true, ""}, nullptr, write, when});
}

template <class R, class W>
void Table<R, W>::read(std::string_view type, Versions versions, ReadFn read) {
  add({{nullptr, std::string(type), "", versions, {}, true, false, ""}, read, nullptr, nullptr});
}

template <class R, class W>
void Table<R, W>::refuse(std::string_view type, Versions versions, std::string_view reason) {
  add({{nullptr, std::string(type), "", versions, {}, true, false, std::string(reason)},
       nullptr,
       nullptr,
       nullptr});
}

template <class R, class W>
auto Table<R, W>::find_reader(std::string_view domain, std::string_view type, int64_t version) const
    -> const Row* {
  auto place = readers_.find(fmt::format("{}:{}", domain, type));
  if (place == readers_.end()) return nullptr;
  for (size_t index : place->second)
    if (rows_[index].versions.contain(version)) return &rows_[index];
  return nullptr;
}

template <class R, class W>
auto Table<R, W>::find_writer(const W& node, int64_t version, std::string* why) const -> const Row* {
  auto place = writers_.find(&node.node().op.info());
  Reasons reasons;
  if (place != writers_.end())
    for (size_t index : place->second) {
      const Row& row = rows_[index];
      if (!row.versions.contain(version)) continue;
      std::string reason = row.when ? row.when(node) : "";
      if (reason.empty()) return &row;
      reasons.add(reason);
    }
  if (why) *why = reasons.text;
  return nullptr;
}

template <class R, class W>
std::optional<TileMatch> Table<R, W>::find_tile(const W& root, int64_t version) const {
  for (size_t i = 0; i < tiles_.size(); ++i) {
    if (tiles_[i].root != &root.node().op.info() || !tiles_[i].versions.contain(version)) continue;
    if (std::vector<NodeId> inner = tiles_[i].inner(root); !inner.empty())
      return TileMatch{i, std::move(inner)};
  }
  return std::nullopt;
}

template <class R, class W>
Support Table<R, W>::support(Versions written, const OperatorVersions& of_operator) const {
  std::vector<const RowData*> rows;
  for (const Row& row : rows_) rows.push_back(&row);
  return support_of(rows, written, of_operator);
}

}  // namespace remodel
