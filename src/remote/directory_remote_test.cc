// What is particular to a directory; what every engine must do is in tests/remote.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "base/clock.h"
#include "remote/remote_spec.h"

namespace kache {
namespace {

namespace files = std::filesystem;

class DirectoryRemoteTest : public testing::Test {
 protected:
  DirectoryRemoteTest() {
    char name[] = "/tmp/kache-remote-XXXXXX";
    top_ = ::mkdtemp(name);
    spec_.place = top_ / "share";
    spec_.prefix = "team/cache";
    files::create_directory(spec_.place);
    base_ = files::path(spec_.place) / spec_.prefix;
  }
  ~DirectoryRemoteTest() override { files::remove_all(top_); }

  std::unique_ptr<Remote> open() { return std::move(open_directory_remote(spec_)).value(); }
  Status put(Remote& remote, const ObjectName& name, std::string_view bytes, const PutCondition& condition = {}) {
    return put_bytes(remote, name, bytes, condition, {});
  }
  std::string get(Remote& remote, const ObjectName& name) {
    StringSink sink;
    Result<std::string> version = remote.get(name, sink, {});
    return version.ok() ? sink.bytes() : "error: " + version.error().message;
  }
  ErrorCode get_code(Remote& remote, const ObjectName& name, const Limits& limits = {}) {
    StringSink sink;
    Result<std::string> version = remote.get(name, sink, limits);
    EXPECT_FALSE(version.ok());
    return version.ok() ? ErrorCode::io : version.code();
  }
  std::vector<std::string> staged(const files::path& dir) {
    std::vector<std::string> names;
    for (const auto& entry : files::directory_iterator(dir)) {
      if (entry.path().filename().string().starts_with("put-")) names.push_back(entry.path().filename());
    }
    return names;
  }

  files::path top_, base_;
  RemoteSpec spec_;
  ObjectName name_ = ObjectName::record(ActionKey{digest_bytes("one")});
  ObjectName other_ = ObjectName::record(ActionKey{digest_bytes("other")});
};

TEST_F(DirectoryRemoteTest, an_object_lies_under_its_name_and_nothing_else_stays) {
  auto remote = open();
  ASSERT_TRUE(put(*remote, name_, "bytes").ok());
  std::ifstream file(base_ / name_.text());
  std::string bytes((std::istreambuf_iterator<char>(file)), {});
  EXPECT_EQ(bytes, "bytes");
  EXPECT_EQ(get(*remote, name_), "bytes");
  EXPECT_TRUE(staged(base_ / ".kache-tmp").empty());
}

TEST_F(DirectoryRemoteTest, modes_are_what_the_umask_gives) {
  mode_t before = ::umask(0002);
  auto remote = open();
  Status status = put(*remote, name_, "bytes");
  ::umask(before);
  ASSERT_TRUE(status.ok());
  EXPECT_EQ(files::status(base_ / name_.text()).permissions(), files::perms(0664));
  EXPECT_EQ(files::status((base_ / name_.text()).parent_path()).permissions(), files::perms(0775));
}

TEST_F(DirectoryRemoteTest, a_missing_directory_is_named_and_not_made) {
  files::remove(spec_.place);
  auto remote = open();
  Status status = put(*remote, name_, "bytes");
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.code(), ErrorCode::invalid);
  EXPECT_EQ(status.error().message, "no directory " + spec_.place + ": is it mounted? kache does not create it");
  EXPECT_EQ(get_code(*remote, name_), ErrorCode::invalid);  // no miss: somebody should hear of it
  EXPECT_FALSE(files::exists(spec_.place));
}

TEST_F(DirectoryRemoteTest, an_empty_directory_holds_nothing) {
  auto remote = open();
  EXPECT_EQ(get_code(*remote, name_), ErrorCode::not_found);
  EXPECT_FALSE(remote->has(name_, {}).value());
  EXPECT_TRUE(remote->remove(name_, {}).ok());
  EXPECT_TRUE(remote->list(ObjectKind::record, "", [](const ListedObject&) -> Status { return Error{}; }, {}).ok());
}

TEST_F(DirectoryRemoteTest, links_are_not_followed) {
  auto remote = open();
  ASSERT_TRUE(put(*remote, name_, "bytes").ok());
  files::create_directory(top_ / "elsewhere");
  std::ofstream(top_ / "secret") << "secret";

  files::path object = base_ / name_.text();
  files::remove(object);
  files::create_symlink(top_ / "secret", object);
  EXPECT_EQ(get_code(*remote, name_), ErrorCode::corrupt);
  EXPECT_EQ(remote->has(name_, {}).code(), ErrorCode::corrupt);
  ASSERT_TRUE(put(*remote, name_, "new").ok());  // replaces the link, not what it names
  EXPECT_EQ(get(*remote, name_), "new");
  std::string secret;
  std::ifstream(top_ / "secret") >> secret;
  EXPECT_EQ(secret, "secret");

  files::remove_all(base_ / "k1/records");
  files::create_directory_symlink(top_ / "elsewhere", base_ / "k1/records");
  EXPECT_EQ(put(*remote, name_, "bytes").code(), ErrorCode::corrupt);
  EXPECT_TRUE(files::is_empty(top_ / "elsewhere"));
  EXPECT_EQ(get_code(*remote, name_), ErrorCode::corrupt);
}

TEST_F(DirectoryRemoteTest, what_is_no_file_is_no_object_and_stops_nobody) {
  auto remote = open();
  ASSERT_TRUE(put(*remote, name_, "bytes").ok());
  files::remove(base_ / name_.text());
  ASSERT_EQ(::mkfifo((base_ / name_.text()).c_str(), 0644), 0);
  EXPECT_EQ(get_code(*remote, name_), ErrorCode::corrupt);
}

TEST_F(DirectoryRemoteTest, a_larger_file_than_asked_for_is_refused_before_it_is_read) {
  auto remote = open();
  ASSERT_TRUE(put(*remote, name_, std::string(1000, 'x')).ok());
  Limits limits;
  limits.max_bytes = 999;
  StringSink sink;
  EXPECT_EQ(remote->get(name_, sink, limits).code(), ErrorCode::too_large);
  EXPECT_EQ(sink.bytes(), "");
  limits.max_bytes = 1000;
  EXPECT_TRUE(remote->get(name_, sink, limits).ok());
}

TEST_F(DirectoryRemoteTest, listing_passes_over_what_is_not_ours) {
  auto remote = open();
  ASSERT_TRUE(put(*remote, name_, "bytes").ok());
  ASSERT_TRUE(put(*remote, other_, "more").ok());
  files::path folder = (base_ / name_.text()).parent_path();
  std::ofstream(folder / "README") << "x";
  std::ofstream(folder / ".nfs0001") << "x";
  files::create_directories(folder / std::string(64, 'a'));
  files::create_symlink("/etc/passwd", folder / name_.digest().hex().replace(63, 1, "0"));
  files::create_directories(base_ / "k1/records/zz/deep/er");
  std::map<std::string, uint64_t> found;
  Status status = remote->list(ObjectKind::record, "", [&](const ListedObject& one) -> Status {
    found[one.name.text()] = one.size;
    EXPECT_GT(one.modified_ns, 0);
    return Ok{};
  }, {});
  ASSERT_TRUE(status.ok());
  EXPECT_EQ(found, (std::map<std::string, uint64_t>{{name_.text(), 5}, {other_.text(), 4}}));
  EXPECT_TRUE(files::exists(folder / "README"));

  found.clear();
  ASSERT_TRUE(remote->list(ObjectKind::record, name_.text().substr(0, 14), [&](const ListedObject& one) -> Status {
    found[one.name.text()] = one.size;
    return Ok{};
  }, {}).ok());
  EXPECT_EQ(found, (std::map<std::string, uint64_t>{{name_.text(), 5}}));
}

TEST_F(DirectoryRemoteTest, the_staging_directory_may_be_elsewhere_on_the_same_file_system) {
  spec_.options["atomic_write_dir"] = top_ / "staging";
  auto remote = open();
  ASSERT_TRUE(put(*remote, name_, "bytes").ok());
  EXPECT_TRUE(files::is_directory(top_ / "staging"));
  EXPECT_EQ(get(*remote, name_), "bytes");

  spec_.options["atomic_write_dir"] = "/proc/self";
  Status status = put(*open(), name_, "bytes");
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.code(), ErrorCode::invalid);
  EXPECT_EQ(status.error().message, "atomic_write_dir /proc/self is not on the file system of " + spec_.place);

  spec_.options["atomic_write_dir"] = "staging";
  EXPECT_EQ(open_directory_remote(spec_).error().message, "atomic_write_dir staging is not an absolute path");
}

TEST_F(DirectoryRemoteTest, what_dead_writers_left_goes_after_a_day) {
  ASSERT_TRUE(put(*open(), name_, "bytes").ok());
  for (const char* left : {"put-old", "put-young", "notes"}) std::ofstream(base_ / ".kache-tmp" / left) << "x";
  auto day = std::chrono::hours(24);
  files::last_write_time(base_ / ".kache-tmp/put-old", files::file_time_type::clock::now() - day - std::chrono::minutes(1));
  files::last_write_time(base_ / ".kache-tmp/put-young", files::file_time_type::clock::now() - day + std::chrono::minutes(1));
  files::last_write_time(base_ / ".kache-tmp/notes", files::file_time_type::clock::now() - 2 * day);
  ASSERT_TRUE(put(*open(), other_, "bytes").ok());
  EXPECT_EQ(staged(base_ / ".kache-tmp"), std::vector<std::string>{"put-young"});
  EXPECT_TRUE(files::exists(base_ / ".kache-tmp/notes"));
}

TEST_F(DirectoryRemoteTest, of_several_who_compare_and_replace_none_loses_a_change) {
  ASSERT_TRUE(put(*open(), name_, "0").ok());
  constexpr int kThreads = 4, kTurns = 25;
  std::vector<std::thread> crowd;
  for (int i = 0; i < kThreads; ++i) {
    crowd.emplace_back([&] {
      auto remote = open();
      for (int done = 0; done < kTurns;) {
        StringSink sink;
        std::string version = remote->get(name_, sink, {}).value();
        Status status = put(*remote, name_, std::to_string(std::stoi(sink.bytes()) + 1), {PutCondition::if_version, version});
        if (status.ok()) ++done;
        else EXPECT_EQ(status.code(), ErrorCode::exists) << status.error().message;
      }
    });
  }
  for (std::thread& thread : crowd) thread.join();
  EXPECT_EQ(get(*open(), name_), std::to_string(kThreads * kTurns));
}

TEST_F(DirectoryRemoteTest, of_several_who_come_first_one_does) {
  std::atomic<int> won{0}, lost{0};
  std::vector<std::thread> crowd;
  for (int i = 0; i < 8; ++i) {
    crowd.emplace_back([&, i] {
      Status status = put(*open(), name_, std::to_string(i), if_absent());
      if (status.ok()) ++won;
      else if (status.code() == ErrorCode::exists) ++lost;
    });
  }
  for (std::thread& thread : crowd) thread.join();
  EXPECT_EQ(won, 1);
  EXPECT_EQ(lost, 7);
}

TEST_F(DirectoryRemoteTest, a_lock_that_is_held_costs_no_more_than_the_deadline) {
  auto remote = open();
  ASSERT_TRUE(put(*remote, name_, "bytes").ok());
  char file[16];
  ::snprintf(file, sizeof file, "lock-%02x", digest_bytes(name_.text()).bytes[0]);
  int holder = ::open((base_ / ".kache-tmp" / file).c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_GE(holder, 0);
  ASSERT_EQ(::flock(holder, LOCK_EX), 0);
  Limits limits;
  limits.deadline_ns = system_clock().monotonic_ns() + 50'000'000;
  EXPECT_EQ(put_bytes(*remote, name_, "new", {}, limits).code(), ErrorCode::timed_out);
  ::close(holder);
  EXPECT_EQ(get(*remote, name_), "bytes");
  EXPECT_TRUE(staged(base_ / ".kache-tmp").empty());
}

// In a mount namespace of its own, on a file system of one megabyte.
TEST_F(DirectoryRemoteTest, a_full_disk_is_told_and_nothing_stays_behind) {
  pid_t child = ::fork();
  if (child == 0) {
    if (::unshare(CLONE_NEWNS) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) ::_exit(77);
    ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    if (::mount("full", spec_.place.c_str(), "tmpfs", 0, "size=1m") != 0) ::_exit(77);
    auto remote = open();
    if (!put(*remote, name_, std::string(100'000, 'x')).ok()) ::_exit(1);
    Status status = put(*remote, other_, std::string(2'000'000, 'x'));
    if (status.ok() || status.code() != ErrorCode::no_space) ::_exit(2);
    if (!staged(base_ / ".kache-tmp").empty() || files::exists(base_ / other_.text())) ::_exit(3);
    ::_exit(get(*remote, name_).size() == 100'000 ? 0 : 4);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "no mount namespaces here";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace kache
