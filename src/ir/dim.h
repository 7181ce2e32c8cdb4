// A size: a number or an expression over named sizes, in one normal form, so that equal sizes compare equal.
//
// An expression is a polynomial with integer coefficients whose variables are symbols and the atoms
// floor(a / b), min(a, b) and max(a, b). Every symbol stands for a size, so it is never negative.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace remodel {

class Dim {
 public:
  Dim() = default;
  Dim(int64_t number) : number_(number) {}
  static Dim symbol(std::string name);

  bool is_number() const { return terms_ == nullptr; }
  bool is_number(int64_t value) const { return is_number() && number_ == value; }
  // The number; only where is_number().
  int64_t number() const { return number_; }
  // The name where the whole expression is one symbol, otherwise empty.
  std::string_view symbol_name() const;
  // "4", "N", "2*N + 1", "floor(H + 1, 2)". Parsed back by parse_dim.
  std::string text() const;
  // All symbols that occur, each once, in order of name.
  std::vector<std::string> symbols() const;

  // The value under a binding of symbols; nullopt where a symbol is not bound.
  using Lookup = std::function<std::optional<int64_t>(std::string_view)>;
  std::optional<int64_t> evaluate(const Lookup& lookup) const;
  Dim substitute(const std::function<std::optional<Dim>(std::string_view)>& lookup) const;

  // Provably at least the number, knowing that symbols are not negative.
  bool at_least(int64_t number) const;

  friend Dim operator+(const Dim& a, const Dim& b);
  friend Dim operator-(const Dim& a, const Dim& b);
  friend Dim operator*(const Dim& a, const Dim& b);
  friend Dim floor_div(const Dim& a, const Dim& b);
  friend Dim min(const Dim& a, const Dim& b);
  friend Dim max(const Dim& a, const Dim& b);
  // a / b where b divides every term of a; nullopt where that cannot be proven.
  friend std::optional<Dim> exact_div(const Dim& a, const Dim& b);
  friend bool operator==(const Dim& a, const Dim& b);

  // A walk over the normal form, for writers that compute a size in the target's ops.
  struct Atom {
    enum Kind : uint8_t { symbol, floor_div, min, max } kind;
    std::string name;  // of a symbol
    std::vector<Dim> arguments;
    std::string text;
  };
  using AtomPtr = std::shared_ptr<const Atom>;
  struct Term {
    int64_t factor;
    std::vector<AtomPtr> atoms;  // sorted by text; a power repeats its atom
  };
  // The polynomial's terms without the constant, sorted; the constant is rest().
  const std::vector<Term>& terms() const;
  int64_t rest() const { return number_; }

 private:
  static Dim make(std::vector<Term> terms, int64_t rest);
  static Dim of_atom(Atom::Kind kind, std::vector<Dim> arguments);

  int64_t number_ = 0;  // the value, or the constant term
  std::shared_ptr<const std::vector<Term>> terms_;
};

Dim floor_div(const Dim& a, const Dim& b);
Dim ceil_div(const Dim& a, const Dim& b);
Dim min(const Dim& a, const Dim& b);
Dim max(const Dim& a, const Dim& b);
std::optional<Dim> exact_div(const Dim& a, const Dim& b);

using Dims = std::vector<Dim>;

Dim parse_dim(std::string_view text);
std::string text_of(const Dims& dims);  // "[N, 3, 224, 224]"
Dim product(const Dims& dims);
// The numbers, where all are numbers.
std::optional<std::vector<int64_t>> numbers(const Dims& dims);
Dims to_dims(const std::vector<int64_t>& numbers);

}  // namespace remodel
