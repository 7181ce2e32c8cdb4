// Kernels: how each op computes, in one table by op.
#pragma once

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "base/pool.h"
#include "ir/graph.h"
#include "ir/tensor.h"

namespace remodel {

// One node's call: operands in, results out.
class Call {
 public:
  using RunBody = std::function<std::vector<Datum>(const Graph&, std::vector<Datum>)>;
  Call(const Node& node, std::vector<Datum> operands, const Dim::Lookup& lookup, const RunBody& run_body,
       Pool& pool)
      : pool(pool),
        node_(node),
        operands_(std::move(operands)),
        results_(node.outputs.size()),
        lookup_(lookup),
        run_body_(run_body) {}

  template <class T>
  const T& op() const {
    return *node_.op.as<T>();
  }
  size_t count() const { return operands_.size(); }
  bool has(size_t i) const { return node_.has(i); }
  const Datum& datum(size_t i) const;
  const Tensor& in(size_t i) const;  // refuses what is no tensor

  size_t outputs() const { return results_.size(); }
  bool wants(size_t k) const { return k < node_.outputs.size() && node_.outputs[k] != absent; }
  // A new tensor for result k, to be filled.
  Tensor& out(size_t k, DType dtype, Shape shape);
  void set(size_t k, Datum result) {
    if (k < results_.size()) results_[k] = std::move(result);
  }

  // Attributes made of sizes, under the sizes of this run.
  int64_t size(const Dim& dim) const;
  std::optional<int64_t> known_size(const Dim& dim) const { return dim.evaluate(lookup_); }
  Shape sizes(const Dims& dims) const;
  // The operand's integers where one is given, otherwise the attribute's.
  Shape sizes_or(size_t i, const Dims& field) const { return has(i) ? in(i).ints() : sizes(field); }

  std::vector<Datum> run(const Graph& body, std::vector<Datum> inputs) const {
    return run_body_(body, std::move(inputs));
  }
  std::vector<Datum>& results() { return results_; }
  const Node& node() const { return node_; }

  Pool& pool;
  // The results end up in files: the same bits on every CPU are worth more than speed.
  bool portable = false;
  Arithmetic arithmetic = Arithmetic::real;

 private:
  friend class Runner;
  const Node& node_;
  std::vector<Datum> operands_, results_;
  const Dim::Lookup& lookup_;
  const RunBody& run_body_;
};

using KernelFn = void (*)(Call&);

enum class Halves : uint8_t {
  widen,  // small floats reach the kernel as f32; f32 results are rounded to the type that inference gave
  keep,   // the kernel takes every type as it is (it moves data, or converts by itself)
};

class Kernels {
 public:
  template <class T>
  void add(KernelFn run, Halves halves = Halves::widen) {
    table_[&info_of<T>()] = {run, halves};
  }
  struct Kernel {
    KernelFn run;
    Halves halves;
  };
  const Kernel* find(const OpInfo& op) const {
    auto place = table_.find(&op);
    return place == table_.end() ? nullptr : &place->second;
  }
  // The op with this name, among those that have a kernel.
  const OpInfo* find_op(std::string_view name) const;

 private:
  std::unordered_map<const OpInfo*, Kernel> table_;
};

// All kernels there are.
const Kernels& all_kernels();
// As the parser of IR text wants it.
const OpInfo* find_op(std::string_view name);

}  // namespace remodel
