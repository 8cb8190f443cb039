#include "record/recording.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

#include "record/preload/record_format.h"

namespace kache {
namespace {

// A record in memory, written as the recorder does.
class Writer {
 public:
  Writer() {
    std::memcpy(header_.magic, KACHE_RECORD_MAGIC, sizeof header_.magic);
    header_.capacity = KACHE_RECORD_CAPACITY;
  }

  kache_record& add(uint16_t kind, std::string_view a, std::string_view b = {}) {
    kache_record r{};
    r.size = static_cast<uint32_t>((sizeof r + a.size() + b.size() + 7) & ~size_t{7});
    r.kind = kind;
    r.a_size = static_cast<uint32_t>(a.size());
    r.b_size = static_cast<uint32_t>(b.size());
    size_t at = body_.size();
    body_.append(r.size, '\0');
    std::memcpy(&body_[at], &r, sizeof r);
    a.copy(&body_[at + sizeof r], a.size());
    b.copy(&body_[at + sizeof r] + a.size(), b.size());
    return *reinterpret_cast<kache_record*>(&body_[at]);
  }

  kache_record_header& header() { return header_; }

  std::string bytes() const {
    kache_record_header header = header_;
    if (header.tail == 0) header.tail = sizeof header + body_.size();
    std::string out(reinterpret_cast<const char*>(&header), sizeof header);
    return out + body_;
  }

 private:
  kache_record_header header_{};
  std::string body_;
};

TEST(Record, gives_back_every_field_in_order) {
  Writer w;
  kache_record& open = w.add(KACHE_REC_OPEN_READ, "/src/lib.rs");
  open.pid = 7, open.clock_ns = 11, open.aux = 12, open.flags = KACHE_REC_NOFOLLOW;
  open.dev = 1, open.ino = 2, open.file_size = 3, open.mtime_ns = 4, open.ctime_ns = -5, open.mode = 0100644;
  w.add(KACHE_REC_GETENV, "HOME", "/root").pid = 8;
  w.add(KACHE_REC_STAT, "/gone").result = ENOENT;
  std::string bytes = w.bytes();

  Result<std::vector<RecordEvent>> events = parse_record(bytes);
  ASSERT_TRUE(events.ok()) << events.error().message;
  ASSERT_EQ(events->size(), 3u);
  const RecordEvent& first = (*events)[0];
  EXPECT_EQ(first.kind, EventKind::open_read);
  EXPECT_EQ(first.a, "/src/lib.rs");
  EXPECT_EQ(first.b, "");
  EXPECT_EQ(first.pid, 7u);
  EXPECT_EQ(first.clock_ns, 11);
  EXPECT_EQ(first.aux, 12u);
  EXPECT_EQ(first.flags, KACHE_REC_NOFOLLOW);
  EXPECT_EQ(first.identity.dev, 1u);
  EXPECT_EQ(first.identity.ino, 2u);
  EXPECT_EQ(first.identity.size, 3u);
  EXPECT_EQ(first.identity.mtime_ns, 4);
  EXPECT_EQ(first.identity.ctime_ns, -5);
  EXPECT_EQ(first.identity.mode, 0100644u);
  EXPECT_EQ((*events)[1].kind, EventKind::get_env);
  EXPECT_EQ((*events)[1].a, "HOME");
  EXPECT_EQ((*events)[1].b, "/root");
  EXPECT_EQ((*events)[2].kind, EventKind::stat);
  EXPECT_EQ((*events)[2].result, ENOENT);
}

TEST(Record, without_events_is_a_record) {
  std::string bytes = Writer().bytes();
  Result<std::vector<RecordEvent>> events = parse_record(bytes);
  ASSERT_TRUE(events.ok());
  EXPECT_TRUE(events->empty());
}

TEST(Record, that_overflowed_proves_nothing) {
  Writer w;
  w.add(KACHE_REC_STAT, "/x");
  w.header().flags = KACHE_RECORD_OVERFLOW;
  EXPECT_EQ(parse_record(w.bytes()).code(), ErrorCode::corrupt);
  w.header().flags = 2;  // of a later version
  EXPECT_EQ(parse_record(w.bytes()).code(), ErrorCode::corrupt);
}

TEST(Record, with_an_unfinished_event_proves_nothing) {
  Writer w;
  w.add(KACHE_REC_STAT, "/x");
  w.add(KACHE_REC_STAT, "/y").size = 0;
  w.add(KACHE_REC_STAT, "/z");
  EXPECT_EQ(parse_record(w.bytes()).code(), ErrorCode::corrupt);
}

TEST(Record, cut_anywhere_is_refused) {
  Writer w;
  w.add(KACHE_REC_STAT, "/some/path");
  w.add(KACHE_REC_GETENV, "A", "b");
  std::string bytes = w.bytes();
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(parse_record(std::string_view(bytes).substr(0, size)).ok()) << size;
  }
}

TEST(Record, with_impossible_sizes_is_refused) {
  auto broken = [](auto&& change) {
    Writer w;
    change(w.add(KACHE_REC_GETENV, "NAME", "value"));
    return !parse_record(w.bytes()).ok();
  };
  EXPECT_TRUE(broken([](kache_record& r) { r.size += 8; }));
  EXPECT_TRUE(broken([](kache_record& r) { r.size -= 8; }));
  EXPECT_TRUE(broken([](kache_record& r) { r.size += 1; }));
  EXPECT_TRUE(broken([](kache_record& r) { r.size = 8; }));
  EXPECT_TRUE(broken([](kache_record& r) { r.size = UINT32_MAX - 7; }));
  EXPECT_TRUE(broken([](kache_record& r) { r.a_size = UINT32_MAX; }));
  EXPECT_TRUE(broken([](kache_record& r) { r.b_size = UINT32_MAX; }));
  EXPECT_TRUE(broken([](kache_record& r) { r.a_size = 0, r.b_size = 0; }));
  EXPECT_TRUE(broken([](kache_record& r) { r.kind = 0; }));
  EXPECT_TRUE(broken([](kache_record& r) { r.kind = 20; }));
  EXPECT_TRUE(broken([](kache_record& r) { r.result = -1; }));
  EXPECT_FALSE(broken([](kache_record&) {}));
}

TEST(Record, with_a_foreign_or_lying_header_is_refused) {
  Writer magic;
  magic.header().magic[7] = '9';
  EXPECT_FALSE(parse_record(magic.bytes()).ok());
  Writer tail;
  tail.header().tail = 8;
  EXPECT_FALSE(parse_record(tail.bytes()).ok());
  Writer beyond;
  beyond.header().tail = sizeof(kache_record_header) + 8;
  EXPECT_FALSE(parse_record(beyond.bytes()).ok());
}

class RecordFileTest : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/kache-record-test-XXXXXX";
    ASSERT_NE(mkdtemp(pattern), nullptr);
    dir_ = pattern;
  }
  void TearDown() override { EXPECT_EQ(rmdir(dir_.c_str()), 0) << "something was left behind"; }
  std::string dir_;
};

TEST_F(RecordFileTest, is_created_empty_and_private_and_goes_with_its_object) {
  std::string path;
  {
    Result<RecordFile> file = RecordFile::create(dir_);
    ASSERT_TRUE(file.ok()) << file.error().message;
    path = file->path();
    struct stat st;
    ASSERT_EQ(stat(path.c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 07777, 0600u);
    EXPECT_EQ(st.st_size, off_t{KACHE_RECORD_CAPACITY});
    EXPECT_LE(st.st_blocks * 512, off_t{2 * KACHE_RECORD_FIRST_CHUNK}) << "most of it is a hole";
    Result<std::vector<RecordEvent>> events = file->read();
    ASSERT_TRUE(events.ok()) << events.error().message;
    EXPECT_TRUE(events->empty());
  }
  EXPECT_NE(access(path.c_str(), F_OK), 0);
}

TEST_F(RecordFileTest, views_survive_a_move) {
  Result<RecordFile> file = RecordFile::create(dir_);
  ASSERT_TRUE(file.ok());
  Writer w;
  w.add(KACHE_REC_STAT, "/a/long/enough/path/to/be/anywhere");
  std::string bytes = w.bytes();
  int fd = open(file->path().c_str(), O_WRONLY);
  ASSERT_EQ(pwrite(fd, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  close(fd);
  Result<std::vector<RecordEvent>> events = file->read();
  ASSERT_TRUE(events.ok()) << events.error().message;
  RecordFile moved = std::move(*file);
  EXPECT_EQ(events->at(0).a, "/a/long/enough/path/to/be/anywhere");
  EXPECT_TRUE(moved.read().ok());
}

TEST_F(RecordFileTest, that_would_exceed_the_limit_on_file_sizes_is_an_error_and_no_signal) {
  rlimit old;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  rlimit small = {1 << 20, old.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  Result<RecordFile> file = RecordFile::create(dir_);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old), 0);
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.code(), ErrorCode::too_large);
}

TEST_F(RecordFileTest, says_where_it_could_not_be_made) {
  Result<RecordFile> file = RecordFile::create(dir_ + "/absent");
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.code(), ErrorCode::not_found);
  EXPECT_NE(file.error().message.find(dir_ + "/absent"), std::string::npos);
}

TEST(AddRecorder, goes_before_the_users_own_libraries) {
  Env env(std::vector<std::string>{"LD_PRELOAD=/lib/user.so"});
  ASSERT_TRUE(add_recorder(env, "/opt/libkache-record.so", "/tmp/r").ok());
  EXPECT_STREQ(env.get("LD_PRELOAD"), "/opt/libkache-record.so:/lib/user.so");
  EXPECT_STREQ(env.get("KACHE_RECORD"), "/tmp/r");
  // Inside another recorded compile it is listed already.
  ASSERT_TRUE(add_recorder(env, "/opt/libkache-record.so", "/tmp/r2").ok());
  EXPECT_STREQ(env.get("LD_PRELOAD"), "/opt/libkache-record.so:/lib/user.so");
  EXPECT_STREQ(env.get("KACHE_RECORD"), "/tmp/r2");
  Env spaced(std::vector<std::string>{"LD_PRELOAD= /a.so  /b.so:"});
  ASSERT_TRUE(add_recorder(spaced, "/opt/libkache-record.so", "/tmp/r").ok());
  EXPECT_STREQ(spaced.get("LD_PRELOAD"), "/opt/libkache-record.so:/a.so:/b.so");
  Env none;
  ASSERT_TRUE(add_recorder(none, "/opt/libkache-record.so", "/tmp/r").ok());
  EXPECT_STREQ(none.get("LD_PRELOAD"), "/opt/libkache-record.so");
}

TEST(AddRecorder, refuses_a_path_that_the_dynamic_linker_would_split) {
  Env env;
  EXPECT_EQ(add_recorder(env, "/home/my user/libkache-record.so", "/tmp/r").code(), ErrorCode::invalid);
  EXPECT_EQ(add_recorder(env, "/a:b/libkache-record.so", "/tmp/r").code(), ErrorCode::invalid);
  EXPECT_EQ(add_recorder(env, "libkache-record.so", "/tmp/r").code(), ErrorCode::invalid);
  EXPECT_EQ(env.get("LD_PRELOAD"), nullptr);
}

}  // namespace
}  // namespace kache
