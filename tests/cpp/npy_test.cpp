#include "wire/npy.h"

#include <gtest/gtest.h>

#include "damage.h"
#include "hex.h"
#include "refusal.h"
#include "wire/zip.h"

namespace remodel {
namespace {

// A version 1 file with this dict as header.
std::string with_header(const std::string& dict, const std::string& data = "") {
  std::string file = "\x93NUMPY\1";
  file += {'\0', static_cast<char>(dict.size() & 0xff), static_cast<char>(dict.size() >> 8)};
  return file + dict + data;
}

std::string with(const std::string& descr, const std::string& shape, const std::string& data = "") {
  return with_header("{'descr': " + descr + ", 'fortran_order': False, 'shape': " + shape + ", }\n", data);
}

NpyArray read(const std::string& file) { return read_npy(Bytes::own(file)); }

std::string said(const std::string& file) {
  return refusal([&] { read(file); });
}

template <class T>
std::vector<T> values(const NpyArray& array) {
  std::vector<T> values(array.data.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), array.data.data(), array.data.size());
  return values;
}

std::string written(const NpyArray& array) {
  MemorySink sink;
  write_npy(sink, array);
  return sink.take();
}

// The header that NumPy 2.4 writes before the data of `descr` and `shape`: the dict in 118 bytes.
std::string numpy_file(const std::string& dict, const std::string& data_hex) {
  return "\x93NUMPY\1" + from_hex("007600") + dict + std::string(117 - dict.size(), ' ') + "\n" +
         from_hex(data_hex);
}

// numpy.lib.format.write_array of an int16 array in column order, version (2, 0).
constexpr const char* numpy_columns =
    "934e554d50590200740000007b276465736372273a20273c6932272c2027666f727472616e5f6f72646572273a20547275652c20"
    "277368617065273a202832"
    "2c2033292c207d202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020"
    "20202020202020202020"
    "20200a010004000200050003000600";
// Version (3, 0), '>f4'.
constexpr const char* numpy_big_endian =
    "934e554d50590300740000007b276465736372273a20273e6634272c2027666f727472616e5f6f72646572273a2046616c73652c"
    "20277368617065273a2028"
    "322c292c207d20202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020"
    "2020202020202020202020"
    "200a3fc00000c0000000";
// numpy.savez_compressed(x=int8 [0 1 2], y=float16 1.5)
constexpr const char* numpy_npz =
    "504b03042d000000080000002100ac98ff33ffffffffffffffff05001400782e6e70790100100083000000000000004700000000"
    "0000009bec17ea1b10c9c8"
    "50c650ad9e925a9c5ca46ea5a05e9369a8aea3a09e965f54529498179f5f94920a12774bcc294e058a17672416a402f91ac63a9a"
    "3a0ab50a14002e06462600"
    "504b03042d00000008000000210044796d5dffffffffffffffff05001400792e6e70790100100082000000000000004400000000"
    "0000009bec17ea1b10c9c8"
    "50c650ad9e925a9c5ca46ea5a06e9366a4aea3a09e965f54529498179f5f94920a12774bcc294e058a17672416a402f91a9a3a0a"
    "b50a14012e063b00504b01"
    "022d032d000000080000002100ac98ff334700000083000000050000000000000000000000800100000000782e6e7079504b0102"
    "2d032d0000000800000021"
    "0044796d5d440000008200000005000000000000000000000080017e000000792e6e7079504b0506000000000200020066000000"
    "f90000000000";

TEST(Npy, ReadsWhatNumpyWrote) {
  const NpyArray rows = read(numpy_file("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }",
                                        "0000803f0000004000004040000080400000a0400000c040"));
  EXPECT_EQ(rows.descr, "<f4");
  EXPECT_EQ(rows.shape, (std::vector<int64_t>{2, 3}));
  EXPECT_FALSE(rows.fortran);
  EXPECT_EQ(values<float>(rows), (std::vector<float>{1, 2, 3, 4, 5, 6}));

  const NpyArray columns = read(from_hex(numpy_columns));
  EXPECT_TRUE(columns.fortran);
  EXPECT_EQ(values<int16_t>(columns), (std::vector<int16_t>{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(values<int16_t>(in_c_order(columns)), (std::vector<int16_t>{1, 2, 3, 4, 5, 6}));
  EXPECT_FALSE(in_c_order(columns).fortran);

  const NpyArray turned = read(from_hex(numpy_big_endian));
  EXPECT_EQ(turned.descr, "<f4");
  EXPECT_EQ(values<float>(turned), (std::vector<float>{1.5f, -2}));

  const NpyArray complex =
      read(numpy_file("{'descr': '>c8', 'fortran_order': False, 'shape': (1,), }", "3f80000040000000"));
  EXPECT_EQ(complex.descr, "<c8");
  EXPECT_EQ(values<float>(complex), (std::vector<float>{1, 2}));

  const NpyArray scalar = read(numpy_file("{'descr': '|b1', 'fortran_order': False, 'shape': (), }", "01"));
  EXPECT_TRUE(scalar.shape.empty());
  EXPECT_EQ(scalar.data.view(), "\1");
  const NpyArray none = read(numpy_file("{'descr': '|u1', 'fortran_order': False, 'shape': (0, 3), }", ""));
  EXPECT_EQ(none.shape, (std::vector<int64_t>{0, 3}));
}

TEST(Npy, WritesWhatNumpyWrites) {
  const std::string dict = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  const std::string file = numpy_file(dict, "0000803f0000004000004040000080400000a0400000c040");
  EXPECT_EQ(written(read(file)), file);
}

TEST(Npy, TextsAreUtf8) {
  const std::string unicode = numpy_file("{'descr': '<U4', 'fortran_order': False, 'shape': (2,), }",
                                         "e900000000000000000000000000000078000000790000007a00000000f60100");
  EXPECT_EQ(npy_strings(read(unicode)), (std::vector<std::string>{"é", "xyz😀"}));
  EXPECT_EQ(written(npy_from_strings({"é", "xyz😀"}, {2})), unicode);
  const std::string bytes =
      numpy_file("{'descr': '|S3', 'fortran_order': False, 'shape': (2,), }", "610000626364");
  EXPECT_EQ(npy_strings(read(bytes)), (std::vector<std::string>{"a", "bcd"}));
  const NpyArray latin = npy_from_strings({"\xe9", "b", ""}, {3, 1});
  EXPECT_EQ(latin.descr, "|S1");
  EXPECT_EQ(npy_strings(latin), (std::vector<std::string>{"\xe9", "b", ""}));
  EXPECT_EQ(npy_from_strings({""}, {1}).descr, "<U1");
  EXPECT_EQ(npy_strings(npy_from_strings({}, {0})).size(), 0u);
  EXPECT_THROW(npy_strings(read(with("'<i4'", "()", "1234"))), Error);
}

TEST(Npy, EveryDtypeGoesThereAndBack) {
  for (const char* descr : {"|b1", "|i1", "|u1", "<i2", "<u2", "<f2", "<i4", "<u4", "<f4", "<i8", "<u8",
                            "<f8", "<c8", "<c16", "|S5", "<U2"}) {
    const std::string data(npy_item_size(descr) * 6, 'd');
    for (const bool fortran : {false, true}) {
      const NpyArray back = read(written({descr, {1, 2, 3}, fortran, Bytes::own(data)}));
      EXPECT_EQ(back.descr, descr);
      EXPECT_EQ(back.shape, (std::vector<int64_t>{1, 2, 3}));
      EXPECT_EQ(back.fortran, fortran);
      EXPECT_EQ(back.data.view(), data);
    }
  }
}

TEST(Npy, DataIsAViewAtAnAlignedPlace) {
  const Bytes file = Bytes::own(written({"<f4", {2}, false, Bytes::own("12345678")}));
  const NpyArray array = read_npy(file);
  EXPECT_EQ(array.data.data(), file.data() + file.size() - 8);
  EXPECT_EQ((file.size() - 8) % 64, 0u);
}

TEST(Npy, ColumnOrderOfThreeAxes) {
  std::vector<uint8_t> columns;
  for (int k = 0; k < 4; ++k) {
    for (int j = 0; j < 3; ++j) {
      for (int i = 0; i < 2; ++i) columns.push_back(static_cast<uint8_t>((i * 3 + j) * 4 + k));
    }
  }
  const NpyArray rows = in_c_order({"|u1", {2, 3, 4}, true, Bytes::copy(columns.data(), columns.size())});
  for (uint8_t number = 0; number < 24; ++number) EXPECT_EQ(rows.data.data()[number], number);
}

TEST(Npy, RefusesWhatItDoesNotUnderstand) {
  EXPECT_EQ(said("text"), "this is no .npy file");
  EXPECT_EQ(said("\x93NUMPY\4" + std::string(20, '\0')), ".npy version 4 is not supported");
  EXPECT_EQ(said(with("'|O'", "(1,)")), "arrays of Python objects hold code and are not read");
  EXPECT_EQ(said(with("[('a', '<i4')]", "(1,)")), "record arrays are not supported");
  EXPECT_EQ(said(with("'|V2'", "(1,)")), "dtype '|V2' (raw bytes or records) is not supported");
  EXPECT_EQ(said(with("'<M8[ns]'", "(1,)")), "dtype '<M8[ns]' (dates) is not supported");
  EXPECT_EQ(said(with("'<f16'", "(1,)")), "dtype '<f16' is not supported");
  EXPECT_EQ(said(with("'|f4'", "(1,)")), "dtype '|f4' lacks a byte order");
  for (const char* descr :
       {"", "f4", "?f4", "<f", "<f-4", "<f4x", "|S0", "<U99999999999999999999", "<U4294967296"}) {
    EXPECT_EQ(said(with("'" + std::string(descr) + "'", "(1,)")),
              fmt::format("dtype '{}' is not understood", descr));
  }
}

TEST(Npy, RefusesHostileShapes) {
  EXPECT_EQ(said(with("'<f4'", "(2,)", "1234567")),
            "7 bytes follow the header where its shape and dtype need 8");
  EXPECT_EQ(said(with("'<f4'", "(2,)", "123456789")),
            "9 bytes follow the header where its shape and dtype need 8");
  EXPECT_EQ(said(with("'<f4'", "(1000000000000,)")),
            "0 bytes follow the header where its shape and dtype need 4000000000000");
  for (const char* shape : {"(4611686018427387904,)", "(4294967296, 4294967296)",
                            "(9223372036854775807, 2, 0)", "(99999999999999999999,)"}) {
    EXPECT_EQ(said(with("'<f4'", shape)), "the shape is too large") << shape;
  }
  EXPECT_EQ(said(with("'<f4'", "(0, 9223372036854775807, 9223372036854775807)")), "accepted");
  std::string many = "(";
  for (int i = 0; i < 65; ++i) many += "1,";
  EXPECT_EQ(said(with("'|u1'", many + ")", "1")), "the shape has more than 64 axes");
}

TEST(Npy, RefusesOddHeaders) {
  const std::string order = "'fortran_order': False, ", shape = "'shape': (), ", descr = "'descr': '|u1', ";
  EXPECT_EQ(said(with_header("{" + order + shape + descr + "}", "1")), "accepted");
  EXPECT_EQ(said(with_header("{" + order + shape + "'descr':\"|u1\"}  \n", "1")), "accepted");
  EXPECT_EQ(said(with("'|u1'", "(1L,)", "1")), "accepted");
  EXPECT_EQ(said(with_header("{" + order + shape + "}")), "the header lacks descr, fortran_order or shape");
  EXPECT_EQ(said(with_header("{" + order + shape + shape)), "the header has the key 'shape' twice");
  EXPECT_EQ(said(with_header("{'extra': 1}")), "the header has an unknown key 'extra'");
  for (const std::string& dict :
       {std::string(), std::string("{"), "{" + descr, "{" + order + shape + descr + "}x",
        "{" + order + shape + descr, std::string("{'descr'"), std::string("{'descr: 1"),
        std::string("{'de\\x73cr': '|u1'}"), std::string("{'shape': (1"), std::string("{'shape': (1)}"),
        std::string("{'shape': (-1,)}"), std::string("{'shape': (1 2)}"), std::string("{'shape': (,)}"),
        std::string("{'shape': [1]}"), std::string("{'fortran_order': false}"),
        std::string("{'descr': __import__('os')}")}) {
    EXPECT_EQ(said(with_header(dict)).substr(0, 28), "the header is damaged at byt") << dict;
  }
  EXPECT_EQ(said(std::string("\x93NUMPY\1\0\xff\xff{", 11)), "the header is cut short");
  EXPECT_EQ(said(std::string("\x93NUMPY\2\0\xff\xff\xff\xff", 12)), "the header is cut short");
}

TEST(Npz, ReadsWhatNumpyWrote) {
  const NamedArrays arrays = read_npz(Bytes::own(from_hex(numpy_npz)), 1000);
  ASSERT_EQ(arrays.size(), 2u);
  EXPECT_EQ(arrays[0].first, "x");
  EXPECT_EQ(values<int8_t>(arrays[0].second), (std::vector<int8_t>{0, 1, 2}));
  EXPECT_EQ(arrays[1].first, "y");
  EXPECT_EQ(arrays[1].second.descr, "<f2");
  EXPECT_EQ(values<uint16_t>(arrays[1].second), std::vector<uint16_t>{0x3e00});
  EXPECT_EQ(refusal([] { read_npz(Bytes::own(from_hex(numpy_npz)), 100); }),
            "array 'x': zip entry 'x.npy': its 131 bytes are more than the 100 allowed");
}

TEST(Npz, ReadsWhatItWrote) {
  MemorySink sink;
  write_npz(sink,
            {{"a/b:0", {"<f4", {2}, false, Bytes::own("12345678")}}, {"t", npy_from_strings({"é"}, {})}});
  const Bytes file = Bytes::own(sink.take());
  const NamedArrays arrays = read_npz(file, 1000);
  ASSERT_EQ(arrays.size(), 2u);
  EXPECT_EQ(arrays[0].first, "a/b:0");
  EXPECT_EQ(arrays[0].second.data.view(), "12345678");
  EXPECT_EQ(arrays[0].second.data.owner(), file.owner());
  EXPECT_EQ(static_cast<size_t>(arrays[0].second.data.data() - file.data()) % 64, 0u);
  EXPECT_EQ(npy_strings(arrays[1].second), std::vector<std::string>{"é"});
}

TEST(Npz, NamesTheArrayInErrors) {
  MemorySink sink;
  ZipWriter zip(sink);
  zip.add("x.npy", "text");
  zip.finish();
  EXPECT_EQ(refusal([&] { read_npz(Bytes::own(sink.text()), 1000); }), "array 'x': this is no .npy file");
}

TEST(Npy, SurvivesDamagedFiles) {
  const auto use = [](const Bytes& file) {
    const NpyArray array = in_c_order(read_npy(file));
    if (array.descr[1] == 'U' || array.descr[1] == 'S') npy_strings(array);
  };
  EXPECT_GT(damage(from_hex(numpy_columns), 3000, use), 1000);
  EXPECT_GT(damage(written(npy_from_strings({"é", "xyz😀"}, {2})), 3000, use), 1000);
  EXPECT_GT(damage(from_hex(numpy_npz), 1000, [](const Bytes& file) { read_npz(file, 10'000); }), 500);
}

}  // namespace
}  // namespace remodel
