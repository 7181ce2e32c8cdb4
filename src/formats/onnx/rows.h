// The table of ONNX operators: rows for what maps one to one, functions for the rest.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "formats/onnx/read_node.h"
#include "formats/onnx/tiles.h"
#include "formats/onnx/write_node.h"
#include "formats/rows.h"

namespace remodel::onnx {

using ReadFn = void (*)(ReadNode&);
using WriteFn = void (*)(WriteNode&);
// Why a row cannot write this node, or "" where it can.
using WhenFn = std::string (*)(const WriteNode&);

struct Row {
  const OpInfo* op = nullptr;  // null for a row that only reads by a function
  std::string type, domain;
  Versions versions;
  std::vector<Slot> slots;
  ReadFn read = nullptr;    // instead of the slots
  WriteFn write = nullptr;  // instead of the slots
  WhenFn when = nullptr;    // for writing
  bool reads = false, writes = false;
  std::string refusal;  // a known operator that is not supported, and why
};

// Several ops that one operator says.
struct TileRow {
  const OpInfo* root = nullptr;
  Versions versions;
  // The inner nodes of the tile with this root; none where the operator would not say the same.
  std::vector<NodeId> (*inner)(const WriteNode& root) = nullptr;
  void (*write)(WriteNode& root, const std::vector<NodeId>& inner) = nullptr;
};

class Rows {
 public:
  using Slots = const std::vector<Slot>&;

  // Both ways by slots. `when` limits writing.
  template <class T>
  void row(std::string_view type, Versions versions, Slots slots = {}, WhenFn when = nullptr) {
    add_slots(info_of<T>(), type, versions, slots, when, true);
  }
  // Reading only, by slots.
  template <class T>
  void read_row(std::string_view type, Versions versions, Slots slots = {}) {
    add_slots(info_of<T>(), type, versions, slots, nullptr, false);
  }
  // Writing only, by slots.
  template <class T>
  void write_row(std::string type, Versions versions, std::vector<Slot> slots = {}, WhenFn when = nullptr) {
    Row made{&info_of<T>(), std::move(type), "",   versions, std::move(slots), nullptr, nullptr,
             when,          false,           true, ""};
    add(std::move(made));
  }
  // Reading only, by a function. `type` may be "com.microsoft:Gelu".
  void read(std::string_view type, Versions versions, ReadFn read);
  // Writing only, by a function, for opsets in `versions`.
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
  const Row* find_writer(const WriteNode& node, int64_t opset, std::string* why) const;
  std::optional<TileMatch> find_tile(const WriteNode& root, int64_t opset) const;
  const std::vector<Row>& all() const { return rows_; }

 private:
  void add(Row row);
  void add_slots(const OpInfo& op, std::string_view type, Versions versions, Slots slots, WhenFn when,
                 bool writes);
  void add_writer(const OpInfo& op, Versions versions, WriteFn write, WhenFn when);
  std::vector<Row> rows_;
  std::vector<TileRow> tiles_;
  std::unordered_map<std::string, std::vector<size_t>> readers_;
  std::unordered_map<const OpInfo*, std::vector<size_t>> writers_;
};

const Rows& all_rows();

// The engine: one node by its row.
void read_by_row(ReadNode& node, const Row& row);
void write_by_row(WriteNode& node, const Row& row);

}  // namespace remodel::onnx
