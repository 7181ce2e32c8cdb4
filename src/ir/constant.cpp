#include "ir/constant.h"

#include <algorithm>
#include <numeric>
#include <string_view>

#include "base/error.h"
#include "ir/uncast.h"

namespace remodel {
namespace {

constexpr int64_t block_bytes = 1 << 20;

size_t mix(size_t seed, size_t value) {
  return seed ^ (value + 0x9e3779b97f4a7c15u + (seed << 6) + (seed >> 2));
}
size_t hash_shape(const Constant& constant, size_t seed) {
  seed = mix(seed, static_cast<size_t>(constant.dtype()));
  for (int64_t size : constant.shape()) seed = mix(seed, static_cast<size_t>(size));
  return seed;
}
bool same_type(const Constant& a, const Constant& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape();
}

// Copies one element at a time between strided places.
template <class T>
void copy_strided(const uint8_t* from, int64_t from_step, T* to, int64_t count) {
  if (from_step == 0) {
    T element;
    std::memcpy(&element, from, sizeof(T));
    std::fill_n(to, count, element);
    return;
  }
  for (int64_t i = 0; i < count; ++i)
    std::memcpy(to + i, from + i * from_step * int64_t(sizeof(T)), sizeof(T));
}
struct Wide {
  uint64_t low, high;
};
void copy_strided(size_t size, const uint8_t* from, int64_t from_step, void* to, int64_t count) {
  if (from_step == 1) {
    std::memcpy(to, from, count * size);
    return;
  }
  switch (size) {
    case 1:
      return copy_strided(from, from_step, static_cast<uint8_t*>(to), count);
    case 2:
      return copy_strided(from, from_step, static_cast<uint16_t*>(to), count);
    case 4:
      return copy_strided(from, from_step, static_cast<uint32_t*>(to), count);
    case 8:
      return copy_strided(from, from_step, static_cast<uint64_t*>(to), count);
    default:
      return copy_strided(from, from_step, static_cast<Wide*>(to), count);
  }
}

class BytesConstant : public Constant {
 public:
  BytesConstant(DType dtype, Shape shape, Bytes data)
      : Constant(dtype, std::move(shape)), data_(std::move(data)) {}
  void read(int64_t first, int64_t count, void* to) const override {
    size_t size = size_of(dtype_);
    if (count) std::memcpy(to, data_.data() + first * size, count * size);
  }
  Bytes plain() const override {
    return reinterpret_cast<uintptr_t>(data_.data()) % std::min<size_t>(size_of(dtype_), 8) == 0 ? data_
                                                                                                 : Bytes();
  }
  bool equals(const Constant& other) const override {
    auto bytes = dynamic_cast<const BytesConstant*>(&other);
    if (!bytes || !same_type(*this, other)) return false;
    return data_.data() == bytes->data_.data() || data_.view() == bytes->data_.view();
  }
  size_t hash() const override {
    size_t seed = hash_shape(*this, 1);
    return mix(seed, std::hash<std::string_view>()(data_.view().substr(0, 64)));
  }
  ConstantPtr reshaped(const Shape& shape) const override {
    return std::make_shared<BytesConstant>(dtype_, shape, data_);
  }
  const Bytes& data() const { return data_; }

 private:
  Bytes data_;
};

class PackedConstant : public Constant {
 public:
  PackedConstant(DType dtype, Shape shape, Bytes data)
      : Constant(dtype, std::move(shape)), data_(std::move(data)) {}
  void read(int64_t first, int64_t count, void* to) const override {
    int bits = bits_of(dtype_), each = 8 / bits;
    uint8_t mask = static_cast<uint8_t>((1 << bits) - 1);
    auto* out = static_cast<uint8_t*>(to);
    for (int64_t i = 0; i < count; ++i) {
      int64_t index = first + i;
      uint8_t code = static_cast<uint8_t>(data_.data()[index / each] >> (index % each * bits)) & mask;
      if (is_signed(dtype_) && code >> (bits - 1)) code |= static_cast<uint8_t>(~mask);
      out[i] = code;
    }
  }
  Bytes packed() const override { return data_; }
  bool equals(const Constant& other) const override {
    auto peer = dynamic_cast<const PackedConstant*>(&other);
    return peer && same_type(*this, other) && data_.view() == peer->data_.view();
  }
  size_t hash() const override {
    return mix(hash_shape(*this, 2), std::hash<std::string_view>()(data_.view().substr(0, 64)));
  }
  ConstantPtr reshaped(const Shape& shape) const override {
    return std::make_shared<PackedConstant>(dtype_, shape, data_);
  }

 private:
  Bytes data_;
};

class StringsConstant : public Constant {
 public:
  StringsConstant(Shape shape, std::shared_ptr<const std::vector<std::string>> strings)
      : Constant(DType::string, std::move(shape)), strings_(std::move(strings)) {}
  void read(int64_t, int64_t, void*) const override { fail("strings have no memory form"); }
  const std::vector<std::string>* strings() const override { return strings_.get(); }
  bool equals(const Constant& other) const override {
    return other.strings() && same_type(*this, other) && *other.strings() == *strings_;
  }
  size_t hash() const override { return hash_shape(*this, 3); }
  ConstantPtr permuted(const std::vector<int64_t>& perm) const override {
    Shape shape, steps, strides = strides_of(shape_);
    for (int64_t axis : perm) {
      shape.push_back(shape_[axis]);
      steps.push_back(strides[axis]);
    }
    return picked(shape, steps, 0);
  }
  ConstantPtr sliced(int64_t axis, int64_t start, int64_t size, int64_t step) const override {
    Shape shape = shape_, steps = strides_of(shape_);
    int64_t offset = start * steps[axis];
    shape[axis] = size;
    steps[axis] *= step;
    return picked(shape, steps, offset);
  }
  ConstantPtr expanded(const Shape& shape) const override {
    Shape steps(shape.size(), 0), strides = strides_of(shape_);
    size_t shift = shape.size() - shape_.size();
    for (size_t i = 0; i < shape_.size(); ++i) steps[shift + i] = shape_[i] == 1 ? 0 : strides[i];
    return picked(shape, steps, 0);
  }
  ConstantPtr reshaped(const Shape& shape) const override {
    return std::make_shared<StringsConstant>(shape, strings_);
  }

 private:
  ConstantPtr picked(const Shape& shape, const Shape& steps, int64_t offset) const {
    auto picked = std::make_shared<std::vector<std::string>>();
    int64_t count = count_of(shape);
    for (int64_t i = 0; i < count; ++i) {
      int64_t rest = i, from = offset;
      for (size_t axis = shape.size(); axis-- > 0; rest /= shape[axis])
        from += rest % shape[axis] * steps[axis];
      picked->push_back((*strings_)[from]);
    }
    return std::make_shared<StringsConstant>(shape, picked);
  }
  std::shared_ptr<const std::vector<std::string>> strings_;
};

class SplatConstant : public Constant {
 public:
  SplatConstant(DType dtype, Shape shape, const void* element) : Constant(dtype, std::move(shape)) {
    std::memcpy(element_, element, size_of(dtype));
  }
  void read(int64_t, int64_t count, void* to) const override {
    size_t size = size_of(dtype_);
    for (int64_t i = 0; i < count; ++i) std::memcpy(static_cast<uint8_t*>(to) + i * size, element_, size);
  }
  const void* splat() const override { return element_; }
  bool equals(const Constant& other) const override {
    return other.splat() && same_type(*this, other) &&
           std::memcmp(element_, other.splat(), size_of(dtype_)) == 0;
  }
  size_t hash() const override {
    return mix(hash_shape(*this, 4),
               std::hash<std::string_view>()({reinterpret_cast<const char*>(element_), size_of(dtype_)}));
  }
  ConstantPtr permuted(const std::vector<int64_t>& perm) const override {
    Shape shape;
    for (int64_t axis : perm) shape.push_back(shape_[axis]);
    return with(shape);
  }
  ConstantPtr sliced(int64_t axis, int64_t, int64_t size, int64_t) const override {
    Shape shape = shape_;
    shape[axis] = size;
    return with(shape);
  }
  ConstantPtr expanded(const Shape& shape) const override { return with(shape); }
  ConstantPtr reshaped(const Shape& shape) const override { return with(shape); }

 private:
  ConstantPtr with(const Shape& shape) const {
    return std::make_shared<SplatConstant>(dtype_, shape, element_);
  }
  alignas(16) uint8_t element_[16] = {};
};

class SparseConstant : public Constant {
 public:
  // Places rise.
  SparseConstant(Shape shape, Tensor values, std::vector<int64_t> places)
      : Constant(values.dtype(), std::move(shape)), values_(std::move(values)), places_(std::move(places)) {}

  void read(int64_t first, int64_t count, void* to) const override {
    if (count == 0) return;
    auto* out = static_cast<uint8_t*>(to);
    const size_t size = size_of(dtype_);
    std::memset(out, 0, static_cast<size_t>(count) * size);
    for (auto place = std::lower_bound(places_.begin(), places_.end(), first);
         place != places_.end() && *place < first + count; ++place)
      std::memcpy(out + static_cast<size_t>(*place - first) * size,
                  values_.as<uint8_t>() + static_cast<size_t>(place - places_.begin()) * size, size);
  }
  bool equals(const Constant& other) const override {
    auto peer = dynamic_cast<const SparseConstant*>(&other);
    return peer && same_type(*this, other) && places_ == peer->places_ &&
           values_.bytes().view() == peer->values_.bytes().view();
  }
  size_t hash() const override { return mix(hash_shape(*this, 9), places_.size()); }

 private:
  Tensor values_;
  std::vector<int64_t> places_;
};

// A strided walk over the elements of another constant.
class ViewConstant : public Constant {
 public:
  ViewConstant(ConstantPtr base, Shape shape, Shape steps, int64_t offset)
      : Constant(base->dtype(), std::move(shape)),
        base_(std::move(base)),
        steps_(std::move(steps)),
        offset_(offset) {
    for (size_t axis = 0; axis < shape_.size(); ++axis) {
      if (shape_[axis] == 1) continue;
      if (!walk_.empty() && walk_steps_.back() == shape_[axis] * steps_[axis]) {
        walk_.back() *= shape_[axis];
        walk_steps_.back() = steps_[axis];
      } else {
        walk_.push_back(shape_[axis]);
        walk_steps_.push_back(steps_[axis]);
      }
    }
    auto bytes = dynamic_cast<const BytesConstant*>(base_.get());
    source_ = bytes ? bytes->data().data() : nullptr;
    operations_ = base_->operations() + 1;
  }

  void read(int64_t first, int64_t count, void* to) const override {
    if (count == 0) return;
    auto* out = static_cast<uint8_t*>(to);
    size_t size = size_of(dtype_);
    if (walk_.empty()) return element(offset_, 1, 1, out);
    int64_t row = walk_.back();
    while (count > 0) {
      int64_t line = first / row, column = first % row;
      if (column == 0 && count >= 2 * row) {
        int64_t lines = read_block(line, count / row, out);
        first += lines * row, count -= lines * row, out += lines * row * size;
        continue;
      }
      int64_t run = std::min(count, row - column);
      element(line_start(line) + column * walk_steps_.back(), walk_steps_.back(), run, out);
      first += run, count -= run, out += run * size;
    }
  }
  bool equals(const Constant& other) const override {
    auto view = dynamic_cast<const ViewConstant*>(&other);
    return view && same_type(*this, other) && steps_ == view->steps_ && offset_ == view->offset_ &&
           (base_ == view->base_ || base_->equals(*view->base_));
  }
  size_t hash() const override {
    size_t seed = mix(hash_shape(*this, 5), base_->hash());
    for (int64_t step : steps_) seed = mix(seed, static_cast<size_t>(step));
    return mix(seed, static_cast<size_t>(offset_));
  }
  ConstantPtr permuted(const std::vector<int64_t>& perm) const override {
    Shape shape, steps;
    for (int64_t axis : perm) {
      shape.push_back(shape_[axis]);
      steps.push_back(steps_[axis]);
    }
    return with(shape, steps, offset_);
  }
  ConstantPtr sliced(int64_t axis, int64_t start, int64_t size, int64_t step) const override {
    Shape shape = shape_, steps = steps_;
    shape[axis] = size;
    steps[axis] *= step;
    return with(shape, steps, offset_ + start * steps_[axis]);
  }
  ConstantPtr expanded(const Shape& shape) const override {
    Shape steps(shape.size(), 0);
    size_t shift = shape.size() - shape_.size();
    for (size_t i = 0; i < shape_.size(); ++i) steps[shift + i] = shape_[i] == 1 ? 0 : steps_[i];
    return with(shape, steps, offset_);
  }
  ConstantPtr reshaped(const Shape& shape) const override;

 private:
  ConstantPtr with(const Shape& shape, const Shape& steps, int64_t offset) const {
    return std::make_shared<ViewConstant>(base_, shape, steps, offset);
  }
  int64_t line_start(int64_t line) const {
    int64_t from = offset_;
    for (size_t axis = walk_.size() - 1; axis-- > 0; line /= walk_[axis])
      from += line % walk_[axis] * walk_steps_[axis];
    return from;
  }
  void element(int64_t from, int64_t step, int64_t count, uint8_t* out) const {
    size_t size = size_of(dtype_);
    if (source_) return copy_strided(size, source_ + from * int64_t(size), step, out, count);
    if (step == 1) return base_->read(from, count, out);
    for (int64_t i = 0; i < count; ++i) base_->read(from + i * step, 1, out + i * size);
  }
  // Reads up to `lines` whole lines and returns how many. Lines that are neighbours in the base are read
  // together, tile by tile, so that a transposed matrix does not touch a cache line once an element.
  int64_t read_block(int64_t line, int64_t lines, uint8_t* out) const {
    size_t size = size_of(dtype_);
    int64_t row = walk_.back(), step = walk_steps_.back();
    constexpr int64_t tile = 64;
    if (walk_.size() >= 2 && source_ && step != 1 && walk_steps_[walk_.size() - 2] == 1) {
      int64_t height = walk_[walk_.size() - 2];
      lines = std::min({lines, tile, height - line % height});
      int64_t start = line_start(line);
      for (int64_t x = 0; x < row; x += tile)
        for (int64_t y = 0; y < lines; ++y)
          copy_strided(size, source_ + (start + y + x * step) * int64_t(size), step,
                       out + (y * row + x) * size, std::min(tile, row - x));
      return lines;
    }
    element(line_start(line), step, row, out);
    return 1;
  }

  ConstantPtr base_;
  Shape steps_;
  // The same walk over as few axes as it takes: none of size 1, none that goes on where the next one ends.
  Shape walk_, walk_steps_;
  int64_t offset_;
  const uint8_t* source_;
};

// The same elements in the same order under another shape, where no strides can say it.
class ReshapedConstant : public Constant {
 public:
  ReshapedConstant(ConstantPtr base, Shape shape)
      : Constant(base->dtype(), std::move(shape)), base_(std::move(base)) {
    operations_ = base_->operations() + 1;
  }
  void read(int64_t first, int64_t count, void* to) const override { base_->read(first, count, to); }
  Bytes plain() const override { return base_->plain(); }
  bool equals(const Constant& other) const override {
    auto peer = dynamic_cast<const ReshapedConstant*>(&other);
    return peer && same_type(*this, other) && base_->equals(*peer->base_);
  }
  size_t hash() const override { return mix(hash_shape(*this, 6), base_->hash()); }
  ConstantPtr reshaped(const Shape& shape) const override { return base_->reshaped(shape); }

 private:
  ConstantPtr base_;
};

ConstantPtr ViewConstant::reshaped(const Shape& shape) const {
  // Axes of size 1 may come and go; everything else needs a walk in order.
  Shape sizes, steps;
  for (size_t i = 0; i < shape_.size(); ++i)
    if (shape_[i] != 1) sizes.push_back(shape_[i]), steps.push_back(steps_[i]);
  Shape kept, result;
  for (int64_t size : shape)
    if (size != 1) kept.push_back(size);
  if (kept != sizes) return std::make_shared<ReshapedConstant>(shared_from_this(), shape);
  for (size_t i = 0, at = 0; i < shape.size(); ++i) result.push_back(shape[i] == 1 ? 0 : steps[at++]);
  return with(shape, result, offset_);
}

class CastConstant : public Constant {
 public:
  CastConstant(ConstantPtr base, DType to, Overflow overflow)
      : Constant(to, base->shape()), base_(std::move(base)), overflow_(overflow) {
    operations_ = base_->operations() + 1;
  }
  void read(int64_t first, int64_t count, void* to) const override {
    size_t from_size = size_of(base_->dtype()), to_size = size_of(dtype_);
    int64_t step = block_bytes / 16;
    std::vector<uint8_t> block(std::min(count, step) * from_size);
    for (int64_t done = 0; done < count; done += step) {
      int64_t part = std::min(step, count - done);
      base_->read(first + done, part, block.data());
      convert_elements(base_->dtype(), block.data(), dtype_, static_cast<uint8_t*>(to) + done * to_size, part,
                       overflow_);
    }
  }
  bool equals(const Constant& other) const override {
    auto peer = dynamic_cast<const CastConstant*>(&other);
    return peer && same_type(*this, other) && overflow_ == peer->overflow_ && base_->equals(*peer->base_);
  }
  size_t hash() const override { return mix(hash_shape(*this, 7), base_->hash()); }
  ConstantPtr permuted(const std::vector<int64_t>& perm) const override {
    return over(base_->permuted(perm));
  }
  ConstantPtr sliced(int64_t axis, int64_t start, int64_t size, int64_t step) const override {
    return over(base_->sliced(axis, start, size, step));
  }
  ConstantPtr expanded(const Shape& shape) const override { return over(base_->expanded(shape)); }
  ConstantPtr reshaped(const Shape& shape) const override { return over(base_->reshaped(shape)); }

  const ConstantPtr& base() const { return base_; }

 private:
  ConstantPtr over(ConstantPtr base) const { return std::make_shared<CastConstant>(base, dtype_, overflow_); }
  ConstantPtr base_;
  Overflow overflow_;
};

class ConcatConstant : public Constant {
 public:
  ConcatConstant(std::vector<ConstantPtr> parts, int64_t axis, Shape shape)
      : Constant(parts[0]->dtype(), std::move(shape)), parts_(std::move(parts)), axis_(axis) {
    inner_ = 1;
    for (size_t i = axis_ + 1; i < shape_.size(); ++i) inner_ *= shape_[i];
    for (const auto& part : parts_) operations_ = std::max(operations_, part->operations() + 1);
  }
  void read(int64_t first, int64_t count, void* to) const override {
    auto* out = static_cast<uint8_t*>(to);
    size_t size = size_of(dtype_);
    int64_t row = shape_[axis_] * inner_;
    while (count > 0) {
      int64_t outer = first / row, place = first % row;
      for (const auto& part : parts_) {
        int64_t width = part->shape()[axis_] * inner_;
        if (place >= width) {
          place -= width;
          continue;
        }
        int64_t run = std::min(count, width - place);
        part->read(outer * width + place, run, out);
        first += run, count -= run, out += run * size;
        break;
      }
    }
  }
  bool equals(const Constant& other) const override {
    auto peer = dynamic_cast<const ConcatConstant*>(&other);
    return peer && same_type(*this, other) && axis_ == peer->axis_ && parts_.size() == peer->parts_.size() &&
           std::equal(parts_.begin(), parts_.end(), peer->parts_.begin(),
                      [](const auto& a, const auto& b) { return a->equals(*b); });
  }
  size_t hash() const override {
    size_t seed = mix(hash_shape(*this, 8), static_cast<size_t>(axis_));
    for (const auto& part : parts_) seed = mix(seed, part->hash());
    return seed;
  }
  ConstantPtr permuted(const std::vector<int64_t>& perm) const override {
    std::vector<ConstantPtr> parts;
    for (const auto& part : parts_) parts.push_back(part->permuted(perm));
    int64_t axis = std::find(perm.begin(), perm.end(), axis_) - perm.begin();
    return constant_concat(std::move(parts), axis);
  }

 private:
  std::vector<ConstantPtr> parts_;
  int64_t axis_, inner_;
};

}  // namespace

ConstantPtr Constant::permuted(const std::vector<int64_t>& perm) const {
  return ViewConstant(shared_from_this(), shape_, strides_of(shape_), 0).permuted(perm);
}
ConstantPtr Constant::sliced(int64_t axis, int64_t start, int64_t size, int64_t step) const {
  return ViewConstant(shared_from_this(), shape_, strides_of(shape_), 0).sliced(axis, start, size, step);
}
ConstantPtr Constant::expanded(const Shape& shape) const {
  return ViewConstant(shared_from_this(), shape_, strides_of(shape_), 0).expanded(shape);
}
ConstantPtr Constant::reshaped(const Shape& shape) const {
  return std::make_shared<ReshapedConstant>(shared_from_this(), shape);
}

Tensor Constant::tensor() const {
  if (strings()) return Tensor::of(DType::string, shape_, *strings());
  Bytes bytes = plain();
  if (bytes.data() || count_ == 0)
    return bytes.data() ? Tensor(dtype_, shape_, bytes) : Tensor(dtype_, shape_);
  Tensor result(dtype_, shape_);
  read(0, count_, result.raw());
  return result;
}

ConstantPtr constant_bytes(DType dtype, Shape shape, Bytes data) {
  uint64_t need = static_cast<uint64_t>(count_of(shape)) * size_of(dtype);
  if (size_of(dtype) == 0) fail("a constant of type {} has no bytes", name_of(dtype));
  if (data.size() != need)
    fail("a constant {}{} needs {} bytes but has {}", name_of(dtype), text_of(shape), need, data.size());
  return std::make_shared<BytesConstant>(dtype, std::move(shape), std::move(data));
}

ConstantPtr constant_packed(DType dtype, Shape shape, Bytes data) {
  int each = 8 / bits_of(dtype);
  uint64_t need = (static_cast<uint64_t>(count_of(shape)) + each - 1) / each;
  if (data.size() != need)
    fail("a constant {}{} needs {} bytes but has {}", name_of(dtype), text_of(shape), need, data.size());
  return std::make_shared<PackedConstant>(dtype, std::move(shape), std::move(data));
}

ConstantPtr constant_tensor(Tensor tensor) {
  if (tensor.dtype() == DType::string) return constant_strings(tensor.shape(), tensor.strings());
  return constant_bytes(tensor.dtype(), tensor.shape(), tensor.bytes());
}

ConstantPtr constant_strings(Shape shape, std::vector<std::string> strings) {
  if (count_of(shape) != static_cast<int64_t>(strings.size()))
    fail("a constant string{} has {} elements", text_of(shape), strings.size());
  return std::make_shared<StringsConstant>(
      std::move(shape), std::make_shared<const std::vector<std::string>>(std::move(strings)));
}

ConstantPtr constant_sparse(Shape shape, const ConstantPtr& values, std::vector<int64_t> places) {
  const DType dtype = values->dtype();
  if (dtype == DType::string) fail("strings cannot be sparse");
  std::vector<size_t> order(places.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return places[a] < places[b]; });
  const Tensor given = values->tensor();
  Tensor sorted(dtype, {static_cast<int64_t>(order.size())});
  std::vector<int64_t> rising;
  const size_t size = size_of(dtype);
  for (size_t i = 0; i < order.size(); ++i) {
    if (i > 0 && places[order[i]] == rising.back()) fail("the index {} stands there twice", rising.back());
    rising.push_back(places[order[i]]);
    std::memcpy(sorted.to<uint8_t>() + i * size, given.as<uint8_t>() + order[i] * size, size);
  }
  return std::make_shared<SparseConstant>(std::move(shape), std::move(sorted), std::move(rising));
}

ConstantPtr constant_splat(DType dtype, Shape shape, double value) {
  if (dtype == DType::unknown) fail_untyped("the element type of its input is not known");
  if (size_of(dtype) == 0) fail("a constant of type {} has no bytes", name_of(dtype));
  alignas(16) uint8_t element[16] = {};
  convert_elements(DType::f64, &value, dtype, element, 1);
  return std::make_shared<SplatConstant>(dtype, std::move(shape), element);
}

ConstantPtr constant_splat_of(const Tensor& element, Shape shape) {
  return std::make_shared<SplatConstant>(element.dtype(), std::move(shape), element.raw());
}

ConstantPtr constant_ints(const std::vector<int64_t>& values) {
  return constant_tensor(Tensor::of_ints(values));
}

ConstantPtr constant_cast(ConstantPtr base, DType to, Overflow overflow) {
  if (base->dtype() == to) return base;
  if (const void* element = base->splat()) {
    alignas(16) uint8_t converted[16] = {};
    convert_elements(base->dtype(), element, to, converted, 1, overflow);
    return std::make_shared<SplatConstant>(to, base->shape(), converted);
  }
  return std::make_shared<CastConstant>(std::move(base), to, overflow);
}

ConstantPtr constant_concat(std::vector<ConstantPtr> parts, int64_t axis) {
  Shape shape = parts[0]->shape();
  shape[axis] = 0;
  for (const auto& part : parts) shape[axis] += part->shape()[axis];
  if (parts.size() == 1) return parts[0];
  if (parts[0]->dtype() == DType::string) {
    fail("strings are not joined lazily");
  }
  return std::make_shared<ConcatConstant>(std::move(parts), axis, std::move(shape));
}

ConstantPtr uncast(const Constant& constant) {
  const auto* cast = dynamic_cast<const CastConstant*>(&constant);
  return cast ? cast->base() : nullptr;
}

void for_each_block(const Constant& constant, const std::function<void(const void*, int64_t)>& use) {
  Bytes whole = constant.plain();
  if (whole.data()) return use(whole.data(), constant.count());
  int64_t step = std::max<int64_t>(1, block_bytes / static_cast<int64_t>(size_of(constant.dtype())));
  // Whole lines a block let a transposed view read tiles.
  if (!constant.shape().empty() && constant.shape().back() > 0) {
    int64_t row = constant.shape().back();
    step = std::min<int64_t>(std::max(step / row, int64_t{64}) * row, 8 * step);
  }
  std::vector<uint8_t> block(std::min(step, constant.count()) * size_of(constant.dtype()));
  for (int64_t first = 0; first < constant.count(); first += step) {
    int64_t count = std::min(step, constant.count() - first);
    constant.read(first, count, block.data());
    use(block.data(), count);
  }
}

std::optional<double> splat_value(const Constant& constant, int64_t limit) {
  if (constant.count() == 0 || constant.dtype() == DType::string || is_complex(constant.dtype()))
    return std::nullopt;
  double value;
  if (const void* element = constant.splat()) {
    convert_elements(constant.dtype(), element, DType::f64, &value, 1);
    return value;
  }
  if (constant.count() > limit) return std::nullopt;
  Tensor all = constant.tensor();
  size_t size = size_of(constant.dtype());
  const auto* bytes = all.as<uint8_t>();
  for (int64_t i = 1; i < all.count(); ++i)
    if (std::memcmp(bytes, bytes + i * size, size) != 0) return std::nullopt;
  convert_elements(constant.dtype(), bytes, DType::f64, &value, 1);
  return value;
}

}  // namespace remodel
