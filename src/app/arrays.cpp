#include "app/arrays.h"

#include <map>

#include "base/error.h"
#include "base/file.h"
#include "base/nearest.h"
#include "wire/npy.h"

namespace remodel {
namespace {

struct Kind {
  std::string_view descr;
  DType dtype;
};
constexpr Kind kinds[] = {
    {"|b1", DType::boolean}, {"|i1", DType::i8},    {"<i2", DType::i16}, {"<i4", DType::i32},
    {"<i8", DType::i64},     {"|u1", DType::u8},    {"<u2", DType::u16}, {"<u4", DType::u32},
    {"<u8", DType::u64},     {"<f2", DType::f16},   {"<f4", DType::f32}, {"<f8", DType::f64},
    {"<c8", DType::c64},     {"<c16", DType::c128},
};

// How a type that NumPy lacks is stored.
DType carrier(DType dtype) {
  switch (dtype) {
    case DType::bf16:
      return DType::u16;
    case DType::f8e4m3fn:
    case DType::f8e4m3fnuz:
    case DType::f8e5m2:
    case DType::f8e5m2fnuz:
    case DType::f8e8m0:
    case DType::f4e2m1:
    case DType::u4:
    case DType::u2:
      return DType::u8;
    case DType::i4:
    case DType::i2:
      return DType::i8;
    default:
      return dtype;
  }
}

Tensor to_tensor(const NpyArray& array, DType wanted) {
  if (array.descr.size() > 1 && (array.descr[1] == 'U' || array.descr[1] == 'S'))
    return Tensor::of(DType::string, array.shape, npy_strings(array));
  for (const Kind& kind : kinds) {
    if (kind.descr != array.descr) continue;
    NpyArray plain = in_c_order(array);
    // The bytes of an archive's entry may lie at any address.
    Tensor copy(kind.dtype, plain.shape);
    if (copy.byte_count()) std::memcpy(copy.raw(), plain.data.data(), copy.byte_count());
    bool carried = wanted != DType::unknown && carrier(wanted) == kind.dtype && wanted != kind.dtype;
    return carried ? copy.relabeled(wanted) : copy;
  }
  fail("arrays of type '{}' are not supported", array.descr);
}

NpyArray to_array(const Tensor& tensor) {
  if (tensor.dtype() == DType::string) return npy_from_strings(tensor.strings(), tensor.shape());
  DType stored = carrier(tensor.dtype());
  for (const Kind& kind : kinds)
    if (kind.dtype == stored) return {std::string(kind.descr), tensor.shape(), false, tensor.bytes()};
  fail("a tensor of {} cannot be stored as an array", name_of(tensor.dtype()));
}

int64_t one_integer(const NpyArray& array, const std::string& name, DType dtype) {
  const std::vector<int64_t> values = to_tensor(array, dtype).ints();
  if (values.size() != 1) fail("'{}' should be one number, but has {} elements", name, values.size());
  return values[0];
}

using ArraysByName = std::map<std::string, const NpyArray*>;

const NpyArray& need(const ArraysByName& arrays, const char* what, const std::string& name) {
  if (auto place = arrays.find(name); place != arrays.end()) return *place->second;
  std::vector<std::string> there;
  for (const auto& [other, unused] : arrays) there.push_back(other);
  throw Error(fmt::format("the {} '{}' is missing", what, name))
      .hint(there.empty() ? "the file holds no arrays"
                          : fmt::format("the file holds {}", quoted_list(there, "and")));
}

Datum find(const ArraysByName& arrays, const std::string& name, const Type& type) {
  auto get = [&](const std::string& key) {
    auto place = arrays.find(key);
    return place == arrays.end() ? nullptr : place->second;
  };
  Type inner = type.element ? *type.element : Type();
  if (type.kind == Type::optional) {
    const NpyArray* flag = get(name + "/?");
    if (flag && !one_integer(*flag, name + "/?", DType::boolean)) return Datum();
    return find(arrays, name, inner);
  }
  if (type.kind == Type::list) {
    const NpyArray* length = get(name + "/#");
    if (!length) fail("the list '{}' is missing ('{}/#' gives its length)", name, name);
    std::vector<Datum> items;
    int64_t count = one_integer(*length, name + "/#", DType::i64);
    for (int64_t i = 0; i < count; ++i) items.push_back(find(arrays, fmt::format("{}/{}", name, i), inner));
    return Datum::list(std::move(items));
  }
  return to_tensor(need(arrays, "input", name), type.dtype);
}

void store(NamedArrays& arrays, const std::string& name, const Type& type, const Datum& value) {
  Type inner = type.element ? *type.element : Type();
  if (type.kind == Type::optional) {
    bool there = value.kind != Datum::none_kind;
    arrays.emplace_back(name + "/?", to_array(Tensor::of<uint8_t>(DType::boolean, {}, {uint8_t(there)})));
    if (there) store(arrays, name, inner, value);
    return;
  }
  if (value.kind == Datum::list_kind) {
    arrays.emplace_back(name + "/#",
                        to_array(Tensor::of<int64_t>(DType::i64, {}, {int64_t(value.items->size())})));
    for (size_t i = 0; i < value.items->size(); ++i)
      store(arrays, fmt::format("{}/{}", name, i), inner, (*value.items)[i]);
    return;
  }
  if (!value.is_tensor()) fail("the output '{}' has no value", name);
  arrays.emplace_back(name, to_array(value.tensor));
}

// What `read` makes of the arrays by their names.
template <class Read>
auto with_arrays(const std::string& path, Read read) {
  const Bytes file = map_file(path);
  try {
    const NamedArrays arrays = read_npz(file, uint64_t{1} << 34);
    ArraysByName by_name;
    for (const auto& [name, array] : arrays) by_name[name] = &array;
    return read(by_name);
  } catch (Error& error) {
    throw error.at(path);
  }
}

}  // namespace

Tensor read_array(const std::string& path, const std::string& name) {
  return with_arrays(path, [&](const ArraysByName& arrays) {
    return to_tensor(need(arrays, "array", name), DType::unknown);
  });
}

std::vector<Datum> read_inputs(const std::string& path, const Graph& graph) {
  return with_arrays(path, [&](const ArraysByName& arrays) {
    std::vector<Datum> inputs;
    for (const Port& port : graph.inputs)
      if (port.state == absent) inputs.push_back(find(arrays, port.name, graph.value(port.value).type));
    return inputs;
  });
}

void write_outputs(const std::string& path, const Graph& graph, const std::vector<Datum>& values) {
  NamedArrays arrays;
  size_t next = 0;
  for (const Port& port : graph.outputs)
    if (port.state == absent) store(arrays, port.name, graph.value(port.value).type, values[next++]);
  OutputFile file(path);
  FileSink sink(file);
  write_npz(sink, arrays);
  file.commit();
}

}  // namespace remodel
