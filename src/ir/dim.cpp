#include "ir/dim.h"

#include <algorithm>
#include <cctype>
#include <limits>
#include <numeric>
#include <set>

#include "base/error.h"

namespace remodel {
namespace {

int64_t add(int64_t a, int64_t b) {
  int64_t sum;
  if (__builtin_add_overflow(a, b, &sum)) fail("a size does not fit in 64 bits");
  return sum;
}
int64_t mul(int64_t a, int64_t b) {
  int64_t result;
  if (__builtin_mul_overflow(a, b, &result)) fail("a size does not fit in 64 bits");
  return result;
}
int64_t floor_of(int64_t a, int64_t b) {
  if (b == 0) fail("a size is divided by zero");
  if (b == -1) return mul(a, -1);
  int64_t quotient = a / b;
  return (a % b != 0 && (a < 0) != (b < 0)) ? quotient - 1 : quotient;
}
// The processor traps where the quotient does not fit.
bool divides(int64_t b, int64_t a) { return b == -1 ? a != std::numeric_limits<int64_t>::min() : a % b == 0; }

// Arithmetic on a size takes time and memory by its length. Real models stay far below.
constexpr size_t most_terms = 1024, most_products = 16 * most_terms, most_atoms = 64, longest_atom = 4096;

[[noreturn]] void too_long() { fail("a size is too long an expression"); }

std::string key_of(const std::vector<Dim::AtomPtr>& atoms) {
  std::string key;
  for (const auto& atom : atoms) key += (key.empty() ? "" : "*") + atom->text;
  return key;
}

bool plain_name(std::string_view name) {
  if (name.empty() || !(std::isalpha(static_cast<unsigned char>(name[0])) || name[0] == '_')) return false;
  if (name == "floor" || name == "min" || name == "max") return false;
  return std::all_of(name.begin(), name.end(),
                     [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '.' || c == '/'; });
}

std::string quoted(const std::string& name) {
  if (plain_name(name)) return name;
  std::string text = "'";
  for (char c : name) {
    if (c == '\'' || c == '\\') text += '\\';
    text += c;
  }
  return text + "'";
}

}  // namespace

Dim Dim::make(std::vector<Term> terms, int64_t rest) {
  std::map<std::string, Term> merged;
  for (Term& term : terms) {
    auto [place, fresh] = merged.try_emplace(key_of(term.atoms), term);
    if (!fresh) place->second.factor = add(place->second.factor, term.factor);
  }
  std::vector<Term> kept;
  for (auto& [key, term] : merged)
    if (term.factor != 0) kept.push_back(std::move(term));
  if (kept.size() > most_terms) too_long();
  Dim result(rest);
  if (!kept.empty()) result.terms_ = std::make_shared<const std::vector<Term>>(std::move(kept));
  return result;
}

Dim Dim::symbol(std::string name) {
  auto atom = std::make_shared<Atom>();
  atom->kind = Atom::symbol;
  atom->text = quoted(name);
  atom->name = std::move(name);
  return make({Term{1, {std::move(atom)}}}, 0);
}

Dim Dim::of_atom(Atom::Kind kind, std::vector<Dim> arguments) {
  auto atom = std::make_shared<Atom>();
  atom->kind = kind;
  atom->text = kind == Atom::floor_div ? "floor(" : kind == Atom::min ? "min(" : "max(";
  for (size_t i = 0; i < arguments.size(); ++i) atom->text += (i ? ", " : "") + arguments[i].text();
  atom->text += ")";
  if (atom->text.size() > longest_atom) too_long();
  atom->arguments = std::move(arguments);
  return make({Term{1, {std::move(atom)}}}, 0);
}

const std::vector<Dim::Term>& Dim::terms() const {
  static const std::vector<Term> none;
  return terms_ ? *terms_ : none;
}

std::string_view Dim::symbol_name() const {
  if (is_number() || number_ != 0 || terms_->size() != 1) return {};
  const Term& term = terms_->front();
  if (term.factor != 1 || term.atoms.size() != 1 || term.atoms[0]->kind != Atom::symbol) return {};
  return term.atoms[0]->name;
}

std::string Dim::text() const {
  if (is_number()) return std::to_string(number_);
  std::string text;
  for (const Term& term : *terms_) {
    bool negative = term.factor < 0;
    if (text.empty()) {
      if (negative) text += "-";
    } else {
      text += negative ? " - " : " + ";
    }
    uint64_t factor = negative ? 0 - static_cast<uint64_t>(term.factor) : static_cast<uint64_t>(term.factor);
    if (factor != 1) text += std::to_string(factor) + "*";
    text += key_of(term.atoms);
  }
  if (number_ > 0) text += " + " + std::to_string(number_);
  if (number_ < 0) text += " - " + std::to_string(0 - static_cast<uint64_t>(number_));
  return text;
}

std::vector<std::string> Dim::symbols() const {
  std::set<std::string> found;
  for (const Term& term : terms())
    for (const auto& atom : term.atoms) {
      if (atom->kind == Atom::symbol) found.insert(atom->name);
      for (const Dim& argument : atom->arguments)
        for (auto& name : argument.symbols()) found.insert(name);
    }
  return {found.begin(), found.end()};
}

Dim Dim::substitute(const std::function<std::optional<Dim>(std::string_view)>& lookup) const {
  if (is_number()) return *this;
  Dim sum(number_);
  for (const Term& term : *terms_) {
    Dim part(term.factor);
    for (const auto& atom : term.atoms) {
      if (atom->kind == Atom::symbol) {
        auto found = lookup(atom->name);
        part = part * (found ? *found : symbol(atom->name));
        continue;
      }
      Dim a = atom->arguments[0].substitute(lookup), b = atom->arguments[1].substitute(lookup);
      part = part * (atom->kind == Atom::floor_div ? floor_div(a, b)
                     : atom->kind == Atom::min     ? min(a, b)
                                                   : max(a, b));
    }
    sum = sum + part;
  }
  return sum;
}

std::optional<int64_t> Dim::evaluate(const Lookup& lookup) const {
  if (is_number()) return number_;
  Dim result = substitute([&](std::string_view name) -> std::optional<Dim> {
    auto value = lookup(name);
    return value ? std::optional<Dim>(Dim(*value)) : std::nullopt;
  });
  return result.is_number() ? std::optional(result.number()) : std::nullopt;
}

bool Dim::at_least(int64_t number) const {
  if (is_number()) return number_ >= number;
  if (number_ < number) return false;
  for (const Term& term : *terms_) {
    if (term.factor < 0) return false;
    for (const auto& atom : term.atoms) {
      bool not_negative = true;
      const auto& arguments = atom->arguments;
      if (atom->kind == Atom::floor_div) not_negative = arguments[0].at_least(0) && arguments[1].at_least(1);
      if (atom->kind == Atom::min) not_negative = arguments[0].at_least(0) && arguments[1].at_least(0);
      if (atom->kind == Atom::max) not_negative = arguments[0].at_least(0) || arguments[1].at_least(0);
      if (!not_negative) return false;
    }
  }
  return true;
}

Dim operator+(const Dim& a, const Dim& b) {
  int64_t rest = add(a.number_, b.number_);
  if (a.is_number() && b.is_number()) return rest;
  std::vector<Dim::Term> terms = a.terms();
  terms.insert(terms.end(), b.terms().begin(), b.terms().end());
  return Dim::make(std::move(terms), rest);
}

Dim operator-(const Dim& a, const Dim& b) { return a + b * Dim(-1); }

Dim operator*(const Dim& a, const Dim& b) {
  if (a.is_number() && b.is_number()) return mul(a.number_, b.number_);
  std::vector<Dim::Term> left = a.terms(), right = b.terms(), terms;
  if (a.number_ != 0) left.push_back({a.number_, {}});
  if (b.number_ != 0) right.push_back({b.number_, {}});
  if (left.size() * right.size() > most_products) too_long();
  int64_t rest = 0;
  for (const auto& x : left)
    for (const auto& y : right) {
      if (x.atoms.size() + y.atoms.size() > most_atoms) too_long();
      Dim::Term term{mul(x.factor, y.factor), x.atoms};
      term.atoms.insert(term.atoms.end(), y.atoms.begin(), y.atoms.end());
      std::sort(term.atoms.begin(), term.atoms.end(),
                [](const auto& p, const auto& q) { return p->text < q->text; });
      if (term.atoms.empty())
        rest = add(rest, term.factor);
      else
        terms.push_back(std::move(term));
    }
  return Dim::make(std::move(terms), rest);
}

bool operator==(const Dim& a, const Dim& b) {
  if (a.number_ != b.number_ || a.is_number() != b.is_number()) return false;
  return a.terms_ == b.terms_ || a.text() == b.text();
}

std::optional<Dim> exact_div(const Dim& a, const Dim& b) {
  if (b.is_number(0)) return std::nullopt;
  if (a.is_number(0)) return Dim(0);
  if (a == b) return Dim(1);
  if (b.is_number()) {
    if (!divides(b.number_, a.number_)) return std::nullopt;
    std::vector<Dim::Term> terms = a.terms();
    for (auto& term : terms) {
      if (!divides(b.number_, term.factor)) return std::nullopt;
      term.factor /= b.number_;
    }
    return Dim::make(std::move(terms), a.number_ / b.number_);
  }
  // Polynomial long division by the divisor's first term.
  std::vector<Dim::Term> divisor = b.terms();
  if (b.number_ != 0) divisor.push_back({b.number_, {}});
  const Dim::Term& lead = divisor.front();
  Dim rest = a, quotient(0);
  for (int step = 0; step < 64; ++step) {
    if (rest.is_number(0)) return quotient;
    std::vector<Dim::Term> candidates = rest.terms();
    bool moved = false;
    for (const auto& term : candidates) {
      if (!divides(lead.factor, term.factor)) continue;
      std::vector<Dim::AtomPtr> left = term.atoms;
      bool divides = true;
      for (const auto& atom : lead.atoms) {
        auto place =
            std::find_if(left.begin(), left.end(), [&](const auto& x) { return x->text == atom->text; });
        if (place == left.end()) {
          divides = false;
          break;
        }
        left.erase(place);
      }
      if (!divides) continue;
      Dim part = left.empty() ? Dim(term.factor / lead.factor)
                              : Dim::make({Dim::Term{term.factor / lead.factor, left}}, 0);
      quotient = quotient + part;
      rest = rest - part * b;
      moved = true;
      break;
    }
    if (!moved) return std::nullopt;
  }
  return std::nullopt;
}

Dim floor_div(const Dim& a, const Dim& b) {
  if (a.is_number() && b.is_number()) return floor_of(a.number_, b.number_);
  if (auto exact = exact_div(a, b)) return *exact;
  if (!b.is_number() || b.number_ <= 0) return Dim::of_atom(Dim::Atom::floor_div, {a, b});
  // floor((b*q + r) / b) = q + floor(r / b): only terms that b does not divide stay inside.
  std::vector<Dim::Term> outside, inside;
  int64_t common = b.number_;
  for (const auto& term : a.terms()) {
    if (term.factor % b.number_ == 0) {
      outside.push_back({term.factor / b.number_, term.atoms});
    } else {
      inside.push_back(term);
      common = std::gcd(common, term.factor);
    }
  }
  int64_t whole = floor_of(a.number_, b.number_);
  int64_t rest = a.number_ - whole * b.number_;
  Dim sum = Dim::make(std::move(outside), whole);
  if (inside.empty()) return sum;
  // floor((g*x + r) / (g*b)) = floor((x + floor(r / g)) / b).
  for (auto& term : inside) term.factor /= common;
  Dim numerator = Dim::make(std::move(inside), floor_of(rest, common));
  Dim divisor(b.number_ / common);
  if (numerator.rest() == 0 && numerator.terms().size() == 1) {
    const auto& term = numerator.terms().front();
    if (term.factor == 1 && term.atoms.size() == 1 && term.atoms[0]->kind == Dim::Atom::floor_div) {
      const auto& inner = term.atoms[0]->arguments;
      if (inner[1].is_number() && inner[1].number() > 0) return sum + floor_div(inner[0], inner[1] * divisor);
    }
  }
  return sum + Dim::of_atom(Dim::Atom::floor_div, {numerator, divisor});
}

Dim ceil_div(const Dim& a, const Dim& b) { return floor_div(a + b - Dim(1), b); }

Dim min(const Dim& a, const Dim& b) {
  if ((a - b).at_least(0)) return b;
  if ((b - a).at_least(0)) return a;
  return a.text() < b.text() ? Dim::of_atom(Dim::Atom::min, {a, b}) : Dim::of_atom(Dim::Atom::min, {b, a});
}

Dim max(const Dim& a, const Dim& b) {
  if ((a - b).at_least(0)) return a;
  if ((b - a).at_least(0)) return b;
  return a.text() < b.text() ? Dim::of_atom(Dim::Atom::max, {a, b}) : Dim::of_atom(Dim::Atom::max, {b, a});
}

namespace {

struct DimParser {
  std::string_view text;
  size_t at = 0;
  int depth = 0;

  void skip() {
    while (at < text.size() && text[at] == ' ') ++at;
  }
  bool eat(char c) {
    skip();
    if (at >= text.size() || text[at] != c) return false;
    ++at;
    return true;
  }
  void need(char c) {
    if (!eat(c)) fail("size '{}': expected '{}' at {}", text, c, at);
  }
  Dim sum() {
    if (++depth > 50) fail("size '{}' is nested too deeply", text);
    Dim result = eat('-') ? Dim(0) - term() : term();
    for (;;) {
      if (eat('+'))
        result = result + term();
      else if (eat('-'))
        result = result - term();
      else
        break;
    }
    --depth;
    return result;
  }
  Dim term() {
    Dim result = atom();
    while (eat('*')) result = result * atom();
    return result;
  }
  Dim atom() {
    skip();
    if (at >= text.size()) fail("size '{}' ends too early", text);
    char c = text[at];
    if (std::isdigit(static_cast<unsigned char>(c))) {
      int64_t value = 0;
      while (at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])))
        value = add(mul(value, 10), text[at++] - '0');
      return value;
    }
    std::string name;
    if (c == '\'') {
      for (++at; at < text.size() && text[at] != '\''; ++at) {
        if (text[at] == '\\' && at + 1 < text.size()) ++at;
        name += text[at];
      }
      need('\'');
      return Dim::symbol(name);
    }
    size_t start = at;
    while (at < text.size() && plain_name("_" + std::string(1, text[at]))) ++at;
    name = std::string(text.substr(start, at - start));
    if (name.empty()) fail("size '{}': '{}' is not understood", text, c);
    if (name != "floor" && name != "min" && name != "max") return Dim::symbol(name);
    need('(');
    Dim a = sum();
    need(',');
    Dim b = sum();
    need(')');
    return name == "floor" ? floor_div(a, b) : name == "min" ? min(a, b) : max(a, b);
  }
};

}  // namespace

Dim parse_dim(std::string_view text) {
  DimParser parser{text};
  Dim result = parser.sum();
  parser.skip();
  if (parser.at != text.size()) fail("size '{}': '{}' is not understood", text, text.substr(parser.at));
  return result;
}

std::string text_of(const Dims& dims) {
  std::string text = "[";
  for (size_t i = 0; i < dims.size(); ++i) text += (i ? ", " : "") + dims[i].text();
  return text + "]";
}

Dim product(const Dims& dims) {
  Dim result(1);
  for (const Dim& dim : dims) result = result * dim;
  return result;
}

std::optional<std::vector<int64_t>> numbers(const Dims& dims) {
  std::vector<int64_t> result;
  for (const Dim& dim : dims) {
    if (!dim.is_number()) return std::nullopt;
    result.push_back(dim.number());
  }
  return result;
}

Dims to_dims(const std::vector<int64_t>& numbers) { return {numbers.begin(), numbers.end()}; }

}  // namespace remodel
