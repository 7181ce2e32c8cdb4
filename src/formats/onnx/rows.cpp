#include "formats/onnx/rows.h"

namespace remodel::onnx {

void Rows::add(Row row) {
  if (auto colon = row.type.find(':'); colon != std::string::npos) {
    row.domain = row.type.substr(0, colon);
    row.type = row.type.substr(colon + 1);
  }
  size_t index = rows_.size();
  if (row.reads) readers_[row.domain + ":" + row.type].push_back(index);
  if (row.writes) writers_[row.op].push_back(index);
  rows_.push_back(std::move(row));
}

void Rows::add_slots(const OpInfo& op, std::string_view type, Versions versions, Slots slots, WhenFn when,
                     bool writes) {
  add({&op, std::string(type), "", versions, slots, nullptr, nullptr, when, true, writes, ""});
}

void Rows::add_writer(const OpInfo& op, Versions versions, WriteFn write, WhenFn when) {
  add({&op, "", "", versions, {}, nullptr, write, when, false, true, ""});
}

void Rows::read(std::string_view type, Versions versions, ReadFn read) {
  add({nullptr, std::string(type), "", versions, {}, read, nullptr, nullptr, true, false, ""});
}

void Rows::refuse(std::string_view type, Versions versions, std::string_view reason) {
  add({nullptr,
       std::string(type),
       "",
       versions,
       {},
       nullptr,
       nullptr,
       nullptr,
       true,
       false,
       std::string(reason)});
}

const Row* Rows::find_reader(std::string_view domain, std::string_view type, int64_t version) const {
  auto place = readers_.find(fmt::format("{}:{}", domain, type));
  if (place == readers_.end()) return nullptr;
  for (size_t index : place->second)
    if (rows_[index].versions.contain(version)) return &rows_[index];
  return nullptr;
}

const Row* Rows::find_writer(const WriteNode& node, int64_t opset, std::string* why) const {
  auto place = writers_.find(&node.node().op.info());
  std::string reasons;
  if (place != writers_.end())
    for (size_t index : place->second) {
      const Row& row = rows_[index];
      if (!row.versions.contain(opset)) continue;
      std::string reason = row.when ? row.when(node) : "";
      if (reason.empty()) return &row;
      if (reasons.find(reason) == std::string::npos) reasons += (reasons.empty() ? "" : "; ") + reason;
    }
  if (why)
    *why =
        reasons.empty() ? fmt::format("'{}' has no form in opset {}", node.node().op.name(), opset) : reasons;
  return nullptr;
}

std::optional<TileMatch> Rows::find_tile(const WriteNode& root, int64_t opset) const {
  for (const TileRow& row : tiles_) {
    if (row.root != &root.node().op.info() || !row.versions.contain(opset)) continue;
    if (std::vector<NodeId> inner = row.inner(root); !inner.empty()) return TileMatch{&row, std::move(inner)};
  }
  return std::nullopt;
}

// One function a family, in rows/.
void activation_rows(Rows& rows);
void attention_rows(Rows& rows);
void binary_rows(Rows& rows);
void cast_rows(Rows& rows);
void control_rows(Rows& rows);
void conv_rows(Rows& rows);
void detection_rows(Rows& rows);
void gather_rows(Rows& rows);
void generate_rows(Rows& rows);
void list_rows(Rows& rows);
void loss_rows(Rows& rows);
void matmul_rows(Rows& rows);
void ml_feature_rows(Rows& rows);
void ml_linear_rows(Rows& rows);
void ml_tree_rows(Rows& rows);
void normalize_microsoft_rows(Rows& rows);
void normalize_rows(Rows& rows);
void pool_rows(Rows& rows);
void qlinear_rows(Rows& rows);
void quantize_rows(Rows& rows);
void random_rows(Rows& rows);
void recurrent_rows(Rows& rows);
void reduce_rows(Rows& rows);
void resize_rows(Rows& rows);
void shape_rows(Rows& rows);
void signal_rows(Rows& rows);
void slice_rows(Rows& rows);
void text_rows(Rows& rows);
void training_rows(Rows& rows);
void unary_rows(Rows& rows);

const Rows& all_rows() {
  static const Rows rows = [] {
    Rows made;
    activation_rows(made);
    attention_rows(made);
    binary_rows(made);
    cast_rows(made);
    control_rows(made);
    conv_rows(made);
    detection_rows(made);
    gather_rows(made);
    generate_rows(made);
    list_rows(made);
    loss_rows(made);
    matmul_rows(made);
    ml_feature_rows(made);
    ml_linear_rows(made);
    ml_tree_rows(made);
    normalize_microsoft_rows(made);
    normalize_rows(made);
    pool_rows(made);
    qlinear_rows(made);
    quantize_rows(made);
    random_rows(made);
    recurrent_rows(made);
    reduce_rows(made);
    resize_rows(made);
    shape_rows(made);
    signal_rows(made);
    slice_rows(made);
    text_rows(made);
    training_rows(made);
    unary_rows(made);
    return made;
  }();
  return rows;
}

}  // namespace remodel::onnx
