#include "ports/capture/writer.h"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace uct::capture {

namespace {

struct FileHeader {
  std::uint32_t magic;
  std::uint16_t major;
  std::uint16_t minor;
  std::uint32_t zone;      ///< always 0: times are UTC
  std::uint32_t accuracy;  ///< always 0, as everybody writes
  std::uint32_t snapshot_size;
  std::uint32_t dlt;
};
static_assert(sizeof(FileHeader) == 24, "the format has no padding");

struct RecordHeader {
  std::uint32_t seconds;
  std::uint32_t fraction;
  std::uint32_t captured;
  std::uint32_t wire;
};
static_assert(sizeof(RecordHeader) == 16, "the format has no padding");

constexpr std::uint32_t kMicrosecondMagic = 0xa1b2c3d4;
constexpr std::uint32_t kNanosecondMagic = 0xa1b23c4d;

constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;
constexpr std::int64_t kLatest = (std::int64_t{1} << 32) * kNanosecondsPerSecond - 1;

std::string words(const std::string& path) {
  return path + ": " + std::generic_category().message(errno);
}

}  // namespace

Outcome<Writer> Writer::create(const std::string& path, const WriterConfig& config) {
  std::FILE* file = std::fopen(path.c_str(), "wbe");
  if (file == nullptr) return words(path);
  std::setvbuf(file, nullptr, _IOFBF, std::size_t{256} << 10);
  Writer writer(path, file, config.nanoseconds);
  const FileHeader header{config.nanoseconds ? kNanosecondMagic : kMicrosecondMagic,
                          2,
                          4,
                          0,
                          0,
                          config.snapshot_size,
                          config.dlt};
  if (!writer.put(&header, sizeof header)) return *writer.error();
  return writer;
}

bool Writer::write(std::span<const std::byte> bytes, Timestamp time, std::uint32_t wire_size) {
  const std::int64_t ns = std::clamp<std::int64_t>(time.time_since_epoch().count(), 0, kLatest);
  const std::int64_t fraction = ns % kNanosecondsPerSecond;
  const auto captured = static_cast<std::uint32_t>(bytes.size());
  const RecordHeader header{static_cast<std::uint32_t>(ns / kNanosecondsPerSecond),
                            static_cast<std::uint32_t>(nanoseconds_ ? fraction : fraction / 1000),
                            captured, wire_size == 0 ? captured : wire_size};
  return put(&header, sizeof header) && put(bytes.data(), bytes.size());
}

bool Writer::close() {
  if (!file_) return !error_;
  const bool closed = std::fclose(file_.release()) == 0;
  return closed ? !error_ : fail();
}

bool Writer::put(const void* data, std::size_t size) {
  if (error_ || !file_) return false;
  if (std::fwrite(data, 1, size, file_.get()) != size) return fail();
  size_ += size;
  return true;
}

bool Writer::fail() {
  if (!error_) error_ = words(path_);
  return false;
}

}  // namespace uct::capture
