#include "wire/protobuf.h"

#include <gtest/gtest.h>

#include <limits>
#define PROTOZERO_USE_VIEW std::string_view
#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>

#include "damage.h"
#include "refusal.h"

namespace remodel {
namespace {

const std::vector<int64_t> numbers = {0,
                                      1,
                                      -1,
                                      127,
                                      128,
                                      16'383,
                                      16'384,
                                      int64_t{1} << 31,
                                      -(int64_t{1} << 31),
                                      int64_t{1} << 62,
                                      std::numeric_limits<int64_t>::max(),
                                      std::numeric_limits<int64_t>::min()};
const std::vector<float> floats = {0.0f, -1.5f, 3.4e38f};
const std::vector<double> doubles = {0.0, -1.5, 1e300};

std::string written(const Message& message) {
  MemorySink sink;
  message.write(sink);
  EXPECT_EQ(sink.position(), message.size());
  return sink.take();
}

TEST(Protobuf, WritesWhatProtozeroWrites) {
  std::string expected;
  protozero::pbf_writer reference(expected);
  Message ours;
  for (const int64_t value : numbers) {
    reference.add_int64(1, value);
    ours.int64(1, value);
    reference.add_sint64(2, value);
    ours.zigzag(2, value);
    reference.add_fixed64(3, static_cast<uint64_t>(value));
    ours.fixed64(3, static_cast<uint64_t>(value));
  }
  reference.add_fixed32(4, 0xdeadbeef);
  ours.fixed32(4, 0xdeadbeef);
  reference.add_float(5, 1.25f);
  ours.float32(5, 1.25f);
  reference.add_double(6, -1.25);
  ours.float64(6, -1.25);
  reference.add_string(16, "text");
  ours.string(16, "text");
  const std::string large(5000, 'L');
  reference.add_bytes(1000, large);
  ours.bytes(1000, Bytes::own(large));
  reference.add_packed_int64(7, numbers.begin(), numbers.end());
  ours.packed_ints(7, numbers);
  reference.add_packed_float(8, floats.begin(), floats.end());
  ours.packed_floats(8, floats);
  reference.add_packed_double(9, doubles.begin(), doubles.end());
  ours.packed_doubles(9, doubles);
  ours.packed_ints(10, {});
  EXPECT_EQ(written(ours), expected);
}

TEST(Protobuf, NestedMessagesKeepTheirPlaces) {
  const std::string large(2000, 'b');
  std::string leaf_text, middle_text, expected;
  protozero::pbf_writer leaf_reference(leaf_text), middle_reference(middle_text), reference(expected);
  leaf_reference.add_string(1, "leaf");
  leaf_reference.add_bytes(2, large);
  leaf_reference.add_string(3, "streamed");
  middle_reference.add_message(1, leaf_text);
  middle_reference.add_string(2, "between");
  middle_reference.add_message(1, leaf_text);
  reference.add_bytes(9, large);
  reference.add_message(4, middle_text);
  reference.add_message(5, std::string());
  reference.add_uint64(6, 1);

  const auto leaf = [&] {
    Message message;
    message.string(1, "leaf");
    message.bytes(2, Bytes::own(large));
    message.stream(3, 8, [](Sink& out) {
      out.write("stre");
      out.write("amed");
    });
    return message;
  };
  Message middle, ours;
  middle.message(1, leaf());
  middle.string(2, "between");
  middle.message(1, leaf());
  ours.bytes(9, Bytes::own(large));
  ours.message(4, std::move(middle));
  ours.message(5, Message());
  ours.varint(6, 1);
  EXPECT_EQ(written(ours), expected);
  EXPECT_EQ(written(ours), expected);
}

TEST(Protobuf, ReadsWhatProtozeroWrites) {
  std::string text, inner;
  protozero::pbf_writer(inner).add_string(1, "inner");
  protozero::pbf_writer writer(text);
  writer.add_int32(1, -5);
  writer.add_uint64(2, std::numeric_limits<uint64_t>::max());
  writer.add_bool(3, true);
  writer.add_sint64(4, std::numeric_limits<int64_t>::min());
  writer.add_fixed32(5, 7);
  writer.add_fixed64(6, 8);
  writer.add_float(7, 0.5f);
  writer.add_double(8, 0.25);
  writer.add_message(9, inner);
  writer.add_string(536'870'911, "last");
  ProtoReader in(text);
  const auto at = [&](uint32_t field, ProtoType type) {
    EXPECT_TRUE(in.next());
    EXPECT_EQ(in.field(), field);
    EXPECT_EQ(in.type(), type);
  };
  at(1, ProtoType::varint);
  EXPECT_EQ(in.int32(), -5);
  at(2, ProtoType::varint);
  EXPECT_EQ(in.varint(), std::numeric_limits<uint64_t>::max());
  at(3, ProtoType::varint);
  EXPECT_TRUE(in.boolean());
  at(4, ProtoType::varint);
  EXPECT_EQ(in.zigzag(), std::numeric_limits<int64_t>::min());
  at(5, ProtoType::fixed32);
  EXPECT_EQ(in.fixed32(), 7u);
  at(6, ProtoType::fixed64);
  EXPECT_EQ(in.fixed64(), 8u);
  at(7, ProtoType::fixed32);
  EXPECT_EQ(in.float32(), 0.5f);
  at(8, ProtoType::fixed64);
  EXPECT_EQ(in.float64(), 0.25);
  at(9, ProtoType::bytes);
  ProtoReader nested = in.message();
  EXPECT_TRUE(nested.next());
  EXPECT_EQ(nested.bytes(), "inner");
  EXPECT_FALSE(nested.next());
  at(536'870'911, ProtoType::bytes);
  EXPECT_EQ(in.bytes().data(), text.data() + text.size() - 4);
  EXPECT_FALSE(in.next());
}

TEST(Protobuf, RepeatedNumbersMayBePackedOrNot) {
  std::string text;
  protozero::pbf_writer writer(text);
  writer.add_packed_int64(1, numbers.begin(), numbers.end());
  for (const int64_t value : numbers) writer.add_int64(1, value);
  writer.add_packed_sint64(2, numbers.begin(), numbers.end());
  for (const int64_t value : numbers) writer.add_sint64(2, value);
  writer.add_packed_float(3, floats.begin(), floats.end());
  for (const float value : floats) writer.add_float(3, value);
  writer.add_packed_double(4, doubles.begin(), doubles.end());
  for (const double value : doubles) writer.add_double(4, value);
  writer.add_string(1, "");
  writer.add_string(3, "");
  std::vector<int64_t> ints, zigzags;
  std::vector<float> singles;
  std::vector<double> wides;
  for (ProtoReader in(text); in.next();) {
    if (in.field() == 1) in.append_ints(ints);
    if (in.field() == 2) in.append_zigzags(zigzags);
    if (in.field() == 3) in.append_floats(singles);
    if (in.field() == 4) in.append_doubles(wides);
  }
  const auto twice = [](auto values) {
    const auto once = values;
    values.insert(values.end(), once.begin(), once.end());
    return values;
  };
  EXPECT_EQ(ints, twice(numbers));
  EXPECT_EQ(zigzags, twice(numbers));
  EXPECT_EQ(singles, twice(floats));
  EXPECT_EQ(wides, twice(doubles));
}

TEST(Protobuf, UnknownFieldsAreKeptAsTheyAre) {
  Message message, copy;
  message.varint(300, 300);
  message.string(2, "text");
  message.fixed32(3, 1);
  message.fixed64(4, 2);
  const std::string text = written(message);
  for (ProtoReader in(text); in.next();) copy.raw(in.raw());
  EXPECT_EQ(written(copy), text);
}

TEST(Protobuf, RefusesWhatIsOutOfForm) {
  const auto said = [](std::string_view text) {
    return refusal([&] {
      for (ProtoReader in(text); in.next();) in.skip();
    });
  };
  EXPECT_EQ(said(""), "accepted");
  EXPECT_EQ(said("\x08"), "protobuf field 1: the data is cut short");
  EXPECT_EQ(said("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
            "protobuf field 1: a number is longer than ten bytes");
  EXPECT_EQ(said("\x0a\x05text"), "protobuf field 1: the data is cut short");
  // Its low 32 bits are the length of what follows.
  EXPECT_EQ(said("\x0a\x84\x80\x80\x80\x10text"), "protobuf field 1: the data is cut short");
  EXPECT_EQ(said("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x"), "protobuf field 1: the data is cut short");
  EXPECT_EQ(said("\x0d"
                 "123"),
            "protobuf field 1: the data is cut short");
  EXPECT_EQ(said("\x09"
                 "1234567"),
            "protobuf field 1: the data is cut short");
  EXPECT_EQ(said("\x0b"), "protobuf field 1: wire type 3 is not supported");
  EXPECT_EQ(said("\x0f"), "protobuf field 1: wire type 7 is not supported");
  EXPECT_EQ(said("\x02"), "a protobuf field has the number 0");
  EXPECT_EQ(said("\x80\x80\x80\x80\x10"), "a protobuf field has the number 536870912");

  const auto ask = [](std::string_view text, auto get) {
    return refusal([&] {
      ProtoReader in(text);
      in.next();
      get(in);
    });
  };
  std::vector<int64_t> ints;
  std::vector<float> singles;
  EXPECT_EQ(ask("\x0a\x01x", [](ProtoReader& in) { in.varint(); }),
            "protobuf field 1: wire type 2 where 0 belongs");
  EXPECT_EQ(ask("\x08\x01", [](ProtoReader& in) { in.bytes(); }),
            "protobuf field 1: wire type 0 where 2 belongs");
  EXPECT_EQ(ask("\x0d"
                "1234",
                [](ProtoReader& in) { in.float64(); }),
            "protobuf field 1: wire type 5 where 1 belongs");
  EXPECT_EQ(ask("\x0a\x02\x01\xff", [&](ProtoReader& in) { in.append_ints(ints); }),
            "protobuf field 1: the data is cut short");
  EXPECT_EQ(ask("\x0a\x05"
                "12345",
                [&](ProtoReader& in) { in.append_floats(singles); }),
            "protobuf field 1: 5 bytes hold no whole number of elements");
  EXPECT_EQ(ask("\x08\x01\x08\x01", [](ProtoReader& in) { in.next(); }), "protobuf field 1 is not read");
  EXPECT_EQ(ask("\x08\x01\x08\x01", [](ProtoReader& in) { in.skip(), in.skip(); }),
            "protobuf field 1 is read twice");
}

int depth_of(ProtoReader in) {
  int deepest = 0;
  while (in.next()) deepest = std::max(deepest, 1 + depth_of(in.message()));
  return deepest;
}

TEST(Protobuf, LimitsDepth) {
  const auto nested = [](int levels) {
    Message message;
    for (int level = 0; level < levels; ++level) {
      Message outer;
      outer.message(1, std::move(message));
      message = std::move(outer);
    }
    return written(message);
  };
  EXPECT_EQ(depth_of(ProtoReader(nested(100))), 100);
  EXPECT_EQ(refusal([&] { depth_of(ProtoReader(nested(101))); }),
            "protobuf field 1: more than 100 nested messages");
}

TEST(Protobuf, StreamsMoreThanTwoAndFourGibibytes) {
  const uint64_t large = (uint64_t{1} << 32) + 7;
  const std::string block(1 << 20, 'w');
  Message tensor, graph, model;
  const Bytes weights = Bytes::own(block);
  for (int part = 0; part < 2500; ++part) tensor.bytes(9, weights);
  tensor.stream(10, large, [&](Sink& out) {
    for (uint64_t left = large; left > 0;) {
      const size_t size = std::min<uint64_t>(left, block.size());
      out.write(block.data(), size);
      left -= size;
    }
  });
  graph.message(5, std::move(tensor));
  model.message(7, std::move(graph));
  CountingSink sink;
  model.write(sink);
  EXPECT_EQ(sink.position(), model.size());
  // Field 7, its length, field 5, its length; 2500 fields of a head, a length in three bytes and 1 MiB; a
  // head, five bytes.
  const uint64_t fields = 2500 * (1 + 3 + uint64_t{1 << 20}) + (1 + 5 + large);
  EXPECT_EQ(model.size(), 1 + 5 + 1 + 5 + fields);
}

TEST(Protobuf, HoldsAProducerToItsLength) {
  for (const uint64_t length : {3u, 5u}) {
    Message message;
    message.stream(1, length, [](Sink& out) { out.write("four"); });
    CountingSink sink;
    EXPECT_THROW(message.write(sink), Error) << length;
  }
}

TEST(Protobuf, SurvivesDamagedMessages) {
  Message inner, message;
  inner.packed_ints(1, numbers);
  inner.packed_floats(2, floats);
  inner.string(3, "name");
  message.message(1, std::move(inner));
  message.zigzag(2, -3);
  message.float64(3, 1.0);
  const int refused = damage(written(message), 20'000, [](const Bytes& text) {
    for (ProtoReader in(text.view()); in.next();) {
      if (in.field() != 1) {
        in.skip();
        continue;
      }
      std::vector<int64_t> ints;
      std::vector<float> singles;
      for (ProtoReader nested = in.message(); nested.next();) {
        if (nested.field() == 1) {
          nested.append_ints(ints);
        } else if (nested.field() == 2) {
          nested.append_floats(singles);
        } else {
          nested.raw();
        }
      }
    }
  });
  EXPECT_GT(refused, 3000);
}

}  // namespace
}  // namespace remodel
