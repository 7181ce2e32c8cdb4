#include "run/lockstep.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <numeric>
#include <optional>
#include <thread>
#include <unordered_map>
#include <unordered_set>

#include "ir/constant.h"
#include "run/compare.h"
#include "run/runner.h"

namespace remodel {
namespace {

struct Stop {};

// Runs a graph in a thread of its own, which waits while nobody asks for more.
class Stepper {
 public:
  Stepper(const Graph& graph, std::vector<Datum> inputs, std::unordered_set<ValueId> wanted, Pool& pool)
      : wanted_(std::move(wanted)) {
    thread_ = std::thread(
        [this, &graph, inputs = std::move(inputs), &pool]() mutable { work(graph, inputs, pool); });
  }
  ~Stepper() {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }

  // Lets the run go on until the value is there; null where it never comes.
  const Datum* until(ValueId value) {
    std::unique_lock lock(mutex_);
    if (auto place = found_.find(value); place != found_.end()) return &place->second;
    target_ = value;
    wake_.notify_all();
    wake_.wait(lock, [&] { return done_ || target_ == absent; });
    auto place = found_.find(value);
    return place == found_.end() ? nullptr : &place->second;
  }
  void drop(ValueId value) {
    std::lock_guard lock(mutex_);
    found_.erase(value);
  }

 private:
  void work(const Graph& graph, std::vector<Datum>& inputs, Pool& pool) {
    RunOptions options;
    options.observe = [&](const Graph& of, ValueId value, Datum& datum) {
      if (&of == &graph && wanted_.count(value)) give(value, datum);
    };
    try {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return stop_ || target_ != absent; });
      bool stopped = stop_;
      lock.unlock();
      if (!stopped) Runner(pool, options).run(graph, std::move(inputs));
    } catch (const Stop&) {
    } catch (const std::exception&) {
      // The run on its own went well before; whatever is missing is not compared.
    }
    std::lock_guard lock(mutex_);
    done_ = true;
    wake_.notify_all();
  }
  void give(ValueId value, const Datum& datum) {
    std::unique_lock lock(mutex_);
    found_[value] = datum;
    if (value == target_) {
      target_ = absent;
      wake_.notify_all();
    }
    wake_.wait(lock, [&] { return stop_ || target_ != absent; });
    if (stop_) throw Stop{};
  }

  std::unordered_set<ValueId> wanted_;
  std::unordered_map<ValueId, Datum> found_;
  std::mutex mutex_;
  std::condition_variable wake_;
  ValueId target_ = absent;  // what the other side waits for
  bool stop_ = false, done_ = false;
  std::thread thread_;
};

// Values that nodes compute, by a name that only one of them has.
std::unordered_map<std::string, ValueId> by_name(const Graph& graph) {
  std::unordered_map<std::string, ValueId> found;
  for (NodeId id : graph.order())
    for (ValueId output : graph.node(id).outputs) {
      if (output == absent || graph.value(output).name.empty()) continue;
      auto [place, added] = found.emplace(graph.value(output).name, output);
      if (!added) place->second = absent;
    }
  return found;
}

// The first result of the last node that stands for one source layer alone, by the layer's name.
std::unordered_map<std::string, ValueId> by_origin(const Graph& graph) {
  std::unordered_map<std::string, ValueId> found;
  for (NodeId id : graph.order()) {
    const Node& node = graph.node(id);
    if (node.origin.size() == 1 && !node.outputs.empty() && node.outputs[0] != absent)
      found[node.origin[0]] = node.outputs[0];
  }
  return found;
}

// For values of the second graph those of the first that they stand for.
std::unordered_map<ValueId, ValueId> match(const Graph& first, const Graph& second) {
  std::unordered_map<ValueId, ValueId> pairs;
  std::unordered_set<ValueId> taken;
  auto add = [&](ValueId from_second, ValueId from_first) {
    if (from_first == absent || from_second == absent || pairs.count(from_second)) return;
    if (!first.producer(from_first) || !second.producer(from_second) || !taken.insert(from_first).second)
      return;
    pairs.emplace(from_second, from_first);
  };
  for (const Port& port : second.outputs)
    for (const Port& other : first.outputs)
      if (port.name == other.name) add(port.value, other.value);
  auto names = by_name(first);
  for (const auto& [name, value] : by_name(second))
    if (auto place = names.find(name); place != names.end()) add(value, place->second);
  auto origins = by_origin(first);
  for (const auto& [name, value] : by_origin(second))
    if (auto place = origins.find(name); place != origins.end()) add(value, place->second);
  return pairs;
}

bool same_form(const Datum& a, const Datum& b) {
  if (a.kind != b.kind) return false;
  if (!a.is_tensor()) return true;
  const Shape &x = a.tensor.shape(), &y = b.tensor.shape();
  // The same sizes in another order are another layout of the value.
  return a.tensor.dtype() == b.tensor.dtype() && x.size() == y.size() &&
         (x == y || !std::is_permutation(x.begin(), x.end(), y.begin()));
}

Shape without_ones(Shape shape) {
  shape.erase(std::remove(shape.begin(), shape.end(), 1), shape.end());
  return shape;
}

// The reference as the result may hold it: bytes with or without a sign, channels last or first, axes of size
// 1 more or less. Null where it is none of these.
std::optional<Tensor> in_form_of(const Datum& result, const Datum& reference) {
  if (!reference.is_tensor() || !result.is_tensor()) return std::nullopt;
  const DType from = reference.tensor.dtype(), to = result.tensor.dtype();
  Tensor tensor = reference.tensor;
  if ((from == DType::u8 && to == DType::i8) || (from == DType::i8 && to == DType::u8)) {
    tensor = Tensor(to, reference.tensor.shape());
    const uint8_t* bytes = reference.tensor.as<uint8_t>();
    std::transform(bytes, bytes + tensor.count(), tensor.to<uint8_t>(), [](uint8_t b) { return b ^ 0x80; });
  } else if (from != to || from == DType::string) {
    return std::nullopt;
  }
  const Shape &x = tensor.shape(), &y = result.tensor.shape();
  if (x == y) return tensor;
  if (x.size() == y.size() && x.size() > 2) {
    Shape last = x, first = x;
    std::rotate(last.begin() + 1, last.begin() + 2, last.end());
    std::rotate(first.begin() + 1, first.end() - 1, first.end());
    std::vector<int64_t> perm(x.size());
    std::iota(perm.begin(), perm.end(), 0);
    if (y == last)
      std::rotate(perm.begin() + 1, perm.begin() + 2, perm.end());
    else if (y == first)
      std::rotate(perm.begin() + 1, perm.end() - 1, perm.end());
    if (y == last || y == first) return constant_tensor(tensor)->permuted(perm)->tensor();
  }
  if (without_ones(x) == without_ones(y)) return tensor.reshaped(y);
  return std::nullopt;
}

std::string layer_of(const Graph& graph, ValueId value) {
  const Node& node = *graph.producer(value);
  return node.origin.empty() ? graph.value(value).name : node.origin.back();
}

int64_t axis_of(const Node& node) {
  const Field* field = node.op.info().find("axis");
  return field && field->kind == FieldKind::axis ? field_as<int64_t>(node.op.data(), *field) : 0;
}

// Ops that choose indices by the size of their operand 0.
bool chooses(const Node& node) {
  return node.op.name() == "arg_max" || node.op.name() == "arg_min" || node.op.name() == "top_k";
}

}  // namespace

LockstepResult run_in_lockstep(const Graph& first, std::vector<Datum> first_inputs, const Graph& second,
                               std::vector<Datum> second_inputs, double tolerance, Pool& pool) {
  std::unordered_map<ValueId, ValueId> pairs = match(first, second);
  std::unordered_set<ValueId> wanted, kept;
  for (const auto& [mine, other] : pairs) {
    wanted.insert(other);
    // What a choice was made from tells whether another choice is a tie.
    const Node& node = *first.producer(other);
    if (chooses(node) && node.has(0)) kept.insert(node.inputs[0]);
  }
  wanted.insert(kept.begin(), kept.end());
  LockstepResult found;
  Stepper stepper(first, std::move(first_inputs), wanted, pool);
  auto tied = [&](ValueId value, const Tensor& reference, const Tensor& result) {
    const Node& node = *first.producer(value);
    if (node.op.name() == "quantize" || node.op.name() == "dynamic_quantize")
      return within_one_step(reference, result);
    if (!chooses(node) || !is_integer(reference.dtype())) return false;
    const Datum* scores = stepper.until(node.inputs[0]);
    return scores && scores->is_tensor() &&
           nearly_tied(scores->tensor, axis_of(node), reference, result, tolerance);
  };
  RunOptions options;
  options.observe = [&](const Graph& of, ValueId value, Datum& datum) {
    if (&of != &second) return;
    auto pair = pairs.find(value);
    if (pair == pairs.end()) return;
    const Datum* reference = stepper.until(pair->second);
    if (!reference) return;
    if (!same_form(*reference, datum) ||
        (datum.is_tensor() && datum.tensor.shape() != reference->tensor.shape())) {
      // Held in another form it is not known to be the same value, but where it is, the second goes on with
      // it.
      const std::optional<Tensor> same = in_form_of(datum, *reference);
      if (same && (compare(*same, datum, tolerance).equal || tied(pair->second, *same, datum.tensor))) {
        ++found.compared;
        datum = *same;
        return;
      }
      if (!same_form(*reference, datum)) return;
    }
    Comparison comparison = compare(*reference, datum, tolerance);
    ++found.compared;
    if (!comparison.equal) {
      bool tie = datum.is_tensor() && reference->tensor.shape() == datum.tensor.shape() &&
                 tied(pair->second, reference->tensor, datum.tensor);
      if (!tie) {
        found.layer = layer_of(first, pair->second);
        found.difference = comparison.difference;
        throw Stop{};
      }
      ++found.ties;
    }
    datum = *reference;
    if (!kept.count(pair->second)) stepper.drop(pair->second);
  };
  try {
    Runner(pool, options).run(second, std::move(second_inputs));
  } catch (const Stop&) {
  }
  return found;
}

}  // namespace remodel
