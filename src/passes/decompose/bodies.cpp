#include "passes/decompose/bodies.h"

#include "ops/control.h"

namespace remodel {
namespace {

GraphPtr make_body(Emitter& outside, const std::vector<Type>& types, const BodyFn& make) {
  auto body = std::make_shared<Graph>();
  body->share_symbols(outside.graph());
  Emitter inside(*body, outside.origin());
  std::vector<Term> given;
  for (const Type& type : types) given.push_back({&inside, body->add_input("given", type)});
  for (const Term& result : make(inside, given)) body->outputs.push_back({"result", result.id});
  return body;
}

std::vector<ValueId> ids_of(const std::vector<Term>& terms) {
  std::vector<ValueId> ids;
  for (const Term& term : terms) ids.push_back(term.id);
  return ids;
}

std::vector<Term> terms_of(Emitter& at, const std::vector<ValueId>& ids) {
  std::vector<Term> terms;
  for (ValueId id : ids) terms.push_back({&at, id});
  return terms;
}

}  // namespace

std::vector<Term> if_else(Term condition, const std::vector<Term>& captured, const BodyFn& then,
                          const BodyFn& otherwise) {
  Emitter& at = *condition.at;
  std::vector<Type> types;
  for (const Term& term : captured) types.push_back(term.type());
  If op;
  op.then_body = make_body(at, types, then);
  op.else_body = make_body(at, types, otherwise);
  size_t results = op.then_body->outputs.size();
  std::vector<ValueId> operands = ids_of(captured);
  operands.insert(operands.begin(), condition.id);
  return terms_of(at, at.emit(op, operands, results));
}

Term choose(Term index, int64_t count, const std::vector<Term>& captured,
            const std::function<Term(Emitter&, const std::vector<Term>&, int64_t)>& make) {
  std::vector<Term> given = captured;
  given.push_back(index);
  // From `first` on, inside of a body that is given the index last.
  std::function<Term(Emitter&, const std::vector<Term>&, int64_t)> from =
      [&](Emitter& at, const std::vector<Term>& values, int64_t first) {
        std::vector<Term> rest(values.begin(), values.end() - 1);
        if (first + 1 == count) return make(at, rest, first);
        return if_else(
            values.back() == static_cast<double>(first), values,
            [&](Emitter& inside, const std::vector<Term>& inner) {
              return std::vector<Term>{make(inside, {inner.begin(), inner.end() - 1}, first)};
            },
            [&](Emitter& inside, const std::vector<Term>& inner) {
              return std::vector<Term>{from(inside, inner, first + 1)};
            })[0];
      };
  return from(*index.at, given, 0);
}

std::vector<Term> repeat(Term count, const std::vector<Term>& carried, const std::vector<Term>& captured,
                         const BodyFn& body) {
  Emitter& at = *count.at;
  std::vector<Type> types{Type(DType::i64, Dims{})};
  std::vector<ValueId> operands(Loop::first_carried, absent);
  operands[0] = count.id;
  for (const auto* terms : {&carried, &captured})
    for (const Term& term : *terms) {
      types.push_back(term.type());
      operands.push_back(term.id);
    }
  Loop op;
  op.takes_step = true;
  op.carried = static_cast<int64_t>(carried.size());
  op.body = make_body(at, types, body);
  op.stack_axes.assign(op.body->outputs.size() - carried.size(), 0);
  op.stack_reversed = op.stack_axes;
  size_t results = op.body->outputs.size();
  return terms_of(at, at.emit(op, operands, results));
}

}  // namespace remodel
