// A format as the program sees it: what reads its files, and what says a model in its operators.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/sink.h"
#include "formats/request.h"
#include "ir/graph.h"
#include "passes/layout/layout.h"

namespace remodel {

// How often each operator of a file occurs: "Conv", "com.microsoft.Gelu".
using OperatorCounts = std::map<std::string, int64_t>;

// The bytes of a model's main file, and of those that it refers to by name.
struct SourceFiles {
  Bytes main;
  std::function<Bytes(const std::string& name)> open;
};

struct ReadResult {
  Model model;
  std::vector<Error> problems;  // all that could not be read; the model is whole where there are none
  OperatorCounts operators;     // of the file
  int64_t version = 0;          // of the format's operator set, as the file declares it
};

// Operators beyond those that every runtime of the format has.
struct CustomOperators {
  bool any = false;
  std::set<std::string, std::less<>> names;  // otherwise these
  bool allow(std::string_view name) const { return any || names.count(name); }
};

struct WriteTarget {
  int64_t version = 0;         // of the format's operator set
  bool external_data = false;  // weights in a file of their own where the format has such
  LayoutWishes layout = {};
  CustomOperators custom = {};
};

// A model said in the operators of a format: all of a file but its bytes.
class Draft {
 public:
  virtual ~Draft() = default;
  virtual OperatorCounts operators() const = 0;
  // What a user should know of it: what the format has no place for.
  virtual std::vector<std::string> notes() const { return {}; }
  // Of the main file, with all weights in it.
  virtual uint64_t size() const = 0;

  struct File {
    std::string name;  // beside the main one
    std::function<void(Sink&)> write;
  };
  // The files to write, those that others refer to before these: the main one, which is called `name`, is the
  // last. They refer to the draft.
  virtual std::vector<File> files(const std::string& name) const = 0;
};

// What a format's table says of its operators and of our ops.
struct Support {
  struct Operator {
    std::string domain, type;
    std::set<int> read;         // at these versions
    std::set<std::string> ops;  // that it stands for
    std::string refusal;        // it is known, and why it is not supported
  };
  std::vector<Operator> operators;
  // The versions at which an op has a row of its own; at others it is taken apart or refused.
  std::map<std::string, std::set<int>> written;
};

// The operator sets that a format can be written at. Without a name there is but one.
struct WrittenVersions {
  std::string_view name;  // as users call it: "opset"
  int64_t lowest = 1, usual = 1, highest = 1;
};

class Format {
 public:
  virtual ~Format() = default;
  virtual WrittenVersions versions() const = 0;

  virtual ReadResult read(const SourceFiles& files, const ReadRequest& request) const = 0;
  // Why the target's table has no row for the node, as it stands; empty where it has one.
  virtual std::string cannot_write(const Graph& graph, const Node& node, const WriteTarget& target) const = 0;
  // Problems, one a node that cannot be said, are added to `problems`. The draft shares the model's
  // constants.
  virtual std::unique_ptr<Draft> write(const Model& model, const WriteTarget& target,
                                       std::vector<Error>& problems) const = 0;
  virtual Support support() const = 0;

  // What the file is called that holds the weights of a model in the file `name`, where they are in one of
  // their own; empty where there are none such.
  virtual std::string data_name(const std::string&) const { return ""; }
  // Opens what the main file refers to, and reads no more than that takes.
  virtual void open_others(const SourceFiles&) const {}

  // How its runtime rounds what it computes on integers.
  virtual Arithmetic arithmetic() const { return Arithmetic::real; }

  // How its tensors are laid out before a model is written; nothing where they stay as they are.
  virtual std::optional<LayoutTarget> layout() const { return std::nullopt; }
};

}  // namespace remodel
