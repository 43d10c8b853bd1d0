#include "ports/capture/reader.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "ports/capture/capture_builder.h"
#include "ports/capture/window.h"
#include "ports/capture/writer.h"

namespace uct::capture::testing {
namespace {

namespace fs = std::filesystem;

// A file that goes away with the test.
class TemporaryFile {
 public:
  TemporaryFile() {
    const int descriptor = ::mkstemp(path_.data());
    if (descriptor >= 0) ::close(descriptor);
  }
  explicit TemporaryFile(const Content& content) : TemporaryFile() {
    std::ofstream file(path_, std::ios::binary);
    file.write(reinterpret_cast<const char*>(content.data()),
               static_cast<std::streamsize>(content.size()));
  }
  ~TemporaryFile() { ::unlink(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_ = fs::temp_directory_path() / "uct_reader_test_XXXXXX";
};

Content gzip(const Content& plain) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY), Z_OK);
  Content packed(deflateBound(&stream, plain.size()));
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

Content joined(Content first, const Content& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

// Three frames in 24 + 20 + 21 + 22 bytes.
ClassicFile three_frames() {
  ClassicFile file(Order::little);
  file.record(1, 0, "1st.").record(2, 0, "2nd..").record(3, 0, "3rd...");
  return file;
}

// Puts the read end of a pipe in the place of standard input.
class StandardInput {
 public:
  StandardInput() : saved_(::dup(STDIN_FILENO)) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    ::dup2(ends[0], STDIN_FILENO);
    ::close(ends[0]);
    write_end_ = ends[1];
  }
  ~StandardInput() {
    close();
    ::dup2(saved_, STDIN_FILENO);
    ::close(saved_);
  }
  void write(std::span<const std::byte> bytes) {
    EXPECT_EQ(::write(write_end_, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  void close() {
    if (write_end_ >= 0) ::close(std::exchange(write_end_, -1));
  }

 private:
  int saved_;
  int write_end_ = -1;
};

std::string refusal_of(const std::string& path) {
  const auto opened = Reader::open(path);
  return opened ? "opened" : opened.error().message;
}

TEST(Reader, MissingFileIsNamed) {
  EXPECT_EQ(refusal_of("/nowhere/x.pcap"),
            "/nowhere/x.pcap: cannot be opened: No such file or directory");
}

TEST(Reader, DirectoryIsRefused) {
  EXPECT_EQ(refusal_of("/tmp"), "/tmp: is a directory, not a capture file");
}

TEST(Reader, ForbiddenFileIsRefused) {
  const TemporaryFile file(three_frames().content());
  fs::permissions(file.path(), fs::perms::none);
  const uid_t user = ::geteuid();
  const uid_t nobody = user == 0 ? 65'534 : user;  // root may read everything
  ASSERT_EQ(::seteuid(nobody), 0);
  const std::string refusal = refusal_of(file.path());
  ASSERT_EQ(::seteuid(user), 0);
  EXPECT_EQ(refusal, file.path() + ": cannot be opened: Permission denied");
}

TEST(Reader, EmptyFileIsRefused) {
  const TemporaryFile file;
  EXPECT_EQ(refusal_of(file.path()), file.path() + ": is empty");
  EXPECT_EQ(message_of(read_all(gzip({}))), "memory: is empty");
}

TEST(Reader, OtherFilesAreRefusedWithTheirFirstBytes) {
  EXPECT_EQ(message_of(read_all(content_of("\x7f"
                                           "ELF\x02"))),
            "memory: is no capture file: it starts with 7f 45 4c 46");
  EXPECT_EQ(message_of(read_all(content_of("ab"))),
            "memory: is no capture file: it starts with 61 62");
}

TEST(Reader, KnownCompressionsAreRefusedWithAdvice) {
  EXPECT_EQ(message_of(read_all(content_of("\x28\xb5\x2f\xfd...."))),
            "memory: is no capture file: it starts with 28 b5 2f fd; it is compressed with zstd: "
            "try zstd -dc FILE and read from \"-\"");
}

TEST(Reader, FileIsReadToItsEndWithProgress) {
  const ClassicFile content = three_frames();
  const TemporaryFile file(content.content());
  Reader reader = Reader::open(file.path()).value();
  EXPECT_EQ(reader.size(), content.size());
  const Story story = read_all(reader);
  EXPECT_EQ(story.frames.size(), 3U);
  EXPECT_FALSE(story.error);
  EXPECT_EQ(reader.bytes_read(), content.size());
}

TEST(Reader, ErrorComesAfterTheLastFrameAndStays) {
  ClassicFile file = three_frames();
  file.header(4, 0, 9, 9);
  Reader reader = Reader::from_memory(file.content()).value();
  std::array<Frame, 8> frames;
  EXPECT_EQ(reader.next_burst(frames), 3U);
  EXPECT_FALSE(reader.error());
  EXPECT_EQ(reader.next_burst(frames), 0U);
  EXPECT_TRUE(reader.error());
  EXPECT_EQ(reader.next_burst(frames), 0U);
  EXPECT_EQ(reader.error()->offset, file.starts[3]);
}

TEST(Reader, ErrorNamesTheFile) {
  ClassicFile content = three_frames();
  content.header(4, 0, 9, 9);
  const TemporaryFile file(content.content());
  Reader reader = Reader::open(file.path()).value();
  EXPECT_EQ(message_of(read_all(reader)),
            file.path() + ": byte 87: record 4 claims 9 bytes, the file ends after 0");
}

// Sizes are such that the window's end meets headers and bodies at many places.
TEST(Reader, RecordsAcrossTheEndOfTheWindowAreWhole) {
  ClassicFile file(Order::little);
  std::vector<std::string> bodies;
  for (unsigned i = 0; file.size() < 20 * kWindowSize; ++i) {
    bodies.emplace_back(i * 37 % 1511, static_cast<char>(i));
    file.record(i, 0, bodies.back());
  }
  const TemporaryFile written(file.content());
  auto opened = Reader::open(written.path());
  ASSERT_TRUE(opened);
  Reader reader = std::move(opened).value();
  std::vector<Frame> frames(64);
  std::size_t seen = 0;
  while (const std::size_t count = reader.next_burst(frames)) {
    ASSERT_LE(seen + count, bodies.size());
    for (std::size_t i = 0; i < count; ++i, ++seen) {
      ASSERT_EQ(text_of(frames[i]), bodies[seen]) << seen;
      ASSERT_EQ(frames[i].offset, file.starts[seen]) << seen;
    }
  }
  EXPECT_EQ(seen, bodies.size());
  EXPECT_FALSE(reader.error());
}

TEST(Reader, MemoryDoesNotGrowWithTheFile) {
  const TemporaryFile file;
  Writer writer = Writer::create(file.path()).value();
  const Content frame(1000);
  while (writer.size() < 32'000'000) ASSERT_TRUE(writer.write(frame, Timestamp{}));
  ASSERT_TRUE(writer.close());
  const auto peak_kib = [] {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
  };
  const long before = peak_kib();
  Reader reader = Reader::open(file.path()).value();
  std::array<Frame, 256> frames;
  std::size_t total = 0;
  while (const std::size_t count = reader.next_burst(frames)) total += count;
  EXPECT_GT(total, 31'000U);
  EXPECT_LT(peak_kib() - before, 4096);
}

TEST(Gzip, BothFormatsAreReadCompressed) {
  PcapngFile pcapng(Order::big);
  pcapng.interface(1).enhanced(0, 1, "packed");
  EXPECT_EQ(read_all(gzip(pcapng.content())).frames.at(0).text, "packed");
  const Story classic = read_all(gzip(three_frames().content()));
  EXPECT_EQ(classic.frames.size(), 3U);
  EXPECT_EQ(classic.frames[2].frame.offset, three_frames().starts[2]);
  EXPECT_FALSE(classic.error);
}

TEST(Gzip, ProgressCountsCompressedBytes) {
  const Content packed = gzip(three_frames().content());
  const TemporaryFile file(packed);
  Reader reader = Reader::open(file.path()).value();
  EXPECT_EQ(reader.size(), packed.size());
  EXPECT_EQ(read_all(reader).frames.size(), 3U);
  EXPECT_EQ(reader.bytes_read(), packed.size());
}

TEST(Gzip, MembersAndPaddingAreReadAsOneFile) {
  const Content plain = three_frames().content();
  const Content first = gzip({plain.begin(), plain.begin() + 50});
  const Content second = gzip({plain.begin() + 50, plain.end()});
  for (const std::size_t piece : {1U, 4096U}) {
    const Story story = read_all(joined(joined(first, second), Content(600)), 256, piece);
    EXPECT_EQ(story.frames.size(), 3U);
    EXPECT_FALSE(story.error) << message_of(story);
  }
}

TEST(Gzip, TruncatedAnywhereIsAnError) {
  const Content packed = gzip(three_frames().content());
  for (std::size_t size = 2; size < packed.size(); ++size) {
    const Story story = read_all(Content(packed.begin(), packed.begin() + static_cast<long>(size)));
    ASSERT_TRUE(story.error) << size;
    EXPECT_NE(message_of(story).find("the gzip data ends early, after " + std::to_string(size)),
              std::string::npos)
        << message_of(story);
  }
}

// A few bits mean nothing, such as the lengths of codes that are not used.
TEST(Gzip, AnyCorruptByteBehindTheHeaderIsAnErrorOrHarmless) {
  const Content packed = gzip(three_frames().content());
  const Story right = read_all(packed);
  for (std::size_t at = 10; at < packed.size(); ++at) {
    Content corrupt = packed;
    corrupt[at] ^= std::byte{0x10};
    const Story story = read_all(corrupt);
    if (story.error) continue;
    ASSERT_EQ(story.frames.size(), right.frames.size()) << at;
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(story.frames[i].text, right.frames[i].text) << at;
  }
}

TEST(Gzip, FramesBeforeAWrongChecksumAreGiven) {
  Content packed = gzip(three_frames().content());
  packed[packed.size() - 8] ^= std::byte{1};
  const Story story = read_all(packed);
  EXPECT_EQ(story.frames.size(), 3U);
  EXPECT_NE(message_of(story).find("the gzip data is corrupt near compressed byte"),
            std::string::npos);
  EXPECT_NE(message_of(story).find("(incorrect data check)"), std::string::npos);
}

TEST(Gzip, OtherDataBehindIsAnError) {
  const Story story = read_all(joined(gzip(three_frames().content()), content_of("rubbish")));
  EXPECT_EQ(story.frames.size(), 3U);
  EXPECT_NE(message_of(story).find("is no gzip data"), std::string::npos) << message_of(story);
}

TEST(StandardInput, PipeIsReadToItsEnd) {
  StandardInput input;
  input.write(three_frames().content());
  input.close();
  Reader reader = Reader::open("-").value();
  EXPECT_FALSE(reader.size());
  EXPECT_EQ(read_all(reader).frames.size(), 3U);
  EXPECT_FALSE(reader.error());
}

TEST(StandardInput, FramesComeAsSoonAsTheyAreThere) {
  StandardInput input;
  const ClassicFile file = three_frames();
  const std::span<const std::byte> bytes(file.content());
  input.write(bytes.first(file.starts[1] + 3));  // the first record, and a bit of the next
  Reader reader = Reader::open("-").value();
  std::array<Frame, 8> frames;
  EXPECT_EQ(reader.next_burst(frames), 1U);
  input.write(bytes.subspan(file.starts[1] + 3));
  EXPECT_EQ(reader.next_burst(frames), 2U);
}

TEST(StandardInput, GzipAndErrorsWorkThroughAPipe) {
  StandardInput input;
  input.write(gzip(three_frames().header(1, 1, 5, 5).content()));
  input.close();
  Reader reader = Reader::open("-").value();
  const Story story = read_all(reader);
  EXPECT_EQ(story.frames.size(), 3U);
  EXPECT_EQ(message_of(story),
            "standard input: byte 87: record 4 claims 5 bytes, the file ends after 0");
}

// Gives the folder of captures that are shared between projects, or an empty path.
fs::path shared_captures() {
  const char* chosen = std::getenv("UCT_SHARED");
  const fs::path shared =
      chosen != nullptr ? fs::path(chosen) : fs::path(UCT_SOURCE_DIR "/../shared");
  return fs::exists(shared / "captures/SOURCES.tsv") ? shared / "captures" : fs::path();
}

TEST(SharedCaptures, HaveTheNumberOfFramesThatTheirListTells) {
  const fs::path folder = shared_captures();
  if (folder.empty())
    GTEST_SKIP() << "no ../shared/captures; UCT_SHARED may name the folder shared";
  std::ifstream list(folder / "SOURCES.tsv");
  std::string line;
  std::getline(list, line);  // the columns' names
  std::size_t files = 0;
  while (std::getline(list, line)) {
    std::istringstream columns(line);
    std::string name, source, bytes, packets;
    std::getline(columns, name, '\t') && std::getline(columns, source, '\t') &&
        std::getline(columns, bytes, '\t') && std::getline(columns, packets, '\t');
    auto opened = Reader::open(folder / name);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    const Story story = read_all(opened.value());
    EXPECT_EQ(std::to_string(story.frames.size()), packets) << name;
    EXPECT_FALSE(story.error) << message_of(story);
    ++files;
  }
  EXPECT_GT(files, 0U);
}

}  // namespace
}  // namespace uct::capture::testing
