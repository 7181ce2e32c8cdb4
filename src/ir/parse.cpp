#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <unordered_map>

#include "base/error.h"
#include "ir/infer.h"
#include "ir/symbols.h"
#include "ir/text.h"

namespace remodel {
namespace {

class Parser {
 public:
  Parser(std::string_view text, FindOp find_op) : text_(text), find_op_(find_op) {}

  GraphPtr whole() {
    GraphPtr result = graph(nullptr);
    skip();
    if (at_ != text_.size()) wrong("nothing more");
    return result;
  }
  Model whole_model() {
    while (peek() != '\0') {
      if (at_word("graph")) {
        model_.graphs.push_back(graph(nullptr));
        continue;
      }
      bool is_state = at_word("state") && eat("state");
      std::string name = word();
      need(":");
      Type its_type = type();
      need("=");
      ConstantPtr its_value = constant(its_type);
      if (is_state)
        model_.states.push_back({name, its_type, its_value});
      else
        shared_[name] = its_value;
    }
    if (model_.graphs.empty()) wrong("a graph");
    return std::move(model_);
  }
  int line() const { return 1 + static_cast<int>(std::count(text_.begin(), text_.begin() + at_, '\n')); }

 private:
  using Names = std::unordered_map<std::string, ValueId>;

  void skip() {
    while (at_ < text_.size()) {
      if (std::isspace(static_cast<unsigned char>(text_[at_])))
        ++at_;
      else if (text_.substr(at_, 2) == "//")
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      else
        break;
    }
  }
  char peek() {
    skip();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool eat(std::string_view token) {
    skip();
    if (text_.substr(at_, token.size()) != token) return false;
    at_ += token.size();
    return true;
  }
  // Whether the next word is this one, and names nothing.
  bool at_word(std::string_view name) {
    skip();
    std::string_view rest = text_.substr(at_);
    if (!rest.starts_with(name)) return false;
    rest.remove_prefix(name.size());
    size_t next = rest.find_first_not_of(" \n\t");
    return next != 0 && next != std::string_view::npos && rest[next] != ':' && rest[next] != '=';
  }
  void need(std::string_view token) {
    if (!eat(token)) wrong("'" + std::string(token) + "'");
  }
  [[noreturn]] void wrong(const std::string& expected) {
    skip();
    fail("expected {} at '{}'", expected, text_.substr(at_, 20));
  }
  static bool word_char(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '/';
  }
  std::string quoted() {
    need("\"");
    std::string result;
    for (; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
        ++at_;
        result += text_[at_] == 'n' ? '\n' : text_[at_];
      } else {
        result += text_[at_];
      }
    }
    need("\"");
    return result;
  }
  std::string word() {
    if (peek() == '"') return quoted();
    size_t start = at_;
    while (at_ < text_.size() && word_char(text_[at_])) ++at_;
    if (at_ == start) wrong("a name");
    return std::string(text_.substr(start, at_ - start));
  }
  double real() {
    skip();
    double sign = eat("-") ? -1 : 1;
    if (eat("inf")) return sign * std::numeric_limits<double>::infinity();
    if (eat("nan")) return std::numeric_limits<double>::quiet_NaN();
    double value = 0;
    auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (error != std::errc()) wrong("a number");
    at_ = end - text_.data();
    return sign * value;
  }
  int64_t integer() {
    skip();
    int64_t value = 0;
    auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (error != std::errc()) wrong("an integer");
    at_ = end - text_.data();
    return value;
  }
  // A size ends at a comma or bracket outside parentheses.
  Dim dim() {
    skip();
    size_t start = at_;
    int depth = 0;
    for (bool in_quotes = false; at_ < text_.size(); ++at_) {
      char c = text_[at_];
      if (c == '\'') in_quotes = !in_quotes;
      if (in_quotes) continue;
      if (c == '(') ++depth;
      if (c == ')' && --depth < 0) break;
      if (depth == 0 && (c == ',' || c == ']' || c == '}')) break;
    }
    return parse_dim(text_.substr(start, at_ - start));
  }
  template <class F>
  void list(F each) {
    need("[");
    if (eat("]")) return;
    do each();
    while (eat(","));
    need("]");
  }
  Dims dims() {
    Dims result;
    list([&] { result.push_back(dim()); });
    return result;
  }
  Type type() {
    if (eat("list(")) {
      size_t start = at_;
      std::string name = eat("?") ? "?" : word();
      if (auto dtype = parse_dtype(name); dtype && eat(")")) return Type::empty_list(*dtype);
      at_ = start;
      Type element = type();
      need(")");
      return Type::list_of(element);
    }
    if (eat("optional(")) {
      Type element = type();
      need(")");
      return Type::optional_of(element);
    }
    std::string name = eat("?") ? "?" : word();
    auto dtype = parse_dtype(name);
    if (!dtype) fail("'{}' is no element type", name);
    Type result(*dtype);
    if (!eat("[?]")) result.dims = dims();
    if (eat("on (")) result.grid = grid();
    return result;
  }
  std::shared_ptr<const Grid> grid() {
    Grid result;
    result.scale = typed_constant();
    need(",");
    result.zero = typed_constant();
    if (eat(", axis:")) result.axis = integer();
    if (eat(", block:")) result.block = integer();
    need(")");
    return std::make_shared<const Grid>(std::move(result));
  }
  ConstantPtr typed_constant() {
    if (eat("none")) return nullptr;
    Type its_type = type();
    return constant(its_type);
  }

  ConstantPtr constant(const Type& type) {
    auto shape = type.dims ? numbers(*type.dims) : std::nullopt;
    if (!shape) fail("a constant needs a type with known sizes");
    if (eat("splat")) return constant_splat(type.dtype, *shape, real());
    if (eat("random")) return random(type.dtype, *shape, static_cast<uint64_t>(integer()));
    need("const");
    if (type.dtype == DType::string) {
      std::vector<std::string> strings;
      list([&] { strings.push_back(quoted()); });
      return constant_strings(*shape, strings);
    }
    if (is_float(type.dtype)) {
      std::vector<double> values;
      list([&] { values.push_back(real()); });
      return elements(type.dtype, *shape, DType::f64, values.data(), values.size());
    }
    std::vector<int64_t> values;
    list([&] { values.push_back(integer()); });
    return elements(type.dtype, *shape, DType::i64, values.data(), values.size());
  }
  ConstantPtr elements(DType dtype, const Shape& shape, DType from, const void* values, size_t count) {
    if (static_cast<int64_t>(count) != count_of(shape))
      fail("{} elements for shape {}", count, text_of(shape));
    Tensor tensor(dtype, shape);
    convert_elements(from, values, dtype, tensor.raw(), static_cast<int64_t>(count));
    return constant_tensor(tensor);
  }
  ConstantPtr random(DType dtype, const Shape& shape, uint64_t state) {
    std::vector<double> values(count_of(shape));
    for (double& value : values) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      uint64_t bits = state >> 40;
      value = is_float(dtype) ? static_cast<double>(bits) / (1 << 23) - 1 : static_cast<double>(bits % 10);
    }
    return elements(dtype, shape, DType::f64, values.data(), values.size());
  }

  void field(void* op, const Field& field, const Graph& around) {
    switch (field.kind) {
      case FieldKind::integer:
      case FieldKind::axis:
        field_as<int64_t>(op, field) = integer();
        return;
      case FieldKind::real:
        field_as<double>(op, field) = real();
        return;
      case FieldKind::truth:
        field_as<bool>(op, field) = truth();
        return;
      case FieldKind::text:
        field_as<std::string>(op, field) = quoted();
        return;
      case FieldKind::choice: {
        std::string name = word();
        for (size_t i = 0; i < field.choices.size(); ++i)
          if (field.choices[i] == name) {
            field_as<uint8_t>(op, field) = static_cast<uint8_t>(i);
            return;
          }
        fail("'{}' is no choice of '{}'", name, field.name);
      }
      case FieldKind::dtype: {
        std::string name = eat("?") ? "?" : word();
        auto dtype = parse_dtype(name);
        if (!dtype) fail("'{}' is no element type", name);
        field_as<DType>(op, field) = *dtype;
        return;
      }
      case FieldKind::axes:
      case FieldKind::integers: {
        auto& to = field_as<std::vector<int64_t>>(op, field);
        to.clear();
        return list([&] { to.push_back(integer()); });
      }
      case FieldKind::reals: {
        auto& to = field_as<std::vector<double>>(op, field);
        to.clear();
        return list([&] { to.push_back(real()); });
      }
      case FieldKind::texts: {
        auto& to = field_as<std::vector<std::string>>(op, field);
        to.clear();
        return list([&] { to.push_back(quoted()); });
      }
      case FieldKind::dim:
        field_as<Dim>(op, field) = dim();
        return;
      case FieldKind::dims:
        field_as<Dims>(op, field) = dims();
        return;
      case FieldKind::graph:
        field_as<GraphPtr>(op, field) = graph(&around);
        return;
      case FieldKind::constant:
        field_as<ConstantPtr>(op, field) = typed_constant();
        return;
      case FieldKind::type:
        field_as<Type>(op, field) = type();
        return;
    }
  }
  bool truth() {
    if (eat("true")) return true;
    need("false");
    return false;
  }

  ValueId operand(Graph& graph, Names& names) {
    std::string name = word();
    return name == "_" ? absent : value(graph, names, name);
  }
  ValueId value(Graph& graph, Names& names, const std::string& name) {
    if (auto place = names.find(name); place != names.end()) return place->second;
    auto place = shared_.find(name);
    if (place == shared_.end()) fail("'{}' is not defined", name);
    return names[name] = graph.add_constant(place->second, name);
  }
  // The model's slot that a port belongs to.
  int32_t state() {
    if (!at_word("state")) return absent;
    need("state");
    std::string name = word();
    for (size_t i = 0; i < model_.states.size(); ++i)
      if (model_.states[i].name == name) return static_cast<int32_t>(i);
    fail("there is no state '{}'", name);
  }

  GraphPtr graph(const Graph* around) {
    auto result = std::make_shared<Graph>();
    if (around)
      result->share_symbols(*around);
    else
      pass_made_up_names(*result);
    Names names;
    need("graph");
    result->name = word();
    need("(");
    if (!eat(")")) {
      do {
        std::string name = word();
        need(":");
        names[name] = result->add_input(name, type());
        result->inputs.back().state = state();
      } while (eat(","));
      need(")");
    }
    need("{");
    while (!eat("return ")) statement(*result, names);
    if (peek() != '}') {
      do {
        std::string outside = word(), inside = outside;
        if (eat(":")) inside = word();
        ValueId given = value(*result, names, inside);
        result->outputs.push_back({outside, given, state()});
      } while (eat(","));
    }
    need("}");
    return result;
  }

  void statement(Graph& graph, Names& names) {
    std::vector<std::string> results;
    std::vector<std::optional<Type>> types;
    do {
      results.push_back(word());
      types.push_back(eat(":") ? std::optional(type()) : std::nullopt);
    } while (eat(","));
    need("=");
    skip();
    std::string_view rest = text_.substr(at_);
    if (rest.starts_with("const ") || rest.starts_with("splat ") || rest.starts_with("random ")) {
      if (!types[0]) fail("constant '{}' needs a type", results[0]);
      names[results[0]] = graph.add_constant(constant(*types[0]), results[0]);
      return;
    }
    std::string op_name = word();
    const OpInfo* info = find_op_(op_name);
    if (!info) fail("there is no op '{}'", op_name);
    std::vector<ValueId> operands;
    need("(");
    if (!eat(")")) {
      do operands.push_back(operand(graph, names));
      while (eat(","));
      need(")");
    }
    std::shared_ptr<void> op = info->make(nullptr);
    if (eat("{")) {
      do {
        std::string name = word();
        need(":");
        const Field* found = info->find(name);
        if (!found) fail("op '{}' has no field '{}'", op_name, name);
        field(op.get(), *found, graph);
      } while (eat(","));
      need("}");
    }
    Origin origin;
    if (eat("#"))
      while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '"')) {
        if (text_[at_] == '"')
          origin.push_back(quoted());
        else
          ++at_;
      }
    std::vector<std::string> value_names = results;
    NodeId id = graph.add_node(Op(*info, op), operands, value_names, origin);
    for (size_t k = 0; k < results.size(); ++k) {
      ValueId value = graph.node(id).outputs[k];
      if (results[k] == "_") {
        graph.value(value).producer = absent;
        graph.node(id).outputs[k] = absent;
        continue;
      }
      if (types[k]) {
        const Type inferred = graph.value(value).type;
        if (inferred.kind != types[k]->kind || inferred.dtype != types[k]->dtype ||
            !dims_agree(inferred, *types[k]))
          fail("'{}' is {}, not {}", results[k], inferred.text(), types[k]->text());
        take_names(graph, inferred, *types[k]);
        if (types[k]->grid && !same_grid(inferred, *types[k])) fail("'{}' lies on another grid", results[k]);
      }
      names[results[k]] = value;
    }
  }
  // Sizes that only running finds out have made-up names: the text's own are taken over.
  static void take_names(Graph& graph, const Type& inferred, const Type& given) {
    std::map<std::string, Dim, std::less<>> names;
    for (size_t i = 0; inferred.dims && i < inferred.dims->size(); ++i)
      if (!((*inferred.dims)[i] == (*given.dims)[i]))
        names.emplace((*inferred.dims)[i].symbol_name(), (*given.dims)[i]);
    if (!names.empty()) substitute(graph, names);
  }
  // So that no name that inference makes up stands in the text for something else.
  void pass_made_up_names(Graph& graph) const {
    int64_t most = 0;
    for (size_t at = text_.find('_'); at != std::string_view::npos; at = text_.find('_', at + 1)) {
      int64_t number = 0;
      std::from_chars(text_.data() + at + 1, text_.data() + text_.size(), number);
      if ((at == 0 || !word_char(text_[at - 1])) && number < 1 << 20) most = std::max(most, number);
    }
    for (int64_t i = 0; i < most; ++i) graph.fresh_symbol();
  }
  static bool dims_agree(const Type& inferred, const Type& given) {
    if (inferred.dims.has_value() != given.dims.has_value()) return false;
    if (!inferred.dims) return true;
    if (inferred.dims->size() != given.dims->size()) return false;
    for (size_t i = 0; i < inferred.dims->size(); ++i) {
      std::string_view made_up = (*inferred.dims)[i].symbol_name(), name = (*given.dims)[i].symbol_name();
      bool both_made_up = !made_up.empty() && made_up[0] == '_' && !name.empty() && name[0] == '_';
      if (!both_made_up && !((*inferred.dims)[i] == (*given.dims)[i])) return false;
    }
    return true;
  }

  std::string_view text_;
  FindOp find_op_;
  size_t at_ = 0;
  Model model_;
  std::unordered_map<std::string, ConstantPtr> shared_;
};

}  // namespace

namespace {
template <class F>
auto with_line(std::string_view text, FindOp find_op, F parse) {
  Parser parser(text, find_op);
  try {
    return parse(parser);
  } catch (Error& error) {
    throw error.at(fmt::format("line {}", parser.line()));
  }
}
}  // namespace

GraphPtr parse_graph(std::string_view text, FindOp find_op) {
  return with_line(text, find_op, [](Parser& parser) { return parser.whole(); });
}

Model parse_model(std::string_view text, FindOp find_op) {
  return with_line(text, find_op, [](Parser& parser) { return parser.whole_model(); });
}

}  // namespace remodel
