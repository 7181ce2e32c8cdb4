#include "run/input_sizes.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "base/error.h"
#include "run/cost.h"

namespace remodel {
namespace {

enum class Axis { batch, channels, spatial, past, other };

struct Symbol {
  std::string name;
  Axis axis = Axis::other;
  std::string group;  // unnamed sizes of one group are taken to be equal
};

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}
bool has_word(const std::string& name, std::initializer_list<const char*> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](const char* word) { return name.find(word) != name.npos; });
}
// What readers call a size that the file leaves unnamed.
bool unnamed(const std::string& name) { return !name.empty() && name[0] == '_'; }

Axis axis_of(const std::string& symbol, size_t axis, const Dims& dims) {
  std::string name = lower(symbol);
  if (!unnamed(symbol)) {
    if (has_word(name, {"past", "cache"})) return Axis::past;
    if (has_word(name, {"batch"}) || name == "n" || name == "b" || name == "bs") return Axis::batch;
    if (has_word(name, {"height", "width"}) || name == "h" || name == "w") return Axis::spatial;
    if (has_word(name, {"channel"}) || name == "c") return Axis::channels;
    if (has_word(name, {"seq", "len", "time", "frame"})) return Axis::other;
  }
  if (axis == 0 && dims.size() >= 2) return Axis::batch;
  if (dims.size() == 4 || dims.size() == 5) {
    const Dim &second = dims[1], &last = dims.back();
    bool channels_last = last.is_number() && last.number() <= 4 && !second.is_number();
    size_t channels = channels_last ? dims.size() - 1 : 1;
    // Keys and values of attention, [batch, heads, time, size of a head].
    bool heads = dims.size() == 4 && second.is_number() && last.is_number() && !dims[2].is_number();
    if (heads && !channels_last) return Axis::past;
    return axis == channels ? Axis::channels : Axis::spatial;
  }
  return Axis::other;
}

// SizeMap to try, the likeliest first: small ones, and those that exports are commonly made for.
const std::vector<int64_t>& preferences(Axis axis) {
  static const std::vector<int64_t> channels{3, 1, 4, 16, 32}, past{3, 2, 4, 1, 8},
      spatial{64, 96, 128, 32, 224, 256, 299, 320, 384, 416, 512, 640, 28, 48},
      other{7, 5, 6, 9, 8, 16, 12, 32, 64, 77, 128, 197, 256, 384, 512, 1, 1500, 3000, 1600, 16000};
  switch (axis) {
    case Axis::channels:
      return channels;
    case Axis::past:
      return past;
    case Axis::spatial:
      return spatial;
    default:
      return other;
  }
}

// Sizes that take more memory than this are left for when no others fit.
constexpr int64_t usual_bytes = int64_t{1} << 29;

// For inputs of which not even the rank is known.
const Shape ranks[] = {{2, 3}, {2, 3, 16, 16}, {2, 3, 8}, {4}, {}};

class Chooser {
 public:
  Chooser(const Graph& graph, const SizeWishes& wishes) : graph_(graph), wishes_(wishes) {
    take_given();
    for (const Port& port : graph.inputs) note(port, type_of(port));
  }

  std::vector<ChosenSizes> choose(size_t most) {
    std::vector<SizeMap> attempts = attempts_for_symbols();
    if (symbols_.empty() && given_.empty() && !open_ranks_ && given_ranks_.empty())
      return {{{}, graph_.copy()}};
    std::vector<ChosenSizes> found, large;
    // A large graph takes long to infer.
    size_t left = std::clamp<size_t>(200000 / (graph_.node_count() + 1), 4, 120);
    for (size_t rank = 0; rank < (open_ranks_ ? std::size(ranks) : 1); ++rank)
      for (const SizeMap& sizes : attempts) {
        if (found.size() == most || left == 0) break;
        --left;
        ChosenSizes chosen{sizes, with_ranks(rank)};
        try {
          bind_symbols(*chosen.graph, sizes);
          bool usual = peak_activation_bytes(*chosen.graph) <= usual_bytes;
          if (usual || large.size() < most) (usual ? found : large).push_back(std::move(chosen));
        } catch (const Error&) {
        }
      }
    if (found.empty())
      for (size_t i = 0; i < std::min(most, large.size()); ++i) found.push_back(std::move(large[i]));
    if (found.empty()) {
      ChosenSizes likeliest{attempts.front(), with_ranks(0)};
      for (const Port& port : likeliest.graph->inputs)
        put(likeliest.sizes, likeliest.graph->value(port.value).type);
      found.push_back(std::move(likeliest));
    }
    return found;
  }

 private:
  static void put(const SizeMap& sizes, Type& type) {
    if (!type.dims) return;
    for (Dim& dim : *type.dims)
      dim = dim.substitute([&](std::string_view name) -> std::optional<Dim> {
        auto place = sizes.find(name);
        return place == sizes.end() ? std::nullopt : std::optional(place->second);
      });
  }

  const Type& type_of(const Port& port) const { return graph_.value(port.value).type; }

  void take_given() {
    for (const auto& [name, shape] : wishes_.given) {
      auto port = std::find_if(graph_.inputs.begin(), graph_.inputs.end(),
                               [&](const Port& p) { return p.name == name; });
      if (port == graph_.inputs.end())
        throw Error(fmt::format("there is no input '{}'", name), ErrorKind::usage);
      const Type& type = type_of(*port);
      if (!type.dims) {
        given_ranks_[port->value] = shape;
        continue;
      }
      bool fits = type.dims->size() == shape.size();
      for (size_t axis = 0; fits && axis < shape.size(); ++axis) {
        const Dim& dim = (*type.dims)[axis];
        if (dim.is_number()) fits = dim.number() == shape[axis];
        std::string symbol(dim.symbol_name());
        if (!symbol.empty())
          fits = given_.emplace(symbol, shape[axis]).first->second.is_number(shape[axis]) && fits;
      }
      if (!fits)
        fail("input '{}' has shape {}, which {} does not fit", name, text_of(*type.dims), text_of(shape));
    }
  }

  void note(const Port& port, const Type& type) {
    if (type.element) note(port, *type.element);
    if (!type.is_tensor()) return;
    if (!type.dims) {
      open_ranks_ = open_ranks_ || !given_ranks_.count(port.value);
      return;
    }
    for (size_t axis = 0; axis < type.dims->size(); ++axis)
      for (const std::string& name : (*type.dims)[axis].symbols()) {
        if (given_.count(name) || !seen_.insert(name).second) continue;
        Symbol symbol{name, axis_of(name, axis, *type.dims), ""};
        if (unnamed(name)) symbol.group = fmt::format("{} of {}", axis, type.dims->size());
        symbols_.push_back(symbol);
      }
  }

  // Of sizes that other sizes are part of: "past_length + length" as a name, or "total_length".
  std::optional<Dim> derived(const Symbol& symbol) const {
    if (unnamed(symbol.name)) return std::nullopt;
    if (has_word(symbol.name, {"+", "*", "-", "/"})) {
      try {
        Dim dim = parse_dim(symbol.name);
        bool known = dim.symbols().size() > 0 && dim.symbol_name().empty();
        for (const auto& name : dim.symbols()) known = known && (seen_.count(name) || given_.count(name));
        if (known) return dim;
      } catch (const Error&) {
      }
    }
    if (!has_word(lower(symbol.name), {"total", "all"})) return std::nullopt;
    std::optional<Dim> past, step;
    for (const Symbol& other : symbols_) {
      if (other.name == symbol.name) continue;
      if (other.axis == Axis::past && !past) past = Dim::symbol(other.name);
      if (other.axis == Axis::other && !step) step = Dim::symbol(other.name);
    }
    return past && step ? std::optional(*past + *step) : std::nullopt;
  }

  // One assignment: entry `step` of each kind's list; each other named size takes a later one where `apart`.
  SizeMap assign(int64_t batch, size_t spatial_step, size_t other_step, bool apart) const {
    SizeMap sizes = given_;
    std::map<std::string, Dim> groups;
    size_t shift = 0;
    std::vector<std::pair<std::string, Dim>> sums;
    for (const Symbol& symbol : symbols_) {
      if (auto sum = derived(symbol)) {
        sums.emplace_back(symbol.name, *sum);
        continue;
      }
      Dim size = batch;
      if (symbol.axis != Axis::batch) {
        const auto& list = preferences(symbol.axis);
        size_t step = symbol.axis == Axis::spatial ? spatial_step : other_step;
        bool shifts =
            apart && symbol.group.empty() && (symbol.axis == Axis::other || symbol.axis == Axis::past);
        size = list[(step + wishes_.variant + (shifts ? shift++ : 0)) % list.size()];
      }
      if (!symbol.group.empty()) size = groups.emplace(symbol.group, size).first->second;
      sizes.emplace(symbol.name, size);
    }
    for (auto& [name, sum] : sums) {
      auto value = sum.evaluate([&](std::string_view part) -> std::optional<int64_t> {
        auto place = sizes.find(part);
        return place == sizes.end() ? std::nullopt : std::optional(place->second.number());
      });
      sizes.emplace(name, value.value_or(7));
    }
    return sizes;
  }

  std::vector<SizeMap> attempts_for_symbols() const {
    std::vector<SizeMap> attempts;
    auto add = [&](SizeMap sizes) {
      if (std::find(attempts.begin(), attempts.end(), sizes) == attempts.end())
        attempts.push_back(std::move(sizes));
    };
    int64_t batch = wishes_.variant == 0 ? wishes_.batch : wishes_.batch > 1 ? wishes_.batch - 1 : 2;
    bool spatial = false, other = false;
    for (const Symbol& symbol : symbols_) {
      spatial = spatial || symbol.axis == Axis::spatial;
      other = other || (symbol.axis != Axis::spatial && symbol.axis != Axis::batch);
    }
    size_t spatial_steps = spatial ? preferences(Axis::spatial).size() : 1;
    size_t other_steps = other ? preferences(Axis::other).size() : 1;
    for (int64_t count : {batch, int64_t{1}}) {
      for (size_t step = 0; step < std::max(spatial_steps, other_steps); ++step)
        for (bool apart : {true, false}) add(assign(count, step % spatial_steps, step % other_steps, apart));
      for (size_t i = 0; i < spatial_steps; ++i)
        for (size_t k = 0; k < std::min<size_t>(other_steps, 4); ++k) add(assign(count, i, k, true));
    }
    return attempts;
  }

  // A copy in which inputs of unknown rank have one.
  GraphPtr with_ranks(size_t attempt) const {
    GraphPtr copy = graph_.copy();
    for (const Port& port : copy->inputs) {
      Type& type = copy->value(port.value).type;
      if (!type.is_tensor() || type.dims) continue;
      auto given = given_ranks_.find(port.value);
      type.dims = to_dims(given != given_ranks_.end() ? given->second : ranks[attempt]);
    }
    return copy;
  }

  const Graph& graph_;
  const SizeWishes& wishes_;
  SizeMap given_;
  std::map<ValueId, Shape> given_ranks_;
  std::vector<Symbol> symbols_;
  std::set<std::string, std::less<>> seen_;
  bool open_ranks_ = false;
};

}  // namespace

std::string ChosenSizes::text() const {
  std::string text;
  for (const auto& [name, size] : sizes) {
    // Readers call an unnamed size of an input "_input.axis".
    std::string shown = name;
    if (size_t dot = name.rfind('.'); unnamed(name) && dot != name.npos)
      shown = name.substr(1, dot - 1) + "[" + name.substr(dot + 1) + "]";
    text += (text.empty() ? "" : ", ") + shown + " = " + size.text();
  }
  return text;
}

std::vector<ChosenSizes> choose_sizes(const Graph& graph, const SizeWishes& wishes, size_t most) {
  return Chooser(graph, wishes).choose(most);
}

}  // namespace remodel
