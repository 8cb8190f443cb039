// The contract of FileSystem: the same cases on the real one and on the one that the tests of everything else run on.
#include "base/file_system.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <time.h>

#include <algorithm>
#include <thread>

#include "base/path.h"
#include "tests/support/fault_file_system.h"
#include "tests/support/mem_file_system.h"

namespace kache {
namespace {

// A place to work in, and a way to let the file clock move on.
class World {
 public:
  virtual ~World() = default;
  virtual FileSystem& fs() = 0;
  virtual std::string root() = 0;
  virtual void tick() = 0;
};

class MemWorld final : public World {
 public:
  MemWorld() { (void)fs_.make_dir("/root", 0755); }
  FileSystem& fs() override { return fs_; }
  std::string root() override { return "/root"; }
  void tick() override { clock_.advance_ms(4); }

 private:
  ManualClock clock_;
  MemFileSystem fs_{clock_};
};

class PosixWorld final : public World {
 public:
  PosixWorld() {
    char name[] = "/tmp/kache-fs-XXXXXX";
    root_ = ::mkdtemp(name);
  }
  ~PosixWorld() override { remove(root_); }
  FileSystem& fs() override { return posix_file_system(); }
  std::string root() override { return root_; }
  void tick() override {
    timespec pause{0, 12'000'000};
    ::nanosleep(&pause, nullptr);
  }

 private:
  void remove(const std::string& path) {
    Result<FileStat> stat = fs().lstat(path);
    if (!stat.ok() || !stat->is_dir()) return (void)fs().unlink(path);
    Result<std::vector<DirEntry>> names = fs().list(path);
    if (names.ok()) {
      for (const DirEntry& entry : *names) remove(join_path(path, entry.name));
    }
    (void)fs().remove_dir(path);
  }
  std::string root_;
};

// What wraps a file system and does not fail is that file system.
class WrappedWorld final : public World {
 public:
  FileSystem& fs() override { return fs_; }
  std::string root() override { return inner_.root(); }
  void tick() override { inner_.tick(); }

 private:
  MemWorld inner_;
  FaultFileSystem fs_{inner_.fs(), {}};
};

template <typename Place>
class FileSystemContract : public testing::Test {
 protected:
  std::string path(const std::string& name) { return world_.root() + "/" + name; }
  std::string bytes(const std::string& name) { return read_file(fs_, path(name), 1 << 20).value_or("(unreadable)"); }
  void make(const std::string& name, std::string_view content) { ASSERT_TRUE(fs_.create(path(name), content, 0644).ok()); }

  Place world_;
  FileSystem& fs_ = world_.fs();
};
using Worlds = testing::Types<PosixWorld, MemWorld, WrappedWorld>;
TYPED_TEST_SUITE(FileSystemContract, Worlds);

#define USE_WORLD                                                                     \
  FileSystem& fs = this->fs_;                                                         \
  [[maybe_unused]] auto path = [this](const char* name) { return this->path(name); }; \
  [[maybe_unused]] auto bytes = [this](const char* name) { return this->bytes(name); }

int errno_of(const Status& status) { return status.ok() ? 0 : status.error().sys; }

TYPED_TEST(FileSystemContract, create_makes_a_file_once) {
  USE_WORLD;
  ASSERT_TRUE(fs.create(path("a"), "one", 0600).ok());
  EXPECT_EQ(bytes("a"), "one");
  EXPECT_EQ(errno_of(fs.create(path("a"), "two", 0600)), EEXIST);
  EXPECT_EQ(bytes("a"), "one");
  FileStat stat = fs.stat(path("a")).value();
  EXPECT_TRUE(stat.is_regular());
  EXPECT_EQ(stat.mode & 07777, 0600u);
  EXPECT_EQ(stat.size, 3u);
  EXPECT_EQ(stat.nlink, 1u);
}

TYPED_TEST(FileSystemContract, many_stats_are_what_each_alone_is) {
  USE_WORLD;
  std::vector<std::string> paths;
  ASSERT_TRUE(fs.make_dir(path("d"), 0755).ok());
  for (const char* name : {"a", "d/1", "d/2", "d/3", "d/4", "d/5"}) this->make(name, name);
  ASSERT_TRUE(fs.symlink("1", path("d/link")).ok());
  ASSERT_TRUE(fs.symlink("nowhere", path("d/broken")).ok());
  for (const char* name : {"a", "d/1", "d/2", "d/missing", "d/3", "d/link", "d/broken", "d/4", "a/x", "a/y", "a/z", "a/w",
                           "no/1", "no/2", "no/3", "no/4", "d", "d/5"}) {
    paths.push_back(path(name));
  }
  paths.push_back("");
  std::vector<Result<FileStat>> found = fs.stat_all(paths);
  ASSERT_EQ(found.size(), paths.size());
  for (size_t i = 0; i < paths.size(); ++i) {
    Result<FileStat> alone = fs.stat(paths[i]);
    ASSERT_EQ(found[i].ok(), alone.ok()) << paths[i];
    if (alone.ok()) EXPECT_TRUE(same_identity(*found[i], *alone)) << paths[i];
    else EXPECT_EQ(found[i].error().message, alone.error().message);
  }
}

TYPED_TEST(FileSystemContract, missing_things_are_not_found) {
  USE_WORLD;
  this->make("file", "");
  EXPECT_EQ(fs.stat(path("no")).code(), ErrorCode::not_found);
  EXPECT_EQ(fs.lstat(path("no")).code(), ErrorCode::not_found);
  EXPECT_EQ(fs.open_read(path("no")).code(), ErrorCode::not_found);
  EXPECT_EQ(fs.list(path("no")).code(), ErrorCode::not_found);
  EXPECT_EQ(errno_of(fs.create(path("no/a"), "", 0600)), ENOENT);
  EXPECT_EQ(errno_of(fs.create(path("file/a"), "", 0600)), ENOTDIR);
  EXPECT_EQ(errno_of(fs.unlink(path("no"))), ENOENT);
  EXPECT_EQ(errno_of(fs.rename(path("no"), path("a"))), ENOENT);
  EXPECT_EQ(errno_of(fs.link(path("no"), path("a"))), ENOENT);
  EXPECT_EQ(errno_of(fs.set_mode(path("no"), 0600)), ENOENT);
  EXPECT_EQ(errno_of(fs.touch(path("no"))), ENOENT);
  EXPECT_EQ(errno_of(fs.sync(path("no"))), ENOENT);
  EXPECT_EQ(fs.lock(path("no/lock"), LockMode::exclusive).code(), ErrorCode::not_found);
  EXPECT_EQ(fs.read_link(path("file")).error().sys, EINVAL);
}

TYPED_TEST(FileSystemContract, append_adds_and_creates) {
  USE_WORLD;
  ASSERT_TRUE(fs.append(path("log"), "a\n").ok());
  ASSERT_TRUE(fs.append(path("log"), "b\n").ok());
  EXPECT_EQ(bytes("log"), "a\nb\n");
  EXPECT_EQ(fs.stat(path("log"))->mode & 07777, 0600u);
  EXPECT_FALSE(fs.append(this->world_.root(), "x").ok());
}

TYPED_TEST(FileSystemContract, hard_links_are_one_inode) {
  USE_WORLD;
  this->make("a", "shared");
  ASSERT_TRUE(fs.link(path("a"), path("b")).ok());
  EXPECT_EQ(errno_of(fs.link(path("a"), path("b"))), EEXIST);
  EXPECT_EQ(fs.stat(path("a"))->ino, fs.stat(path("b"))->ino);
  EXPECT_EQ(fs.stat(path("b"))->nlink, 2u);
  ASSERT_TRUE(fs.set_mode(path("a"), 0444).ok());
  EXPECT_EQ(fs.stat(path("b"))->mode & 07777, 0444u);
  ASSERT_TRUE(fs.unlink(path("a")).ok());
  EXPECT_EQ(fs.stat(path("b"))->nlink, 1u);
  EXPECT_EQ(bytes("b"), "shared");
  ASSERT_TRUE(fs.make_dir(path("dir"), 0755).ok());
  EXPECT_FALSE(fs.link(path("dir"), path("c")).ok());
}

TYPED_TEST(FileSystemContract, rename_replaces_in_one_step) {
  USE_WORLD;
  this->make("old", "old");
  this->make("new", "new");
  uint64_t ino = fs.stat(path("new"))->ino;
  ASSERT_TRUE(fs.rename(path("new"), path("old")).ok());
  EXPECT_EQ(bytes("old"), "new");
  EXPECT_EQ(fs.stat(path("old"))->ino, ino);
  EXPECT_FALSE(fs.lstat(path("new")).ok());
}

TYPED_TEST(FileSystemContract, rename_between_two_names_of_one_inode_leaves_both) {
  USE_WORLD;
  this->make("a", "x");
  ASSERT_TRUE(fs.link(path("a"), path("b")).ok());
  ASSERT_TRUE(fs.rename(path("a"), path("b")).ok());
  EXPECT_EQ(bytes("a"), "x");
  EXPECT_EQ(bytes("b"), "x");
}

TYPED_TEST(FileSystemContract, rename_knows_files_and_directories) {
  USE_WORLD;
  this->make("file", "");
  ASSERT_TRUE(fs.make_dir(path("dir"), 0755).ok());
  ASSERT_TRUE(fs.make_dir(path("full"), 0755).ok());
  this->make("full/x", "");
  EXPECT_EQ(errno_of(fs.rename(path("file"), path("dir"))), EISDIR);
  EXPECT_EQ(errno_of(fs.rename(path("dir"), path("file"))), ENOTDIR);
  EXPECT_EQ(errno_of(fs.rename(path("dir"), path("full"))), ENOTEMPTY);
  EXPECT_EQ(errno_of(fs.rename(path("dir"), path("dir/inside"))), EINVAL);
  ASSERT_TRUE(fs.rename(path("full"), path("dir")).ok());
  EXPECT_EQ(bytes("dir/x"), "");
  EXPECT_FALSE(fs.lstat(path("full")).ok());
}

TYPED_TEST(FileSystemContract, an_open_handle_keeps_its_bytes) {
  USE_WORLD;
  this->make("a", "first");
  this->make("b", "second");
  File file = open_file(fs, path("a")).value();
  ASSERT_TRUE(fs.rename(path("b"), path("a")).ok());
  ASSERT_TRUE(fs.unlink(path("a")).ok());
  EXPECT_EQ(read_handle(fs, file.handle(), 100).value(), "first");
  EXPECT_EQ(fs.stat_handle(file.handle())->nlink, 0u);
}

TYPED_TEST(FileSystemContract, reads_at_an_offset) {
  USE_WORLD;
  this->make("a", "0123456789");
  File file = open_file(fs, path("a")).value();
  char buffer[8];
  EXPECT_EQ(fs.read_at(file.handle(), 7, buffer, 8).value(), 3u);
  EXPECT_EQ(std::string(buffer, 3), "789");
  EXPECT_EQ(fs.read_at(file.handle(), 10, buffer, 8).value(), 0u);
  EXPECT_EQ(fs.read_at(file.handle(), 99, buffer, 8).value(), 0u);
  File dir = open_file(fs, this->world_.root()).value();
  EXPECT_EQ(fs.read_at(dir.handle(), 0, buffer, 8).error().sys, EISDIR);
}

TYPED_TEST(FileSystemContract, symlinks) {
  USE_WORLD;
  ASSERT_TRUE(fs.make_dir(path("dir"), 0755).ok());
  this->make("dir/file", "x");
  ASSERT_TRUE(fs.symlink("dir", path("relative")).ok());
  ASSERT_TRUE(fs.symlink(path("dir"), path("absolute")).ok());
  ASSERT_TRUE(fs.symlink("nothing", path("dangling")).ok());
  ASSERT_TRUE(fs.symlink("loop", path("loop")).ok());
  EXPECT_EQ(errno_of(fs.symlink("x", path("loop"))), EEXIST);
  EXPECT_EQ(bytes("relative/file"), "x");
  EXPECT_EQ(bytes("absolute/file"), "x");
  EXPECT_EQ(bytes("relative/../dir/file"), "x");
  EXPECT_EQ(fs.read_link(path("relative")).value(), "dir");
  EXPECT_TRUE(fs.lstat(path("relative"))->is_symlink());
  EXPECT_TRUE(fs.stat(path("relative"))->is_dir());
  EXPECT_EQ(fs.stat(path("dangling")).code(), ErrorCode::not_found);
  EXPECT_TRUE(fs.lstat(path("dangling"))->is_symlink());
  EXPECT_EQ(fs.stat(path("loop")).error().sys, ELOOP);
  EXPECT_EQ(errno_of(fs.create(path("dangling"), "", 0600)), EEXIST);
  ASSERT_TRUE(fs.unlink(path("relative")).ok());
  EXPECT_EQ(bytes("dir/file"), "x");
}

TYPED_TEST(FileSystemContract, directories) {
  USE_WORLD;
  ASSERT_TRUE(fs.make_dir(path("dir"), 0700).ok());
  EXPECT_EQ(errno_of(fs.make_dir(path("dir"), 0700)), EEXIST);
  EXPECT_EQ(errno_of(fs.make_dir(path("no/dir"), 0700)), ENOENT);
  EXPECT_EQ(fs.stat(path("dir"))->mode & 07777, 0700u);
  this->make("dir/a", "");
  ASSERT_TRUE(fs.make_dir(path("dir/b"), 0700).ok());
  ASSERT_TRUE(fs.symlink("a", path("dir/c")).ok());
  std::vector<DirEntry> entries = fs.list(path("dir")).value();
  std::sort(entries.begin(), entries.end(), [](const DirEntry& x, const DirEntry& y) { return x.name < y.name; });
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_EQ(entries[0].name, "a");
  EXPECT_TRUE(entries[1].type == DirEntry::dir || entries[1].type == DirEntry::unknown);
  EXPECT_TRUE(entries[2].type == DirEntry::symlink || entries[2].type == DirEntry::unknown);
  EXPECT_EQ(errno_of(fs.remove_dir(path("dir"))), ENOTEMPTY);
  EXPECT_EQ(errno_of(fs.remove_dir(path("dir/a"))), ENOTDIR);
  EXPECT_EQ(errno_of(fs.unlink(path("dir/b"))), EISDIR);
  ASSERT_TRUE(fs.remove_dir(path("dir/b")).ok());
  EXPECT_FALSE(fs.list(path("dir/a")).ok());
}

TYPED_TEST(FileSystemContract, mtime_can_be_set_and_ctime_tells_of_it) {
  USE_WORLD;
  this->make("a", "x");
  FileStat before = fs.stat(path("a")).value();
  this->world_.tick();
  constexpr int64_t kSeal = int64_t{1'000'000'123} * 1'000'000'000 + 456'789'123;
  ASSERT_TRUE(fs.set_mtime(path("a"), kSeal).ok());
  FileStat after = fs.stat(path("a")).value();
  EXPECT_EQ(after.mtime_ns, kSeal);
  EXPECT_GT(after.ctime_ns, before.ctime_ns);
  this->world_.tick();
  ASSERT_TRUE(fs.touch(path("a")).ok());
  EXPECT_GE(fs.stat(path("a"))->mtime_ns, after.ctime_ns);
}

TYPED_TEST(FileSystemContract, ctime_moves_with_every_change_of_the_inode) {
  USE_WORLD;
  this->make("a", "x");
  int64_t last = fs.stat(path("a"))->ctime_ns;
  int64_t mtime = fs.stat(path("a"))->mtime_ns;
  auto moved = [&](const char* name) {
    int64_t now = fs.stat(path(name))->ctime_ns;
    bool later = now > last;
    last = now;
    this->world_.tick();
    return later;
  };
  this->world_.tick();
  ASSERT_TRUE(fs.set_mode(path("a"), 0600).ok());
  EXPECT_TRUE(moved("a"));
  ASSERT_TRUE(fs.link(path("a"), path("b")).ok());
  EXPECT_TRUE(moved("a"));
  ASSERT_TRUE(fs.unlink(path("b")).ok());
  EXPECT_TRUE(moved("a"));
  ASSERT_TRUE(fs.rename(path("a"), path("c")).ok());
  EXPECT_TRUE(moved("c"));
  EXPECT_EQ(fs.stat(path("c"))->mtime_ns, mtime);
  ASSERT_TRUE(fs.append(path("c"), "y").ok());
  EXPECT_GT(fs.stat(path("c"))->mtime_ns, mtime);
}

TYPED_TEST(FileSystemContract, a_directory_changes_with_its_names) {
  USE_WORLD;
  std::string root = this->world_.root();
  this->make("a", "x");
  FileStat before = fs.stat(root).value();
  this->world_.tick();
  ASSERT_TRUE(fs.append(path("a"), "y").ok());
  EXPECT_TRUE(same_identity(before, *fs.stat(root)));
  ASSERT_TRUE(fs.unlink(path("a")).ok());
  EXPECT_GT(fs.stat(root)->mtime_ns, before.mtime_ns);
}

TYPED_TEST(FileSystemContract, copy_is_another_inode) {
  USE_WORLD;
  this->make("a", "content");
  File file = open_file(fs, path("a")).value();
  ASSERT_TRUE(fs.copy(file.handle(), path("b"), 0640).ok());
  EXPECT_EQ(bytes("b"), "content");
  EXPECT_NE(fs.stat(path("a"))->ino, fs.stat(path("b"))->ino);
  EXPECT_EQ(fs.stat(path("b"))->mode & 07777, 0640u);
  EXPECT_EQ(errno_of(fs.copy(file.handle(), path("b"), 0640)), EEXIST);
  ASSERT_TRUE(fs.append(path("b"), "!").ok());
  EXPECT_EQ(bytes("a"), "content");
}

TYPED_TEST(FileSystemContract, clone_is_a_copy_or_nothing) {
  USE_WORLD;
  this->make("a", "content");
  File file = open_file(fs, path("a")).value();
  Status cloned = fs.clone(file.handle(), path("b"), 0600);
  if (cloned.ok()) {
    EXPECT_EQ(bytes("b"), "content");
    return;
  }
  EXPECT_EQ(cloned.code(), ErrorCode::unsupported);
  EXPECT_FALSE(fs.lstat(path("b")).ok());
}

TYPED_TEST(FileSystemContract, locks_exclude_each_other) {
  USE_WORLD;
  File first = lock_file(fs, path("lock"), LockMode::shared).value();
  {
    File second = lock_file(fs, path("lock"), LockMode::shared).value();
    EXPECT_EQ(lock_file(fs, path("lock"), LockMode::try_exclusive).code(), ErrorCode::busy);
  }
  first.reset();
  File owner = lock_file(fs, path("lock"), LockMode::try_exclusive).value();
  EXPECT_EQ(lock_file(fs, path("lock"), LockMode::try_exclusive).code(), ErrorCode::busy);
  std::thread waiter([&] { EXPECT_TRUE(lock_file(fs, path("lock"), LockMode::exclusive).ok()); });
  owner.reset();
  waiter.join();
  EXPECT_TRUE(lock_file(fs, path("lock"), LockMode::try_exclusive).ok());
}

TYPED_TEST(FileSystemContract, sync_takes_files_directories_and_everything) {
  USE_WORLD;
  this->make("a", "x");
  EXPECT_TRUE(fs.sync(path("a")).ok());
  EXPECT_TRUE(fs.sync(this->world_.root()).ok());
  EXPECT_TRUE(fs.sync_all(this->world_.root()).ok());
  EXPECT_FALSE(fs.sync_all(path("no")).ok());
}

TYPED_TEST(FileSystemContract, helpers_replace_whole_files_and_make_trees) {
  USE_WORLD;
  ASSERT_TRUE(make_dirs(fs, path("x/y/z"), 0755).ok());
  ASSERT_TRUE(make_dirs(fs, path("x/y/z"), 0755).ok());
  ASSERT_TRUE(replace_file(fs, path("x/y/z/f"), "one", 0600).ok());
  ASSERT_TRUE(replace_file(fs, path("x/y/z/f"), "two", 0600).ok());
  EXPECT_EQ(bytes("x/y/z/f"), "two");
  EXPECT_EQ(fs.list(path("x/y/z"))->size(), 1u);
  EXPECT_EQ(read_file(fs, path("x/y/z/f"), 2).code(), ErrorCode::too_large);
}

// --- what only the fakes can -----------------------------------------------------------------------------------------

TEST(MemFileSystemTest, a_power_cut_takes_what_was_not_synced) {
  for (Loss loss : {Loss::emptied, Loss::truncated, Loss::zeroed, Loss::garbage}) {
    ManualClock clock;
    MemFileSystem fs(clock);
    ASSERT_TRUE(fs.create("/kept", "kept", 0600).ok());
    ASSERT_TRUE(fs.sync("/kept").ok());
    ASSERT_TRUE(fs.create("/lost", "lost", 0600).ok());
    ASSERT_TRUE(fs.rename("/lost", "/moved").ok());
    FileStat before = fs.stat("/moved").value();
    fs.power_cut(loss);
    EXPECT_EQ(read_file(fs, "/kept", 10).value(), "kept");
    EXPECT_NE(read_file(fs, "/moved", 10).value(), "lost");
    FileStat after = fs.stat("/moved").value();
    bool keeps_size = loss == Loss::zeroed || loss == Loss::garbage;
    EXPECT_EQ(same_identity(before, after), keeps_size);
  }
}

TEST(MemFileSystemTest, devices_are_apart) {
  ManualClock clock;
  MemFileSystem fs(clock);
  fs.reflinks = true;
  fs.mount("/other");
  ASSERT_TRUE(fs.create("/a", "x", 0600).ok());
  File a = open_file(fs, "/a").value();
  EXPECT_EQ(errno_of(fs.link("/a", "/other/a")), EXDEV);
  EXPECT_EQ(errno_of(fs.rename("/a", "/other/a")), EXDEV);
  EXPECT_EQ(fs.clone(a.handle(), "/other/a", 0600).code(), ErrorCode::unsupported);
  EXPECT_TRUE(fs.copy(a.handle(), "/other/a", 0600).ok());
  EXPECT_TRUE(fs.clone(a.handle(), "/b", 0600).ok());
}

TEST(FaultFileSystemTest, fails_the_operation_it_was_told_to) {
  ManualClock clock;
  MemFileSystem mem(clock);
  FaultFileSystem fs(mem, {FaultPlan::fail, 2, ENOSPC});
  EXPECT_TRUE(fs.create("/a", "", 0600).ok());
  EXPECT_EQ(fs.create("/b", "", 0600).code(), ErrorCode::no_space);
  EXPECT_TRUE(fs.create("/c", "", 0600).ok());
  EXPECT_FALSE(mem.stat("/b").ok());
  EXPECT_EQ(fs.victim(), "create /b");
}

TEST(FaultFileSystemTest, a_full_disk_still_removes) {
  ManualClock clock;
  MemFileSystem mem(clock);
  FaultFileSystem fs(mem, {FaultPlan::fail_from, 2, ENOSPC});
  EXPECT_TRUE(fs.create("/a", "", 0600).ok());
  EXPECT_FALSE(fs.create("/b", "", 0600).ok());
  EXPECT_TRUE(fs.unlink("/a").ok());
  EXPECT_FALSE(fs.create("/c", "", 0600).ok());
}

TEST(FaultFileSystemTest, the_dead_do_nothing_more) {
  ManualClock clock;
  MemFileSystem mem(clock);
  FaultFileSystem fs(mem, {FaultPlan::kill, 2, 0});
  EXPECT_TRUE(fs.create("/a", "x", 0600).ok());
  EXPECT_FALSE(fs.create("/b", "x", 0600).ok());
  EXPECT_FALSE(fs.unlink("/a").ok());
  EXPECT_FALSE(fs.stat("/a").ok());
  EXPECT_TRUE(mem.stat("/a").ok());
  EXPECT_FALSE(mem.stat("/b").ok());
}

TEST(FaultFileSystemTest, a_torn_write_leaves_half) {
  ManualClock clock;
  MemFileSystem mem(clock);
  FaultFileSystem fs(mem, {FaultPlan::torn, 1, 0});
  EXPECT_FALSE(fs.create("/a", "12345678", 0600).ok());
  EXPECT_EQ(read_file(mem, "/a", 10).value(), "1234");
}

}  // namespace
}  // namespace kache
